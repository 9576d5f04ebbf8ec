"""Signing in with a password, sessions, and how guessing is slowed down."""

from __future__ import annotations

import json
import threading
import time

import pytest
from argon2 import PasswordHasher

from ray_backend.domain.accounts import AccountDraft, SignedIn
from ray_backend.domain.errors import (
    InvalidInput,
    NotFound,
    Overloaded,
    StoreUnavailable,
    TooManyAttempts,
    WrongCredentials,
)
from ray_backend.domain.permissions import Role
from ray_backend.domain.queries import AuditQuery
from ray_backend.services.account_book import ACCOUNTS
from ray_backend.services.accounts import AccountService
from ray_backend.services.passwords import Passwords
from ray_backend.services.reach import Reach, RememberedSettings
from ray_backend.services.sessions import SESSIONS
from ray_backend.services.sign_in import SignInService
from ray_backend.storage.memory import MemoryStore
from tests.fakes import SetClock
from tests.unit.services.test_check_in import race

PASSWORD = "correct horse battery"
# Argon2 with the least work it takes: what is tested here is not how slow it is.
QUICK = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture
def accounts(store, clock) -> AccountService:
    made = AccountService(store, clock, Passwords(QUICK))
    made.ensure_admin(PASSWORD)
    return made


@pytest.fixture
def sign_ins(accounts, clock) -> SignInService:
    return SignInService(accounts, clock)


def sign_in(sign_ins: SignInService, password: str = PASSWORD, device: str = "") -> SignedIn:
    return sign_ins.sign_in("admin", password, device)


def wrong(sign_ins: SignInService, times: int, username: str = "admin", device: str = "") -> None:
    for _ in range(times):
        with pytest.raises(WrongCredentials):
            sign_ins.sign_in(username, "wrong password", device)


def actions(store: MemoryStore) -> list[str]:
    return [entry.action for entry in store.list_audit(AuditQuery()).items][::-1]


def test_a_session_says_who_it_is(sign_ins):
    session = sign_ins.sign_in(" Admin ", PASSWORD)
    assert session.account.username == "admin"
    assert sign_ins.who(session.token) == session.account
    assert session.account.caller.role is Role.ADMIN


@pytest.mark.parametrize("typed", ["", "Correct horse battery", PASSWORD + " ", "x" * 10_000])
def test_only_the_exact_password_signs_in(sign_ins, typed):
    with pytest.raises(WrongCredentials):
        sign_in(sign_ins, typed)


def test_an_unknown_username_is_answered_like_a_wrong_password(sign_ins):
    answers = []
    for username in ("admin", "nobody"):
        with pytest.raises(WrongCredentials) as refused:
            sign_ins.sign_in(username, "wrong password")
        answers.append(refused.value.message)
        wrong(sign_ins, 4, username)
        with pytest.raises(TooManyAttempts) as refused:
            sign_ins.sign_in(username, "wrong password")
        answers.append(refused.value.message)
    assert answers[:2] == answers[2:]


def test_an_unknown_username_takes_as_long_as_a_wrong_password(store, clock):
    # The least cost at which the hash takes far longer than everything around it.
    accounts = AccountService(store, clock, Passwords(PasswordHasher(2, 32 * 1024, 1)))
    accounts.ensure_admin(PASSWORD)
    sign_ins = SignInService(accounts, clock)

    def fastest_s(username: str) -> float:
        times = []
        for _ in range(4):
            start = time.perf_counter()
            wrong(sign_ins, 1, username)
            times.append(time.perf_counter() - start)
        return min(times)

    assert fastest_s("nobody") > fastest_s("admin") / 2


@pytest.mark.parametrize("token", ["", "wrong", "0" * 64])
def test_other_tokens_are_nobodys_session(sign_ins, token):
    sign_in(sign_ins)
    with pytest.raises(WrongCredentials):
        sign_ins.who(token)


def test_what_the_store_knows_of_a_session_opens_none(sign_ins, store):
    sign_in(sign_ins)
    [key] = store.settings("session/")
    for known in (key, key.removeprefix("session/")):
        with pytest.raises(WrongCredentials):
            sign_ins.who(known)


def test_a_session_ends_after_eight_hours_without_use(sign_ins, clock, store):
    token = sign_in(sign_ins).token
    clock.move(hours=7, minutes=59)
    sign_ins.who(token)
    clock.move(hours=7, minutes=59)
    sign_ins.who(token)
    clock.move(hours=8)
    with pytest.raises(WrongCredentials):
        sign_ins.who(token)
    assert store.settings("session/") == {}


