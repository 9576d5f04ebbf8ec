"""Giving unknown faces to somebody who is registered, after a look at both side by side."""

from __future__ import annotations

import streamlit as st

from ray_backend.client import Backend
from ray_backend.domain.answers import PersonRow
from ray_backend.domain.errors import RollcallError
from ray_backend.domain.queries import PeopleQuery
from streamlit_app import presenters
from streamlit_app import unknown_words as words
from streamlit_app.dialogs import dialog
from streamlit_app.faces import face_html
from streamlit_app.i18n import N_, _, message
from streamlit_app.notes import say
from streamlit_app.session import ACTOR
from streamlit_app.unknown.crops import crops_html

_PERSON = "unknown_person"
_MOST_FOUND = 5


def open_assigning(backend: Backend, group_ids: tuple[str, ...], person_id: str | None = None) -> None:
    """Opens the dialog, with this person already chosen if one is named."""
    st.session_state[_PERSON] = person_id
    assign_dialog(backend, group_ids)


def begin_anew() -> None:
    """Nobody is chosen yet."""
    st.session_state[_PERSON] = None


@dialog(N_("Who is it?"), width="large")
def assign_dialog(backend: Backend, group_ids: tuple[str, ...]) -> None:
    """Search, compare, confirm."""
    assign(backend, group_ids)


def assign(backend: Backend, group_ids: tuple[str, ...], face_ids: tuple[str, ...] = ()) -> None:
    """What stands in the dialog. With `face_ids` it is about these faces of the groups alone."""
    person_id = st.session_state.get(_PERSON)
    if person_id is None:
        _search(backend)
        return
    try:
        _side_by_side(backend, group_ids, face_ids, person_id)
        _confirm(backend, group_ids, face_ids, person_id)
    except RollcallError as error:
        st.error(message(error), icon=":material/error:")


def _search(backend: Backend) -> None:
    text = st.text_input(
        _("Registered person"), placeholder=_("Name or employee id"), key="unknown-text"
    ).strip()
    if not text:
        st.caption(_("Type a name or an employee id, then choose the person."))
        return
    rows = backend.people.find_rows(PeopleQuery(text=text, active=True, limit=_MOST_FOUND + 1)).items
    if not rows:
        st.info(_("Nobody matches. Try a part of the name, or the employee id."))
    for row in rows[:_MOST_FOUND]:
        _choice(row)
    if len(rows) > _MOST_FOUND:
        st.caption(_("There are more. Type more of the name."))


def _choice(row: PersonRow) -> None:
    line = st.container(horizontal=True, vertical_alignment="center")
    line.html(face_html(row.thumbnail, 44), width="content")
    name, number = presenters.plain(row.person.name), presenters.plain(row.person.employee_id)
    if line.button(
        f"{name} ({number})", key=f"unknown-choose-{row.person.person_id}", type="tertiary",
        on_click=st.session_state.update, args=({_PERSON: row.person.person_id},),
    ):  # fmt: skip
        st.rerun(scope="fragment")


def _side_by_side(
    backend: Backend, group_ids: tuple[str, ...], face_ids: tuple[str, ...], person_id: str
) -> None:
    details = backend.people.details(person_id)
    unknown, known = st.columns(2, border=True)
    faces = [
        face.thumbnail
        for face in backend.unknown.faces(list(group_ids))
        if face.thumbnail and (not face_ids or face.face_id in face_ids)
    ]
    with unknown:
        st.markdown(_("**Unknown face**"))
        st.html(crops_html(faces))
    with known:
        st.markdown(f"**{presenters.plain(details.person.name)}**")
        st.html(crops_html([template.thumbnail for template in details.templates]))
        st.caption(presenters.plain(f"{details.person.employee_id}  {details.person.department}".strip()))


def _confirm(backend: Backend, group_ids: tuple[str, ...], face_ids: tuple[str, ...], person_id: str) -> None:
    name = presenters.plain(backend.people.details(person_id).person.name)
    same = st.checkbox(
        _("I compared the faces: all of these pictures show {name}.", name=name),
        key=f"unknown-same-{person_id}",
    )
    st.caption(_(words.NO_PUNCH))
    row = st.container(horizontal=True)
    row.button(
        _("Somebody else"), key="unknown-else", icon=":material/search:",
        on_click=st.session_state.update, args=({_PERSON: None},),
    )  # fmt: skip
    if row.button(
        _("Add to {name}", name=name), type="primary", key="unknown-assign", icon=":material/add_a_photo:",
        disabled=not same,
    ):  # fmt: skip
        # Whole groups, with what came to them meanwhile, or these faces alone.
        which = {"face_ids": list(face_ids)} if face_ids else {"group_ids": list(group_ids)}
        answer = backend.unknown.assign(person_id, **which, confirmed=same, actor=ACTOR)
        say(words.assigned_words(answer))
        st.rerun()
