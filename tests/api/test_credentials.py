"""API keys and JSON Web Tokens: what makes them good, and how long an answer about them is trusted."""

from __future__ import annotations

import asyncio
import time

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa

from ray_backend.api.credentials import REMEMBERED_FOR_S, TRUSTED_FOR_S, Credentials, TokenVerifier
from ray_backend.domain.errors import InvalidInput, NotFound, StoreUnavailable, WrongCredentials
from ray_backend.domain.permissions import Role
from ray_backend.domain.queries import AuditQuery
from ray_backend.services.access import AccessService
from ray_backend.settings import Settings
from ray_backend.storage.memory import MemoryStore
from tests.api.test_access import JWT_KEY, token
from tests.fakes import SetClock

PEM = (serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


class Counted:
    """An access service that counts how often it is asked."""

    def __init__(self, access: AccessService) -> None:
        self._access = access
        self.asked = 0
        self.failure: Exception | None = None

    def verify_key(self, secret: str):
        self.asked += 1
        time.sleep(0.01)
        if self.failure:
            raise self.failure
        return self._access.verify_key(secret)


@pytest.fixture
def access() -> AccessService:
    return AccessService(MemoryStore(), SetClock())


def pair(kind: str) -> tuple[object, str]:
    """A private key, and its public one as PEM text."""
    private = (
        ed25519.Ed25519PrivateKey.generate() if kind == "EdDSA" else rsa.generate_private_key(65537, 2048)
    )
    return private, private.public_key().public_bytes(*PEM).decode()


def test_a_key_tells_name_and_role(access):
    secret = access.issue_key(" payroll ", Role.MANAGER, actor="ada")
    key = access.verify_key(secret)
    assert (key.name, key.role) == ("payroll", Role.MANAGER)
    assert access.api_keys() == [key]
    assert secret not in repr(key)


def test_a_kiosks_token_is_a_key_with_the_role_kiosk_and_the_other_way_round(access):
    old, new = access.issue_token("door", actor="a"), access.issue_key("gate", Role.KIOSK, actor="a")
    assert [(access.verify_key(s).name, access.verify_key(s).role) for s in (old, new)] == [
        ("door", Role.KIOSK),
        ("gate", Role.KIOSK),
    ]
    assert [access.verify_token(s) for s in (old, new)] == ["door", "gate"]
    assert {kiosk.kiosk for kiosk in access.tokens()} == {"door", "gate"}


def test_a_programs_key_opens_no_kiosk(access):
    secret = access.issue_key("payroll", Role.ADMIN, actor="a")
    with pytest.raises(WrongCredentials):
        access.verify_token(secret)
    assert access.tokens() == []


def test_a_revoked_key_is_good_for_nothing_and_the_others_stay(access):
    gone, stays = (access.issue_key(name, Role.ADMIN, actor="a") for name in ("gone", "stays"))
    token_id = access.verify_key(gone).token_id
    access.revoke_token(token_id, actor="alan")
    with pytest.raises(WrongCredentials):
        access.verify_key(gone)
    assert [key.name for key in access.api_keys()] == ["stays"]
    assert access.verify_key(stays).name == "stays"
    with pytest.raises(NotFound):
        access.revoke_token(token_id, actor="alan")


def test_issuing_and_revoking_keys_are_in_the_audit_log(access):
    secret = access.issue_key("payroll", Role.MANAGER, actor="ada")
    token_id = access.verify_key(secret).token_id
    access.revoke_token(token_id, actor="alan")
    entries = access._store.list_audit(AuditQuery()).items
    assert {(entry.actor, entry.action, entry.subject) for entry in entries} == {
        ("alan", "api_key.revoked", token_id),
        ("ada", "api_key.issued", token_id),
    }
    assert secret not in repr(entries) + repr(access._store.settings())


@pytest.mark.parametrize("name", ["", " ", "x" * 65, "a\nb"])
def test_a_key_needs_a_name_that_can_be_shown(access, name):
    with pytest.raises(InvalidInput):
        access.issue_key(name, Role.ADMIN, actor="a")
    assert access.api_keys() == []


def test_a_caller_is_trusted_for_five_seconds_and_then_looked_up_again(access):
    secret = access.issue_key("payroll", Role.ADMIN, actor="a").encode()
    now, counted = [0.0], Counted(access)
    credentials = Credentials(counted, Settings(), now=lambda: now[0])

    async def walk() -> None:
        for at in (0, 1, TRUSTED_FOR_S - 0.01):
            now[0] = at
            assert (await credentials.caller(secret)).name == "payroll"
        assert counted.asked == 1
        access.revoke_token(access.api_keys()[0].token_id, actor="a")
        now[0] = TRUSTED_FOR_S
        with pytest.raises(WrongCredentials):
            await credentials.caller(secret)

    assert TRUSTED_FOR_S <= 5
    asyncio.run(walk())


def test_many_requests_at_once_ask_the_database_once(access):
    secret = access.issue_key("payroll", Role.ADMIN, actor="a").encode()
    counted = Counted(access)
    credentials = Credentials(counted, Settings())

    async def rush() -> list[str]:
        return [c.name for c in await asyncio.gather(*(credentials.caller(secret) for _ in range(50)))]

    assert asyncio.run(rush()) == ["payroll"] * 50
    assert counted.asked == 1


def test_one_who_leaves_does_not_take_the_answer_from_the_others(access):
    secret = access.issue_key("payroll", Role.ADMIN, actor="a").encode()
    credentials = Credentials(Counted(access), Settings())

    async def one_leaves() -> str:
        first, second = (asyncio.create_task(credentials.caller(secret)) for _ in range(2))
        await asyncio.sleep(0)
        first.cancel()
        return (await second).name

    assert asyncio.run(one_leaves()) == "payroll"


def test_a_database_that_does_not_answer_is_not_a_wrong_key_and_is_asked_again(access):
    secret = access.issue_key("payroll", Role.ADMIN, actor="a").encode()
    counted = Counted(access)
    credentials = Credentials(counted, Settings())

    async def walk() -> str:
        counted.failure = StoreUnavailable("away")
        with pytest.raises(StoreUnavailable):
            await credentials.caller(secret)
        counted.failure = None
        return (await credentials.caller(secret)).name

    assert asyncio.run(walk()) == "payroll"


def test_a_token_is_not_trusted_beyond_its_end(access):
    settings = Settings(jwt_key=JWT_KEY)
    now = [0.0]
    credentials = Credentials(access, settings, now=lambda: now[0])
    short = token("admin", exp=time.time() + 1.5).encode()

    async def walk() -> None:
        assert (await credentials.caller(short)).role is Role.ADMIN
        await asyncio.sleep(1.6)
        now[0] = 1.6
        with pytest.raises(WrongCredentials, match="expired"):
            await credentials.caller(short)

    asyncio.run(walk())


def test_without_a_key_in_the_settings_no_token_is_good(access):
    with pytest.raises(WrongCredentials):
        asyncio.run(Credentials(access, Settings()).caller(token("admin").encode()))


@pytest.mark.parametrize("missing", ["sub", "role", "exp"])
def test_a_token_needs_its_claims(missing):
    with pytest.raises(WrongCredentials, match=missing):
        TokenVerifier(Settings(jwt_key=JWT_KEY)).verify(token("admin", **{missing: None}))


@pytest.mark.parametrize("role", ["root", "", "ADMIN", 7, ["admin"]])
def test_a_token_needs_a_role_of_ours(role):
    with pytest.raises(WrongCredentials):
        TokenVerifier(Settings(jwt_key=JWT_KEY)).verify(token(role))


def test_a_token_without_a_signature_is_refused():
    with pytest.raises(WrongCredentials):
        TokenVerifier(Settings(jwt_key=JWT_KEY)).verify(token("admin", key=None, algorithm="none"))
    with pytest.raises(ValueError, match="jwt_algorithm"):
        Settings(jwt_key=JWT_KEY, jwt_algorithm="none")


@pytest.mark.parametrize("kind", ["RS256", "PS256", "EdDSA"])
def test_a_token_signed_with_a_private_key_is_checked_with_the_public_one(kind):
    private, public = pair(kind)
    verifier = TokenVerifier(Settings(jwt_key=public, jwt_algorithm=kind))
    caller, _ = verifier.verify(token("manager", key=private, algorithm=kind))
    assert (caller.name, caller.role) == ("payroll", Role.MANAGER)
    stranger, _ = pair(kind)
    with pytest.raises(WrongCredentials):
        verifier.verify(token("manager", key=stranger, algorithm=kind))


def test_a_token_cannot_choose_another_algorithm():
    with pytest.raises(WrongCredentials):
        TokenVerifier(Settings(jwt_key=JWT_KEY * 2)).verify(
            token("admin", key=JWT_KEY * 2, algorithm="HS512")
        )


@pytest.mark.parametrize(
    ("algorithm", "key"), [("HS256", "short"), ("HS512", "x" * 63), ("RS256", "no PEM"), ("EdDSA", "no PEM")]
)
def test_a_key_that_does_not_fit_is_refused_at_the_start(open_web, algorithm, key):
    with pytest.raises(InvalidInput, match="ROLLCALL_JWT_KEY"):
        open_web(jwt_key=key, jwt_algorithm=algorithm)


@pytest.mark.parametrize(
    ("setting", "claim"),
    [({"jwt_audience": "rollcall"}, "aud"), ({"jwt_issuer": "https://id.example"}, "iss")],
)
def test_audience_and_issuer_count_where_they_are_set(setting, claim):
    verifier = TokenVerifier(Settings(jwt_key=JWT_KEY, **setting))
    (right,) = setting.values()
    assert verifier.verify(token("admin", **{claim: right}))
    for wrong in ("another", None):
        with pytest.raises(WrongCredentials):
            verifier.verify(token("admin", **{claim: wrong}))


def test_a_token_for_somebody_else_passes_where_no_audience_is_set():
    assert TokenVerifier(Settings(jwt_key=JWT_KEY)).verify(token("admin", aud="another"))


def test_a_token_that_is_not_good_yet_is_refused():
    with pytest.raises(WrongCredentials):
        TokenVerifier(Settings(jwt_key=JWT_KEY)).verify(token("admin", nbf=time.time() + 60))


def test_tokens_are_tried_as_pyjwt_makes_them():
    assert jwt.decode(token("admin"), JWT_KEY, algorithms=["HS256"])["role"] == "admin"


def test_prometheus_key_of_the_settings_needs_no_database(access):
    counted = Counted(access)
    counted.failure = StoreUnavailable("away")
    key = "prometheus-" + "k" * 24
    credentials = Credentials(counted, Settings(api_monitor_key=key))

    async def ask(secret: str):
        return await credentials.caller(secret.encode())

    caller = asyncio.run(ask(key))
    assert (caller.name, caller.role, caller.departments) == ("monitor", Role.MONITOR, None)
    assert counted.asked == 0
    for other in (key[:-1], key + "k", key.upper()):
        with pytest.raises(StoreUnavailable):
            asyncio.run(ask(other))


def test_a_short_monitor_key_is_refused():
    with pytest.raises(ValueError, match="at least 24"):
        Settings(api_monitor_key="guess-me")


def test_while_the_database_is_away_those_whom_it_let_in_before_go_on(access):
    secret, stranger = (access.issue_key(n, Role.KIOSK, actor="a").encode() for n in ("door", "never seen"))
    now, counted = [0.0], Counted(access)
    credentials = Credentials(counted, Settings(), now=lambda: now[0])

    async def walk() -> None:
        await credentials.caller(secret)
        counted.failure = StoreUnavailable("away")
        # Hours, as long as it keeps calling.
        for _ in range(20):
            now[0] += REMEMBERED_FOR_S / 2
            assert (await credentials.caller(secret)).name == "door"
        with pytest.raises(StoreUnavailable):
            await credentials.caller(stranger)
        now[0] += REMEMBERED_FOR_S + 1
        with pytest.raises(StoreUnavailable):
            await credentials.caller(secret)

    asyncio.run(walk())


def test_a_revoked_key_is_forgotten_even_if_the_database_goes_away_then(access):
    secret = access.issue_key("door", Role.KIOSK, actor="a").encode()
    now, counted = [0.0], Counted(access)
    credentials = Credentials(counted, Settings(), now=lambda: now[0])

    async def walk() -> None:
        await credentials.caller(secret)
        access.revoke_token(access.api_keys()[0].token_id, actor="a")
        now[0] += TRUSTED_FOR_S
        with pytest.raises(WrongCredentials):
            await credentials.caller(secret)
        counted.failure = StoreUnavailable("away")
        with pytest.raises(StoreUnavailable):
            await credentials.caller(secret)

    asyncio.run(walk())
