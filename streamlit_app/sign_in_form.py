"""What somebody sees who is not signed in: username and password, and the identity provider's button."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from ray_backend.client import Backend
from ray_backend.domain.accounts import MIN_PASSWORD_LENGTH, Account, SignedIn
from ray_backend.domain.errors import Overloaded, RollcallError, TooManyAttempts, WrongCredentials
from streamlit_app import deps, languages, presenters
from streamlit_app.i18n import _, message

_ASKED, _REFUSED = "provider_asked", "provider_refused"


def show(backend: Backend, why: str, device: str) -> SignedIn | None:
    """The form. Returns a session when username and password are right. `why` says what ended the last
    one, `device` is what this browser keeps from an earlier sign-in."""
    _left, middle, _right = st.columns([1, 2, 1])
    with middle:
        st.title(_("Sign in to {site_name}", site_name=presenters.plain(deps.site().site_name)))
        _told(why)
        with st.form("sign_in"):
            username = st.text_input(_("Username"), autocomplete="username")
            password = st.text_input(_("Password"), type="password", autocomplete="current-password")
            wanted = st.form_submit_button(_("Sign in"), type="primary", width="stretch")
        signed_in = _try(backend, username, password, device) if wanted else None
        _provider_button()
        languages.choice()
        st.caption(_("Username and password of the first administrator were shown when Rollcall started."))
    return signed_in


def _told(why: str) -> None:
    refused = st.session_state.get(_REFUSED)
    if refused:
        st.error(refused, icon=":material/lock:")
    elif why:
        st.info(why)


def _try(backend: Backend, username: str, password: str, device: str) -> SignedIn | None:
    try:
        return backend.sign_ins.sign_in(username, password, device)
    except (WrongCredentials, TooManyAttempts, Overloaded) as error:
        st.error(message(error), icon=":material/lock:")
        return None


def _provider_button() -> None:
    label = deps.settings().oidc_button
    if label and st.button(label, icon=":material/key:", width="stretch", key="provider"):
        st.login()


def knows_provider() -> bool:
    """Whether the identity provider has told this browser who sits here."""
    return bool(deps.settings().oidc_button) and bool(st.user.to_dict().get("is_logged_in"))


def by_provider(backend: Backend) -> SignedIn | None:
    """A session for who the identity provider says it is, asked for once on each tab."""
    if st.session_state.get(_ASKED) or not knows_provider():
        return None
    st.session_state[_ASKED] = True
    try:
        return backend.sign_ins.by_provider(st.user.to_dict())
    except WrongCredentials as error:
        st.session_state[_REFUSED] = message(error)
        return None


def first_password(backend: Backend, account: Account, sign_in: Callable[[str], None]) -> None:
    """Whoever has a password that somebody else saw chooses one of their own before anything else."""
    _left, middle, _right = st.columns([1, 2, 1])
    with middle:
        st.title(_("Choose a password"))
        st.write(_("The one that you were given was seen by somebody else. Choose one of your own."))
        password_form(backend, account, sign_in)


def password_form(backend: Backend, account: Account, sign_in: Callable[[str], None]) -> None:
    """Changes one's own password. All other sessions end; `sign_in` opens a new one here."""
    with st.form("password"):
        old = st.text_input(_("Present password"), type="password", autocomplete="current-password")
        new = st.text_input(
            _("New password"), type="password", autocomplete="new-password",
            help=_("At least {number} characters.", number=MIN_PASSWORD_LENGTH),
        )  # fmt: skip
        again = st.text_input(_("New password once more"), type="password", autocomplete="new-password")
        wanted = st.form_submit_button(_("Change the password"), type="primary")
    if not wanted:
        return
    if new != again:
        st.error(_("The two new passwords differ. Type them again."), icon=":material/error:")
        return
    try:
        backend.sign_ins.change_password(old, new, actor=account.username)
        sign_in(new)
    except RollcallError as error:
        st.error(message(error), icon=":material/error:")
        return
    st.toast(_("The password is changed."))
    st.rerun()
