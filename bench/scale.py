"""What a second node brings: POST /recognize with one node and with two, each held on a core of its own.

    python -m bench.scale [--pack FOLDER_OR_NAME] [--clients 16] [--seconds 10] [--rounds 3] [--json PATH]

The first node is a whole Rollcall on the machine's first core: Ray's head, HAProxy, the API, the database
and one FaceEmbeddingActor. The second one is a raylet with one FaceEmbeddingActor on the second core; it
joins and leaves the running system. The load generator shares the first core with the head, with one node
as with two, so what it and the API cost is taken from the first node's models: the second core does
nothing but models. Every answer has to name the right person. The median of the rounds counts.

On a machine that others use the ratio of the rates is rough, since they may take more of one core than of the
other. `by_cpu` tells more then: twice the processor time that an answer costs with one node, divided by that
with two, load generator included. It is what the ratio comes to when both cores are kept busy.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

from bench import cpu
from bench.common import write_report
from bench.http_client import Outcome
from bench.load_loops import Measurement
from bench.load_process import LoadProcess
from bench.own_system import Site, others_load, prepare, running, shots
from ray_backend import runfile
from ray_backend.serving import environment

POOL_S = 120.0
SETTLE_S = 2.0


Turn = tuple[Measurement, float]


def main() -> None:
    """Measures, prints, writes."""
    options = _options()
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < 2:
        raise SystemExit("This bench holds each of two nodes on a core of its own, and there is only one.")
    load = others_load()
    os.sched_setaffinity(0, cores[:1])
    with tempfile.TemporaryDirectory(prefix="rollcall-bench-") as folder:
        print("Enrolling people and filling the gallery", file=sys.stderr)
        site = prepare(Path(folder) / "site", options.pack, options.templates, ROLLCALL_THREADS="1")
        rounds = _measure(site, options, cores[1])
    os.sched_setaffinity(0, cores)
    _report(rounds, options, site, load)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--pack", default="dlib-resnet", help="pack by name or folder")
    parser.add_argument("--clients", type=int, default=16)
    parser.add_argument("--seconds", type=float, default=10.0, help="length of each measurement")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--templates", type=int, default=10_000)
    parser.add_argument("--json", type=Path, default=Path("bench/results/scale.json"))
    return parser.parse_args()


def _measure(site: Site, options: argparse.Namespace, second_core: int) -> list[tuple[Turn, Turn]]:
    """For each round what one node did, and what two did, each with the processor time of an answer in ms."""
    command = [sys.executable, "-m", "ray_backend.cli", "serve"]
    health = f"{site.target.url}/health"
    with (
        running(command, site.environment, health, "serve.log", site) as system,
        LoadProcess(shots()) as load,
    ):
        members = _connected(site)
        rounds = []
        for _ in range(options.rounds):
            _wait_for(members, 1)
            one = _turn(load, site, options, [system.pid])
            with _second_node(site, second_core) as node:
                _wait_for(members, 2)
                two = _turn(load, site, options, [system.pid, node.pid])
            rounds.append((one, two))
        return rounds


def _turn(load: LoadProcess, site: Site, options: argparse.Namespace, pids: list[int]) -> Turn:
    before = _cpu_s(pids)
    measured = load.closed(site.target, options.clients, options.seconds)
    answers = max(1, measured.recognised)
    return measured, 1000 * (_cpu_s(pids) - before) / answers + measured.summary()["client_cpu_ms"]


def _cpu_s(pids: list[int]) -> float:
    return sum(sum(cpu.seconds_by_kind(pid).values()) for pid in pids)


def _connected(site: Site) -> Callable[[], int]:
    """Joins the system's Ray; what is returned tells how many FaceEmbeddingActors are ready."""
    address = runfile.running_address(site.settings.data_dir)
    environment.prepare(address)
    from ray_backend.serving import handles
    from ray_backend.serving.names import CLUSTER_ACTOR

    handles.connect(site.settings.model_copy(update={"ray_address": address}))

    def ready() -> int:
        status = handles.result(handles.get_handle(CLUSTER_ACTOR).status.remote(), 30)
        return sum(part.state == "ready" for part in status.pool.parts)

    return ready


def _wait_for(ready: Callable[[], int], number: int) -> None:
    """Until exactly so many are ready, and the API has heard of it."""
    deadline = time.monotonic() + POOL_S
    while ready() != number:
        if time.monotonic() > deadline:
            raise SystemExit(f"There are {ready()} FaceEmbeddingActors after {POOL_S:.0f} s, not {number}.")
        time.sleep(0.5)
    time.sleep(SETTLE_S)


@contextmanager
def _second_node(site: Site, core: int) -> Iterator[subprocess.Popen]:
    """A node with room for one FaceEmbeddingActor, held on this core."""
    address = runfile.running_address(site.settings.data_dir)
    command = [sys.executable, "-m", "bench.node", address, "1"]
    hold = partial(os.sched_setaffinity, 0, {core})
    with (site.settings.data_dir / "second-node.log").open("ab") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, preexec_fn=hold)
    try:
        yield process
    finally:
        process.terminate()
        process.wait()


def _report(rounds: list[tuple[Turn, Turn]], options: argparse.Namespace, site: Site, load: float) -> None:
    rows = [_row(number + 1, [turns[number] for turns in rounds]) for number in range(2)]
    ratio = round(median(two[0].rps / one[0].rps for one, two in rounds), 2)
    by_cpu = round(median(2 * one[1] / two[1] for one, two in rounds), 2)
    write_report(
        f"POST /recognize, {site.pack.pack_id}, {options.clients} clients",
        rows,
        options.json,
        pack=site.pack.pack_id,
        clients=options.clients,
        templates=options.templates,
        seconds=options.seconds,
        rounds=options.rounds,
        load_before=load,
        two_nodes_of_one=ratio,
        by_cpu=by_cpu,
        shared="the load generator, the API, HAProxy, the database and Ray's head share the first core with "
        "the first node's models",
    )
    print(f"two nodes do {ratio} times the work of one, by processor time {by_cpu} times")


def _row(nodes: int, turns: list[Turn]) -> dict[str, Any]:
    summaries = [measured.summary() | {"cpu_ms": cpu_ms} for measured, cpu_ms in turns]
    names = ("rps", "p50_ms", "p95_ms", "cpu_ms")
    figures = {name: round(median(one[name] for one in summaries), 2) for name in names}
    faults = {one.value: sum(measured.count(one) for measured, _ in turns) for one in list(Outcome)[1:]}
    return {"nodes": nodes, **figures, **faults}


if __name__ == "__main__":
    main()
