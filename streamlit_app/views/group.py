"""The group photo: one picture of a class or a crew marks everybody on it as present."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd
import streamlit as st

from ray_backend.client import Backend
from ray_backend.domain.answers import CheckIn
from ray_backend.domain.errors import ImageRejected, RollcallError
from ray_backend.domain.model import Person
from ray_backend.domain.queries import PeopleQuery
from streamlit_app import presenters
from streamlit_app.dialogs import dialog
from streamlit_app.group_picture import group_html
from streamlit_app.group_words import GroupFace, group_faces, missing, people_words, recorded_words
from streamlit_app.i18n import N_, _, message, n_
from streamlit_app.photo_tray import PICTURES
from streamlit_app.session import ACTOR, guarded

_EVERYBODY = N_("Everybody")
_FORM, _SEEN, _DONE = "group_form", "group_seen", "group_done"
_PAGE = 1000


@dataclass(frozen=True)
class _Seen:
    """A picture that was looked at: its digest, its faces, and how both are shown."""

    sha256: str
    faces: list[GroupFace]
    marked: str
    others: str


@guarded("group")
def render(backend: Backend) -> None:
    """From a picture to presence: choose who is expected, look, untick, record."""
    st.title(_("Group photo"))
    st.write(
        _(
            "One picture of a class or a crew marks everybody on it as present. Everybody should look at the "
            "camera, in good light. Nothing is recorded before you say so."
        )
    )
    _say_what_was_done()
    key = f"group-{st.session_state.setdefault(_FORM, 0)}"
    choices = [_EVERYBODY, *backend.people.departments()]
    expected = st.selectbox(_("Who is expected"), choices, format_func=_one_or_all, key="group-expected")
    picture = _picture(key)
    if picture is None:
        return
    try:
        seen = _look(backend, picture)
    except ImageRejected as error:
        st.error(message(error), icon=":material/error:")
        return
    _show(backend, seen, None if expected == _EVERYBODY else expected)


def _one_or_all(department: str) -> str:
    return _(department) if department == _EVERYBODY else department


def _picture(key: str) -> bytes | None:
    if st.toggle(_("Take the picture with the camera"), key=f"{key}-camera-on"):
        taken = st.camera_input(_("Take the picture"), key=f"{key}-camera")
    else:
        taken = st.file_uploader(_("Picture file"), type=PICTURES, key=f"{key}-file")
    return taken.getvalue() if taken else None


def _look(backend: Backend, picture: bytes) -> _Seen:
    """Each picture is looked at once, however often the page runs: it is the recognition that costs."""
    sha256 = hashlib.sha256(picture).hexdigest()
    seen = st.session_state.get(_SEEN)
    if seen is None or seen.sha256 != sha256:
        # What was done before is old news now.
        st.session_state.pop(_DONE, None)
        with st.spinner(_("Looking for faces")):
            faces = group_faces(backend.recognise(picture))
            seen = st.session_state[_SEEN] = _Seen(sha256, faces, *group_html(picture, faces))
    return seen


def _show(backend: Backend, seen: _Seen, department: str | None) -> None:
    st.html(seen.marked)
    if not seen.faces:
        st.warning(_("No face was found in this picture. Take another one."), icon=":material/person_off:")
        return
    present, absent = st.columns(2, gap="large")
    with present:
        chosen = _present(seen)
    with absent:
        _absent(missing(_expected(backend, department), seen.faces))
    _others(seen)
    label = n_("Record {number} person as present", "Record {number} people as present", len(chosen))
    wanted = st.button(label, type="primary", icon=":material/how_to_reg:", disabled=not chosen,
                       key="group-record")  # fmt: skip
    if wanted:
        confirm(backend, chosen, seen.sha256)


def _present(seen: _Seen) -> list[Person]:
    people = sorted((face.person for face in seen.faces if face.person), key=lambda person: person.name)
    st.subheader(_("Present ({number})", number=len(people)))
    if not people:
        st.write(_("Nobody in this picture was recognised."))
    else:
        st.caption(_("Untick whoever is not really there."))
    return [
        person
        for person in people
        if st.checkbox(
            f"{presenters.plain(person.name)} ({presenters.plain(person.employee_id)})",
            value=True,
            key=f"group-{seen.sha256[:16]}-{person.person_id}",
        )
    ]


def _expected(backend: Backend, department: str | None) -> list[Person]:
    people: list[Person] = []
    cursor = None
    while True:
        page = backend.people.find(
            PeopleQuery(department=department, active=True, cursor=cursor, limit=_PAGE)
        )
        people += page.items
        cursor = page.next_cursor
        if cursor is None:
            return people


def _absent(people: Sequence[Person]) -> None:
    st.subheader(_("Missing ({number})", number=len(people)))
    if not people:
        st.write(_("Everybody who is expected is in the picture."))
        return
    rows = [(person.name, person.employee_id, person.department) for person in people]
    table = pd.DataFrame(rows, columns=[_("Name"), _("Employee id"), _("Department")])
    st.dataframe(table, hide_index=True, width="stretch")


def _others(seen: _Seen) -> None:
    number = sum(face.person is None for face in seen.faces)
    if number:
        st.subheader(_("Not recognised ({number})", number=number))
        st.html(seen.others)


@dialog(N_("Record them as present?"))
def confirm(backend: Backend, people: Sequence[Person], picture_sha256: str) -> None:
    """Asks first, then records."""
    names = ", ".join(presenters.plain(person.name) for person in people)
    st.write(f"**{people_words(len(people))}**: {names}")
    st.caption(_("Whoever has checked in today already is not recorded a second time."))
    if not st.button(_("Yes, record them"), type="primary", key="group-yes"):
        return
    try:
        answers = backend.record_present(
            [person.person_id for person in people], picture_sha256=picture_sha256, actor=ACTOR
        )
    except RollcallError as error:
        st.error(message(error), icon=":material/error:")
        return
    st.session_state[_DONE] = answers
    # A new form is an empty one.
    st.session_state[_FORM] = st.session_state.get(_FORM, 0) + 1
    st.session_state.pop(_SEEN, None)
    st.rerun()


def _say_what_was_done() -> None:
    answers: list[CheckIn] | None = st.session_state.get(_DONE)
    if answers is None:
        return
    recorded, before = recorded_words(answers)
    if recorded:
        st.success(presenters.plain(recorded), icon=":material/check_circle:")
    if before:
        st.info(presenters.plain(before), icon=":material/schedule:")
