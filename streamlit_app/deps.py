"""What all pages share: the settings and the backend."""

from __future__ import annotations

import gc
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cache

from ray_backend import client
from ray_backend.client import Backend
from ray_backend.domain.errors import BackendUnavailable
from ray_backend.settings import Settings

_STARTING = "Rollcall is starting. This page opens by itself as soon as it answers."


class BackendSource:
    """Connects once, in the background, and hands the same backend to everybody.

    A failed attempt is not kept: the next call tries again.
    """

    def __init__(self, connect: Callable[[], Backend]) -> None:
        self._connect = connect
        self._lock = threading.Lock()
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="connect")
        self._attempt: Future[Backend] | None = None
        self._failure: BaseException | None = None

    def get(self, wait_s: float = 1.0) -> Backend:
        """Raises what connecting raised, now or the last time, and BackendUnavailable before that."""
        attempt = self.attempt()
        try:
            return attempt.result(timeout=wait_s)
        except TimeoutError:
            if self._failure is not None:
                raise self._failure.with_traceback(None) from None
            raise BackendUnavailable(_STARTING) from None

    def attempt(self) -> Future[Backend]:
        """The running or successful attempt, or a new one after a failure."""
        with self._lock:
            if self._attempt is not None and self._attempt.done() and self._attempt.exception():
                self._failure = self._attempt.exception()
                self._attempt = None
            if self._attempt is None:
                self._attempt = self._pool.submit(self._connect)
            return self._attempt


@cache
def settings() -> Settings:
    """The settings of this process."""
    return Settings()


def backend() -> Backend:
    """The backend of this process. Raises RollcallError while there is none."""
    return _source.get()


def connect_early() -> None:
    """Begins to connect, so that the first page need not wait for it."""
    _source.attempt()


def _connect() -> Backend:
    connected = client.connect(settings())
    # Streamlit collects the oldest generation after each run; what is loaded for good need not be
    # looked at again. Measured: halves the time of small reruns.
    gc.collect()
    gc.freeze()
    return connected


_source = BackendSource(_connect)
