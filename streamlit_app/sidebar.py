"""The foot of the sidebar: who is signed in, where we are, what recognises faces here, and the way out."""

from __future__ import annotations

import streamlit as st

from ray_backend.client import Backend
from streamlit_app import deps, languages, presenters, session
from streamlit_app.i18n import _


def show(backend: Backend) -> None:
    """Raises StoreUnavailable and BackendUnavailable."""
    account = session.require_account(backend)
    pack = session.acting(backend, account).overview().pack
    with st.sidebar:
        languages.choice()
        st.caption(_("Signed in as **{name}**", name=presenters.plain(account.name)))
        st.button(
            _("Sign out"),
            icon=":material/logout:",
            on_click=session.sign_out,
            args=(backend,),
            width="stretch",
        )
        warning = presenters.pack_warning(pack)
        if warning:
            st.warning(warning, icon=":material/warning:")
        st.caption(f"**{presenters.plain(deps.site().site_name)}**  \n{presenters.pack_words(pack)}")
        st.caption(_("Licence: {licence}", licence=presenters.plain(pack.licence)))
        with st.popover(_("Why these models?"), type="tertiary"):
            st.write(presenters.plain(pack.origin))
