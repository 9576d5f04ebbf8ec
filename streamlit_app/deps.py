"""What all pages share: the settings of the process and of the site, and the backend."""

from __future__ import annotations

import gc
import socket
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cache

from ray_backend import client
from ray_backend.client import Backend
from ray_backend.domain.errors import BackendUnavailable, RollcallError
from ray_backend.domain.site import SiteSettings, from_environment
from ray_backend.settings import Settings

# A page may show what an admin has just changed this much later; nobody waits for it longer than that.
SITE_EVERY_S, SITE_PATIENCE_S = 2.0, 0.5
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

    def connected(self) -> Backend | None:
        """The backend, if there is one by now."""
        attempt = self._attempt
        return attempt.result() if attempt and attempt.done() and not attempt.exception() else None

    def attempt(self) -> Future[Backend]:
        """The running or successful attempt, or a new one after a failure."""
        with self._lock:
            if self._attempt is not None and self._attempt.done() and self._attempt.exception():
                self._failure = self._attempt.exception()
                self._attempt = None
            if self._attempt is None:
                self._attempt = self._pool.submit(self._connect)
            return self._attempt


class SiteSource:
    """The site's settings as they were a moment ago, and the environment's before anybody has answered."""

    def __init__(self, connected: Callable[[], Backend | None]) -> None:
        self._connected = connected
        self._lock = threading.Lock()
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="site")
        self._known: SiteSettings | None = None
        self._asking: Future[SiteSettings] | None = None
        self._asked_at = float("-inf")

    def get(self) -> SiteSettings:
        """Never waits longer than a moment, and never fails."""
        with self._lock:
            old = time.monotonic() - self._asked_at > SITE_EVERY_S
            backend = self._connected() if old and self._asking is None else None
            if backend is not None:
                self._asking = self._pool.submit(backend.site.current)
            asking = self._asking
        if asking is not None:
            self._take(asking)
        return self._known or from_environment(settings())

    def forget(self) -> None:
        """Something was changed here: the next page is to show it."""
        self._asked_at = float("-inf")

    def _take(self, asking: Future[SiteSettings]) -> None:
        try:
            self._known = asking.result(timeout=SITE_PATIENCE_S)
        except TimeoutError:
            return
        except RollcallError:
            pass  # what is known stays; it is asked again in two seconds
        with self._lock:
            self._asked_at, self._asking = time.monotonic(), None


@cache
def settings() -> Settings:
    """The settings of this process."""
    return Settings()


def process() -> str:
    """What this web app is called in logs and figures."""
    return f"app-{socket.gethostname()}"


def site() -> SiteSettings:
    """What an admin may change in the app, as it was at most two seconds ago."""
    return _site.get()


def site_was_changed() -> None:
    """The next `site` asks anew."""
    _site.forget()


def backend() -> Backend:
    """The backend of this process. Raises RollcallError while there is none."""
    return _source.get()


def connect_early() -> None:
    """Begins to connect, so that the first page need not wait for it."""
    _source.attempt()


def _connect() -> Backend:
    connected = client.connect(settings(), report_as=process())
    connected.start_retention()
    # Streamlit collects the oldest generation after each run; what is loaded for good need not be
    # looked at again. Measured: halves the time of small reruns.
    gc.collect()
    gc.freeze()
    return connected


_source = BackendSource(_connect)
_site = SiteSource(_source.connected)
