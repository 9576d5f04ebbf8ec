"""Limiting guesses: after some wrong ones, each further one locks for longer."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from ray_backend.domain.errors import TooManyAttempts
from ray_backend.ports import Clock
from ray_backend.services.reach import KeepsSettings

FREE_ATTEMPTS = 5
FIRST_LOCK = timedelta(seconds=30)
LONGEST_LOCK = timedelta(minutes=15)


class Attempts:
    """Counts the wrong guesses at one thing, under one key of the settings, so that a restart forgets none.

    `of_what` stands in the message: "passwords". After `forget_after` without a wrong guess the count
    starts anew; None means never. `on_lock` is told the length of each lock. One call at a time.
    """

    def __init__(
        self,
        settings: KeepsSettings,
        clock: Clock,
        key: str,
        of_what: str,
        *,
        on_lock: Callable[[timedelta], None],
        forget_after: timedelta | None = None,
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._key = key
        self._of_what = of_what
        self._on_lock = on_lock
        self._forget_after = forget_after

    def refuse_while_locked(self) -> None:
        """Raises TooManyAttempts."""
        failures = self._settings.get_setting(self._key)
        if not failures or "locked_until" not in failures:
            return
        left_s = (datetime.fromisoformat(failures["locked_until"]) - self._clock.now()).total_seconds()
        if left_s > 0:
            raise TooManyAttempts(
                f"Too many wrong {self._of_what}. Wait {round(left_s) or 1} seconds and try again.", left_s
            )

    def count_failure(self) -> None:
        """After five each further one locks, for 30 s at first, then twice as long up to 15 minutes."""
        count = self._counted() + 1
        failures: dict[str, Any] = {"count": count, "last": self._clock.now().isoformat()}
        if count >= FREE_ATTEMPTS:
            lock = min(FIRST_LOCK * 2 ** min(count - FREE_ATTEMPTS, 10), LONGEST_LOCK)
            failures["locked_until"] = (self._clock.now() + lock).isoformat()
            self._on_lock(lock)
        self._settings.put_setting(self._key, failures)

    def forget(self) -> None:
        """The right one was given."""
        self._settings.put_setting(self._key, None)

    def _counted(self) -> int:
        failures = self._settings.get_setting(self._key)
        if not failures:
            return 0
        if self._forget_after is not None:
            # The time that a lock takes is no quiet time: somebody may be guessing all through it.
            moments = [failures[name] for name in ("last", "locked_until") if name in failures]
            if self._clock.now() - max(map(datetime.fromisoformat, moments)) > self._forget_after:
                return 0
        return failures["count"]
