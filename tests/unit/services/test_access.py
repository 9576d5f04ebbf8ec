"""Which kiosks may come in."""

from __future__ import annotations

import json

import pytest

from ray_backend.domain.errors import InvalidInput, NotFound, WrongCredentials
from ray_backend.domain.queries import AuditQuery
from ray_backend.services.access import AccessService
from ray_backend.storage.memory import MemoryStore
from tests.fakes import SetClock


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture
def access(store, clock) -> AccessService:
    return AccessService(store, clock)


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
    token = access.issue_token("door", actor="admin")
    everything = json.dumps(store.settings()) + repr(store.list_audit(AuditQuery()).items)
    assert "door" in everything
    assert token not in everything
