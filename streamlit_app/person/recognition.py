"""Whether the kiosk recognises a person, and for whom else it may take them."""

from __future__ import annotations

import streamlit as st

from ray_backend.client import Backend
from ray_backend.domain.answers import PersonDetails, PersonFile
from streamlit_app import people_words, presenters
from streamlit_app.i18n import _
from streamlit_app.notes import attempt
from streamlit_app.session import ACTOR


def recognition_card(backend: Backend, details: PersonDetails, file: PersonFile, editable: bool) -> None:
    """State, look-alikes, and the button that changes the state."""
    person = details.person
    with st.container(border=True):
        st.subheader(_("Recognition"))
        st.write(
            _("The kiosk recognises this person.")
            if person.active and details.templates
            else _("The kiosk cannot recognise this person yet: there is no photo.")
            if person.active
            else _("The kiosk does not recognise this person. Photos and attendance are kept.")
        )
        if details.templates:
            _likeness(file, details.has_code)
        if editable:
            _switch(backend, details)


def _likeness(file: PersonFile, has_code: bool) -> None:
    words = presenters.plain(people_words.likeness_words(file, has_code))
    if any(one.alike for one in file.others):
        st.warning(words, icon=":material/group:")
    else:
        st.caption(words)


def _switch(backend: Backend, details: PersonDetails) -> None:
    person = details.person
    if person.active:
        label, done = _("Deactivate"), _("Deactivated: the kiosk does not recognise this person any more.")
    else:
        label, done = _("Reactivate"), _("Reactivated: the kiosk recognises this person again.")
    if st.button(label, key="person-active", width="stretch"):
        attempt(done, lambda: backend.people.set_active(person.person_id, not person.active, actor=ACTOR))
