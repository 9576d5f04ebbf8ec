"""What becomes of the API when twice as much is asked of it as it can do.

    python -m bench.overload [--pack FOLDER_OR_NAME] [--seconds 60] [--factor 2] [--json PATH] [--check]

Three times `seconds` of overload; before, between and after them the peak. The peak: 64 clients, each with
its next picture as soon as it has an answer. The overload: `factor` times as many pictures a second as the
last peak answered, whatever the system does; most are to be turned away at once (503), and those that are
taken are to be answered soon and rightly. Three times, because the speed of a machine that others use
wanders by a tenth within a minute.

After each one half the peak: after how many seconds is every picture answered as fast as before?
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np

from bench.common import machine_facts, print_table
from bench.http_client import Outcome
from bench.load_loops import Measurement, Sample
from bench.load_process import LoadProcess
from bench.own_system import Site, others_load, prepare, shots, started

PEAK_CLIENTS = 64
TIMES = 3
CALM_SHARE = 0.5
PEAK_S, CALM_S, ONSET_S, RECOVERY_S = 20.0, 5.0, 1.0, 10.0
GOAL_GOODPUT, GOAL_P99_MS, GOAL_RECOVERY_S = 0.95, 1000.0, 5.0
# As fast as before: within this much of the p95 of the same load before the overload.
SLACK, SLACK_S = 1.5, 0.05


@dataclass(frozen=True)
class Overload:
    """Twice the capacity: its first moment, in which the queue fills, the rest, and the calm after it."""

    onset: Measurement
    rest: Measurement
    calm: Measurement

    @property
    def goodput_rps(self) -> float:
        """Right answers a second that came while it lasted, without its onset; the peaks are measured
        without theirs, too."""
        came_s = [one.at_s - self.onset.seconds for one in self.onset.samples if one.outcome is Outcome.OK]
        came_s += [one.at_s for one in self.rest.samples if one.outcome is Outcome.OK]
        return sum(0 <= at_s <= self.rest.seconds for at_s in came_s) / self.rest.seconds


@dataclass(frozen=True)
class Run:
    """What was measured: the calm before, and overloads between peaks, of which there is one more."""

    calm: Measurement
    peaks: list[Measurement]
    overloads: list[Overload]

    def report(self) -> dict[str, Any]:
        """The figures and the goals' verdict."""
        around = [(before.rps + after.rps) / 2 for before, after in pairwise(self.peaks)]
        goodputs = [one.goodput_rps for one in self.overloads]
        p99s_ms = [one.rest.percentile_ms(99) for one in self.overloads]
        recoveries_s = [recovery_s(one.calm.samples, slow_s(self.calm)) for one in self.overloads]
        phases = self.phases()
        return {
            "peak_rps": round(fmean(around), 1),
            "goodput_rps": round(fmean(goodputs), 1),
            "goodput_of_peak": round(fmean(goodputs) / fmean(around), 3),
            "each_of_peak": [round(got / peak, 3) for got, peak in zip(goodputs, around, strict=True)],
            "p99_ms": None if None in p99s_ms else max(p99s_ms),
            "recovery_s": None if None in recoveries_s else max(recoveries_s),
            "wrong": sum(phase.count(Outcome.WRONG) for phase in phases.values()),
            "errors": sum(phase.count(Outcome.ERROR) for phase in phases.values()),
            "phases": {name: phase.summary() for name, phase in phases.items()},
            "goodput_by_second": [by_second(one.rest) for one in self.overloads],
        }

    def phases(self) -> dict[str, Measurement]:
        named = {"calm": self.calm}
        named |= {f"peak {number}": peak for number, peak in enumerate(self.peaks, 1)}
        for number, one in enumerate(self.overloads, 1):
            named |= {f"onset {number}": one.onset, f"overload {number}": one.rest}
            named |= {f"calm {number}": one.calm}
        return named


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
    parser.add_argument("--seconds", type=float, default=60.0, help="length of each overload")
    parser.add_argument("--factor", type=float, default=2.0, help="how many times the peak is offered")
    parser.add_argument("--templates", type=int, default=10_000)
    parser.add_argument("--json", type=Path, default=Path("bench/results/overload.json"))
    parser.add_argument("--check", action="store_true", help="exit code 1 when a goal is missed")
    return parser.parse_args()


def _run(site: Site, options: argparse.Namespace) -> Run:
    with started(site), LoadProcess(shots()) as load:
        target = site.target
        load.closed(target, PEAK_CLIENTS, 3.0)
        _say("the peak")
        peaks, overloads = [load.closed(target, PEAK_CLIENTS, PEAK_S)], []
        (calm,) = load.opened(target, [(CALM_SHARE * peaks[0].rps, CALM_S)])
        for number in range(1, TIMES + 1):
            peak = peaks[-1].rps
            offered = options.factor * peak
            _say(f"{offered:.0f} a second for {options.seconds:.0f} s, then the peak ({number} of {TIMES})")
            # Nothing between them: the overload's queue is still full when the calm begins.
            phases = [(offered, ONSET_S), (offered, options.seconds), (CALM_SHARE * peak, RECOVERY_S)]
            overloads.append(Overload(*load.opened(target, phases)))
            peaks.append(load.closed(target, PEAK_CLIENTS, PEAK_S))
    return Run(calm, peaks, overloads)


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
    names = ("peak_rps", "goodput_rps", "goodput_of_peak", "each_of_peak", "p99_ms", "recovery_s")
    print_table("of what was asked", [{name: report[name] for name in names}])


if __name__ == "__main__":
    main()
