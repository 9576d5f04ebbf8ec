"""More nodes for the Ray of the cluster tests: raylets of their own on this machine."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from ray_backend.domain.cluster import ClusterStatus, PartState
from ray_backend.serving import handles
from ray_backend.serving.names import CLUSTER_ACTOR

_STOP_S = 10.0


class WorkerNode:
    """A node of which Ray knows, and the process that keeps it."""

    def __init__(self, process: subprocess.Popen) -> None:
        self._process = process

    def kill(self) -> None:
        """kill -9 of its raylet; what runs on the node dies with it."""
        (raylet,) = [one for one in self._family() if one.name() == "raylet"]
        os.kill(raylet.pid, signal.SIGKILL)

    def stop(self) -> None:
        """Ends whatever is left of it."""
        family = self._family()
        self._process.terminate()
        try:
            self._process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        for process in psutil.wait_procs(family, timeout=_STOP_S)[1]:
            process.kill()

    def _family(self) -> list[psutil.Process]:
        try:
            return psutil.Process(self._process.pid).children(recursive=True)
        except psutil.NoSuchProcess:
            return []


@contextmanager
def worker_node(ray_address: str, places: int, log: Path) -> Iterator[WorkerNode]:
    """A node that takes so many FaceEmbeddingActors, until the block ends."""
    command = [sys.executable, "-m", "bench.node", ray_address, str(places)]
    with log.open("wb") as output:
        node = WorkerNode(subprocess.Popen(command, stdout=output, stderr=output))
    try:
        yield node
    finally:
        node.stop()


def status() -> ClusterStatus:
    """What the ClusterActor says."""
    return handles.result(handles.get_handle(CLUSTER_ACTOR).status.remote(), 30)


def wait_for_pool(size: int, seconds: float = 90.0) -> ClusterStatus:
    """Until exactly so many FaceEmbeddingActors are ready and no other one is on its way."""

    def settled(now: ClusterStatus) -> bool:
        return [part.state for part in now.pool.parts] == [PartState.READY] * size

    return wait_for(settled, seconds)


def wait_for(good: Callable[[ClusterStatus], bool], seconds: float) -> ClusterStatus:
    deadline = time.monotonic() + seconds
    while not good(now := status()):
        assert time.monotonic() < deadline, f"this did not come about: {now}"
        time.sleep(0.2)
    return now