def test_a_session_ends_after_a_day_however_much_it_is_used(sign_ins, clock):
    token = sign_in(sign_ins).token
    for _ in range(23):
        clock.move(hours=1)
        sign_ins.who(token)
    clock.move(hours=1)
    with pytest.raises(WrongCredentials):
        sign_ins.who(token)


def test_expired_sessions_are_dropped_when_somebody_signs_in(sign_ins, clock, store):
    for _ in range(3):
        sign_in(sign_ins)
    clock.move(hours=9)
    sign_in(sign_ins)
    assert len(store.settings("session/")) == 1


def test_signing_out_ends_this_session_at_once_and_no_other(sign_ins):
    here, there = sign_in(sign_ins), sign_in(sign_ins)
    sign_ins.sign_out(here.token)
    with pytest.raises(WrongCredentials):
        sign_ins.who(here.token)
    assert sign_ins.who(there.token)
    sign_ins.sign_out(here.token)


def test_signing_out_everywhere_ends_every_session_and_makes_browsers_strangers(sign_ins, accounts):
    sessions = [sign_in(sign_ins) for _ in range(3)]
    assert sign_ins.sign_out_everywhere(actor="admin") == 3
    for session in sessions:
        with pytest.raises(WrongCredentials):
            sign_ins.who(session.token)
    assert accounts.book.get("admin").devices == ()


def test_a_session_that_is_used_while_it_is_ended_stays_ended(accounts, clock):
    """Noting its use reads and writes; ending it must not fall in between."""
    reading, ended = threading.Event(), threading.Event()
    sessions = accounts.sessions
    token = sessions.open("admin")
    clock.move(hours=1)
    store, get_setting = sessions._store, sessions._store.get_setting

    def slow(key):
        found = get_setting(key)
        reading.set()
        ended.wait(0.3)
        return found

    store.get_setting = slow
    using = threading.Thread(target=sessions.username, args=(token,))
    using.start()
    reading.wait(5)
    sessions.end_all("admin")
    ended.set()
    using.join(5)
    store.get_setting = get_setting
    assert store.settings("session/") == {}


def test_a_changed_password_ends_all_sessions_and_the_old_one_is_no_good(sign_ins, store):
    token = sign_in(sign_ins).token
    sign_ins.change_password(PASSWORD, "another " + PASSWORD, actor="admin")
    with pytest.raises(WrongCredentials):
        sign_ins.who(token)
    with pytest.raises(WrongCredentials):
        sign_in(sign_ins)
    assert sign_in(sign_ins, "another " + PASSWORD)
    assert "account.password_changed" in actions(store)


@pytest.mark.parametrize("new", ["too short", "aaaaaaaaaaaa", "", PASSWORD, "x" * 5000])
def test_a_bad_new_password_changes_nothing(sign_ins, new):
    token = sign_in(sign_ins).token
    with pytest.raises(InvalidInput):
        sign_ins.change_password(PASSWORD, new, actor="admin")
    assert sign_ins.who(token)
    assert sign_in(sign_ins)


def test_changing_a_password_needs_the_old_one_and_guessing_it_is_counted(sign_ins):
    for _ in range(5):
        with pytest.raises(WrongCredentials):
            sign_ins.change_password("wrong password", "another " + PASSWORD, actor="admin")
    with pytest.raises(TooManyAttempts):
        sign_ins.change_password(PASSWORD, "another " + PASSWORD, actor="admin")


def test_nobody_changes_the_password_of_an_api_key(sign_ins):
    with pytest.raises(NotFound):
        sign_ins.change_password("a", "b", actor="API: payroll")


def test_five_failures_lock_signing_in_even_with_the_right_password(sign_ins):
    wrong(sign_ins, 5)
    with pytest.raises(TooManyAttempts) as locked:
        sign_in(sign_ins)
    assert locked.value.retry_after_s == 30


def test_four_failures_do_not_lock_and_a_success_starts_the_count_anew(sign_ins):
    for _ in range(3):
        wrong(sign_ins, 4)
        sign_in(sign_ins)


def test_the_lock_tells_the_time_that_is_left_and_ends(sign_ins, clock):
    wrong(sign_ins, 5)
    clock.move(seconds=20)
    with pytest.raises(TooManyAttempts, match="Wait 10 seconds"):
        sign_in(sign_ins)
    clock.move(seconds=10)
    sign_in(sign_ins)


