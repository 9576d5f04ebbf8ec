"""The second step: who the person is."""

from __future__ import annotations

import streamlit as st

from ray_backend.client import Backend
from ray_backend.domain.errors import InvalidInput
from streamlit_app import links, presenters
from streamlit_app.i18n import _, message
from streamlit_app.registration.draft import Draft, Step, field_key, go


def who_step(backend: Backend, draft: Draft) -> None:
    """The fields. Says at once when the employee id is taken."""
    left, right = st.columns(2, gap="medium")
    draft.employee_id = left.text_input(
        _("Employee id"), key=field_key(draft, "employee_id"), help=_("The number your organisation uses.")
    )
    taken = _taken(backend, draft)
    draft.name = right.text_input(
        _("Name"), key=field_key(draft, "name"), help=_("As it is shown at the kiosk.")
    )
    draft.department = _department(backend, draft, left)
    draft.email = right.text_input(_("E-mail (optional)"), key=field_key(draft, "email"))
    row = st.container(horizontal=True)
    if row.button(_("Back"), key="register-back", icon=":material/arrow_back:"):
        go(draft, Step.CONSENT)
    if row.button(_("Continue"), type="primary", key="register-next", icon=":material/arrow_forward:"):
        _continue(draft, taken)


def _department(backend: Backend, draft: Draft, place) -> str:
    key = f"{draft.key}-department"
    st.session_state.setdefault(key, draft.department or None)
    names = sorted({*backend.people.departments(), draft.department} - {""})
    chosen = place.selectbox(
        _("Department (optional)"), names, key=key, accept_new_options=True,
        placeholder=_("Choose one or type a new one"),
    )  # fmt: skip
    return chosen or ""


def _taken(backend: Backend, draft: Draft) -> bool:
    employee_id = draft.employee_id.strip()
    person = backend.people.by_employee_id(employee_id) if employee_id else None
    if person is None:
        return False
    st.warning(
        _(
            "Employee id {employee_id} belongs to {name} already. Open that person to add photos, or "
            "type another id.",
            employee_id=presenters.plain(employee_id),
            name=presenters.plain(person.name),
        ),
        icon=":material/badge:",
    )
    links.link("people", _("Open this person"), ":material/person:", person=person.person_id)
    return True


def _continue(draft: Draft, taken: bool) -> None:
    try:
        draft.as_request().checked()
    except InvalidInput as error:
        st.error(message(error), icon=":material/error:")
        return
    if taken:
        st.error(_("Type an employee id that is not taken."), icon=":material/error:")
        return
    go(draft, Step.PHOTOS)
