"""The foot of the admin's sidebar: where we are, what recognises faces here, and the way out."""

from __future__ import annotations

import streamlit as st

from ray_backend.client import Backend
from streamlit_app import deps, presenters, session


def show(backend: Backend) -> None:
    """Raises StoreUnavailable and BackendUnavailable."""
    pack = backend.overview().pack
    with st.sidebar:
        warning = presenters.pack_warning(pack)
        if warning:
            st.warning(warning, icon=":material/warning:")
        st.caption(f"**{deps.settings().site_name}**  \n{presenters.pack_words(pack)}")
        with st.popover("About the face models", type="tertiary"):
            st.markdown(f"**{pack.pack_id}**")
            st.write(pack.origin)
            st.caption(f"Licence: {pack.licence}")
        st.button("Sign out", icon=":material/logout:", on_click=session.sign_out, width="stretch")
