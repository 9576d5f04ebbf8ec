"""Throughput and latency of POST /recognize, beside its bound and beside a naive server.

    python -m bench.api [--pack FOLDER_OR_NAME] [--clients 1,16,64,200,1000] [--seconds 6] [--rounds 3]
                        [--json PATH] [--check]

A picture is a JPEG of 640 x 480 with one face, each request's another file; the gallery has 10,000
templates. Every answer has to name the right person. The bound is the same work in bare loops on all
cores, one picture at a time, without a server and without a load generator, with the models as their
libraries run them, in a square detector input and float32 (`ROLLCALL_INFERENCE=plain`). The goals: serving
costs at most a tenth, so the system with that pipeline reaches 0.90 of the bound, and the better pipeline
that Rollcall has by default beats it. That one is held to 0.90 of bare loops of its own, too
(`of_own_bound`), which is the hardest: what a better pipeline saves, serving does not.

Bounds, system and naive server take turns, so that a noisy machine disturbs all of them; ratios are made
within a round, and the median of the rounds counts. While a bound is measured the system stands still
(SIGSTOP): beside an idle one it would be a tenth lower, since Ray never sleeps. On a machine that others
use, `cpu_of_bound` tells more than the others: the processor time of a picture in the bare loop of the same
pipeline divided by that of all our processes and the load generator.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import median
from typing import Any

from bench import cpu
from bench.bound import Bound, Rate
from bench.common import machine_facts, print_table
from bench.http_client import Outcome, Shot, Target
from bench.load_loops import Measurement
from bench.load_process import LoadProcess, server_that_does_nothing
from bench.own_system import (
    Site,
    at,
    free_port,
    others_load,
    prepare,
    running,
    shots,
    standing_still,
    started,
)

# What the naive server is measured with: more clients only wait longer behind its lock.
NAIVE_CLIENTS = (16, 64)
GOAL_CLIENTS = (16, 64)
GOAL_OF_BOUND, GOAL_TIMES_NAIVE, GOAL_P95_OF_NAIVE = 0.90, 4.0, 1 / 3
# Of the same bound, with the better pipeline.
GOAL_WHEN_BETTER = 1.0
SETTLE_S = 0.7
BOUND_S = 2.5
ANSWER = json.dumps({"faces": [{"decision": "match", "person": {"employee_id": "LOAD-0"}}]}).encode()


@dataclass
class Figures:
    """What was measured for one number of clients, round by round."""

    bounds: list[Rate] = field(default_factory=list)
    own_bounds: list[Rate] = field(default_factory=list)
    ours: list[Measurement] = field(default_factory=list)
    naive: list[Measurement] = field(default_factory=list)
    cpu_ms: list[dict[str, float]] = field(default_factory=list)

    def median_of(self, who: str, figure: str) -> float | None:
        """Of one figure of a measurement's summary over the rounds."""
        values = [turn.summary()[figure] for turn in getattr(self, who)]
        values = [value for value in values if value is not None]
        return round(median(values), 2) if values else None

    def ratio(self, upper: Callable[[Measurement], float | None], other: list[Any]) -> float | None:
        """Median over the rounds of one of our figures divided by the other's of the same round."""
        pairs = zip((upper(turn) for turn in self.ours), other, strict=False)
        ratios = [mine / theirs for mine, theirs in pairs if mine and theirs]
        return round(median(ratios), 3) if ratios else None

    def cpu_of_bound(self) -> float:
        """Median over the rounds: a picture's processor time in the bare loop of the same pipeline divided by
        all of ours."""
        turns = zip(self.own_bounds or self.bounds, self.cpu_ms, self.ours, strict=True)
        return round(
            median(
                bound.cpu_ms / (sum(cpu_ms.values()) + turn.summary()["client_cpu_ms"])
                for bound, cpu_ms, turn in turns
            ),
            3,
        )

    def total(self, outcome: Outcome) -> int:
        return sum(turn.count(outcome) for turn in self.ours)

    def report(self) -> dict[str, Any]:
        """As in the JSON."""
        naive_rps = [turn.rps for turn in self.naive]
        naive_p95 = [turn.percentile_ms(95) for turn in self.naive]
        return {
            **{name: self.median_of("ours", name) for name in ("rps", "p50_ms", "p95_ms", "p99_ms")},
            **{outcome.value: self.total(outcome) for outcome in list(Outcome)[1:]},
            "of_bound": self.ratio(lambda turn: turn.rps, [bound.rps for bound in self.bounds]),
            "of_own_bound": self.ratio(lambda turn: turn.rps, [bound.rps for bound in self.own_bounds]),
            "cpu_of_bound": self.cpu_of_bound(),
            "times_naive": self.ratio(lambda turn: turn.rps, naive_rps),
            "p95_of_naive": self.ratio(lambda turn: turn.percentile_ms(95), naive_p95),
            "client_cpu_ms": self.median_of("ours", "client_cpu_ms"),
            "faults": dict(sum((turn.faults for turn in self.ours), Counter())),
            "cpu_ms": self.cpu_ms[-1] if self.cpu_ms else {},
        }


