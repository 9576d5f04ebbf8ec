"""The code that a person may type at the kiosk instead of being recognised: set, changed, taken away."""

from __future__ import annotations

import streamlit as st

from ray_backend.client import Backend
from ray_backend.domain.answers import PersonDetails
from streamlit_app.i18n import _
from streamlit_app.notes import attempt
from streamlit_app.session import ACTOR


def code_card(backend: Backend, details: PersonDetails) -> None:
    """A card with the form. Nobody sees a code that is set: only its hash is kept."""
    person_id = details.person.person_id
    with st.container(border=True):
        st.subheader(_("Code for the kiosk"))
        st.write(
            _("This person has a code. It is kept so that nobody can read it.")
            if details.has_code
            else _(
                "With a code, such as a PIN or a badge number, this person can check in without the camera."
            )
        )
        with st.form(f"code-{person_id}", border=False, clear_on_submit=True):
            code = st.text_input(
                _("New code"),
                type="password",
                autocomplete="off",
                placeholder=_("4 to 12 digits"),
                max_chars=12,
            )
            if st.form_submit_button(_("Change the code") if details.has_code else _("Set the code")):
                attempt(
                    _("The code is set."),
                    lambda: backend.people.set_code(person_id, code.strip(), actor=ACTOR),
                )
        if details.has_code and st.button(_("Take the code away"), key="code-remove"):
            attempt(_("The code is gone."), lambda: backend.people.set_code(person_id, None, actor=ACTOR))
