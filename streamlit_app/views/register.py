"""Registering a new face: who it is, consent, photos."""

from __future__ import annotations

import streamlit as st

from ray_backend.client import Backend
from ray_backend.domain.answers import Enrolment
from ray_backend.domain.errors import RollcallError
from ray_backend.domain.requests import PersonDraft
from streamlit_app import links
from streamlit_app.photo_tray import Tray, forget_reviews, photo_tray
from streamlit_app.session import ACTOR, admin_only

CONSENT = (
    "This person agreed that their face is stored as photos and numbers and is used to record attendance. "
    "They may withdraw at any time; everything is then erased under People."
)
_FORM, _DONE = "register_form", "registered"


@admin_only
def render(backend: Backend) -> None:
    """A form that keeps what was typed until it is stored."""
    st.title("Register face")
    _confirmation()
    key = f"register-{st.session_state.setdefault(_FORM, 0)}"
    draft = _fields(backend, key)
    st.subheader("Photos")
    tray = photo_tray(backend, key)
    consent = st.checkbox(CONSENT, key=f"{key}-consent")
    if st.button("Save this person", type="primary", icon=":material/save:", key="register-save"):
        _save(backend, PersonDraft(*draft, consent=consent), tray, key)


def _fields(backend: Backend, key: str) -> tuple[str, str, str, str]:
    left, right = st.columns(2, gap="medium")
    employee_id = left.text_input("Employee id", key=f"{key}-id", help="The number your organisation uses.")
    name = right.text_input("Name", key=f"{key}-name", help="As it is shown at the kiosk.")
    department = left.selectbox(
        "Department (optional)", backend.people.departments(), index=None, key=f"{key}-department",
        placeholder="Choose one or type a new one", accept_new_options=True,
    )  # fmt: skip
    email = right.text_input("E-mail (optional)", key=f"{key}-email")
    return employee_id, name, department or "", email


def _save(backend: Backend, draft: PersonDraft, tray: Tray, key: str) -> None:
    try:
        enrolment = backend.enrol(draft, tray.photos, source=tray.source, actor=ACTOR)
    except RollcallError as error:
        forget_reviews(key)
        st.error(error.message, icon=":material/error:")
        return
    for name in [name for name in st.session_state if str(name).startswith(f"{key}-")]:
        del st.session_state[name]
    st.session_state[_FORM] += 1
    st.session_state[_DONE] = enrolment
    st.rerun()


def _confirmation() -> None:
    enrolment: Enrolment | None = st.session_state.get(_DONE)
    if enrolment is None:
        return
    accepted = sum(review.accepted for review in enrolment.reviews)
    words = f"with {accepted} photos" if accepted != 1 else "with one photo"
    with st.container(border=True):
        st.success(
            f"{enrolment.person.name} ({enrolment.person.employee_id}) is registered {words}.",
            icon=":material/check_circle:",
        )
        st.write(
            "The kiosk knows this face from now on: try it there. Below you can register the next person."
        )
        if accepted < 3:
            st.caption("Two or three more photos make recognition surer: add them under People.")
        links.link("people", "Open People", ":material/groups:")
