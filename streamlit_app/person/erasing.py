"""The end of a person's record, and the certificate of it."""

from __future__ import annotations

import streamlit as st

from ray_backend.client import Backend
from ray_backend.domain.answers import Erasure
from ray_backend.domain.errors import RollcallError
from ray_backend.domain.model import Person
from streamlit_app import certificate_card, presenters
from streamlit_app.dialogs import dialog
from streamlit_app.i18n import N_, _, message
from streamlit_app.session import ACTOR

_FAREWELL = "people_farewell"


def forget_farewell() -> None:
    """What was erased before is said no more."""
    st.session_state.pop(_FAREWELL, None)


def show_farewell() -> None:
    """What became of a person who was erased a moment ago, with the certificate. Stays until it is closed."""
    erasure: Erasure | None = st.session_state.get(_FAREWELL)
    if erasure is None:
        return
    with st.container(border=True, key="farewell"):
        st.success(presenters.erasure_words(erasure), icon=":material/check_circle:")
        if erasure.certificate is not None:
            certificate_card.verdict(erasure.certificate)
            certificate_card.downloads(erasure.certificate)
        st.button(_("Close"), key="farewell-close", on_click=forget_farewell)


def erasing_card(backend: Backend, person: Person) -> None:
    """The button, with what it does."""
    with st.container(border=True):
        st.subheader(_("Erase"))
        st.write(
            _(
                "Removes this person and all photos for good, for example when consent is withdrawn. "
                "It ends in a signed certificate."
            )
        )
        if st.button(
            _("Erase this person"), icon=":material/delete_forever:", key="person-erase", width="stretch"
        ):
            confirm_erasure_dialog(backend, person)


@dialog(N_("Erase for good?"))
def confirm_erasure_dialog(backend: Backend, person: Person) -> None:
    """Erases only after the employee id was typed in."""
    confirm_erasure(backend, person)


def confirm_erasure(backend: Backend, person: Person) -> None:
    """What stands in the dialog."""
    name = presenters.plain(person.name)
    st.write(_("**{name}**, all photos and everything computed from them will be gone.", name=name))
    keep = st.radio(
        _("Attendance records"),
        [True, False],
        format_func=lambda kept: _("Keep them without a name") if kept else _("Remove them, too"),
        captions=[_("Totals of past reports stay right."), _("Past reports change.")],
        key="erase-keep",
    )
    typed = st.text_input(
        _("Type the employee id {employee_id} to confirm", employee_id=person.employee_id), key="erase-typed"
    )
    if not st.button(_("Erase for good"), type="primary", key="erase-yes", icon=":material/delete_forever:"):
        return
    try:
        with st.spinner(_("Erasing, and searching for anything left")):
            erasure = backend.people.erase(
                person.person_id, typed_employee_id=typed, keep_punches=keep, actor=ACTOR
            )
    except RollcallError as error:
        st.error(message(error), icon=":material/error:")
        return
    st.session_state[_FAREWELL] = erasure
    st.query_params.pop("person", None)
    st.rerun()
