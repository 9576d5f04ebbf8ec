"""One's own account: what it may do, the password, and signing out everywhere."""

from __future__ import annotations

import streamlit as st

from ray_backend.client import Backend
from streamlit_app import account_words, presenters, session, sign_in_form
from streamlit_app.i18n import _
from streamlit_app.session import ACTOR, guarded


@guarded("my_account")
def render(backend: Backend) -> None:
    """Raises NotFound when the account is gone."""
    account = backend.sign_ins.own_account(actor=ACTOR)
    st.title(_("My account"))
    st.write(f"**{presenters.plain(account.name)}** ({presenters.plain(account.username)})")
    st.write(account_words.role_explained(account.role))
    st.caption(account_words.bounds(account))
    st.subheader(_("Password"))
    if account.has_password:
        st.write(_("Changing it signs you out on all other devices."))
        sign_in_form.password_form(backend, account, session.sign_in_again(backend, account))
    else:
        st.write(_("You sign in with your organisation's identity provider, and have no password here."))
    st.subheader(_("Other devices"))
    st.write(_("Ends all your sessions, here too. Do this when you left a computer without signing out."))
    if st.button(_("Sign out everywhere"), icon=":material/logout:"):
        backend.sign_ins.sign_out_everywhere(actor=ACTOR)
        session.sign_out(backend)
        st.rerun()
