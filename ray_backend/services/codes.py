"""The other way at a kiosk: a PIN or badge number that names its owner. Only hashes are stored."""

from __future__ import annotations

import secrets
import threading
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import timedelta
from itertools import pairwise
from typing import Any

from argon2.low_level import Type, hash_secret_raw

from ray_backend.domain.errors import (
    Conflict,
    InvalidInput,
    PersonNotFound,
    StoreUnavailable,
    WrongCredentials,
)
from ray_backend.domain.model import Person
from ray_backend.ports import Clock, Store
from ray_backend.services.attempts import Attempts
from ray_backend.services.audit import Auditor
from ray_backend.services.reach import Reach, RememberedSettings
from ray_backend.services.roster import Roster

SHORTEST, LONGEST = 4, 12
_SUGGESTED = 6
# A kiosk counts the wrong codes of everybody who comes by, so it has to forget the ones of long ago.
QUIET_TIME = timedelta(minutes=5)
CODES, CODE_OF, HASHING, FAILURES = "code/", "code_of/", "code_hashing", "code_failures/"
PREFIXES = (CODES, CODE_OF, HASHING, FAILURES)
_WRONG = "Nobody has this code. Type it again, or ask whoever looks after the attendance."
_TAKEN = "This code cannot be used. Choose another one."
_TOO_EASY = "This code is too easy to guess. Choose one that is no row of digits and not one digit repeated."
_NO_CODE = f"A code is {SHORTEST} to {LONGEST} digits."


@dataclass(frozen=True, slots=True)
class Costs:
    """How much work a hash is, in argon2's words: RFC 9106's second choice, for 64 MiB of memory."""

    time_cost: int = 3
    memory_cost: int = 65536
    parallelism: int = 4
    hash_len: int = 32


def suggestion() -> str:
    """Six random digits that make a good PIN."""
    while True:
        code = f"{secrets.randbelow(10**_SUGGESTED):0{_SUGGESTED}}"
        with suppress(InvalidInput):
            return _checked(code)


class Codes:
    """Whose code it is, and who has one.

    The hashes have one salt for the site, made once, so that a code can be looked up by its hash. Who
    reads the database can still try all codes of four digits; longer ones are better. Safe to call from
    several threads.
    """

    def __init__(
        self,
        store: Store,
        reach: Reach,
        remembered: RememberedSettings,
        roster: Roster,
        clock: Clock,
        costs: Costs | None = None,
    ) -> None:
        self._store = store
        self._reach = reach
        self._remembered = remembered
        self._roster = roster
        self._clock = clock
        self._costs = costs or Costs()
        self._audit = Auditor(store, clock)
        self._one_change = threading.Lock()
        self._one_guess: dict[str, threading.Lock] = {}

    def set(self, person_id: str, code: str | None, *, actor: str) -> None:
        """Gives the person this code in place of the one before; None takes it away.

        Raises PersonNotFound, InvalidInput for what is no code or too easy, and Conflict when somebody
        else has it, without saying who.
        """
        self._store.get_person(person_id)
        if code is None:
            if self.remove(person_id):
                self._audit.record(actor, "person.code_removed", person_id)
            return
        digest = self._hash(_checked(code), self._hashing())
        with self._one_change:
            before = self._store.get_setting(CODE_OF + person_id)
            if before == digest:
                return
            self._claim(digest, person_id)
            self._store.put_setting(CODE_OF + person_id, digest)
            self._drop_all_but(person_id, digest)
        self._audit.record(actor, "person.code_changed" if before else "person.code_set", person_id)

    def remove(self, person_id: str) -> bool:
        """Takes the person's code away; says whether there was one."""
        with self._one_change:
            had = self._store.get_setting(CODE_OF + person_id) is not None
            self._store.put_setting(CODE_OF + person_id, None)
            self._drop_all_but(person_id, None)
            # Read anew, so that it is not remembered either.
            self._remembered.settings(CODES)
            self._remembered.get_setting(CODE_OF + person_id)
        return had

    def has(self, person_id: str) -> bool:
        """Whether the person has a code."""
        return self._remembered.get_setting(CODE_OF + person_id) is not None

    def owner(self, code: str, *, kiosk: str) -> Person:
        """The active person who has this code.

        Raises WrongCredentials when nobody has, and TooManyAttempts when too many wrong ones were typed
        at this kiosk. A right code does not take wrong ones back: whoever has one could go on guessing.
        """
        with self._one_guess.setdefault(kiosk, threading.Lock()):
            attempts = self._attempts(kiosk)
            attempts.refuse_while_locked()
            person = self._find(code.strip())
            if person is None:
                attempts.count_failure()
                raise WrongCredentials(_WRONG)
            return person

    def _find(self, code: str) -> Person | None:
        hashing = self._remembered.get_setting(HASHING)
        if hashing is None or not _is_code(code):
            return None
        digest = self._hash(code, hashing)
        person_id = self._remembered.get_setting(CODES + digest)
        if person_id is None or self._remembered.get_setting(CODE_OF + person_id) != digest:
            return None
        try:
            person = self._roster.get(person_id)
        except PersonNotFound:
            return None
        return person if person.active else None

    def _claim(self, digest: str, person_id: str) -> None:
        """Makes the code this person's, of whoever wants it at this moment. Raises Conflict."""
        owner = self._store.pin_setting(CODES + digest, person_id)
        if owner != person_id and self._store.get_setting(CODE_OF + owner) != digest:
            # Left behind by a change that broke off between its two writes.
            self._store.put_setting(CODES + digest, None)
            owner = self._store.pin_setting(CODES + digest, person_id)
        if owner != person_id:
            raise Conflict(_TAKEN)

    def _drop_all_but(self, person_id: str, digest: str | None) -> None:
        for key, owner in self._store.settings(CODES).items():
            if owner == person_id and key != f"{CODES}{digest}":
                self._store.put_setting(key, None)

    def _hashing(self) -> dict[str, Any]:
        """How this site's codes are hashed: fixed with the first code, so that they stay comparable."""
        wanted = {"salt": secrets.token_hex(16), **asdict(self._costs)}
        return self._store.get_setting(HASHING) or self._store.pin_setting(HASHING, wanted)

    def _hash(self, code: str, hashing: dict[str, Any]) -> str:
        costs = {name: hashing[name] for name in asdict(self._costs)}
        salt = bytes.fromhex(hashing["salt"])
        return hash_secret_raw(code.encode(), salt, **costs, type=Type.ID).hex()

    def _attempts(self, kiosk: str) -> Attempts:
        def note_lock(lock: timedelta) -> None:
            # The lock itself counts while the database is away; its note is not worth waiting for.
            with suppress(StoreUnavailable):
                seconds = lock.total_seconds()
                self._reach.ask(lambda: self._audit.record("system", "kiosk.locked", kiosk, seconds=seconds))

        return Attempts(
            self._remembered,
            self._clock,
            FAILURES + kiosk,
            "codes",
            on_lock=note_lock,
            forget_after=QUIET_TIME,
        )


def _is_code(text: str) -> bool:
    return text.isascii() and text.isdigit() and SHORTEST <= len(text) <= LONGEST


def _checked(code: str) -> str:
    code = code.strip()
    if not _is_code(code):
        raise InvalidInput(_NO_CODE)
    steps = {(int(after) - int(before)) % 10 for before, after in pairwise(code)}
    if len(steps) == 1 and steps <= {0, 1, 9}:
        raise InvalidInput(_TOO_EASY)
    return code
