"""The first step: the person agrees, before any camera runs."""

from __future__ import annotations

import streamlit as st

from ray_backend.client import Backend
from streamlit_app import presenters
from streamlit_app.i18n import _
from streamlit_app.registration.draft import Draft, Step, go


def consent_step(backend: Backend, draft: Draft) -> None:
    """Shows the site's text and keeps the version that was agreed to."""
    st.write(_("Show this text to the person, or read it out."))
    site = backend.site.current()
    with st.container(border=True):
        st.markdown("  \n".join(presenters.plain(line) for line in site.consent_text.splitlines()))
    agreed = st.checkbox(
        _("The person has read this or heard it, and agrees"),
        value=draft.consent_version == site.consent_version,
        key=f"{draft.key}-agreed-{site.consent_version}",
    )
    if not agreed:
        draft.consent_version = ""
    if not st.button(
        _("Continue"),
        type="primary",
        key="register-next",
        disabled=not agreed,
        icon=":material/arrow_forward:",
    ):
        return
    if backend.site.keep_consent_text() != site.consent_version:
        st.warning(_("The text was changed a moment ago. Please read the new one."))
        return
    draft.consent_version = site.consent_version
    go(draft, Step.WHO)
