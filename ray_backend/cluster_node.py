"""Keeps one machine in a cluster: starts Ray on it, on the head the actors and the API, and watches them."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import psutil

from ray_backend import node_notes, runfile, web_app
from ray_backend.domain.accounts import FIRST_ADMIN
from ray_backend.domain.errors import InvalidInput, StoreUnavailable, Unavailable
from ray_backend.machine import check_machine
from ray_backend.node_notes import Note, NoteFile, ProcessId, Role
from ray_backend.serving.node_plans import (
    HeadPlan,
    HeadWishes,
    NodeWishes,
    WorkerPlan,
    head_address,
    plan_node,
)
from ray_backend.settings import Settings
from ray_backend.supervisor import listen_for_signals, start_actors_and_api, stop_on_signals

_LOOK_AGAIN_S = 0.5
_ASK_AGAIN_S = 2.0
# A container is killed ten seconds after it was asked to end. Nothing that counts is lost by a kill.
_END_WITHIN_S, _KILLED_WITHIN_S = 3.0, 1.0
_RAY_STARTS_WITHIN_S = 120.0
# A node that dies takes a moment to be noticed as dead; only then is a closed door a drained node.
_CLOSED_TIMES = 10

Say = Callable[[str], None]
T = TypeVar("T")


def keep_head(settings: Settings, wishes: NodeWishes, head: HeadWishes, say: Say) -> None:
    """Returns never: raises Stopped when it is asked to end, another RollcallError when the node dies."""
    nodes = _prepared(settings)
    plan = HeadPlan(
        plan_node(wishes, nodes.own_address(wishes.address), settings.threads or nodes.cores()), head
    )
    check_machine(settings, plan.wanted_ports(settings))
    nodes.make_token()
    settings = settings.model_copy(update={"ray_address": plan.address})
    with _noted(settings, Role.HEAD, say) as (note, tell), stop_on_signals():
        tell("Starting Ray")
        with _ray(settings, plan, note) as ray:
            ray.wait_for_start()
            password = _start_parts(settings, tell)
            note.change(ready=True, health_url=_health_url(settings))
            tell(_head_words(settings, plan, password))
            ray.watch()


def keep_worker(settings: Settings, head: str, wishes: NodeWishes, say: Say, again: bool = False) -> None:
    """As `keep_head`, for a worker of the cluster whose head answers at `head`, once it does.

    With `again`, a node that dies, as it does with its head, waits and joins anew.
    """
    head = head_address(head)
    nodes = _prepared(settings)
    nodes.require_token(head)
    settings = settings.model_copy(update={"ray_address": head})
    with _noted(settings, Role.WORKER, say) as (note, tell), stop_on_signals():
        while True:
            try:
                _join_once(settings, wishes, note, tell)
            except Unavailable as error:
                if not again:
                    raise
                note.change(ready=False, ray=None)
                tell(error.message)
                time.sleep(_ASK_AGAIN_S)


def _join_once(settings: Settings, wishes: NodeWishes, note: NoteFile, tell: Say) -> None:
    """One life of this machine's Ray. Raises Unavailable at its end, InvalidInput for a wrong token."""
    from ray_backend.serving import connection, nodes

    head = settings.ray_address
    while not connection.answers(head):
        tell(f"Waiting for the head at {head}")
        time.sleep(_ASK_AGAIN_S)
    node = plan_node(wishes, nodes.own_address(wishes.address, head), settings.threads or nodes.cores())
    check_machine(settings, node.wanted_ports())
    tell(f"Joining the cluster at {head}")
    with _ray(settings, WorkerPlan(node, head), note) as ray:
        ray.wait_for_start()
        note.change(ready=True)
        tell(f"This machine works for the cluster at {head}, and takes {node.faces} FaceEmbeddingActors.")
        ray.watch_until_drained(node.answers_at)
        tell("This machine is out of service. `rollcall cluster stop` ends what is left of it here.")
        ray.watch()


def end_ray(process: psutil.Process) -> None:
    """Ends the Ray whose `ray start` this is, and everything that it started, within some seconds."""
    try:
        family = [process, *process.children(recursive=True)]
        # `ray start` would end what it has started one by one, and give each a second.
        for each in (process, *process.children()):
            each.terminate()
    except psutil.NoSuchProcess:
        return
    _, left = psutil.wait_procs(family, timeout=_END_WITHIN_S)
    for each in left:
        try:
            each.kill()
        except psutil.NoSuchProcess:
            continue
    psutil.wait_procs(left, timeout=_KILLED_WITHIN_S)


class NodeRay:
    """Ray on this machine, which is to run as long as this process."""

    def __init__(self, process: subprocess.Popen, log: Path, log_began: int, head: str) -> None:
        self.process = process
        self._log, self._log_began, self._head = log, log_began, head

    def wait_for_start(self) -> None:
        """Returns when it is there. Raises Unavailable or InvalidInput when it ends before."""
        from ray_backend.serving import nodes

        deadline = time.monotonic() + _RAY_STARTS_WITHIN_S
        while not nodes.has_started(self._log, self._log_began):
            self.require_running()
            if time.monotonic() > deadline:
                raise Unavailable(f"Ray did not start within two minutes. Its log is {self._log}.")
            time.sleep(_LOOK_AGAIN_S)

    def watch(self) -> None:
        """Returns never. Raises Unavailable or InvalidInput when Ray ends."""
        while True:
            self.require_running()
            time.sleep(_LOOK_AGAIN_S)

    def watch_until_drained(self, address: str) -> None:
        """As `watch`, but returns when Ray has nothing to do any more: it then closes its door at this
        `host:port` and ends, while the process that started it stays."""
        from ray_backend.serving import connection

        closed = 0
        while closed < _CLOSED_TIMES:
            self.require_running()
            closed = 0 if connection.answers(address) else closed + 1
            time.sleep(_LOOK_AGAIN_S)

    def require_running(self) -> None:
        """Raises Unavailable or InvalidInput when Ray has ended."""
        from ray_backend.serving import nodes

        if self.process.poll() is not None:
            raise nodes.why_it_ended(self._log, self._log_began, self._head)


