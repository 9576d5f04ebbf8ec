"""Nobody sees a page without having signed in, and nobody sees the pages of others."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from ray_backend.domain.accounts import AccountDraft
from ray_backend.domain.errors import WrongCredentials
from ray_backend.domain.permissions import Role
from streamlit_app import deps, page_roles, session, sign_in_form
from streamlit_app.tickets import Secrets, Tickets, tickets
from streamlit_app.views import (
    accounts,
    audit,
    calibration,
    cluster,
    corrections,
    exports,
    group,
    home,
    import_people,
    import_punches,
    leave,
    my_account,
    people,
    register,
    reports,
    rules,
    unknown,
    webhooks,
)
from streamlit_app.views import (
    settings as settings_page,
)
from tests.ui.conftest import PASSWORD, account, enrol, page, words

VIEWS = {
    "home": home,
    "register": register,
    "group": group,
    "people": people,
    "import": import_people,
    "import_punches": import_punches,
    "unknown": unknown,
    "settings": settings_page,
    "reports": reports,
    "exports": exports,
    "corrections": corrections,
    "leave": leave,
    "rules": rules,
    "calibration": calibration,
    "accounts": accounts,
    "webhooks": webhooks,
    "cluster": cluster,
    "audit": audit,
    "my_account": my_account,
}


def labels(test: AppTest) -> list[str]:
    return [field.label for field in test.text_input]


def fill(test: AppTest, username: str, password: str) -> AppTest:
    test.text_input[0].set_value(username)
    test.text_input[1].set_value(password)
    return test.button[0].click().run()


@pytest.mark.parametrize("view", VIEWS)
def test_every_page_shows_only_the_form_to_strangers(backend, view):
    enrol(backend, 1, name="Ada Example")

    test = page(VIEWS[view].render, backend, signed_in=False).run()

    assert labels(test) == ["Username", "Password"]
    assert [button.label for button in test.button] == ["Sign in"]
    assert "Ada Example" not in words(test)
    assert len(test.dataframe) == 0


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("role", [Role.ADMIN, Role.MANAGER, Role.VIEWER])
def test_every_page_opens_for_its_roles_and_for_no_other(backend, view, role):
    enrol(backend, 1, name="Ada Example")
    username = "admin" if role is Role.ADMIN else account(backend, role)

    test = page(VIEWS[view].render, backend, username=username).run()

    assert not test.exception
    if role in page_roles.PAGES[view]:
        assert test.title
        assert not test.error
    else:
        assert [error.value for error in test.error] == ["Your account may not see this page."]
        assert not test.title
        assert "Ada Example" not in words(test)


def test_every_page_of_the_table_is_walked_here():
    assert set(VIEWS) == set(page_roles.PAGES)


def test_the_right_password_opens_the_page(backend):
    test = fill(page(people.render, backend, signed_in=False).run(), " Admin", PASSWORD)

    assert not test.exception
    assert "Password" not in labels(test)


@pytest.mark.parametrize("username", ["admin", "nobody"])
def test_a_wrong_password_is_refused_without_telling_which_names_there_are(backend, username):
    test = fill(page(people.render, backend, signed_in=False).run(), username, "not this one")

    assert "Username or password is not right" in test.error[0].value
    assert session.TOKEN not in test.session_state


def test_too_many_wrong_passwords_lock_even_the_right_one_out(backend):
    test = page(people.render, backend, signed_in=False).run()
    for _ in range(5):
        fill(test, "admin", "not this one")

    fill(test, "admin", PASSWORD)

    assert "Too many wrong passwords" in test.error[0].value


def test_a_session_that_nobody_used_for_eight_hours_has_ended(backend, clock):
    test = page(people.render, backend)
    clock.move(hours=8)

    test.run()

    assert labels(test) == ["Username", "Password"]


def test_a_page_opened_anew_takes_the_session_of_the_cookie(backend, monkeypatch):
    token = backend.sign_ins.sign_in("admin", PASSWORD).token
    monkeypatch.setattr(session.cookies, "read", {"session": token, "device": ""}.get)

    test = page(people.render, backend, signed_in=False).run()

    assert labels(test)[:1] != ["Username"]
    assert test.session_state[session.TOKEN] == token


def test_a_cookie_of_a_session_that_has_ended_asks_again_and_says_so(backend, monkeypatch):
    token = backend.sign_ins.sign_in("admin", PASSWORD).token
    backend.sign_ins.sign_out(token)
    monkeypatch.setattr(session.cookies, "read", {"session": token, "device": ""}.get)

    test = page(people.render, backend, signed_in=False).run()

    assert "You were signed out" in test.info[0].value


def test_signing_in_hands_the_browser_a_ticket_and_no_secret(backend):
    test = fill(page(people.render, backend, signed_in=False).run(), "admin", PASSWORD)

    kept = tickets.take(test.session_state["session_ticket"])
    assert kept.session == test.session_state[session.TOKEN]
    assert kept.device


def test_a_first_password_has_to_be_changed_before_anything_else(backend):
    made = backend.accounts.create("ada", AccountDraft("Ada", Role.ADMIN), actor="test")
    test = fill(page(people.render, backend, signed_in=False).run(), "ada", made.password)
    assert test.title[0].value == "Choose a password"
    token = test.session_state[session.TOKEN]

    for field, typed in zip(test.text_input, (made.password, PASSWORD, PASSWORD), strict=True):
        field.set_value(typed)
    test.button[0].click().run()

    assert not test.exception
    assert test.title[0].value == "People"
    with pytest.raises(WrongCredentials):
        backend.sign_ins.who(token)


def test_a_first_password_opens_nothing_behind_the_form(backend):
    """The gate holds it, whatever a page forgets."""
    made = backend.accounts.create("ada", AccountDraft("Ada", Role.ADMIN), actor="test")
    session_of_ada = backend.sign_ins.sign_in("ada", made.password)
    caller = session_of_ada.account.caller
    acting = backend.acting_as(type(caller)(caller.name, caller.role, None, session_of_ada.token))
    with pytest.raises(Exception, match="password of your own"):
        acting.people.departments()
    assert acting.sign_ins.own_account().username == "ada"


def test_a_page_that_stays_open_can_do_nothing_once_the_session_has_ended(backend):
    """A dialog runs without the guard of its page."""
    kept = []

    @session.guarded("people")
    def view(backend):
        kept.append(backend)

    page(view, backend).run()
    assert kept[0].people.departments() == []
    backend.sign_ins.sign_out_everywhere(actor="admin")
    with pytest.raises(WrongCredentials):
        kept[0].people.departments()


def test_what_is_done_on_a_page_is_noted_under_the_name_of_the_account(backend):
    made = backend.accounts.create("ada", AccountDraft("Ada", Role.ADMIN), actor="test")
    backend.sign_ins.change_password(made.password, PASSWORD, actor="ada")

    @session.guarded("accounts")
    def view(backend):
        backend.access.issue_token("entrance", actor=session.ACTOR)

    page(view, backend, username="ada").run()
    entries = backend._records.audit_log.find(audit.AuditQuery(action="kiosk_token.")).items
    assert [entry.actor for entry in entries] == ["ada"]


def test_the_providers_button_is_there_when_it_is_configured(backend, settings, monkeypatch):
    with_button = settings.model_copy(update={"oidc_button": "Sign in with Example ID"})
    monkeypatch.setattr(deps, "settings", lambda: with_button)
    test = page(people.render, backend, signed_in=False).run()
    assert [button.label for button in test.button] == ["Sign in", "Sign in with Example ID"]


def test_whom_the_provider_vouches_for_gets_in_if_there_is_an_account(backend, settings, clock, monkeypatch):
    with_button = settings.model_copy(update={"oidc_button": "Sign in with Example ID"})
    monkeypatch.setattr(deps, "settings", lambda: with_button)
    claims = {
        "is_logged_in": True, "iss": "https://id.example.org", "sub": "1",
        "iat": clock.now().timestamp(), "email": "ada@example.org", "email_verified": True,
    }  # fmt: skip
    monkeypatch.setattr(type(sign_in_form.st.user), "to_dict", lambda _: claims)

    stranger = page(reports.render, backend, signed_in=False).run()
    assert "Nobody has made an account for you" in stranger.error[0].value
    assert labels(stranger) == ["Username", "Password"]

    made = backend.accounts.create(
        "ada", AccountDraft("Ada", Role.VIEWER, None, "ada@example.org"), actor="t"
    )
    backend.sign_ins.change_password(made.password, PASSWORD, actor="ada")
    test = page(reports.render, backend, signed_in=False).run()
    assert test.title[0].value == "Reports"


def test_a_ticket_is_good_once_and_for_a_minute():
    now = [0.0]
    made, kept = Tickets(lambda: now[0]), Secrets("session", "device")
    ticket = made.issue(kept)
    assert made.take(ticket) == kept
    assert made.take(ticket) is None
    late = made.issue(kept)
    now[0] = 60
    assert made.take(late) is None
    assert made.take("made up") is None
    first = made.issue(kept)
    for _ in range(1000):
        made.issue(kept)
    assert made.take(first) is None
