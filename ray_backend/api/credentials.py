"""Who calls: an API key of the database, or a signed JSON Web Token."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jwt
from starlette.concurrency import run_in_threadpool

from ray_backend.domain import permissions
from ray_backend.domain.errors import InvalidInput, StoreUnavailable, WrongCredentials
from ray_backend.domain.permissions import Role
from ray_backend.services.access import AccessService
from ray_backend.settings import Settings

TRUSTED_FOR_S = 5.0
# While the database is away, nobody can revoke a key either: who was let in a moment before goes on working.
REMEMBERED_FOR_S = 900.0
_ASK_AGAIN_AFTER_S = 30.0
_MOST_TRUSTED = 10_000
_SHORTEST_SECRET = {"HS256": 32, "HS384": 48, "HS512": 64}


@dataclass(frozen=True, slots=True)
class Caller:
    """Who sends a request. `key` tells callers apart without telling their secret; for a kiosk `name`
    is the kiosk's. `departments` binds to people of these, None to none in particular."""

    name: str
    role: Role
    key: str
    departments: tuple[str, ...] | None = None

    @property
    def actor(self) -> str:
        """As the audit log names the caller."""
        return f"API: {self.name}"

    @property
    def of_use_cases(self) -> permissions.Caller:
        """Who makes the calls of this request."""
        name = self.name if self.role is Role.KIOSK else self.actor
        return permissions.Caller(name, self.role, self.departments)


# Whoever has the key of the settings: it works while the database is away, which is when it is wanted.
_MONITOR = Caller("monitor", Role.MONITOR, "settings/monitor")


class TokenVerifier:
    """Checks JSON Web Tokens with one key and one algorithm."""

    def __init__(self, settings: Settings) -> None:
        """Raises InvalidInput when the key does not fit the algorithm."""
        self._algorithm = settings.jwt_algorithm
        self._audience = settings.jwt_audience or None
        self._issuer = settings.jwt_issuer or None
        self._key = _fitting_key(settings)

    def verify(self, token: str) -> tuple[Caller, float]:
        """The caller, and the Unix time at which the token expires. Raises WrongCredentials."""
        try:
            claims = jwt.decode(
                token,
                self._key,
                algorithms=[self._algorithm],
                audience=self._audience,
                issuer=self._issuer,
                options={"require": ["sub", "exp", "role"], "verify_aud": self._audience is not None},
            )
        except jwt.ExpiredSignatureError as error:
            raise WrongCredentials("This token has expired. Get a new one.") from error
        except jwt.InvalidTokenError as error:
            raise WrongCredentials(f"This token is not valid: {error}.") from error
        if claims["role"] not in list(Role):
            raise WrongCredentials(f"This token's role has to be one of {', '.join(Role)}.")
        key = f"jwt/{claims['role']}/{claims['sub']}"
        caller = Caller(claims["sub"], Role(claims["role"]), key, _departments(claims))
        return caller, float(claims["exp"])


def _departments(claims: dict[str, Any]) -> tuple[str, ...] | None:
    names = claims.get("departments")
    if names is None:
        return None
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise WrongCredentials("This token's departments have to be a list of names.")
    return tuple(names)


def _fitting_key(settings: Settings):
    text = settings.jwt_key.get_secret_value()
    shortest = _SHORTEST_SECRET.get(settings.jwt_algorithm, 0)
    if len(text.encode()) < shortest:
        # RFC 7518, 3.2: a shorter one than the hash can be guessed from any token.
        raise InvalidInput(f"ROLLCALL_JWT_KEY is too short: {settings.jwt_algorithm} needs {shortest} bytes.")
    try:
        return jwt.get_algorithm_by_name(settings.jwt_algorithm).prepare_key(text)
    except (ValueError, TypeError, jwt.PyJWTError) as error:
        raise InvalidInput(
            f"ROLLCALL_JWT_KEY does not fit: {settings.jwt_algorithm} needs a public key as PEM text."
        ) from error


class Credentials:
    """Turns bearer secrets into callers, and trusts an answer for five seconds, so that a busy client
    does not cost a look into the database for each request. A revoked key works that long still.

    A database that is away lets in whoever it let in during the last quarter of an hour."""

    def __init__(
        self, access: AccessService, settings: Settings, now: Callable[[], float] = time.monotonic
    ) -> None:
        """Raises InvalidInput when the settings' JWT key cannot be used."""
        self._access = access
        self._tokens = TokenVerifier(settings) if settings.jwt_key else None
        self._monitor_key = settings.api_monitor_key
        self._now = now
        self._trusted: dict[bytes, tuple[Caller, float]] = {}
        self._remembered: dict[bytes, tuple[Caller, float]] = {}
        self._asking: dict[bytes, asyncio.Task[Caller]] = {}

    async def caller(self, secret: bytes) -> Caller:
        """Raises WrongCredentials, StoreUnavailable and BackendUnavailable."""
        digest = hashlib.sha256(secret).digest()
        trusted = self._trusted.get(digest)
        if trusted is not None and trusted[1] > self._now():
            return trusted[0]
        asking = self._asking.get(digest)
        if asking is None:
            # One question for however many requests arrive meanwhile, none of which may cancel it.
            asking = asyncio.create_task(self._ask(digest, secret.decode("latin-1")))
            self._asking[digest] = asking
            asking.add_done_callback(lambda _: self._asking.pop(digest, None))
        return await asyncio.shield(asking)

    async def _ask(self, digest: bytes, secret: str) -> Caller:
        # Our own keys have no dot in them; a JSON Web Token has two.
        if self._tokens is not None and "." in secret:
            caller, expires_at = self._tokens.verify(secret)
            trusted_s = min(TRUSTED_FOR_S, expires_at - time.time())
        elif self._is_monitor(secret):
            caller, trusted_s = _MONITOR, TRUSTED_FOR_S
        else:
            caller, trusted_s = await self._of_database(digest, secret)
        if len(self._trusted) >= _MOST_TRUSTED:
            self._trusted.clear()
            self._remembered.clear()
        self._trusted[digest] = (caller, self._now() + trusted_s)
        return caller

    async def _of_database(self, digest: bytes, secret: str) -> tuple[Caller, float]:
        """The caller with this key, and for how long that holds."""
        known = self._remembered.pop(digest, None)
        try:
            key = await run_in_threadpool(self._access.verify_key, secret)
            caller, trusted_s = Caller(key.name, key.role, key.token_id), TRUSTED_FOR_S
        except StoreUnavailable:
            if known is None or known[1] < self._now():
                raise
            caller, trusted_s = known[0], _ASK_AGAIN_AFTER_S
        self._remembered[digest] = (caller, self._now() + REMEMBERED_FOR_S)
        return caller, trusted_s

    def _is_monitor(self, secret: str) -> bool:
        expected = self._monitor_key
        return expected is not None and hmac.compare_digest(
            secret.encode(), expected.get_secret_value().encode()
        )