def main() -> None:
    """Measures, prints, writes, and with --check fails when a goal is missed."""
    options = _options()
    load = others_load()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="rollcall-bench-")))
        print("Enrolling people and filling the gallery", file=sys.stderr)
        site = prepare(folder / "site", options.pack, options.templates)
        report = _measure(site, options, stack) | {"load_before": load}
    _print(report)
    if options.json:
        options.json.parent.mkdir(parents=True, exist_ok=True)
        options.json.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    missed = list(missed_goals(report))
    for line in missed:
        print(f"missed: {line}")
    if options.check and missed:
        raise SystemExit(1)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--pack", default="dlib-resnet", help="pack by name or folder")
    parser.add_argument("--clients", type=_numbers, default=[1, 16, 64, 200, 1000], help="such as 1,16,64")
    parser.add_argument("--seconds", type=float, default=6.0, help="length of each measurement")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--templates", type=int, default=10_000)
    parser.add_argument(
        "--naive", choices=["common", "kind"], default="common", help="the naive loop; see bench.naive_server"
    )
    parser.add_argument("--json", type=Path, default=Path("bench/results/api.json"))
    parser.add_argument("--check", action="store_true", help="exit code 1 when a goal is missed")
    return parser.parse_args()


def _numbers(text: str) -> list[int]:
    return [int(number) for number in text.split(",")]


def _measure(site: Site, options: argparse.Namespace, stack: ExitStack) -> dict[str, Any]:
    pictures = shots()
    print("Starting the bare loops, the system and the naive server", file=sys.stderr)
    bound = stack.enter_context(Bound(site, [shot for shot in pictures if shot.expected]))
    plain = _plainly(site, bound, pictures, options)
    system = stack.enter_context(started(site))
    naive_url = f"http://127.0.0.1:{(port := free_port())}"
    command = [sys.executable, "-m", "bench.naive_server", str(port), options.naive]
    stack.enter_context(running(command, site.environment, f"{naive_url}/health", "naive.log", site))
    load = stack.enter_context(LoadProcess(pictures))
    load.closed(site.target, 16, 3.0)
    figures = {clients: Figures() for clients in options.clients}
    for clients, figure in list(figures.items()) * options.rounds:
        print(f"{clients} clients", file=sys.stderr)
        with standing_still(system):
            figure.own_bounds.append(bound.measure(BOUND_S))
        with standing_still(system):
            figure.bounds.append(bound.measure(BOUND_S, plain=True))
        _ours(figure, load, site.target, clients, options.seconds, system.pid)
        if clients in NAIVE_CLIENTS:
            figure.naive.append(load.closed(at(site, naive_url), clients, options.seconds))
            time.sleep(SETTLE_S)
    return _report(site, figures, options) | {
        "plain": plain,
        "load_generator_alone": _alone(site),
    }


def _plainly(
    site: Site, bound: Bound, pictures: list[Shot], options: argparse.Namespace
) -> dict[str, dict[str, Any]]:
    """The system with the plain pipeline, beside the bound of the same pipeline."""
    environment = site.environment | {"ROLLCALL_INFERENCE": "plain"}
    figures = {clients: Figures() for clients in GOAL_CLIENTS if clients in options.clients}
    with started(replace(site, environment=environment)) as system, LoadProcess(pictures) as load:
        load.closed(site.target, 16, 3.0)
        for clients, figure in list(figures.items()) * options.rounds:
            print(f"{clients} clients, plain", file=sys.stderr)
            with standing_still(system):
                before = bound.measure(BOUND_S, plain=True)
            _ours(figure, load, site.target, clients, options.seconds, system.pid)
            with standing_still(system):
                after = bound.measure(BOUND_S, plain=True)
            figure.bounds.append(Rate((before.rps + after.rps) / 2, (before.cpu_ms + after.cpu_ms) / 2))
    return {str(clients): figure.report() for clients, figure in figures.items()}


def _ours(figure: Figures, load: LoadProcess, target: Target, clients: int, seconds: float, pid: int) -> None:
    before = cpu.seconds_by_kind(pid)
    figure.ours.append(load.closed(target, clients, seconds))
    spent = cpu.ms_per_request(before, cpu.seconds_by_kind(pid), figure.ours[-1].recognised)
    figure.cpu_ms.append(spent)
    time.sleep(SETTLE_S)


