"""Who may come in: the admin's password and the kiosks' tokens."""

from __future__ import annotations

import json

import pytest
from argon2 import PasswordHasher

from ray_backend.domain.errors import InvalidInput, NotFound, TooManyAttempts, WrongCredentials
from ray_backend.domain.model import AuditQuery
from ray_backend.services.access import AccessService
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
def access(store, clock) -> AccessService:
    return AccessService(store, clock, QUICK)


def wrong(access: AccessService, times: int) -> None:
    for _ in range(times):
        with pytest.raises(WrongCredentials):
            access.sign_in("wrong password")


def test_a_password_is_made_up_once_and_works(access):
    password = access.ensure_admin(None)
    assert len(password) >= 16
    access.sign_in(password)
    assert access.ensure_admin(None) is None
    access.sign_in(password)


def test_made_up_passwords_differ(clock):
    made = {AccessService(MemoryStore(), clock, QUICK).ensure_admin(None) for _ in range(5)}
    assert len(made) == 5


def test_a_password_of_the_settings_is_in_force_and_never_shown(access):
    assert access.ensure_admin(PASSWORD) is None
    access.sign_in(PASSWORD)


def test_a_new_password_of_the_settings_replaces_the_old_one(access):
    made_up = access.ensure_admin(None)
    access.ensure_admin(PASSWORD)
    access.sign_in(PASSWORD)
    with pytest.raises(WrongCredentials):
        access.sign_in(made_up)


def test_without_one_in_the_settings_the_old_password_stays(access):
    access.ensure_admin(PASSWORD)
    assert access.ensure_admin(None) is None
    access.sign_in(PASSWORD)


def test_the_same_password_at_the_next_start_changes_nothing(access, store):
    access.ensure_admin(PASSWORD)
    before = store.settings()
    access.ensure_admin(PASSWORD)
    assert store.settings() == before
    assert [entry.action for entry in store.list_audit(AuditQuery()).items] == ["admin.password_set"]


def test_a_short_password_is_refused_and_the_old_one_stays(access):
    access.ensure_admin(PASSWORD)
    with pytest.raises(InvalidInput, match="10 characters"):
        access.ensure_admin("too short")
    access.sign_in(PASSWORD)


def test_nobody_signs_in_before_a_password_is_set(access):
    with pytest.raises(WrongCredentials):
        access.sign_in("")


@pytest.mark.parametrize("typed", ["", "Correct horse battery", PASSWORD + " ", "x" * 10_000])
def test_only_the_exact_password_signs_in(access, typed):
    access.ensure_admin(PASSWORD)
    with pytest.raises(WrongCredentials):
        access.sign_in(typed)


def test_five_failures_lock_signing_in_even_with_the_right_password(access):
    access.ensure_admin(PASSWORD)
    wrong(access, 5)
    with pytest.raises(TooManyAttempts) as locked:
        access.sign_in(PASSWORD)
    assert locked.value.retry_after_s == 30


def test_four_failures_do_not_lock(access):
    access.ensure_admin(PASSWORD)
    wrong(access, 4)
    access.sign_in(PASSWORD)


def test_the_lock_tells_the_time_that_is_left_and_ends(access, clock):
    access.ensure_admin(PASSWORD)
    wrong(access, 5)
    clock.move(seconds=20)
    with pytest.raises(TooManyAttempts, match="Wait 10 seconds") as locked:
        access.sign_in(PASSWORD)
    assert locked.value.retry_after_s == 10
    clock.move(seconds=10)
    access.sign_in(PASSWORD)


def test_attempts_during_a_lock_do_not_lengthen_it(access, clock):
    access.ensure_admin(PASSWORD)
    wrong(access, 5)
    for _ in range(20):
        with pytest.raises(TooManyAttempts):
            access.sign_in("wrong password")
    clock.move(seconds=30)
    access.sign_in(PASSWORD)


def test_each_further_failure_locks_twice_as_long_up_to_a_quarter_of_an_hour(access, clock):
    access.ensure_admin(PASSWORD)
    wrong(access, 4)
    locks = []
    for _ in range(20):
        wrong(access, 1)
        with pytest.raises(TooManyAttempts) as locked:
            access.sign_in(PASSWORD)
        locks.append(locked.value.retry_after_s)
        clock.move(seconds=locks[-1])
    assert locks == [30, 60, 120, 240, 480] + [900] * 15


def test_a_success_starts_the_count_anew(access, clock):
    access.ensure_admin(PASSWORD)
    wrong(access, 5)
    clock.move(seconds=30)
    access.sign_in(PASSWORD)
    wrong(access, 4)
    access.sign_in(PASSWORD)


def test_a_new_password_ends_the_lock(access):
    access.ensure_admin(PASSWORD)
    wrong(access, 5)
    access.ensure_admin("another " + PASSWORD)
    access.sign_in("another " + PASSWORD)