def test_each_account_has_its_own_lock(sign_ins, accounts):
    password = accounts.create("ada", AccountDraft("Ada", Role.VIEWER), actor="admin").password
    wrong(sign_ins, 5)
    assert sign_ins.sign_in("ada", password).account.username == "ada"


def test_each_further_failure_locks_twice_as_long_up_to_a_quarter_of_an_hour(sign_ins, clock):
    wrong(sign_ins, 4)
    locks = []
    for _ in range(8):
        wrong(sign_ins, 1)
        with pytest.raises(TooManyAttempts) as locked:
            sign_in(sign_ins)
        locks.append(locked.value.retry_after_s)
        clock.move(seconds=locks[-1])
    assert locks == [30, 60, 120, 240, 480, 900, 900, 900]


def test_whoever_guesses_for_ever_does_not_lock_out_the_browser_that_signed_in_before(sign_ins, clock):
    device = sign_in(sign_ins).device
    for _ in range(20):
        try:
            sign_ins.sign_in("admin", "wrong password", "a guessed device")
        except TooManyAttempts as locked:
            assert sign_in(sign_ins, device=device)
            clock.move(seconds=locked.retry_after_s)
        except WrongCredentials:
            pass
    wrong(sign_ins, 1)
    with pytest.raises(TooManyAttempts):
        sign_in(sign_ins)
    assert sign_in(sign_ins, device=device)


def test_guesses_from_a_known_browser_are_counted_too(sign_ins):
    device = sign_in(sign_ins).device
    wrong(sign_ins, 5, device=device)
    with pytest.raises(TooManyAttempts):
        sign_in(sign_ins, device=device)
    assert sign_in(sign_ins)


def test_a_browser_is_known_to_its_own_account_only(sign_ins, accounts):
    accounts.create("ada", AccountDraft("Ada", Role.VIEWER), actor="admin")
    device = sign_in(sign_ins).device
    wrong(sign_ins, 5, "ada")
    with pytest.raises(TooManyAttempts):
        sign_ins.sign_in("ada", "wrong password", device)


def test_an_account_knows_ten_browsers_at_most(sign_ins, accounts):
    devices = [sign_in(sign_ins).device for _ in range(12)]
    assert len(set(devices)) == 12
    assert len(accounts.book.get("admin").devices) == 10
    wrong(sign_ins, 5)
    with pytest.raises(TooManyAttempts):
        sign_in(sign_ins, device=devices[1])
    assert sign_in(sign_ins, device=devices[2])


def test_a_restart_does_not_end_the_lock_but_a_password_of_the_settings_does(sign_ins, store, clock):
    wrong(sign_ins, 5)
    accounts = AccountService(store, clock, Passwords(QUICK))
    restarted = SignInService(accounts, clock)
    with pytest.raises(TooManyAttempts):
        sign_in(restarted)
    accounts.ensure_admin(PASSWORD)
    assert sign_in(restarted)


def test_counts_of_guessed_names_do_not_grow_for_ever(sign_ins, store, clock, monkeypatch):
    monkeypatch.setattr("ray_backend.services.guesses._MOST_COUNTS", 20)
    for number in range(19):
        wrong(sign_ins, 1, f"guess{number}")
    clock.move(days=2)
    wrong(sign_ins, 1, "one more")
    assert len(store.settings("account_failures/")) == 1


def test_guesses_sent_at_once_are_counted_one_by_one(store, clock):
    # The real hash takes its time, in which the other guesses would pass uncounted.
    accounts = AccountService(store, clock)
    accounts.ensure_admin(PASSWORD)
    sign_ins = SignInService(accounts, clock)

    def guess(number: int) -> type:
        try:
            sign_in(sign_ins, f"wrong password {number}")
        except (WrongCredentials, TooManyAttempts, Overloaded) as error:
            return type(error)

    answers = race(16, guess)
    assert answers.count(WrongCredentials) <= 5
    assert answers.count(Overloaded) <= 8
    assert None not in answers


def test_more_people_than_can_wait_are_told_so_at_once(sign_ins):
    for _ in range(8):
        sign_ins._waiting.acquire()
    with pytest.raises(Overloaded):
        sign_in(sign_ins)


def test_locks_are_in_the_audit_log_without_the_names_that_nobody_has(sign_ins, store, clock):
    wrong(sign_ins, 5)
    clock.move(seconds=1)
    wrong(sign_ins, 5, "typed my password here")
    locks = [e for e in store.list_audit(AuditQuery()).items if e.action == "account.locked"]
    assert [(entry.subject, entry.detail) for entry in locks] == [
        ("unknown", {"seconds": 30}),
        ("admin", {"seconds": 30}),
    ]


