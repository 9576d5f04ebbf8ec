"""Who may sign in, and what as."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from ray_backend.client import Backend
from ray_backend.domain.accounts import Account, AccountDraft, NewAccount
from ray_backend.domain.errors import RollcallError
from ray_backend.domain.permissions import ACCOUNT_ROLES, Role
from streamlit_app import account_words, deps, presenters
from streamlit_app.dialogs import dialog
from streamlit_app.i18n import N_, _, message
from streamlit_app.notes import attempt, show_note
from streamlit_app.session import ACTOR, guarded

_MADE = "account_made"
_WIDTHS = [4, 3, 3, 2]
_TITLES = (N_("Name and username"), N_("Role"), N_("Sees"), "")


@guarded("accounts")
def render(backend: Backend) -> None:
    """The list, and the way to a new account."""
    st.title(_("Accounts"))
    show_note()
    st.write(
        _("Everybody who signs in has an account of their own, so that the audit log can say who did what.")
    )
    if st.button(_("New account"), icon=":material/person_add:", type="primary"):
        st.session_state.pop(_MADE, None)
        new_account(backend)
    table = st.container(key="account-list", gap="xsmall")
    for cell, title in zip(table.columns(_WIDTHS), _TITLES, strict=True):
        cell.caption(_(title) if title else "")
    for account in backend.accounts.everybody():
        _row(backend, table.columns(_WIDTHS, vertical_alignment="center"), account)


def _row(backend: Backend, cells, account: Account) -> None:
    name, role, sees, action = cells
    who = name.container(gap=None)
    row = who.container(horizontal=True, gap="small", vertical_alignment="center")
    row.markdown(f"**{presenters.plain(account.name)}**", width="content")
    said = account_words.state(account)
    if said:
        row.badge(said, color="gray")
    who.caption(presenters.plain(account.username))
    role.text(account_words.role(account.role))
    sees.text(account_words.bounds(account))
    if action.button(_("Change"), key=f"account-{account.username}", width="stretch"):
        st.session_state.pop(_MADE, None)
        change_account(backend, account)


@dialog(N_("New account"))
def new_account(backend: Backend) -> None:
    """Asks who it is for, and shows the first password once."""

    def form() -> None:
        username = st.text_input(_("Username"), key="account_username", placeholder="ada.lovelace")
        draft = _draft(backend, None)
        if st.button(_("Make the account"), type="primary", key="account_make"):
            _keep(lambda: backend.accounts.create(username, draft, actor=ACTOR))

    _form_or_password(form)


@dialog(N_("Change an account"))
def change_account(backend: Backend, account: Account) -> None:
    """Everything about one account but its username."""

    def form() -> None:
        st.caption(_("Username: {username}", username=presenters.plain(account.username)))
        draft = _draft(backend, account)
        if st.button(_("Save"), type="primary", key="account_save"):
            attempt(
                _("The account is changed."),
                lambda: backend.accounts.change(account.username, draft, actor=ACTOR),
            )
        st.divider()
        _further_changes(backend, account)

    _form_or_password(form)


def _further_changes(backend: Backend, account: Account) -> None:
    row = st.container(horizontal=True)
    if row.button(_("New password"), icon=":material/key:", key="account_reset"):
        _keep(lambda: backend.accounts.reset_password(account.username, actor=ACTOR))
    shut, done = (
        (_("Shut the account"), _("The account is shut."))
        if account.active
        else (_("Open the account"), _("The account is open."))
    )
    if row.button(shut, icon=":material/lock:", key="account_shut"):
        attempt(done, lambda: backend.accounts.set_active(account.username, not account.active, actor=ACTOR))
    st.caption(_("A new password and shutting an account end its sessions at once."))


def _draft(backend: Backend, account: Account | None) -> AccountDraft:
    key = account.username if account else "new"
    name = st.text_input(_("Name"), account.name if account else "", key=f"account_name_{key}")
    role = st.selectbox(
        _("Role"),
        ACCOUNT_ROLES,
        index=ACCOUNT_ROLES.index(account.role if account else Role.VIEWER),
        format_func=account_words.role_explained,
        key=f"account_role_{key}",
    )
    departments = None if role is Role.ADMIN else _departments(backend, account, key)
    email = st.text_input(
        _("E-mail address"),
        account.email if account else "",
        key=f"account_email_{key}",
        help=_("Whom the identity provider of your organisation vouches for with this address gets in, too.")
        if deps.settings().oidc_button
        else None,
    )
    return AccountDraft(name, role, departments, email)


def _departments(backend: Backend, account: Account | None, key: str) -> tuple[str, ...] | None:
    bound = account.departments if account else None
    if st.toggle(_("All departments"), bound is None, key=f"account_all_{key}"):
        return None
    known = sorted({*backend.people.departments(), *(bound or ())})
    return tuple(st.multiselect(_("Departments"), known, bound or (), key=f"account_departments_{key}"))


def _keep(change: Callable[[], NewAccount]) -> None:
    """Makes a change that gives a password, which takes the form's place."""
    try:
        st.session_state[_MADE] = change()
    except RollcallError as error:
        st.error(message(error), icon=":material/error:")


def _form_or_password(form: Callable[[], None]) -> None:
    place = st.empty()
    if _MADE not in st.session_state:
        with place.container():
            form()
    if _MADE in st.session_state:
        with place.container():
            _password(st.session_state[_MADE])


def _password(made: NewAccount) -> None:
    st.success(
        _(
            "Hand this password to {name}. It is shown only now, and has to be changed at the first sign-in.",
            name=presenters.plain(made.account.name),
        ),
        icon=":material/check_circle:",
    )
    st.caption(_("Username: {username}", username=presenters.plain(made.account.username)))
    st.code(made.password, language=None)
    if st.button(_("Done"), key="account_done"):
        del st.session_state[_MADE]
        st.rerun()
