"""Managing accounts, the first admin, and what an identity provider is worth."""

from __future__ import annotations

from datetime import timedelta

import pytest
from argon2 import PasswordHasher

from ray_backend.domain.accounts import AccountDraft, ProviderRules, parse_roles
from ray_backend.domain.errors import Conflict, InvalidInput, NotFound, WrongCredentials
from ray_backend.domain.permissions import Role
from ray_backend.domain.queries import AuditQuery
from ray_backend.services.accounts import AccountService
from ray_backend.services.passwords import Passwords
from ray_backend.services.sign_in import SignInService
from ray_backend.storage.memory import MemoryStore
from tests.fakes import SetClock
from tests.unit.services.test_check_in import race

PASSWORD = "correct horse battery"
QUICK = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
ADA = AccountDraft("Ada Example", Role.MANAGER, ("Sales",), "Ada@Example.org ")


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture
def accounts(store, clock) -> AccountService:
    return AccountService(store, clock, Passwords(QUICK))


@pytest.fixture
def sign_ins(accounts, clock) -> SignInService:
    accounts.ensure_admin(PASSWORD)
    return SignInService(accounts, clock)


def entries(store: MemoryStore, action: str) -> list:
    return [entry for entry in store.list_audit(AuditQuery()).items if entry.action == action]


def signs_in(accounts: AccountService, clock: SetClock, username: str, password: str) -> bool:
    try:
        return bool(SignInService(accounts, clock).sign_in(username, password))
    except WrongCredentials:
        return False


def test_the_first_admin_gets_a_made_up_password_once(accounts, clock):
    password = accounts.ensure_admin(None)
    assert len(password) >= 16
    assert signs_in(accounts, clock, "admin", password)
    assert accounts.ensure_admin(None) is None
    assert signs_in(accounts, clock, "admin", password)


def test_made_up_passwords_differ(clock):
    made = {AccountService(MemoryStore(), clock, Passwords(QUICK)).ensure_admin(None) for _ in range(5)}
    assert len(made) == 5


def test_a_password_of_the_settings_replaces_the_old_one(accounts, clock):
    made_up = accounts.ensure_admin(None)
    assert accounts.ensure_admin(PASSWORD) is None
    assert signs_in(accounts, clock, "admin", PASSWORD)
    assert not signs_in(accounts, clock, "admin", made_up)


def test_the_same_password_at_the_next_start_changes_nothing(accounts, store):
    accounts.ensure_admin(PASSWORD)
    before = store.settings()
    accounts.ensure_admin(PASSWORD)
    assert store.settings() == before
    assert len(entries(store, "account.password_set")) == 1


def test_a_short_password_is_refused_by_its_name_and_the_old_one_stays(accounts, clock):
    accounts.ensure_admin(PASSWORD)
    with pytest.raises(InvalidInput, match=r"ROLLCALL_ADMIN_PASSWORD.*10 characters"):
        accounts.ensure_admin("too short")
    assert signs_in(accounts, clock, "admin", PASSWORD)


def test_the_admin_of_an_earlier_version_becomes_an_account(accounts, store, clock):
    store.put_setting("admin/password_hash", QUICK.hash(PASSWORD))
    store.put_setting("admin/failures", {"count": 9, "last": clock.now().isoformat()})
    assert accounts.ensure_admin(None) is None
    assert signs_in(accounts, clock, "admin", PASSWORD)
    assert store.settings("admin/") == {}


def test_a_password_of_the_settings_brings_a_demoted_or_shut_admin_back(accounts, clock):
    accounts.ensure_admin(PASSWORD)
    accounts.create("ada", AccountDraft("Ada", Role.ADMIN), actor="admin")
    accounts.change("admin", AccountDraft("Administrator", Role.VIEWER), actor="ada")
    accounts.set_active("admin", False, actor="ada")
    accounts.ensure_admin(PASSWORD)
    assert signs_in(accounts, clock, "admin", PASSWORD)
    assert accounts.book.get("admin").account.role is Role.ADMIN


def test_the_default_hash_is_argon2id(store, clock):
    accounts = AccountService(store, clock)
    accounts.ensure_admin(PASSWORD)
    assert accounts.book.get("admin").password_hash.startswith("$argon2id$")


def test_a_new_account_has_to_change_its_password(accounts, store, clock):
    new = accounts.create(" Ada ", ADA, actor="admin")
    assert (new.account.username, new.account.email) == ("ada", "ada@example.org")
    assert new.account.must_change_password
    assert len(new.password) >= 16
    assert signs_in(accounts, clock, "ada", new.password)
    [entry] = entries(store, "account.created")
    assert entry.detail["after"] == {"role": "manager", "departments": ["Sales"], "active": True}
    assert "example" not in repr(entry).lower()


@pytest.mark.parametrize("username", ["", " ", "a b", "ä", "x" * 65, "system", "API", "a/b", "-a"])
def test_a_username_has_to_be_plain_and_not_one_of_the_audit_logs_own(accounts, username):
    with pytest.raises(InvalidInput):
        accounts.create(username, ADA, actor="admin")


