"""A person's shifts for calendar programs: as a file, and under an address that they subscribe to."""

from __future__ import annotations

import streamlit as st

from ray_backend.client import Backend
from ray_backend.domain.errors import RollcallError
from ray_backend.domain.model import Person
from ray_backend.services.gate import may
from ray_backend.services.shift_feed import feed_path
from streamlit_app import links
from streamlit_app.i18n import _, message
from streamlit_app.notes import attempt
from streamlit_app.session import ACTOR

_NEW = "calendar_address"


def calendar_card(backend: Backend, person: Person) -> None:
    """Nothing for whoever may not read this person's shifts."""
    if not may(backend.caller, ("shift_feeds.calendar", "shift_feeds.issue")):
        return
    person_id = person.person_id
    with st.container(border=True):
        st.subheader(_("Shifts in a calendar"))
        st.write(_("From two weeks ago to three months ahead, for calendar programs and telephones."))
        st.download_button(
            _("Download the file"), lambda: backend.shift_feeds.calendar(person_id), "shifts.ics",
            "text/calendar", icon=":material/calendar_month:", key="calendar-file", on_click="ignore",
        )  # fmt: skip
        base = links.api_address()
        if base is None:
            st.caption(_("There is no address to subscribe to, because the HTTP API is switched off."))
            return
        known = st.session_state.get(_NEW)
        if known and known[0] == person_id:
            _once(base + feed_path(person.employee_id, known[1]))
        row = st.container(horizontal=True)
        if row.button(_("New address"), icon=":material/add_link:", key="calendar-issue"):
            _issue(backend, person_id)
        if row.button(_("Shut the address"), icon=":material/link_off:", key="calendar-shut"):
            attempt(
                _("No address opens these shifts any more."),
                lambda: backend.shift_feeds.revoke(person_id, actor=ACTOR),
                lambda: st.session_state.pop(_NEW, None),
            )
        st.caption(
            _(
                "A program that subscribes to the address follows every change. Whoever has it reads these "
                "shifts and nothing else, so give it to this person only. A new one shuts the one before."
            )
        )


def _once(address: str) -> None:
    st.code(address, language=None, wrap_lines=True)
    st.caption(_("It is shown this once. Copy it now."))


def _issue(backend: Backend, person_id: str) -> None:
    try:
        secret = backend.shift_feeds.issue(person_id, actor=ACTOR)
    except RollcallError as error:
        st.error(message(error), icon=":material/error:")
        return
    st.session_state[_NEW] = (person_id, secret)
    st.rerun()


def forget_address() -> None:
    """Whoever comes back to the page does not see it again."""
    st.session_state.pop(_NEW, None)