def test_a_restart_does_not_end_the_lock(access, store, clock):
    access.ensure_admin(PASSWORD)
    wrong(access, 5)
    with pytest.raises(TooManyAttempts):
        AccessService(store, clock, QUICK).sign_in(PASSWORD)


def test_guesses_sent_at_once_are_counted_one_by_one(store, clock):
    # The real hash takes its time, in which the other guesses would pass uncounted.
    access = AccessService(store, clock)
    access.ensure_admin(PASSWORD)

    def guess(number: int) -> type:
        try:
            access.sign_in(f"wrong password {number}")
        except (WrongCredentials, TooManyAttempts) as error:
            return type(error)

    assert race(16, guess).count(WrongCredentials) == 5


def test_locks_are_in_the_audit_log(access, store):
    access.ensure_admin(PASSWORD)
    wrong(access, 5)
    [entry] = [entry for entry in store.list_audit(AuditQuery()).items if entry.action == "admin.locked"]
    assert entry.detail == {"seconds": 30}


def test_an_old_hash_is_renewed_at_the_next_sign_in(access, store, clock):
    access.ensure_admin(PASSWORD)
    stronger = AccessService(store, clock, PasswordHasher(time_cost=2, memory_cost=16, parallelism=1))
    before = store.settings()
    stronger.sign_in(PASSWORD)
    assert store.settings() != before
    stronger.sign_in(PASSWORD)


def test_the_default_hash_is_argon2id():
    store = MemoryStore()
    AccessService(store, SetClock()).ensure_admin(PASSWORD)
    [stored] = store.settings().values()
    assert stored.startswith("$argon2id$")


def test_a_token_lets_its_kiosk_in(access):
    door, gate = access.issue_token(" door ", actor="admin"), access.issue_token("gate", actor="admin")
    assert (access.verify_token(door), access.verify_token(gate)) == ("door", "gate")


@pytest.mark.parametrize("secret", ["", "wrong", "0" * 64])
def test_other_tokens_let_nobody_in(access, secret):
    access.issue_token("door", actor="admin")
    with pytest.raises(WrongCredentials):
        access.verify_token(secret)


def test_what_the_store_knows_of_a_token_lets_nobody_in(access, store):
    access.issue_token("door", actor="admin")
    [key] = store.settings("kiosk_token/")
    for known in (key, key.removeprefix("kiosk_token/"), access.tokens()[0].token_id):
        with pytest.raises(WrongCredentials):
            access.verify_token(known)


@pytest.mark.parametrize("kiosk", ["", "  ", "x" * 65, "do\nor", "door\x1b[0m"])
def test_a_kiosk_needs_a_name_that_can_be_shown(access, kiosk):
    with pytest.raises(InvalidInput):
        access.issue_token(kiosk, actor="admin")
    assert access.tokens() == []


def test_tokens_are_listed_oldest_first_without_their_secrets(access, clock):
    secrets = []
    for kiosk in ("gate", "door"):
        secrets.append(access.issue_token(kiosk, actor="admin"))
        clock.move(minutes=1)
    listed = access.tokens()
    assert [token.kiosk for token in listed] == ["gate", "door"]
    assert (listed[1].created_at - listed[0].created_at).total_seconds() == 60
    assert not any(secret in repr(listed) for secret in secrets)


def test_a_revoked_token_lets_nobody_in_and_the_others_stay(access):
    door, gate = access.issue_token("door", actor="admin"), access.issue_token("gate", actor="admin")
    [token_id] = [token.token_id for token in access.tokens() if token.kiosk == "door"]
    access.revoke_token(token_id, actor="admin")
    with pytest.raises(WrongCredentials):
        access.verify_token(door)
    assert access.verify_token(gate) == "gate"
    with pytest.raises(NotFound):
        access.revoke_token(token_id, actor="admin")


def test_issuing_and_revoking_are_in_the_audit_log(access, store, clock):
    access.issue_token("door", actor="ada")
    [token] = access.tokens()
    clock.move(minutes=1)
    access.revoke_token(token.token_id, actor="alan")
    entries = store.list_audit(AuditQuery()).items
    assert [(entry.actor, entry.action, entry.subject) for entry in entries] == [
        ("alan", "kiosk_token.revoked", token.token_id),
        ("ada", "kiosk_token.issued", token.token_id),
    ]


def test_no_secret_is_stored_in_clear(access, store):
    made_up = access.ensure_admin(None)
    access.ensure_admin(PASSWORD)
    token = access.issue_token("door", actor="admin")
    wrong(access, 5)
    everything = json.dumps(store.settings()) + repr(store.list_audit(AuditQuery()).items)
    assert "door" in everything
    for secret in (made_up, PASSWORD, token, "wrong password"):
        assert secret not in everything
