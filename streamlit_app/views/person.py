"""One person: details, recognition, photos, and the end of all of them. Shown by `people`, which has checked
the sign-in."""

from __future__ import annotations

import streamlit as st

from ray_backend.client import Backend
from ray_backend.domain.errors import PersonNotFound
from ray_backend.services.gate import may
from streamlit_app.code_card import code_card
from streamlit_app.i18n import _
from streamlit_app.notes import show_note
from streamlit_app.person.calendar import calendar_card, forget_address
from streamlit_app.person.details import details_form, details_text, heading
from streamlit_app.person.erasing import erasing_card, forget_farewell
from streamlit_app.person.merging import merging_card
from streamlit_app.person.photos import photos
from streamlit_app.person.punches import last_punches
from streamlit_app.person.recognition import recognition_card

# Whoever may do this may do everything that the page offers.
_CHANGES = ("people.update", "people.erase", "enrolments.add_photos", "merges.merge")


def open_person(person_id: str) -> None:
    """Makes the next run show this person."""
    forget_farewell()
    forget_address()
    st.query_params["person"] = person_id


def render(backend: Backend, person_id: str) -> None:
    """The page of one person, or a hint when there is none."""
    st.button(_("All people"), icon=":material/arrow_back:", type="tertiary", on_click=_close)
    try:
        details = backend.people.details(person_id)
        file = backend.person_file(details.person.person_id)
    except PersonNotFound:
        st.info(_("This person is not registered any more."), icon=":material/person_off:")
        return
    editable = may(backend.caller, _CHANGES)
    heading(details)
    show_note()
    left, right = st.columns([3, 2], gap="medium")
    with left:
        if editable:
            details_form(backend, details.person)
        else:
            details_text(details.person)
        last_punches(file)
    with right:
        recognition_card(backend, details, file, editable)
        calendar_card(backend, details.person)
        if editable:
            code_card(backend, details)
            merging_card(backend, details)
            erasing_card(backend, details.person)
    photos(backend, details, file, editable)


def _close() -> None:
    st.query_params.pop("person", None)
