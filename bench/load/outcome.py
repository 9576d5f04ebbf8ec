"""What a run of the load test leads to: its rows, its punches, its verdict and its report."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench.common import print_table
from bench.load import report
from bench.load.checks import WRONG
from bench.load.timeline import BUSY, Timeline
from bench.load.verdict import Limits, Totals, misses

CHECK_IN, RECOGNISE = "check in", "recognise"
AWAITED = (CHECK_IN, RECOGNISE)


@dataclass
class Outcome:
    """Collected while the test runs. `punch_ids` are those that were acknowledged as new."""

    timeline: Timeline = field(default_factory=Timeline)
    started: str = field(default_factory=lambda: datetime.now(UTC).isoformat())
    punch_ids: set[str] = field(default_factory=set)
    lost_punches: int = 0
    recognised: int = 0
    refusal: str = ""

    def taken(self) -> dict[str, Any]:
        """A worker's share since the last time, as plain values."""
        share = {
            "rows": [tuple(row) for row in self.timeline.taken()],
            "lost_punches": self.lost_punches,
            "recognised": self.recognised,
            "refusal": self.refusal,
        }
        self.recognised = self.lost_punches = 0
        return share

    def extend(self, share: dict[str, Any]) -> None:
        """Adds a worker's share."""
        self.timeline.extend(share["rows"])
        self.lost_punches += share["lost_punches"]
        self.recognised += share["recognised"]
        self.refusal = self.refusal or share["refusal"]


def conclude(environment, outcome: Outcome) -> int:
    """Prints the verdict, writes the report if one is wanted, and returns the exit code."""
    if outcome.refusal:
        print(outcome.refusal)
        return 2
    options = environment.parsed_options
    totals = totals_of(environment.stats, outcome)
    limits = Limits(options.max_p95_ms, options.max_error_rate, options.max_busy_rate, options.max_wrong)
    missed = list(misses(totals, limits))
    table = list(rows(environment.stats))
    print_table("Load test", table)
    print(f"{outcome.recognised} times the right person was recognised, {totals.wrong} times not.")
    if options.report:
        described = f"{options.shape}, up to {options.num_users} users, {environment.host}"
        for path in report.write(Path(options.report), outcome.timeline, table, missed, described):
            print(f"Report: {path}")
    for line in missed:
        print(f"MISSED: {line}")
    return 1 if missed else 0


def totals_of(stats, outcome: Outcome) -> Totals:
    """From Locust's statistics. A fault that stands for a wrong answer is no error."""
    faults = [(error.name, _fault(error.error), error.occurrences) for error in stats.errors.values()]
    wrong = _sum(number for _, fault, number in faults if fault in WRONG)
    entries = list(stats.entries.values())
    return Totals(
        requests=_sum(entry.num_requests for entry in entries),
        errors=_sum(number for *_, number in faults) - wrong,
        busy=_sum(entry.num_requests for entry in entries if entry.name == BUSY),
        wrong=wrong + outcome.lost_punches,
        recognised=outcome.recognised,
        p95_ms={
            entry.name: entry.get_response_time_percentile(0.95)
            for entry in entries
            if entry.name in AWAITED and entry.num_requests
        },
    )


def _sum(numbers: Iterable[int]) -> int:
    return sum(numbers)


def _fault(error: object) -> str:
    """Our words in what Locust kept: an exception here, its `repr` where a worker sent it."""
    text = str(error)
    return next((fault for fault in WRONG if fault in text), text)


def rows(stats) -> Iterable[dict[str, object]]:
    """The table of the report: one row for each kind of request, the busy ones in a column of their own.

    Locust counts a request that was turned away under another name, so it is in no row's requests.
    """
    busy = _sum(entry.num_requests for entry in stats.entries.values() if entry.name == BUSY)
    for entry in sorted(stats.entries.values(), key=lambda entry: entry.name):
        if entry.name == BUSY:
            continue
        quantiles = {f"p{q}": entry.get_response_time_percentile(q / 100) for q in (50, 95, 99)}
        yield {
            "request": entry.name,
            "answered": entry.num_requests,
            "failed": entry.num_failures,
            "a second": round(entry.total_rps, 2),
            **{f"{name} ms": ms for name, ms in quantiles.items()},
        }
    yield {"request": BUSY, "answered": busy}
