"""How this process belongs to a cluster, and how it comes back when the cluster was away.

A program on a machine of the cluster ends with Ray on that machine, and is started again by whoever started
it. One that is outside (`ray://`) stays, and joins again by itself: in the background, because asking a
cluster that is away takes half a minute, while everybody is told at once that it is.
"""

from __future__ import annotations

import logging
import socket
import threading
import time
from collections.abc import Callable

import ray
from ray.exceptions import RayError
from ray.util.client import ray as ray_client

from ray_backend.domain.errors import BackendUnavailable
from ray_backend.serving.names import NAMESPACE

log = logging.getLogger(__name__)

OUTSIDE = "ray://"
_AGAIN_S = 2.0
# The head starts a process for each program outside, and gives up a slow one after half a minute.
_ATTEMPTS = 3
# Whoever is still in a call that fails meanwhile must find the old connection, not none.
_LAST_CALLS_S = 1.0


class Connection:
    """The connection of this process. Safe in several threads.

    `lost` is told when what was got over the old connection is of no use any more.
    """

    def __init__(self, lost: Callable[[], None]) -> None:
        self._lost = lost
        self._lock = threading.Lock()
        self._address = ""
        self._away = False

    def join(self, address: str) -> None:
        """Joins the cluster, unless this process belongs to one. Raises BackendUnavailable."""
        with self._lock:
            if not self._address.startswith(OUTSIDE) and not ray.is_initialized():
                _init(address, _ATTEMPTS if address.startswith(OUTSIDE) else 1)
                self._address = address
        self.require()

    def require(self) -> None:
        """Raises BackendUnavailable, at once, while the cluster is away."""
        if not self._address.startswith(OUTSIDE):
            return
        with self._lock:
            if not self._away and not ray_client.is_connected():
                self._away = True
                threading.Thread(target=self._join_again, daemon=True, name="join-again").start()
            if self._away:
                raise BackendUnavailable(
                    f"The cluster at {self._address} does not answer. It is asked again by itself; try again "
                    "in a few seconds."
                )

    def _join_again(self) -> None:
        log.warning("The cluster at %s is away; it is asked again until it answers.", self._address)
        time.sleep(_LAST_CALLS_S)
        ray.shutdown()
        self._lost()
        while True:
            try:
                _init(self._address)
            except BackendUnavailable:
                time.sleep(_AGAIN_S)
            else:
                break
        with self._lock:
            self._away = False
        log.warning("The cluster at %s answers again.", self._address)


def answers(address: str, timeout_s: float = 5.0) -> bool:
    """Whether something listens at `host:port` or `ray://host:port`."""
    host, _, port = address.removeprefix(OUTSIDE).rpartition(":")
    try:
        with socket.create_connection((host.strip("[]"), int(port)), timeout=timeout_s):
            return True
    except (OSError, ValueError):
        return False


def _init(address: str, attempts: int = 1) -> None:
    # Ray itself asks a cluster that is away for a minute and more. `auto` names none.
    if ":" in address and not answers(address):
        raise _away(address)
    try:
        ray.init(
            address=address,
            namespace=NAMESPACE,
            log_to_driver=False,
            logging_level="error",
            configure_logging=False,
        )
    except (ConnectionError, RayError, ValueError, RuntimeError) as error:
        if attempts > 1:
            return _init(address, attempts - 1)
        raise _away(address) from error
    return None


def _away(address: str) -> BackendUnavailable:
    return BackendUnavailable(
        f"No Ray cluster answers at {address}. Start it with `rollcall up` or `rollcall cluster start head`, "
        "or correct ROLLCALL_RAY_ADDRESS."
    )
