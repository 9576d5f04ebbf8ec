"""Who is signed in on this browser tab, and the one guard of the pages."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from functools import wraps

import streamlit as st

from ray_backend.client import Backend
from ray_backend.domain.accounts import Account, SignedIn
from ray_backend.domain.errors import Unavailable, WrongCredentials
from ray_backend.domain.permissions import SYSTEM
from streamlit_app import cookies, languages, sign_in_form
from streamlit_app.i18n import _
from streamlit_app.page_roles import PAGES
from streamlit_app.tickets import Secrets, tickets

# The gate puts the account's name in its place.
ACTOR = "page"
TOKEN = "session_token"
_TICKET, _LEFT = "session_ticket", "signed_out_here"

Render = Callable[[Backend], None]


def guarded(name: str) -> Callable[[Render], Render]:
    """A view that only the roles of `page_roles` see, and that calls the backend as who is signed in."""
    roles = PAGES[name]

    def decorate(render: Render) -> Render:
        @wraps(render)
        def checked(backend: Backend) -> None:
            account = require_account(backend)
            if account.role not in roles:
                st.error(_("Your account may not see this page."), icon=":material/lock:")
                st.stop()
            render(acting(backend, account))

        return checked

    return decorate


def require_account(backend: Backend) -> Account:
    """Who is signed in; otherwise shows the sign-in form, or the one for a first password, and ends the
    page here."""
    account = current(backend)
    if account is None:
        signed_in = sign_in_form.show(backend, _why_not(), cookies.read(cookies.DEVICE))
        if signed_in is not None:
            begin(signed_in)
            st.rerun()
        st.stop()
    if account.must_change_password:
        sign_in_form.first_password(acting(backend, account), account, sign_in_again(backend, account))
        st.stop()
    return account


def current(backend: Backend) -> Account | None:
    """Who is signed in here: on this tab, by the browser's cookie, or because of the identity provider."""
    for token in (st.session_state.get(TOKEN), _cookie()):
        if token:
            try:
                account = backend.sign_ins.who(token)
            except WrongCredentials:
                st.session_state.pop(TOKEN, None)
            else:
                st.session_state[TOKEN] = token
                return account
    return _from_provider(backend)


def acting(backend: Backend, account: Account) -> Backend:
    """The backend as this account, for as long as the session of this tab lasts."""
    return backend.acting_as(replace(account.caller, session=st.session_state[TOKEN]))


def begin(signed_in: SignedIn) -> None:
    """Keeps a session in this tab, and lets the browser keep it for the next time that it opens the page."""
    st.session_state.pop(_LEFT, None)
    st.session_state[TOKEN] = signed_in.token
    st.session_state[_TICKET] = tickets.issue(Secrets(signed_in.token, signed_in.device))


def sign_in_again(backend: Backend, account: Account) -> Callable[[str], None]:
    """Opens a new session with a password that was changed just now, which has ended all others."""

    def sign_in(password: str) -> None:
        sign_ins = backend.acting_as(SYSTEM).sign_ins
        begin(sign_ins.sign_in(account.username, password, cookies.read(cookies.DEVICE)))

    return sign_in


def sign_out(backend: Backend) -> None:
    """Ends the session, and forgets everything that was typed into this tab."""
    token = st.session_state.get(TOKEN)
    if token:
        with suppress(Unavailable):
            backend.acting_as(SYSTEM).sign_ins.sign_out(token)
    spoken = languages.chosen()
    st.session_state.clear()
    languages.keep(spoken)
    st.session_state[_LEFT] = True
    st.session_state[_TICKET] = ""


def hand_over_cookies() -> None:
    """At the end of a page: what `begin` and `sign_out` have for the browser."""
    ticket = st.session_state.get(_TICKET)
    if ticket is not None:
        cookies.hand_over(ticket)
    if ticket == "" and sign_in_form.knows_provider():
        st.logout()


def _cookie() -> str:
    # The cookies are those that came with the page, so the one of a session that was ended is still there.
    return "" if st.session_state.get(_LEFT) else cookies.read(cookies.SESSION)


def _why_not() -> str:
    return _("You were signed out. Sign in again.") if _cookie() else ""


def _from_provider(backend: Backend) -> Account | None:
    if st.session_state.get(_LEFT):
        return None
    signed_in = sign_in_form.by_provider(backend)
    if signed_in is None:
        return None
    begin(signed_in)
    return signed_in.account