@contextmanager
def _ray(settings: Settings, plan: HeadPlan | WorkerPlan, note: NoteFile) -> Iterator[NodeRay]:
    """Ray on this machine, noted, and ended with the block."""
    from ray_backend.serving import cluster, nodes

    log = settings.data_dir / f"ray-{note.note.role}.log"
    began = log.stat().st_size if log.exists() else 0
    process = nodes.start(plan, log)
    note.change(ray=ProcessId.of(process.pid))
    try:
        yield NodeRay(process, log, began, settings.ray_address)
    finally:
        if process.poll() is None:
            # A program on Ray dies with it, and this one has more to do.
            cluster.stop_ray()
            end_ray(psutil.Process(process.pid))
        process.wait()


@contextmanager
def _noted(settings: Settings, role: Role, say: Say) -> Iterator[tuple[NoteFile, Say]]:
    """The note of this process, and what says something and notes it, the same words once."""
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    note = NoteFile(settings.data_dir, Note(role, ProcessId.of(os.getpid()), settings.ray_address))
    if role is Role.HEAD:
        runfile.write(settings.data_dir, settings.ray_address)

    def tell(words: str) -> None:
        if words != note.note.says:
            note.change(says=words)
            say(words)

    try:
        yield note, tell
    finally:
        if role is Role.HEAD:
            runfile.remove(settings.data_dir)
        note.remove()


def known_cluster(settings: Settings) -> Settings:
    """The settings with the address of the cluster that they name, or that this machine is part of.

    Raises InvalidInput.
    """
    notes = (note for note in node_notes.read_all(settings.data_dir) if note.processes())
    address = settings.ray_address or next((note.address for note in notes if note.address), "")
    address = address or runfile.running_address(settings.data_dir)
    if not address:
        raise InvalidInput(
            "No cluster runs from this data folder. Set ROLLCALL_RAY_ADDRESS to the cluster's address, such "
            "as ray://10.0.0.5:10001."
        )
    return settings.model_copy(update={"ray_address": address})


def view(settings: Settings):
    """`serving.cluster_view`, imported when Ray's own switches for this cluster are set."""
    from ray_backend.serving import environment

    environment.prepare(settings.ray_address)
    from ray_backend.serving import cluster_view

    return cluster_view


def _prepared(settings: Settings):
    """`serving.nodes`, imported when Ray's own switches are set."""
    from ray_backend.serving import environment

    environment.prepare_node()
    environment.interrupt_nobody()
    if settings.api_port:
        environment.prepare_api(settings)
    from ray_backend.serving import nodes

    return nodes


def _start_parts(settings: Settings, tell: Say) -> str | None:
    """The actors and the API, as soon as there is a database; the admin's password when it is a new one.

    Leaves Ray afterwards: the parts stay, and a program on Ray dies with it, which this one must outlive.
    """
    from ray_backend.serving import cluster

    def started() -> str | None:
        backend = start_actors_and_api(settings, tell)
        return backend.accounts.ensure_admin(_secret(settings))

    _patiently(lambda: _ask_database(settings), tell)
    cluster.start_ray(settings)
    listen_for_signals()
    password = _patiently(started, tell)
    cluster.stop_ray()
    listen_for_signals()
    return password


def _patiently(work: Callable[[], T], tell: Say) -> T:
    """What it gives, as soon as there is a database."""
    while True:
        try:
            return work()
        except StoreUnavailable as error:
            tell(f"Waiting for the database. {error.message}")
            time.sleep(_ASK_AGAIN_S)


def _ask_database(settings: Settings) -> None:
    """Raises StoreUnavailable while it does not answer."""
    from ray_backend.storage import open_store

    store = open_store(settings)
    try:
        store.ping()
    finally:
        store.close()


def _secret(settings: Settings) -> str | None:
    return settings.admin_password.get_secret_value() if settings.admin_password else None


def _health_url(settings: Settings) -> str:
    return f"{web_app.api_url(settings)}/health/ready" if settings.api_port else ""


def _head_words(settings: Settings, plan: HeadPlan, password: str | None) -> str:
    address = plan.address
    lines = {
        "A worker": f"rollcall cluster start worker {address}",
        "The token": "~/.ray/auth_token of this machine, or RAY_AUTH_TOKEN: every machine needs the same",
        "The app": f"ROLLCALL_RAY_ADDRESS=ray://{plan.node.address}:{plan.head.client_port} rollcall app",
        "The API": f"{web_app.api_url(settings)}/docs" if settings.api_port else "off",
        "Ray": f"http://{web_app.reachable(plan.head.dashboard_address)}:{plan.head.dashboard_port}",
    }
    if password:
        lines["Sign in"] = f"{FIRST_ADMIN}, password {password} (shown this once: write it down)"
    body = "\n".join(f"  {title:<10}{text}" for title, text in lines.items())
    return f"The cluster runs, and this machine is its head\n{body}"
