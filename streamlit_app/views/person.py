"""One person: details, photos, and the end of both. Shown by `people`, which has checked the sign-in."""

from __future__ import annotations

import streamlit as st

from ray_backend.client import Backend
from ray_backend.domain.answers import PersonDetails
from ray_backend.domain.errors import PersonNotFound, RollcallError
from ray_backend.domain.model import Person, Template
from ray_backend.domain.requests import PersonDraft
from streamlit_app import deps, presenters
from streamlit_app.code_card import code_card
from streamlit_app.notes import attempt, show_note
from streamlit_app.photo_tray import forget_reviews, photo_tray
from streamlit_app.session import ACTOR

_FAREWELL, _TRAY = "people_farewell", "person_tray"
_CARD_PX = 190


def open_person(person_id: str) -> None:
    """Makes the next run show this person."""
    st.session_state.pop(_FAREWELL, None)
    st.query_params["person"] = person_id


def show_farewell() -> None:
    """What became of a person who was erased a moment ago."""
    words = st.session_state.pop(_FAREWELL, None)
    if words:
        st.success(words, icon=":material/check_circle:")


def render(backend: Backend, person_id: str) -> None:
    """The page of one person, or a hint when there is none."""
    st.button("All people", icon=":material/arrow_back:", type="tertiary", on_click=_close)
    try:
        details = backend.people.details(person_id)
    except PersonNotFound:
        st.info("This person is not registered any more.", icon=":material/person_off:")
        return
    _heading(details.person)
    show_note()
    left, right = st.columns([3, 2], gap="medium")
    with left:
        _details_form(backend, details.person)
    with right:
        _state(backend, details.person)
        code_card(backend, details)
        _erasing(backend, details.person)
    _photos(backend, details)


def _close() -> None:
    st.query_params.pop("person", None)


def _heading(person: Person) -> None:
    row = st.container(horizontal=True, vertical_alignment="center")
    row.title(presenters.plain(person.name), width="content")
    if not person.active:
        row.badge("Deactivated", color="gray")
    zone = deps.site().zone
    consent = (
        f"consent given {person.consent_at.astimezone(zone):%Y-%m-%d}"
        if person.consent_at
        else "no consent noted"
    )
    st.caption(f"Registered {person.created_at.astimezone(zone):%Y-%m-%d}, {consent}")


def _details_form(backend: Backend, person: Person) -> None:
    with st.form(f"details-{person.person_id}"):
        st.subheader("Details")
        employee_id = st.text_input("Employee id", person.employee_id)
        name = st.text_input("Name", person.name)
        departments = sorted({*backend.people.departments(), person.department} - {""})
        department = st.selectbox(
            "Department", departments, accept_new_options=True, placeholder="None",
            index=departments.index(person.department) if person.department else None,
        )  # fmt: skip
        email = st.text_input("E-mail", person.email)
        if st.form_submit_button("Save changes", icon=":material/save:"):
            draft = PersonDraft(employee_id, name, department or "", email)
            attempt(
                "The changes are saved.",
                lambda: backend.people.update(person.person_id, draft, actor=ACTOR),
            )


def _state(backend: Backend, person: Person) -> None:
    with st.container(border=True):
        st.subheader("Recognition")
        if person.active:
            st.write("The kiosk recognises this person.")
            label, done = "Deactivate", "Deactivated: the kiosk does not recognise this person any more."
        else:
            st.write("The kiosk does not recognise this person. Photos and attendance are kept.")
            label, done = "Reactivate", "Reactivated: the kiosk recognises this person again."
        if st.button(label, key="person-active", width="stretch"):
            attempt(
                done,
                lambda: backend.people.set_active(person.person_id, not person.active, actor=ACTOR),
            )


def _erasing(backend: Backend, person: Person) -> None:
    with st.container(border=True):
        st.subheader("Erase")
        st.write("Removes this person and all photos for good, for example when consent is withdrawn.")
        if st.button(
            "Erase this person", icon=":material/delete_forever:", key="person-erase", width="stretch"
        ):
            confirm_erasure(backend, person)


@st.dialog("Erase for good?")
def confirm_erasure(backend: Backend, person: Person) -> None:
    """Erases only after the employee id was typed in."""
    st.write(
        f"**{presenters.plain(person.name)}**, all photos and everything computed from them will be gone."
    )
    keep = st.radio(
        "Attendance records",
        [True, False],
        format_func=lambda kept: "Keep them without a name" if kept else "Remove them, too",
        captions=["Totals of past reports stay right.", "Past reports change."],
        key="erase-keep",
    )
    typed = st.text_input(f"Type the employee id {person.employee_id} to confirm", key="erase-typed")
    if not st.button("Erase for good", type="primary", key="erase-yes", icon=":material/delete_forever:"):
        return
    try:
        erasure = backend.people.erase(
            person.person_id, typed_employee_id=typed, keep_punches=keep, actor=ACTOR
        )
    except RollcallError as error:
        st.error(error.message, icon=":material/error:")
        return
    st.session_state[_FAREWELL] = presenters.erasure_words(erasure)
    _close()
    st.rerun()


def _photos(backend: Backend, details: PersonDetails) -> None:
    st.subheader(f"Photos ({len(details.templates)})")
    if not details.templates:
        st.info("Without photos the kiosk cannot recognise this person. Add some below.")
    row = st.container(horizontal=True)
    for template in details.templates:
        with row.container(border=True, width=_CARD_PX):
            _photo(backend, template)
    with st.expander("Add photos", icon=":material/add_a_photo:", expanded=not details.templates):
        _add_photos(backend, details.person)


def _photo(backend: Backend, template: Template) -> None:
    if template.thumbnail:
        st.image(template.thumbnail, width="stretch", alt="Face")
    st.progress(template.quality, text=presenters.quality_words(template.quality))
    made = template.created_at.astimezone(deps.site().zone)
    st.caption(f"{presenters.source_words(template)}, {made:%Y-%m-%d}")
    if st.button("Remove", key=f"remove-{template.template_id}", width="stretch"):
        attempt(
            "The photo is removed.",
            lambda: backend.people.remove_template(template.template_id, actor=ACTOR),
        )


def _add_photos(backend: Backend, person: Person) -> None:
    key = f"add-{person.person_id}-{st.session_state.setdefault(_TRAY, 0)}"
    tray = photo_tray(backend, key, person.person_id)
    if not tray.photos or not st.button("Add these photos", type="primary", key="person-add-photos"):
        return
    forget_reviews(key)
    attempt(
        "The photos are added.",
        lambda: backend.add_photos(person.person_id, tray.photos, source=tray.source, actor=ACTOR),
        before_rerun=lambda: st.session_state.update({_TRAY: st.session_state[_TRAY] + 1}),
    )
