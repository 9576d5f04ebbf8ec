"""Finding people. A person's own page is in `person`."""

from __future__ import annotations

import streamlit as st

from ray_backend.client import Backend
from ray_backend.domain.model import PeopleQuery, Person
from streamlit_app import links, presenters
from streamlit_app.session import admin_only
from streamlit_app.views import person

PAGE_SIZE = 20
_ALL = "All"
_STATES = {"Active": True, "Deactivated": False, "Everybody": None}
_CURSORS, _FILTER = "people_cursors", "people_filter"
_WIDTHS = [4, 3, 3, 2]


@admin_only
def render(backend: Backend) -> None:
    """The list, or the person whom the address names."""
    person_id = st.query_params.get("person")
    if person_id:
        person.render(backend, person_id)
        return
    st.title("People")
    person.show_farewell()
    query = _filters(backend)
    cursors = _cursors(query)
    page = backend.people.find(
        PeopleQuery(query.text, query.department, query.active, cursors[-1], PAGE_SIZE)
    )
    if page.items:
        _rows(page.items)
        _paging(page, cursors)
    else:
        _nobody(query)


def _filters(backend: Backend) -> PeopleQuery:
    search, department, state = st.columns([3, 2, 2])
    text = search.text_input("Search", placeholder="Name or employee id", key="people_text").strip()
    group = department.selectbox("Department", [_ALL, *backend.people.departments()], key="people_department")
    active = state.selectbox("Show", list(_STATES), key="people_active")
    return PeopleQuery(text, None if group == _ALL else group, _STATES[active])


def _cursors(query: PeopleQuery) -> list[str | None]:
    """Where each page seen so far begins; another filter begins anew."""
    if st.session_state.get(_FILTER) != query:
        st.session_state[_FILTER] = query
        st.session_state[_CURSORS] = [None]
    return st.session_state[_CURSORS]


def _rows(people: tuple[Person, ...]) -> None:
    table = st.container(key="people-list", gap="xsmall")
    for cell, title in zip(table.columns(_WIDTHS), ("Name", "Employee id", "Department", ""), strict=True):
        cell.caption(title)
    for someone in people:
        name, number, department, state = table.columns(_WIDTHS, vertical_alignment="center")
        name.button(
            presenters.plain(someone.name), key=f"open-{someone.person_id}", type="tertiary",
            on_click=person.open_person, args=(someone.person_id,), icon=":material/person:",
        )  # fmt: skip
        number.text(someone.employee_id)
        department.text(someone.department or "–")
        if not someone.active:
            state.badge("Deactivated", color="gray")


def _paging(page, cursors: list[str | None]) -> None:
    row = st.container(horizontal=True, vertical_alignment="center")
    if len(cursors) > 1:
        row.button("Previous", icon=":material/chevron_left:", on_click=cursors.pop)
    if page.next_cursor is not None:
        row.button(
            "Next", icon=":material/chevron_right:", icon_position="right",
            on_click=cursors.append, args=(page.next_cursor,),
        )  # fmt: skip
    first = (len(cursors) - 1) * PAGE_SIZE + 1
    row.caption(presenters.paging_words(first, len(page.items), page.total))


def _nobody(query: PeopleQuery) -> None:
    with st.container(border=True):
        if query.text or query.department or query.active is False:
            st.subheader("Nobody matches")
            st.write("Try a part of the name, another department, or *Everybody*.")
        else:
            st.subheader("Nobody is registered yet")
            st.write("Register the first face: a few photos are enough.")
            links.link("register", "Register a face", ":material/person_add:")
