"""What everything that starts Rollcall shares: signals, Ray's environment, the actors, the API."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from ray_backend.client import Backend, ray_backend
from ray_backend.domain.errors import RollcallError
from ray_backend.settings import Settings

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Stopped(RollcallError):
    """Somebody asked Rollcall to stop."""


@contextmanager
def stop_on_signals() -> Iterator[None]:
    """Within it, Ctrl-C and the like raise Stopped in the main thread; further ones do nothing."""
    listen_for_signals()
    yield


def listen_for_signals() -> None:
    """Makes Ctrl-C and the like raise Stopped in the main thread: again, where Ray has changed it."""
    for each in _SIGNALS:
        signal.signal(each, _stop)


def _stop(number, frame) -> None:
    for each in _SIGNALS:
        signal.signal(each, signal.SIG_IGN)
    raise Stopped("Stopping")


def start_actors_and_api(settings: Settings, say: Callable[[str], None]) -> Backend:
    """Starts what does not run yet on the Ray that this process has joined, and says each step in words.

    Raises PackUnavailable, PackMismatch, StoreUnavailable and BackendUnavailable.
    """
    from ray_backend.serving import cluster

    if not settings.api_port:
        cluster.start_actors(settings, say)
        return ray_backend(settings)
    from ray_backend.serving import deployment

    # Serve takes as long to start as the models take to load.
    with ThreadPoolExecutor(max_workers=1) as beside:
        serve = beside.submit(deployment.start_serve, settings)
        cluster.start_actors(settings, say)
        say("Starting the API")
        serve.result()
    deployment.start_api(settings)
    return ray_backend(settings)
