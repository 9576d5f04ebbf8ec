"""What becomes of the API when twice as much is asked of it as it can do.

    python -m bench.overload [--pack FOLDER_OR_NAME] [--seconds 60] [--factor 2] [--json PATH] [--check]

First the peak: 64 clients, each with its next picture as soon as it has an answer. Then `factor` times as
many pictures a second arrive at fixed times, whatever the system does; most are to be turned away at once
(503), and those that are taken are to be answered soon and rightly. Then half the peak arrives: after how
many seconds is every picture answered as fast as before? The peak is measured again in the end, so that
a machine that others use meanwhile does not spoil the ratio.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bench.common import machine_facts, print_table
from bench.http_client import Outcome
from bench.load_loops import Measurement, Sample
from bench.load_process import LoadProcess
from bench.own_system import Site, others_load, prepare, shots, started

PEAK_CLIENTS = 64
CALM_SHARE = 0.5
RECOVERY_S = 10.0
GOAL_GOODPUT, GOAL_P99_MS, GOAL_RECOVERY_S = 0.95, 1000.0, 5.0
# As fast as before: within this much of the p95 of the same load before the overload.
SLACK, SLACK_S = 1.5, 0.05


@dataclass(frozen=True)
class Run:
    """The phases in the order in which they were measured."""

    peak_before: Measurement
    calm_before: Measurement
    overload: Measurement
    calm_after: Measurement
    peak_after: Measurement
    offered_rps: float

    def report(self) -> dict[str, Any]:
        """The figures and the goals' verdict."""
        peak = (self.peak_before.rps + self.peak_after.rps) / 2
        wrong = sum(phase.count(Outcome.WRONG) for phase in self.phases().values())
        return {
            "peak_rps": round(peak, 1),
            "offered_rps": round(self.offered_rps, 1),
            "goodput_rps": round(goodput_rps(self.overload), 1),
            "goodput_of_peak": round(goodput_rps(self.overload) / peak, 3),
            "p99_ms": self.overload.percentile_ms(99),
            "recovery_s": recovery_s(self.calm_after.samples, slow_s(self.calm_before)),
            "wrong": wrong,
            "errors": sum(phase.count(Outcome.ERROR) for phase in self.phases().values()),
            "phases": {name: phase.summary() for name, phase in self.phases().items()},
            "goodput_by_second": by_second(self.overload),
        }

    def phases(self) -> dict[str, Measurement]:
        names = ("peak_before", "calm_before", "overload", "calm_after", "peak_after")
        return {name: getattr(self, name) for name in names}


def goodput_rps(overload: Measurement) -> float:
    """Right answers a second that came while the overload lasted."""
    in_time = sum(
        sample.outcome is Outcome.OK and sample.at_s <= overload.seconds for sample in overload.samples
    )
    return in_time / overload.seconds


def by_second(measurement: Measurement) -> list[int]:
    """Right answers in each second."""
    seconds = [int(sample.at_s) for sample in measurement.samples if sample.outcome is Outcome.OK]
    return np.bincount(seconds, minlength=int(measurement.seconds)).tolist() if seconds else []


def slow_s(calm: Measurement) -> float:
    """The latency from which on an answer counts as slower than before the overload."""
    usual_s = (calm.percentile_ms(95) or 0.0) / 1000
    return max(SLACK * usual_s, usual_s + SLACK_S)


def recovery_s(samples: Sequence[Sample], slow: float, window_s: float = 1.0) -> float | None:
    """When the load was calm again, so many seconds passed until a second began of which 95 of 100
    answers were right and not slow. None: that never came.

    Requests count by when they were sent.
    """
    sent = sorted((s.at_s - s.latency_s, s.outcome is Outcome.OK and s.latency_s <= slow) for s in samples)
    for number, (start, _) in enumerate(sent):
        window = [good for at, good in sent[number:] if at < start + window_s]
        complete = start + window_s <= sent[-1][0]
        if complete and sum(window) >= 0.95 * len(window):
            return round(max(0.0, start), 2)
    return None


def main() -> None:
    """Measures, prints, writes, and with --check fails when a goal is missed."""
    options = _options()
    load = others_load()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="rollcall-bench-")))
        site = prepare(folder / "site", options.pack, options.templates)
        facts = {"pack": site.pack.pack_id, "machine": machine_facts(), "load_before": load}
        report = facts | _run(site, options).report()
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
    parser.add_argument("--seconds", type=float, default=60.0, help="length of the overload")
    parser.add_argument("--peak-seconds", type=float, default=10.0, help="length of each peak")
    parser.add_argument("--factor", type=float, default=2.0, help="how many times the peak is offered")
    parser.add_argument("--templates", type=int, default=10_000)
    parser.add_argument("--json", type=Path, default=Path("bench/results/overload.json"))
    parser.add_argument("--check", action="store_true", help="exit code 1 when a goal is missed")
    return parser.parse_args()


def _run(site: Site, options: argparse.Namespace) -> Run:
    with started(site), LoadProcess(shots()) as load:
        target = site.target
        _say("the peak")
        load.closed(target, PEAK_CLIENTS, 3.0)
        peak_before = load.closed(target, PEAK_CLIENTS, options.peak_seconds)
        calm_rps = CALM_SHARE * peak_before.rps
        time.sleep(1.0)
        (calm_before,) = load.opened(target, [(calm_rps, options.peak_seconds / 2)])
        offered = options.factor * peak_before.rps
        _say(f"{offered:.0f} a second for {options.seconds:.0f} s")
        # Nothing between the two: the overload's queue is still full when the calm begins.
        overload, calm_after = load.opened(target, [(offered, options.seconds), (calm_rps, RECOVERY_S)])
        _say("the peak again")
        peak_after = load.closed(target, PEAK_CLIENTS, options.peak_seconds)
    return Run(peak_before, calm_before, overload, calm_after, peak_after, offered)


def _say(what: str) -> None:
    print(what, file=sys.stderr)


def missed_goals(report: dict[str, Any]) -> Iterator[str]:
    """Each goal that this report misses, in words."""
    if report["goodput_of_peak"] < GOAL_GOODPUT:
        yield f"goodput is {report['goodput_of_peak']} of the peak, the goal is {GOAL_GOODPUT}"
    if report["p99_ms"] is None or report["p99_ms"] >= GOAL_P99_MS:
        yield f"p99 of what was accepted is {report['p99_ms']} ms, the goal is under {GOAL_P99_MS:.0f}"
    if report["wrong"] or report["errors"]:
        yield f"{report['wrong']} wrong answers, {report['errors']} errors"
    if report["recovery_s"] is None or report["recovery_s"] > GOAL_RECOVERY_S:
        yield f"recovered after {report['recovery_s']} s, the goal is {GOAL_RECOVERY_S:.0f}"


def _print(report: dict[str, Any]) -> None:
    rows = [
        {"phase": name} | {key: value for key, value in phase.items() if key != "faults"}
        for name, phase in report["phases"].items()
    ]
    print_table(f"overload, {report['pack']}", rows)
    names = ("peak_rps", "offered_rps", "goodput_rps", "goodput_of_peak", "p99_ms", "recovery_s")
    print_table("of what was asked", [{name: report[name] for name in names}])


if __name__ == "__main__":
    main()