@pytest.mark.parametrize("role", [Role.KIOSK, Role.RECOGNIZER, Role.MONITOR])
def test_no_account_has_a_machines_role(accounts, role):
    with pytest.raises(InvalidInput):
        accounts.create("ada", AccountDraft("Ada", role), actor="admin")


def test_usernames_and_addresses_are_taken_once(accounts):
    accounts.create("ada", ADA, actor="admin")
    with pytest.raises(Conflict):
        accounts.create("ADA", AccountDraft("Ada", Role.VIEWER), actor="admin")
    with pytest.raises(Conflict):
        accounts.create("eve", ADA, actor="admin")
    accounts.create("eve", AccountDraft("Eve", Role.VIEWER), actor="admin")
    with pytest.raises(Conflict):
        accounts.change("eve", ADA, actor="admin")


def test_a_change_is_in_the_audit_log_with_before_and_after(accounts, store):
    accounts.create("ada", ADA, actor="admin")
    accounts.change("ada", AccountDraft("Ada E", Role.VIEWER, (), "ada@example.org"), actor="admin")
    changes = [entry.detail for entry in entries(store, "account.changed")]
    assert {"fields": ["name"]} in changes
    assert {
        "before": {"role": "manager", "departments": ["Sales"]},
        "after": {"role": "viewer", "departments": []},
    } in changes
    assert len(changes) == 2


def test_an_administrator_is_bound_to_no_department(accounts):
    made = accounts.create("ada", AccountDraft("Ada", Role.ADMIN, ("Sales",)), actor="admin").account
    assert made.departments is None


def test_the_last_active_admin_stays(accounts):
    accounts.ensure_admin(PASSWORD)
    viewer = AccountDraft("Administrator", Role.VIEWER)
    accounts.create("ada", AccountDraft("Ada", Role.ADMIN), actor="admin")
    accounts.set_active("ada", False, actor="admin")
    for change in (
        lambda: accounts.change("admin", viewer, actor="admin"),
        lambda: accounts.set_active("admin", False, actor="admin"),
    ):
        with pytest.raises(Conflict, match="last administrator"):
            change()
    accounts.set_active("ada", True, actor="admin")
    assert accounts.change("admin", viewer, actor="admin").role is Role.VIEWER


def test_two_admins_who_shut_each_other_at_once_leave_one(accounts):
    accounts.ensure_admin(PASSWORD)
    accounts.create("ada", AccountDraft("Ada", Role.ADMIN), actor="admin")

    def shut(number: int) -> bool:
        try:
            accounts.set_active(("admin", "ada")[number % 2], False, actor="test")
        except Conflict:
            return False
        return True

    race(8, shut)
    assert sum(account.active for account in accounts.everybody()) == 1


def test_a_reset_password_is_new_ends_sessions_and_has_to_be_changed(accounts, sign_ins, clock):
    token = sign_ins.sign_in("admin", PASSWORD).token
    reset = accounts.reset_password("admin", actor="system")
    with pytest.raises(WrongCredentials):
        sign_ins.who(token)
    assert not signs_in(accounts, clock, "admin", PASSWORD)
    assert sign_ins.sign_in("admin", reset.password).account.must_change_password


def test_what_is_not_there_is_not_changed(accounts):
    for change in (
        lambda: accounts.change("gone", ADA, actor="admin"),
        lambda: accounts.set_active("gone", True, actor="admin"),
        lambda: accounts.reset_password("gone", actor="admin"),
    ):
        with pytest.raises(NotFound):
            change()


# What the identity provider says.


def claims(clock: SetClock, **changes) -> dict:
    made = {
        "iss": "https://id.example.org",
        "sub": "1",
        "iat": clock.now().timestamp(),
        "email": "ada@example.org",
        "email_verified": True,
        "name": "Ada Example",
    }
    return {name: value for name, value in (made | changes).items() if value is not None}


def with_rules(accounts: AccountService, clock: SetClock, **rules) -> SignInService:
    return SignInService(accounts, clock, ProviderRules(**rules))


def test_the_provider_lets_an_account_with_this_address_in(accounts, sign_ins, clock):
    accounts.create("ada", ADA, actor="admin")
    session = sign_ins.by_provider(claims(clock, email="ADA@example.org"))
    assert sign_ins.who(session.token).username == "ada"


@pytest.mark.parametrize(
    "changes",
    [
        {"email": "eve@example.org"},
        {"email": None},
        {"email": ""},
        {"email": ["ada@example.org"]},
        {"email_verified": None},
        {"email_verified": False},
        {"email_verified": "false"},
        {"iat": None},
        {"iat": "now"},
        {"sub": None},
    ],
)
def test_nobody_gets_in_only_because_the_provider_knows_them(accounts, sign_ins, clock, changes):
    accounts.create("ada", ADA, actor="admin")
    with pytest.raises(WrongCredentials):
        sign_ins.by_provider(claims(clock, **changes))


