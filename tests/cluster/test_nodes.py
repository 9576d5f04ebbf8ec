"""`rollcall cluster`: a head and a worker from the command line, beside another Ray on the same machine."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from ray_backend import node_notes
from ray_backend.serving import cluster
from ray_backend.serving.node_plans import free_ports
from tests.e2e.conftest import rollcall, site_environment
from tests.people import face_photo

# Two addresses of this machine, as if they were two machines.
HEAD, WORKER = "127.0.0.2", "127.0.0.3"
OWN_PORTS = ("--first-port", "0", "--metrics-port", "0")
PATIENCE_S = 120.0


@contextmanager
def machine(folder: Path, **variables: str) -> Iterator[dict[str, str]]:
    """The environment of a machine of its own, on which nothing is left running."""
    folder.mkdir()
    environment = site_environment(folder, ROLLCALL_API_PORT="0", **variables)
    try:
        yield environment
    finally:
        rollcall("cluster", "stop", environment=environment)


def began(*arguments: str, environment: dict[str, str]) -> subprocess.Popen:
    """A command that goes on while the test does."""
    command = [sys.executable, "-m", "ray_backend.cli", *arguments]
    return subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


def ended(process: subprocess.Popen, code: int = 0) -> str:
    output, _ = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == code, output
    return output


def said(*arguments: str, environment: dict[str, str], code: int = 0) -> str:
    """What a command says, with this exit code."""
    return ended(began(*arguments, environment=environment), code)


def until(environment: dict[str, str], good: Callable[[dict], bool]) -> dict:
    """What `status` says as soon as it is as it should be."""
    deadline = time.monotonic() + PATIENCE_S
    while not good(found := json.loads(said("cluster", "status", "--json", environment=environment))):
        assert time.monotonic() < deadline, f"this did not come about: {found}"
        time.sleep(0.5)
    return found


def homes(status: dict) -> list[str]:
    """The addresses of the machines on which FaceEmbeddingActors are ready."""
    addresses = {node["node_id"]: node["address"] for node in status["nodes"]}
    return sorted(addresses[part["node_id"]] for part in status["pool"]["parts"] if part["state"] == "ready")


def family(folder: Path) -> list[psutil.Process]:
    """Everything that runs from this folder's notes."""
    roots = [process for note in node_notes.read_all(folder) for process in note.processes()]
    return roots + [child for root in roots for child in root.children(recursive=True)]


def test_two_machines_work_together_one_is_drained_and_all_ends_without_touching_others(
    ray_address, tmp_path
):
    port, client_port, dashboard_port = free_ports(3)
    at, outside = f"{HEAD}:{port}", f"ray://{HEAD}:{client_port}"
    with machine(tmp_path / "head") as head, machine(tmp_path / "worker") as worker:
        joining = began(
            *("cluster", "start", "worker", at, "--address", WORKER, "--faces", "1", *OWN_PORTS),
            environment=worker,
        )
        ports = ["--port", port, "--client-port", client_port, "--dashboard-port", dashboard_port]
        words = said(
            *("cluster", "start", "head", "--address", HEAD, "--faces", "1", *OWN_PORTS, *map(str, ports)),
            environment=head,
        )
        assert f"rollcall cluster start worker {at}" in words
        assert "Waiting for the head" in ended(joining)
        both = until(head, lambda status: homes(status) == [HEAD, WORKER])
        assert both["galleries"][0]["templates"] == 0
        for each in (head, worker):
            said("cluster", "health", environment=each)

        a_third = worker | {"ROLLCALL_DATA_DIR": str(tmp_path / "third"), "RAY_AUTH_TOKEN": "another" * 8}
        refused = began(
            "cluster", "start", "worker", at, "--address", WORKER, *OWN_PORTS, environment=a_third
        )

        import_from_outside(tmp_path, head | {"ROLLCALL_RAY_ADDRESS": outside})
        assert "is the head" in said("cluster", "drain", HEAD, environment=head, code=1)
        assert "have moved" in said("cluster", "drain", WORKER, environment=head)
        until(worker, lambda status: homes(status) == [HEAD] and status["galleries"][0]["templates"] == 2)
        assert "scp 127.0.0.2:.ray/auth_token" in ended(refused, code=1)

        started = family(tmp_path / "head") + family(tmp_path / "worker")
        assert len(started) > 5
        assert "worker" in said("cluster", "stop", environment=worker)
        assert "head" in said("cluster", "stop", environment=head)
        assert psutil.wait_procs(started, timeout=10)[1] == []
        assert cluster.ray_is_alive(ray_address)
        said("cluster", "health", environment=head, code=1)


def import_from_outside(tmp_path: Path, environment: dict[str, str]) -> None:
    """Somebody is registered by a program that is no part of the cluster."""
    folder = tmp_path / "photos" / "E1_Ada"
    folder.mkdir(parents=True)
    for variant in (1, 2):
        (folder / f"{variant}.jpg").write_bytes(face_photo(1, variant))
    outside = environment | {"ROLLCALL_DATA_DIR": str(tmp_path / "outside")}
    said("people", "import", str(folder.parent), "--consent", environment=outside)


def test_a_machine_without_the_token_is_told_what_to_copy_from_where(tmp_path):
    environment = site_environment(tmp_path, HOME=str(tmp_path))
    words = said("cluster", "start", "worker", "10.0.0.5:6379", "--block", environment=environment, code=1)
    assert "scp 10.0.0.5:.ray/auth_token ~/.ray/auth_token" in words
    assert len(words.strip().splitlines()) == 1


def test_a_web_app_alone_wants_to_know_where_the_cluster_is(tmp_path):
    environment = site_environment(tmp_path)
    environment.pop("RAY_ADDRESS", None)
    assert "ROLLCALL_RAY_ADDRESS" in said("app", environment=environment, code=1)
