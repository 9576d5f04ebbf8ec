"""The last step: the person is stored; the camera shows whether it knows them."""

from __future__ import annotations

import streamlit as st

from ray_backend.client import Backend
from ray_backend.services import codes
from streamlit_app import links, presenters
from streamlit_app.camera.desk import desk_camera
from streamlit_app.camera.desks import OpenDesk, TryDesk, desks, open_desk
from streamlit_app.i18n import _, message, n_
from streamlit_app.notes import attempt, show_note
from streamlit_app.registration.draft import CodeChoice, Draft, begin_anew
from streamlit_app.session import ACTOR

ENOUGH_PHOTOS = 3


def try_step(backend: Backend, draft: Draft) -> None:
    """What was stored, the code to hand over, and the try."""
    st.success(_stored_words(draft), icon=":material/check_circle:")
    show_note()
    _code(backend, draft)
    if draft.photos < ENOUGH_PHOTOS and not draft.added:
        st.caption(_("Two or three more photos make recognition surer: add them under People."))
    st.subheader(_("Try it"))
    st.write(_("The person looks into the camera. Nothing is recorded by this."))
    _camera(backend, draft)
    row = st.container(horizontal=True)
    if row.button(
        _("Register the next person"), type="primary", key="register-new", icon=":material/person_add:"
    ):
        close_try(draft)
        begin_anew()
        st.rerun()
    with row:
        links.link("people", _("Open this person"), ":material/person:", person=draft.person.person_id)


def close_try(draft: Draft) -> None:
    """Ends the camera."""
    opened: OpenDesk[TryDesk] | None = st.session_state.pop(f"{draft.key}-try", None)
    if opened is not None:
        desks.close(opened.permit)


def _stored_words(draft: Draft) -> str:
    name, employee_id = presenters.plain(draft.person.name), presenters.plain(draft.person.employee_id)
    if draft.added:
        return n_(
            "One photo is added to {name} ({employee_id}).",
            "{number} photos are added to {name} ({employee_id}).",
            draft.photos,
            name=name,
            employee_id=employee_id,
        )
    return n_(
        "{name} ({employee_id}) is registered with one photo.",
        "{name} ({employee_id}) is registered with {number} photos.",
        draft.photos,
        name=name,
        employee_id=employee_id,
    )


def _code(backend: Backend, draft: Draft) -> None:
    if draft.problem:
        _another_code(backend, draft)
    elif draft.code_choice is CodeChoice.MADE and draft.made_code:
        st.write(_("The PIN of this person. Hand it over now: it cannot be shown again."))
        st.code(draft.made_code, language=None, width=180)


def _another_code(backend: Backend, draft: Draft) -> None:
    st.warning(
        _("The person is stored, but the code is not set. {problem}", problem=message(draft.problem)),
        icon=":material/dialpad:",
    )
    with st.form("register-code", border=False):
        code = st.text_input(
            _("Another PIN or badge number"), type="password", autocomplete="off", max_chars=codes.LONGEST,
            placeholder=_("4 to 12 digits"),
        )  # fmt: skip
        if st.form_submit_button(_("Set the code")):
            attempt(
                _("The code is set."),
                lambda: backend.people.set_code(draft.person.person_id, code.strip(), actor=ACTOR),
                before_rerun=lambda: _code_is_set(draft),
            )


def _code_is_set(draft: Draft) -> None:
    draft.problem, draft.code_choice = "", CodeChoice.OWN


def _camera(backend: Backend, draft: Draft) -> None:
    key = f"{draft.key}-try"
    opened: OpenDesk[TryDesk] | None = st.session_state.get(key)
    if opened is None:
        if not st.button(_("Start the camera"), key="register-try", icon=":material/videocam:"):
            return
        st.session_state[key] = open_desk(TryDesk(backend, draft.person))
        st.rerun()
    if desks.get(opened.permit) is None:
        close_try(draft)
        st.rerun()
    if desk_camera(opened.permit, key=f"{draft.key}-camera-try", guided=False):
        st.warning(_("The camera's connection does not get through here. Try it at a kiosk."))
    if st.button(_("Stop the camera"), key="register-try-stop", icon=":material/videocam_off:"):
        close_try(draft)
        st.rerun()
