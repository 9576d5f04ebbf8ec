"""A store that times each of its operations, and logs each write with the id of its request."""

from __future__ import annotations

import logging
from collections.abc import Callable
from time import perf_counter
from typing import Any, cast

from ray_backend.domain.errors import StoreUnavailable
from ray_backend.observing import meters
from ray_backend.ports import Store

log = logging.getLogger(__name__)

_WRITES = ("add_", "update_", "replace_", "erase_", "remove_", "put_", "pin_", "move_")


def measured(store: Store) -> Store:
    """The same store; what it does is counted from now on."""
    return cast("Store", _Measured(store))


class _Measured:
    """Not one word of what is written is logged: only what was done, and how long it took."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._store, name)
        if name.startswith("_") or not callable(found):
            return found
        work = _timed(name, found)
        setattr(self, name, work)
        return work


def _timed(name: str, work: Callable[..., Any]) -> Callable[..., Any]:
    writes = name.startswith(_WRITES)
    meters.database_failed(name, 0)

    def timed(*args: Any, **kwargs: Any) -> Any:
        started = perf_counter()
        try:
            with meters.database(name):
                answer = work(*args, **kwargs)
        except StoreUnavailable:
            meters.database_failed(name)
            raise
        if writes:
            took_ms = round(1000 * (perf_counter() - started), 2)
            log.info("database %s", name, extra={"operation": name, "ms": took_ms})
        return answer

    return timed
