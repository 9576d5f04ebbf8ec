"""The last step: the person is stored; the camera shows whether it knows them."""

from __future__ import annotations

import streamlit as st

from ray_backend.client import Backend
from ray_backend.services import codes
from streamlit_app import links, presenters
from streamlit_app.camera.desk import desk_camera
from streamlit_app.camera.desks import OpenDesk, TryDesk, desks, open_desk
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
        st.caption("Two or three more photos make recognition surer: add them under People.")
    st.subheader("Try it")
    st.write("The person looks into the camera. Nothing is recorded by this.")
    _camera(backend, draft)
    row = st.container(horizontal=True)
    if row.button(
        "Register the next person", type="primary", key="register-new", icon=":material/person_add:"
    ):
        close_try(draft)
        begin_anew()
        st.rerun()
    with row:
        links.link("people", "Open this person", ":material/person:", person=draft.person.person_id)


def close_try(draft: Draft) -> None:
    """Ends the camera."""
    opened: OpenDesk[TryDesk] | None = st.session_state.pop(f"{draft.key}-try", None)
    if opened is not None:
        desks.close(opened.permit)


def _stored_words(draft: Draft) -> str:
    name, employee_id = presenters.plain(draft.person.name), presenters.plain(draft.person.employee_id)
    if draft.added:
        if draft.photos == 1:
            return f"One photo is added to {name} ({employee_id})."
        return f"{draft.photos} photos are added to {name} ({employee_id})."
    if draft.photos == 1:
        return f"{name} ({employee_id}) is registered with one photo."
    return f"{name} ({employee_id}) is registered with {draft.photos} photos."


def _code(backend: Backend, draft: Draft) -> None:
    if draft.problem:
        _another_code(backend, draft)
    elif draft.code_choice is CodeChoice.MADE and draft.made_code:
        st.write("The PIN of this person. Hand it over now: it cannot be shown again.")
        st.code(draft.made_code, language=None, width=180)


def _another_code(backend: Backend, draft: Draft) -> None:
    st.warning(f"The person is stored, but the code is not set. {draft.problem}", icon=":material/dialpad:")
    with st.form("register-code", border=False):
        code = st.text_input(
            "Another PIN or badge number", type="password", autocomplete="off", max_chars=codes.LONGEST,
            placeholder="4 to 12 digits",
        )  # fmt: skip
        if st.form_submit_button("Set the code"):
            attempt(
                "The code is set.",
                lambda: backend.people.set_code(draft.person.person_id, code.strip(), actor=ACTOR),
                before_rerun=lambda: _code_is_set(draft),
            )


def _code_is_set(draft: Draft) -> None:
    draft.problem, draft.code_choice = "", CodeChoice.OWN


def _camera(backend: Backend, draft: Draft) -> None:
    key = f"{draft.key}-try"
    opened: OpenDesk[TryDesk] | None = st.session_state.get(key)
    if opened is None:
        if not st.button("Start the camera", key="register-try", icon=":material/videocam:"):
            return
        st.session_state[key] = open_desk(TryDesk(backend, draft.person))
        st.rerun()
    if desks.get(opened.permit) is None:
        close_try(draft)
        st.rerun()
    if desk_camera(opened.permit, key=f"{draft.key}-camera-try", guided=False):
        st.warning("The camera's connection does not get through here. Try it at a kiosk.")
    if st.button("Stop the camera", key="register-try-stop", icon=":material/videocam_off:"):
        close_try(draft)
        st.rerun()
