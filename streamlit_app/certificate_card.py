"""Deletion certificates on a page: handed out after an erasure, listed later, and checked."""

from __future__ import annotations

import streamlit as st

from ray_backend.client import Backend
from ray_backend.domain.answers import SignedCertificate
from ray_backend.domain.errors import InvalidInput
from ray_backend.services import certificates
from streamlit_app import certificate_words as words
from streamlit_app import deps, presenters
from streamlit_app.i18n import _, message

_MOST_SHOWN = 50


def downloads(certificate: SignedCertificate) -> None:
    """The file that can be checked, and the page that can be printed."""
    zone, key = deps.site().zone, certificate.certificate_id
    row = st.container(horizontal=True)
    row.download_button(
        _("Certificate (JSON)"), certificates.to_file(certificate), words.file_name(certificate, "json"),
        "application/json", key=f"certificate-json-{key}", icon=":material/download:", on_click="ignore",
    )  # fmt: skip
    row.download_button(
        _("To print (HTML)"), words.page_html(certificate, zone).encode(),
        words.file_name(certificate, "html"), "text/html", key=f"certificate-html-{key}",
        icon=":material/print:", on_click="ignore",
    )  # fmt: skip


def verdict(certificate: SignedCertificate) -> None:
    """Whether anything was found after the erasure: an error, and what, if so."""
    if certificate.verified:
        st.caption(_(words.VERIFIED))
        return
    st.error(_(words.NOT_VERIFIED), icon=":material/error:")
    for problem in words.problems(certificate):
        st.markdown(f"- {presenters.plain(problem)}")


def certificate_page(backend: Backend) -> None:
    """All certificates, the site's public key, and a check of a file."""
    st.title(_("Deletion certificates"))
    st.write(_("Each erasure ends in a signed certificate. It says what was removed, and names nobody."))
    issued = backend.certificates.all()
    if not issued:
        st.info(_("Nobody was erased yet. A certificate appears here when somebody is."))
    for certificate in issued[:_MOST_SHOWN]:
        _listed(certificate)
    if len(issued) > _MOST_SHOWN:
        st.caption(
            _(
                "Only the newest {number} are shown. `rollcall certificate list` shows all.",
                number=_MOST_SHOWN,
            )
        )
    _check(backend)
    public_key(backend)


def public_key(backend: Backend) -> None:
    """The key with which others can check this site's certificates."""
    st.subheader(_("Public key"))
    st.write(_("Give this key to whoever wants to check a certificate without this Rollcall."))
    st.code(backend.certificates.public_key(), language=None, wrap_lines=True)


def _listed(certificate: SignedCertificate) -> None:
    at = words.erased_at(certificate, deps.site().zone)
    by = presenters.plain(certificate.content["by"])
    icon = ":material/verified:" if certificate.verified else ":material/error:"
    with st.expander(_("{at}, by {by}", at=at, by=by), icon=icon):
        verdict(certificate)
        st.markdown("\n".join(f"- {label}: {number}" for label, number in words.removed_rows(certificate)))
        st.caption(_("Certificate {certificate_id}", certificate_id=certificate.certificate_id))
        downloads(certificate)


def _check(backend: Backend) -> None:
    st.subheader(_("Check a certificate"))
    file = st.file_uploader(_("Certificate file"), type=["json"], key="certificate-file")
    employee_id = st.text_input(_("Employee id that it should be about"), key="certificate-employee")
    if file is None:
        return
    try:
        certificate = backend.certificates.check(file.getvalue())
    except InvalidInput as error:
        st.error(message(error), icon=":material/error:")
        return
    st.success(_(words.GENUINE), icon=":material/verified:")
    verdict(certificate)
    if employee_id and certificates.is_about(certificate.content["person"], employee_id):
        st.success(_("It is about this employee id."), icon=":material/check_circle:")
    elif employee_id:
        st.error(_("It is about another employee id."), icon=":material/error:")