def test_an_empty_address_is_not_the_address_of_accounts_without_one(accounts, clock):
    accounts.ensure_admin(PASSWORD)
    trusting = with_rules(accounts, clock, trust_email=True)
    for email in ("", " ", None):
        with pytest.raises(WrongCredentials):
            trusting.by_provider(claims(clock, email=email))


def test_a_site_may_trust_addresses_that_are_not_marked_as_verified(accounts, clock):
    accounts.create("ada", ADA, actor="admin")
    assert with_rules(accounts, clock, trust_email=True).by_provider(claims(clock, email_verified=None))


@pytest.mark.parametrize("minutes", [11, 60, -5])
def test_what_the_provider_said_long_ago_or_will_say_opens_nothing(accounts, sign_ins, clock, minutes):
    accounts.create("ada", ADA, actor="admin")
    stamp = (clock.now() - timedelta(minutes=minutes)).timestamp()
    with pytest.raises(WrongCredentials):
        sign_ins.by_provider(claims(clock, iat=stamp))


def test_after_signing_out_everywhere_the_provider_has_to_be_asked_again(accounts, sign_ins, clock):
    accounts.create("ada", ADA, actor="admin")
    said = claims(clock)
    sign_ins.by_provider(said)
    clock.move(seconds=10)
    sign_ins.sign_out_everywhere(actor="ada")
    with pytest.raises(WrongCredentials):
        sign_ins.by_provider(said)
    clock.move(seconds=10)
    assert sign_ins.by_provider(claims(clock))


def test_an_account_that_is_shut_stays_out(accounts, sign_ins, clock):
    accounts.create("ada", ADA, actor="admin")
    accounts.set_active("ada", False, actor="admin")
    with pytest.raises(WrongCredentials):
        sign_ins.by_provider(claims(clock))


def test_an_account_belongs_to_the_identity_that_came_first(accounts, sign_ins, clock):
    """The provider may give an address to somebody else later."""
    accounts.create("ada", ADA, actor="admin")
    sign_ins.by_provider(claims(clock))
    with pytest.raises(WrongCredentials):
        sign_ins.by_provider(claims(clock, sub="2"))
    with pytest.raises(WrongCredentials):
        sign_ins.by_provider(claims(clock, iss="https://other.example.org"))


def test_a_group_of_the_settings_makes_an_account_with_its_role(accounts, clock, store):
    sign_ins = with_rules(accounts, clock, roles={"hr": Role.MANAGER, "bosses": Role.VIEWER})
    session = sign_ins.by_provider(claims(clock, groups=["x", "bosses", "hr"]))
    account = session.account
    assert (account.username, account.role, account.departments) == ("ada@example.org", Role.MANAGER, ())
    assert not account.has_password
    assert entries(store, "account.created")


@pytest.mark.parametrize("groups", [None, [], ["other"], "other", {"hr": True}, [["hr"]], 7])
def test_other_groups_let_nobody_in(accounts, clock, groups):
    sign_ins = with_rules(accounts, clock, roles={"hr": Role.MANAGER})
    with pytest.raises(WrongCredentials):
        sign_ins.by_provider(claims(clock, groups=groups))
    assert accounts.everybody() == ()


def test_the_role_follows_the_groups_and_departments_stay_as_the_admin_chose(accounts, clock):
    roles = {"hr": Role.MANAGER, "bosses": Role.VIEWER}
    sign_ins = with_rules(accounts, clock, roles=roles)
    sign_ins.by_provider(claims(clock, groups="hr"))
    accounts.change(
        "ada@example.org", AccountDraft("Ada", Role.MANAGER, ("Sales",), "ada@example.org"), actor="admin"
    )
    account = sign_ins.by_provider(claims(clock, groups=["bosses"])).account
    assert (account.role, account.departments) == (Role.VIEWER, ("Sales",))
    with pytest.raises(WrongCredentials):
        sign_ins.by_provider(claims(clock, groups=[]))


def test_nobody_signs_in_with_a_password_where_only_the_provider_lets_in(accounts, clock):
    sign_ins = with_rules(accounts, clock, roles={"hr": Role.MANAGER})
    sign_ins.by_provider(claims(clock, groups=["hr"]))
    for password in ("", "None"):
        assert not signs_in(accounts, clock, "ada@example.org", password)


@pytest.mark.parametrize("text", ["hr", "=admin", "hr=boss", "hr=kiosk", "a=admin,b"])
def test_roles_of_groups_are_written_in_one_way(text):
    with pytest.raises(InvalidInput, match="hr=manager"):
        parse_roles(text)


def test_roles_of_groups_are_read():
    assert parse_roles("") == {}
    assert parse_roles(" a b = admin , c=viewer,") == {"a b": Role.ADMIN, "c": Role.VIEWER}
