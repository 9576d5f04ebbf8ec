"""Scheduled exports: reports that are made by themselves and put into a folder or sent by e-mail."""

from __future__ import annotations

import streamlit as st

from ray_backend.client import Backend
from ray_backend.domain.errors import RollcallError
from ray_backend.domain.reporting.exports import Ways
from streamlit_app import deps
from streamlit_app.dialogs import dialog
from streamlit_app.exports import card
from streamlit_app.exports.form import new_export
from streamlit_app.i18n import N_, _, message
from streamlit_app.notes import show_note
from streamlit_app.session import ACTOR, guarded


@guarded("exports")
def render(backend: Backend) -> None:
    """The exports, the way to a new one, and whether e-mail works."""
    st.title(_("Scheduled exports"))
    show_note()
    st.write(
        _(
            "Rollcall makes these reports by itself and puts them into a folder on the server or sends them "
            "by e-mail. Each holds what the account that set it up may see at that time."
        )
    )
    ways = backend.exports.ways()
    sites = {site.site_id: site.name for site in backend.rules.current().sites}
    _head(backend, ways, sites)
    zone = deps.site().zone
    exports = backend.exports.all()
    for export in exports:
        card.show(backend, export, ways, sites, zone)
    if not exports:
        st.info(_("Nothing is exported by itself yet."), icon=":material/schedule_send:")


def _head(backend: Backend, ways: Ways, sites: dict[str, str]) -> None:
    somewhere = ways.folder or ways.mail
    row = st.container(horizontal=True)
    if row.button(_("New export"), icon=":material/add:", type="primary", disabled=not somewhere):
        new_export(backend, ways, sites)
    may_test = ways.mail and backend.may("exports.test_mail")
    if may_test and row.button(_("Send a test e-mail"), icon=":material/mail:"):
        test_mail(backend, ways)
    if not somewhere:
        st.warning(
            _(
                "This server has neither a folder for exports nor a mail server. Whoever runs it can set "
                "`ROLLCALL_EXPORT_DIR` or `ROLLCALL_SMTP_HOST` and start it again."
            ),
            icon=":material/info:",
        )


@dialog(N_("Send a test e-mail"))
def test_mail(backend: Backend, ways: Ways) -> None:
    """Sends a short message and says what the mail server answered."""
    st.write(_("A short message from {sender}, without any report.", sender=f"`{ways.sender}`"))
    address = st.text_input(_("To"), key="test_mail_to", placeholder="ada@example.org")
    if not st.button(_("Send"), type="primary", key="test_mail_send"):
        return
    try:
        with st.spinner(_("Sending")):
            said = backend.exports.test_mail(address, actor=ACTOR)
    except RollcallError as error:
        said = error.message
    if said:
        st.error(message(said), icon=":material/error:")
    else:
        st.success(_("The mail server took the message."), icon=":material/check_circle:")
