"""Who a person is: the heading, and the form that changes it."""

from __future__ import annotations

import streamlit as st

from ray_backend.client import Backend
from ray_backend.domain.answers import PersonDetails
from ray_backend.domain.model import Person
from ray_backend.domain.requests import PersonDraft
from streamlit_app import deps, presenters
from streamlit_app.faces import face_html
from streamlit_app.i18n import _
from streamlit_app.notes import attempt
from streamlit_app.session import ACTOR


def heading(details: PersonDetails) -> None:
    """Face, name, state, and since when."""
    person = details.person
    row = st.container(horizontal=True, vertical_alignment="center")
    best = max(details.templates, key=lambda template: template.quality, default=None)
    row.html(face_html(best.thumbnail if best else b"", 56), width="content")
    row.title(presenters.plain(person.name), width="content")
    if not person.active:
        row.badge(_("Deactivated"), color="gray")
    zone = deps.site().zone
    since = f"{person.created_at.astimezone(zone):%Y-%m-%d}"
    if person.consent_at:
        agreed = f"{person.consent_at.astimezone(zone):%Y-%m-%d}"
        st.caption(_("Registered {since}, consent given {agreed}", since=since, agreed=agreed))
    else:
        st.caption(_("Registered {since}, no consent noted", since=since))


def details_form(backend: Backend, person: Person) -> None:
    """What can be changed, in place."""
    with st.form(f"details-{person.person_id}"):
        st.subheader(_("Details"))
        employee_id = st.text_input(_("Employee id"), person.employee_id)
        name = st.text_input(_("Name"), person.name)
        departments = sorted({*backend.people.departments(), person.department} - {""})
        department = st.selectbox(
            _("Department"), departments, accept_new_options=True, placeholder=_("None"),
            index=departments.index(person.department) if person.department else None,
        )  # fmt: skip
        email = st.text_input(_("E-mail"), person.email)
        if st.form_submit_button(_("Save changes"), icon=":material/save:"):
            draft = PersonDraft(employee_id, name, department or "", email)
            attempt(
                _("The changes are saved."),
                lambda: backend.people.update(person.person_id, draft, actor=ACTOR),
            )


def details_text(person: Person) -> None:
    """The same for whoever may look only."""
    with st.container(border=True):
        st.subheader(_("Details"))
        for label, value in (
            (_("Employee id"), person.employee_id),
            (_("Department"), person.department),
            (_("E-mail"), person.email),
        ):
            st.caption(label)
            st.text(value or "–")
