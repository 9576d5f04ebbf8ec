"""The first page: who is in today and, for administrators, what to do next and the kiosks."""

from __future__ import annotations

import streamlit as st

from ray_backend.client import Backend
from ray_backend.domain.requests import SheetQuery
from streamlit_app import deps, links, presenters
from streamlit_app.i18n import _, n_
from streamlit_app.session import guarded


@guarded("home")
def render(backend: Backend) -> None:
    """Today at a glance."""
    _waiting_punches(backend.journal_depth())
    overview = backend.overview()
    today = backend.reports.today()
    days = backend.timesheets.sheet(SheetQuery(today, today)).days
    days = days[days["punches"] > 0]
    st.title(deps.site().site_name)
    st.caption(presenters.long_day(today))
    registered, here, gone = st.columns(3)
    if backend.caller.departments is None:
        registered.metric(_("People registered"), overview.people, border=True)
    here.metric(_("Came in today"), days["employee_id"].nunique(), border=True)
    gone.metric(_("Left again"), int(days["last_out"].notna().sum()), border=True)
    manages_kiosks = backend.may("access.tokens")
    if manages_kiosks and not overview.people:
        _first_steps()
    elif days.empty:
        st.info(_("Nobody has checked in yet today."), icon=":material/schedule:")
    else:
        st.subheader(_("Today"))
        st.dataframe(presenters.day_rows(days), hide_index=True, width="stretch")
    if manages_kiosks:
        st.subheader(_("Kiosks"))
        _kiosks(backend)


def _waiting_punches(number: int) -> None:
    """Said first, since the rest of the page needs the database."""
    if number:
        st.warning(
            n_(
                "{number} punch waits on the server's disk until the database answers again. Nothing is "
                "lost.",
                "{number} punches wait on the server's disk until the database answers again. Nothing is "
                "lost.",
                number,
            ),
            icon=":material/save_clock:",
        )


def _first_steps() -> None:
    with st.container(border=True):
        st.subheader(_("Your first day"))
        st.markdown(
            _(
                "1. Register the first faces: a few photos of each person, taken here or from files.\n"
                "2. Make a kiosk address under Settings and open it on the computer or tablet at the door.\n"
                "3. Walk up to it. Your name, the time and IN appear within a second or two.\n"
                "4. At the end of the day, download the report."
            )
        )
        links.link("register", _("Register the first face"), ":material/person_add:")


def _kiosks(backend: Backend) -> None:
    st.write(_("A kiosk is any browser with a camera that is opened with a kiosk address."))
    for token in backend.access.tokens():
        name, made = st.columns([3, 5], vertical_alignment="center")
        name.markdown(f":material/videocam: **{presenters.plain(token.kiosk)}**")
        since = token.created_at.astimezone(deps.site().zone)
        made.caption(_("allowed since {since}", since=f"{since:%Y-%m-%d %H:%M}"))
    links.link("settings", _("New kiosk, or shut one out"), ":material/add_link:", section=_("Kiosks"))
