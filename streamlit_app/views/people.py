"""Finding people. A person's own page is in `person`, the certificates of erasures in `certificate_card`."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import streamlit as st

from ray_backend.client import Backend
from ray_backend.domain.answers import PersonRow
from ray_backend.domain.queries import PeopleQuery
from ray_backend.services.gate import may
from streamlit_app import certificate_card, deps, links, people_words, presenters
from streamlit_app.faces import face_html
from streamlit_app.i18n import N_, _
from streamlit_app.person.erasing import show_farewell
from streamlit_app.session import guarded
from streamlit_app.views import person

PAGE_SIZE = 20
_ALL = N_("All")
_STATES = {N_("Active"): True, N_("Deactivated"): False, N_("Everybody"): None}
_CURSORS, _FILTER = "people_cursors", "people_filter"
_WIDTHS = [0.9, 3.1, 1.8, 2.0, 2.4, 1.4, 2.0]
_TITLES = (
    "", N_("Name"), N_("Employee id"), N_("Department"), N_("Shift today"), N_("Photos"), N_("Last seen"),
)  # fmt: skip
_STATE_WIDTH = 1.8
_FACE_PX = 36


@guarded("people")
def render(backend: Backend) -> None:
    """The list, or what the address names: a person, or the certificates."""
    person_id = st.query_params.get("person")
    if person_id:
        person.render(backend, person_id)
    elif "certificates" in st.query_params:
        st.button(
            _("All people"), icon=":material/arrow_back:", type="tertiary", on_click=_close_certificates
        )
        certificate_card.certificate_page(backend)
    else:
        _list(backend)


def _list(backend: Backend) -> None:
    _head(backend)
    show_farewell()
    query = _filters(backend)
    cursors = _cursors(query)
    page = backend.people.find_rows(_page_of(query, cursors[-1]))
    if page.items:
        _rows(page.items, with_state=query.active is not True)
        _paging(page, cursors)
    else:
        _nobody(query)


def _head(backend: Backend) -> None:
    row = st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute")
    row.title(_("People"), width="content")
    if may(backend.caller, ("certificates.all",)):
        row.button(
            _("Deletion certificates"), icon=":material/verified:", type="tertiary",
            key="people-certificates", on_click=_open_certificates,
        )  # fmt: skip


def _open_certificates() -> None:
    st.query_params["certificates"] = "all"


def _close_certificates() -> None:
    st.query_params.pop("certificates", None)


def _filters(backend: Backend) -> PeopleQuery:
    search, department, state, photos = st.columns([2.6, 2, 1.8, 1.9], vertical_alignment="bottom")
    text = search.text_input(_("Search"), placeholder=_("Name or employee id"), key="people_text").strip()
    group = department.selectbox(
        _("Department"), [_ALL, *backend.people.departments()], key="people_department",
        format_func=lambda name: _(_ALL) if name == _ALL else name,
    )  # fmt: skip
    active = state.selectbox(_("Show"), list(_STATES), format_func=_, key="people_active")
    without = photos.checkbox(_("Without photos"), key="people_without_photos")
    return PeopleQuery(
        text, department=None if group == _ALL else group, active=_STATES[active], without_photos=without
    )


def _page_of(query: PeopleQuery, cursor: str | None) -> PeopleQuery:
    return replace(query, cursor=cursor, limit=PAGE_SIZE)


def _cursors(query: PeopleQuery) -> list[str | None]:
    """Where each page seen so far begins; another filter begins anew."""
    if st.session_state.get(_FILTER) != query:
        st.session_state[_FILTER] = query
        st.session_state[_CURSORS] = [None]
    return st.session_state[_CURSORS]


def _rows(rows: tuple[PersonRow, ...], *, with_state: bool) -> None:
    table = st.container(key="people-list", gap="xsmall")
    widths = [*_WIDTHS, _STATE_WIDTH] if with_state else _WIDTHS
    for cell, title in zip(table.columns(widths, gap="xsmall"), _TITLES, strict=False):
        cell.caption(_(title))
    now, zone = datetime.now(UTC), deps.site().zone
    for row in rows:
        face, name, number, department, shift, photos, seen, *state = table.columns(
            widths, vertical_alignment="center", gap="xsmall"
        )
        face.html(face_html(row.thumbnail, _FACE_PX))
        name.button(
            presenters.plain(row.person.name), key=f"open-{row.person.person_id}", type="tertiary", wrap=True,
            on_click=person.open_person, args=(row.person.person_id,),
        )  # fmt: skip
        number.text(row.person.employee_id)
        department.text(row.person.department or "–")
        shift.text(people_words.today_words(row.today))
        photos.text(str(row.templates))
        seen.text(people_words.last_seen_words(row.last_seen, now, zone))
        if state and not row.person.active:
            state[0].badge(_("Deactivated"), color="gray")


def _paging(page, cursors: list[str | None]) -> None:
    row = st.container(horizontal=True, vertical_alignment="center")
    if len(cursors) > 1:
        row.button(_("Previous"), icon=":material/chevron_left:", on_click=cursors.pop)
    if page.next_cursor is not None:
        row.button(
            _("Next"), icon=":material/chevron_right:", icon_position="right",
            on_click=cursors.append, args=(page.next_cursor,),
        )  # fmt: skip
    first = (len(cursors) - 1) * PAGE_SIZE + 1
    row.caption(presenters.paging_words(first, len(page.items), page.total))


def _nobody(query: PeopleQuery) -> None:
    with st.container(border=True):
        if query.without_photos:
            st.subheader(_("Nobody is without photos"))
            st.write(_("Everybody who matches can be recognised. Clear *Without photos* to see them."))
        elif query.text or query.department or query.active is False:
            st.subheader(_("Nobody matches"))
            st.write(_("Try a part of the name, another department, or *Everybody*."))
        else:
            st.subheader(_("Nobody is registered yet"))
            st.write(_("Register the first face: a few photos are enough."))
            links.link("register", _("Register a face"), ":material/person_add:")
            links.link("import", _("Import people"), ":material/upload:")