def test_an_old_hash_is_renewed_at_the_next_sign_in(sign_ins, store, clock, accounts):
    stronger = AccountService(store, clock, Passwords(PasswordHasher(2, 16, 1)))
    before = accounts.book.get("admin").password_hash
    sign_in(SignInService(stronger, clock))
    after = accounts.book.get("admin").password_hash
    sign_in(SignInService(stronger, clock))
    assert before != after == accounts.book.get("admin").password_hash


def test_a_password_that_is_reset_while_it_is_checked_opens_nothing(sign_ins, accounts, monkeypatch):
    verifies = accounts.passwords.verifies

    def reset_meanwhile(stored, password):
        good = verifies(stored, password)
        accounts.reset_password("admin", actor="system")
        return good

    monkeypatch.setattr(accounts.passwords, "verifies", reset_meanwhile)
    with pytest.raises(WrongCredentials):
        sign_in(sign_ins)


def test_an_account_that_is_shut_is_out_at_once_and_does_not_get_in_again(sign_ins, accounts):
    new = accounts.create("ada", AccountDraft("Ada", Role.ADMIN), actor="admin")
    token = sign_ins.sign_in("ada", new.password).token
    accounts.set_active("ada", False, actor="admin")
    with pytest.raises(WrongCredentials):
        sign_ins.who(token)
    with pytest.raises(WrongCredentials):
        sign_ins.sign_in("ada", new.password)
    accounts.set_active("ada", True, actor="admin")
    with pytest.raises(WrongCredentials):
        sign_ins.who(token)
    assert sign_ins.sign_in("ada", new.password)


def test_a_new_role_counts_for_who_is_signed_in(sign_ins, accounts):
    new = accounts.create("ada", AccountDraft("Ada", Role.VIEWER), actor="admin")
    token = sign_ins.sign_in("ada", new.password).token
    accounts.change("ada", AccountDraft("Ada", Role.MANAGER, ("Sales",)), actor="admin")
    caller = sign_ins.who(token).caller
    assert (caller.role, caller.departments) == (Role.MANAGER, ("Sales",))


def test_no_secret_is_stored_in_clear(sign_ins, accounts, store):
    new = accounts.create("ada", AccountDraft("Ada", Role.VIEWER), actor="admin")
    session = sign_in(sign_ins)
    wrong(sign_ins, 5)
    everything = json.dumps(store.settings()) + repr(store.list_audit(AuditQuery()).items)
    assert "ada" in everything
    for secret in (PASSWORD, new.password, session.token, session.device, "wrong password"):
        assert secret not in everything


def test_every_sign_in_and_sign_out_is_in_the_audit_log(sign_ins, store, clock):
    before = len(actions(store))
    clock.move(seconds=1)
    session = sign_in(sign_ins)
    clock.move(seconds=1)
    sign_ins.sign_out(session.token)
    assert actions(store)[before:] == ["account.signed_in", "account.signed_out"]


class AbsentStore(MemoryStore):
    """A database that goes away and comes back."""

    away = False

    def __getattribute__(self, name):
        if not name.startswith("_") and name != "away" and self.away:
            raise StoreUnavailable("gone")
        return super().__getattribute__(name)


def test_while_the_database_is_away_sessions_hold_and_those_that_ended_stay_ended(clock):
    """Pages say then how many punches wait on the disk."""
    store = AbsentStore()
    reach = Reach(store)
    remembered = RememberedSettings(store, reach, ACCOUNTS, SESSIONS)
    accounts = AccountService(store, clock, Passwords(QUICK), remembered)
    accounts.ensure_admin(PASSWORD)
    sign_ins = SignInService(accounts, clock)
    stays, ended, leaves = (sign_in(sign_ins).token for _ in range(3))
    sign_ins.sign_out(ended)

    store.away = True
    assert sign_ins.who(stays).username == "admin"
    with pytest.raises(WrongCredentials):
        sign_ins.who(ended)
    with pytest.raises(StoreUnavailable):
        sign_ins.sign_out(leaves)
    with pytest.raises(WrongCredentials):
        sign_ins.who(leaves)
    clock.move(hours=8)
    with pytest.raises(WrongCredentials):
        sign_ins.who(stays)

    store.away = False
    reach.look_again()
    for token in (stays, ended, leaves):
        with pytest.raises(WrongCredentials):
            sign_ins.who(token)
    assert store.settings(SESSIONS) == {}
