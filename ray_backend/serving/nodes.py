"""Ray on this machine as a node of a cluster: starting it, its share of the common token."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

from ray._private.authentication.authentication_token_setup import ensure_token_if_auth_enabled
from ray._private.utils import get_num_cpus
from ray._raylet import AuthenticationTokenLoader
from ray.util import get_node_ip_address

from ray_backend.domain.errors import InvalidInput, Unavailable
from ray_backend.serving.node_plans import HeadPlan, WorkerPlan

# What Ray writes to its log when the head does not know this machine's token, and when it has started.
_WRONG_TOKEN = b"InvalidAuthToken"
_STARTED = b"Ray runtime started"
_SHORTEST_TOKEN = 16


def start(plan: HeadPlan | WorkerPlan, log: Path) -> subprocess.Popen:
    """Ray on this machine, as a process that ends when Ray does. What it says goes to the end of `log`.

    It is in a process group of its own, so that Ctrl-C reaches us first.
    """
    command = [sys.executable, "-m", "ray.scripts.scripts", "start", *plan.arguments()]
    with log.open("ab") as output:
        return subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True
        )


def own_address(wished: str, head: str = "") -> str:
    """What the other machines reach this one by: the wished address, or the one that the way to the head,
    or to the network, begins at. Raises InvalidInput for a name that nobody knows."""
    if not wished:
        return get_node_ip_address(head or None)
    try:
        return socket.getaddrinfo(wished, None)[0][4][0]
    except OSError as error:
        raise InvalidInput(f"{wished} is no address of this machine ({error.strerror}).") from error


def cores() -> int:
    """How many of this machine this process may use, in a container those of its limit."""
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(allowed, int(get_num_cpus(override_docker_cpu_warning=True))))


def make_token() -> None:
    """Makes the token of a new cluster where this machine has none. Raises InvalidInput for one that is
    short enough to be guessed, as words that only stand in an example are."""
    ensure_token_if_auth_enabled(create_token_if_missing=True)
    tokens = AuthenticationTokenLoader.instance()
    if 0 < len(tokens.get_raw_token(ignore_auth_mode=True)) < _SHORTEST_TOKEN:
        raise InvalidInput(
            f"Ray's token has less than {_SHORTEST_TOKEN} characters, and whoever guesses it can run "
            "programs on the cluster. Set RAY_AUTH_TOKEN to what `openssl rand -hex 24` prints, on all "
            "machines."
        )


def require_token(head: str) -> None:
    """Raises InvalidInput, with what to copy from where, when this machine has no token."""
    if not AuthenticationTokenLoader.instance().has_token(ignore_auth_mode=True):
        raise InvalidInput(token_words(head, "has no token, and without it the cluster lets nobody in"))


def token_words(head: str, what_is_wrong: str) -> str:
    """How a machine gets the token of the cluster whose head is at `host:port`."""
    host = head.rpartition(":")[0]
    return (
        f"This machine {what_is_wrong}. Copy the file ~/.ray/auth_token of the head to the same place "
        f"here (`scp {host}:.ray/auth_token ~/.ray/auth_token`), or set RAY_AUTH_TOKEN to what is in it."
    )


def has_started(log: Path, begin: int) -> bool:
    """Whether a `ray start` says in its log, from byte `begin` on, that it is done."""
    return _STARTED in _written(log, begin)


def why_it_ended(log: Path, begin: int, head: str) -> Unavailable | InvalidInput:
    """The error for a `ray start` that ended, by what it wrote to its log from byte `begin` on."""
    if _WRONG_TOKEN in _written(log, begin):
        return InvalidInput(token_words(head, "has another token than the cluster"))
    return Unavailable(f"Ray ended on this machine. Why stands at the end of {log}.")


def _written(log: Path, begin: int) -> bytes:
    with log.open("rb") as file:
        file.seek(begin)
        return file.read()
