"""Somebody who is registered already looks like the new person: one and the same, or a look-alike."""

from __future__ import annotations

import base64
from collections.abc import Sequence

import streamlit as st

from ray_backend.client import Backend
from ray_backend.domain.answers import SimilarPerson
from ray_backend.domain.errors import RollcallError
from ray_backend.domain.model import Person
from ray_backend.services import codes
from streamlit_app import links, presenters
from streamlit_app.i18n import _, message
from streamlit_app.notes import attempt, show_note
from streamlit_app.photo_tray import Tray
from streamlit_app.registration.draft import Draft, Step, go
from streamlit_app.session import ACTOR


def same_person(backend: Backend, draft: Draft, tray: Tray, same: Sequence[SimilarPerson]) -> None:
    """Asks whether it is one person. Two registrations of one face cannot be told apart, so none is made."""
    st.error(_("This face is registered already."), icon=":material/face:")
    for one in same:
        with st.container(border=True):
            _both(one, draft.name)
            _ask(backend, draft, tray, one.person)


def look_alikes(backend: Backend, draft: Draft, alike: Sequence[SimilarPerson]) -> None:
    """Warns of people whom a kiosk may take for the new one, and offers to give them a code."""
    show_note()
    for one in alike:
        with st.container(border=True):
            name, other = presenters.plain(draft.name.strip()), presenters.plain(one.person.name)
            st.warning(
                _(
                    "{name} looks like {other}. Where the kiosk is not sure which of the two it sees, it "
                    "asks for the code. Give both of them one.",
                    name=name,
                    other=other,
                ),
                icon=":material/group:",
            )
            _both(one, draft.name)
            _code_of_other(backend, one.person)


def _both(one: SimilarPerson, new_name: str) -> None:
    row = st.container(horizontal=True)
    named = ((one.new_thumbnail, new_name.strip()), (one.known_thumbnail, _named(one.person)))
    for thumbnail, label in named:
        with row.container(width=170):
            if thumbnail:
                source = base64.b64encode(thumbnail).decode()
                st.html(f'<div class="rc-photo"><img src="data:image/jpeg;base64,{source}" alt=""></div>')
            st.caption(presenters.plain(label))


def _named(person: Person) -> str:
    return f"{person.name} ({person.employee_id})"


def _ask(backend: Backend, draft: Draft, tray: Tray, known: Person) -> None:
    name = presenters.plain(known.name)
    st.markdown(_("**Is this {name}?**", name=name))
    if st.button(
        _("Yes, add the photos to {name}", name=name), key=f"same-{known.person_id}", width="stretch"
    ):
        _add(backend, draft, tray, known)
    if st.button(_("No, this is somebody else"), key=f"other-{known.person_id}", width="stretch"):
        st.session_state[f"{draft.key}-other"] = known.person_id
    if st.session_state.get(f"{draft.key}-other") == known.person_id:
        st.info(
            _(
                "These photos are as much like {name} as two photos of one person are. A kiosk could not "
                "tell the two apart and would record one for the other, so they cannot be saved. Go back and "
                "take photos with better light and closer to the camera. If it stays like this, one of the "
                "two cannot be registered by face.",
                name=name,
            ),
            icon=":material/info:",
        )
    links.link("people", _("Open this person"), ":material/person:", person=known.person_id)


def _add(backend: Backend, draft: Draft, tray: Tray, known: Person) -> None:
    try:
        enrolment = backend.add_photos(known.person_id, tray.photos, source=tray.source, actor=ACTOR)
    except RollcallError as error:
        st.error(message(error), icon=":material/error:")
        return
    draft.person, draft.added = enrolment.person, True
    draft.photos = sum(review.accepted for review in enrolment.reviews)
    go(draft, Step.TRY)


def _code_of_other(backend: Backend, other: Person) -> None:
    name = presenters.plain(other.name)
    if backend.people.details(other.person_id).has_code:
        st.caption(_("{name} has a code.", name=name))
        return
    with st.form(f"code-of-{other.person_id}", border=False, clear_on_submit=True):
        left, right = st.columns([3, 1], vertical_alignment="bottom")
        code = left.text_input(
            _("New code for {name}, who has none", name=name), type="password", autocomplete="off",
            max_chars=codes.LONGEST, placeholder=_("4 to 12 digits"),
        )  # fmt: skip
        if right.form_submit_button(_("Set the code"), width="stretch"):
            attempt(
                _("The code is set."),
                lambda: backend.people.set_code(other.person_id, code.strip(), actor=ACTOR),
            )
