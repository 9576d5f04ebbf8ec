"""Registering somebody new from unknown faces."""

from __future__ import annotations

import streamlit as st

from ray_backend.client import Backend
from ray_backend.domain.errors import RollcallError
from ray_backend.domain.requests import PersonDraft
from streamlit_app import deps, presenters
from streamlit_app import unknown_words as words
from streamlit_app.dialogs import dialog
from streamlit_app.i18n import N_, _, message
from streamlit_app.notes import say
from streamlit_app.session import ACTOR
from streamlit_app.unknown.crops import crops_html


@dialog(N_("Register as a new person"), width="large")
def enrol_dialog(backend: Backend, group_ids: tuple[str, ...]) -> None:
    """The dialog around `enrol`."""
    enrol(backend, group_ids)


def enrol(backend: Backend, group_ids: tuple[str, ...]) -> None:
    """Who it is, and their consent: a kiosk has asked nobody for it."""
    faces = [face.thumbnail for face in backend.unknown.faces(list(group_ids)) if face.thumbnail]
    st.html(crops_html(faces))
    site = deps.site()
    with st.form("unknown-enrol", border=False):
        left, right = st.columns(2, gap="medium")
        employee_id = left.text_input(_("Employee id"))
        name = right.text_input(_("Name"), help=_("As it is shown at the kiosk."))
        department = left.selectbox(
            _("Department (optional)"), backend.people.departments(), index=None, accept_new_options=True,
            placeholder=_("Choose one or type a new one"),
        )  # fmt: skip
        email = right.text_input(_("E-mail (optional)"))
        consent = st.checkbox(presenters.plain(site.consent_text))
        if not st.form_submit_button(_("Register"), type="primary", icon=":material/person_add:"):
            return
    draft = PersonDraft(employee_id, name, department or "", email, consent=consent)
    try:
        answer = backend.unknown.enrol(list(group_ids), draft, actor=ACTOR)
    except RollcallError as error:
        st.error(message(error), icon=":material/error:")
        return
    registered = _("{name} is registered.", name=answer.person.name)
    say(f"{registered} {words.assigned_words(answer)}")
    st.rerun()