def _alone(site: Site) -> dict[str, Any]:
    """What the load generator does against a server that does nothing: its own limit and cost."""
    pictures = [shot for shot in shots(with_stranger=False) if shot.expected == "LOAD-0"]
    with server_that_does_nothing(ANSWER) as url, LoadProcess(pictures) as load:
        alone = load.closed(at(site, url), 64, 2.0).summary()
    return {"rps": alone["rps"], "client_cpu_ms": alone["client_cpu_ms"]}


def _report(site: Site, figures: dict[int, Figures], options: argparse.Namespace) -> dict[str, Any]:
    bounds = [rate for figure in figures.values() for rate in figure.bounds]
    own = [rate for figure in figures.values() for rate in figure.own_bounds]
    naive = next((figure for clients, figure in figures.items() if figure.naive), Figures())
    return {
        "pack": site.pack.pack_id,
        "bound_rps": round(median(rate.rps for rate in bounds), 2),
        "bound_cpu_ms": round(median(rate.cpu_ms for rate in bounds), 2),
        "own_bound_rps": round(median(rate.rps for rate in own), 2),
        "own_bound_cpu_ms": round(median(rate.cpu_ms for rate in own), 2),
        "naive": {name: naive.median_of("naive", name) for name in ("rps", "p95_ms")},
        "clients": {str(clients): figure.report() for clients, figure in figures.items()},
        "naive_loop": options.naive,
        "templates": options.templates,
        "seconds": options.seconds,
        "rounds": options.rounds,
        "machine": machine_facts(),
    }


def missed_goals(report: dict[str, Any]) -> Iterator[str]:
    """Each goal of the bench that this report misses, in words."""
    for clients, row in (*report["clients"].items(), *report["plain"].items()):
        if row["wrong"] or row["errors"]:
            yield f"{clients} clients: {row['wrong']} wrong answers, {row['errors']} errors: {row['faults']}"
    for clients, row in report["clients"].items():
        if int(clients) not in GOAL_CLIENTS:
            continue
        if ((plain := report["plain"][clients])["of_bound"] or 0) < GOAL_OF_BOUND:
            yield f"{clients} clients, plain: {plain['of_bound']} of the bound, the goal is {GOAL_OF_BOUND}"
        if (row["of_bound"] or 0) < GOAL_WHEN_BETTER:
            yield f"{clients} clients: {row['of_bound']} of the bound, the goal is {GOAL_WHEN_BETTER}"
        if (row["of_own_bound"] or 0) < GOAL_OF_BOUND:
            yield f"{clients} clients: {row['of_own_bound']} of the own bound, the goal is {GOAL_OF_BOUND}"
        if (row["times_naive"] or 0) < GOAL_TIMES_NAIVE:
            yield f"{clients} clients: {row['times_naive']} times the naive server, not {GOAL_TIMES_NAIVE}"
        if (row["p95_of_naive"] or 1) > GOAL_P95_OF_NAIVE:
            yield f"{clients} clients: p95 {row['p95_of_naive']} of the naive server's, not a third"


def _print(report: dict[str, Any]) -> None:
    rows = [
        {"clients": int(clients)} | {name: value for name, value in row.items() if type(value) is not dict}
        for clients, row in report["clients"].items()
    ]
    print_table(f"POST /recognize, {report['pack']}, {report['templates']:,} templates", rows)
    names = ("rps", "p50_ms", "p95_ms", "wrong", "errors", "of_bound", "cpu_of_bound")
    plain = [
        {"clients": int(clients)} | {name: row[name] for name in names}
        for clients, row in report["plain"].items()
    ]
    print_table("The same with the pipeline of the bound", plain)
    naive, alone = report["naive"], report["load_generator_alone"]
    for name in ("bound", "own_bound"):
        rps, cpu_ms = report[f"{name}_rps"], report[f"{name}_cpu_ms"]
        print(f"{name}: {rps} pictures a second without a server, {cpu_ms} ms of CPU each")
    print(f"naive server ({report['naive_loop']} loop): {naive['rps']} a second, p95 {naive['p95_ms']} ms")
    print(f"load generator against nothing: {alone['rps']} a second, {alone['client_cpu_ms']} ms of CPU each")
    kinds = dict.fromkeys(kind for row in report["clients"].values() for kind in row["cpu_ms"])
    costs = [
        {"process": kind} | {n: row["cpu_ms"].get(kind, 0.0) for n, row in report["clients"].items()}
        for kind in kinds
    ]
    print_table("CPU ms for each right answer, by number of clients", costs)


if __name__ == "__main__":
    main()
