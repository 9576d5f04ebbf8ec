"""Closed and open load on one server from one event loop, and what came of it.

Closed: a number of clients, each sends its next picture when it has the answer to the last one. Open: a
picture every so many milliseconds whatever the server does, as kiosks do that know nothing of each other.
"""

from __future__ import annotations

import asyncio
import itertools
import resource
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from time import perf_counter

import numpy as np

from bench.http_client import Connection, Outcome, Reply, Shot, Target, judge, rotated

TIMEOUT_S = 30.0
MOST_CONNECTIONS = 4000


@dataclass(frozen=True, slots=True)
class Sample:
    """One request: when its answer came (seconds from the start), how long it took, what it was."""

    at_s: float
    latency_s: float
    outcome: Outcome


@dataclass
class Measurement:
    """All requests whose answers came within `seconds`; `client_cpu_s` is what sending them cost.

    `faults` says what was wrong with those that were wrong or errors. `recognised` counts the right answers
    before and after, too: what the server's processor time over the whole load was spent on.
    """

    seconds: float
    samples: list[Sample] = field(default_factory=list)
    client_cpu_s: float = 0.0
    faults: Counter[str] = field(default_factory=Counter)
    recognised: int = 0

    def count(self, outcome: Outcome) -> int:
        return sum(sample.outcome is outcome for sample in self.samples)

    @property
    def rps(self) -> float:
        """Right answers a second."""
        return self.count(Outcome.OK) / self.seconds

    def percentile_ms(self, percent: float) -> float | None:
        """Of the answers that were accepted and right; None when there are none."""
        accepted = [sample.latency_s for sample in self.samples if sample.outcome is Outcome.OK]
        return round(1000 * float(np.percentile(accepted, percent)), 2) if accepted else None

    def summary(self) -> dict[str, float | int | None]:
        """The figures that the benches report."""
        answered = max(1, len(self.samples))
        return {
            "rps": round(self.rps, 2),
            **{f"p{percent}_ms": self.percentile_ms(percent) for percent in (50, 95, 99)},
            **{outcome.value: self.count(outcome) for outcome in list(Outcome)[1:]},
            "client_cpu_ms": round(1000 * self.client_cpu_s / answered, 3),
            "faults": dict(self.faults),
        }


class _Recorder:
    """Keeps the samples that fall into the window, and the processor time that it took."""

    def __init__(self, warmup_s: float, seconds: float, late_s: float = 0.0) -> None:
        self._start = perf_counter() + warmup_s
        self._late_s = late_s
        self.measurement = Measurement(seconds)
        self._cpu_at_start: float | None = None

    @property
    def end(self) -> float:
        return self._start + self.measurement.seconds

    def judge(self, sent: float, reply: Reply, expected: str | None) -> Outcome:
        """What the reply is; kept if it falls into the window."""
        now, outcome = perf_counter(), judge(reply, expected)
        self.measurement.recognised += outcome is Outcome.OK
        if now >= self._start and self._cpu_at_start is None:
            self._cpu_at_start = _cpu_s()
        if self._start <= now < self.end + self._late_s:
            self.measurement.samples.append(Sample(now - self._start, now - sent, outcome))
            self.measurement.client_cpu_s = _cpu_s() - self._cpu_at_start
            if outcome in (Outcome.ERROR, Outcome.WRONG):
                self.measurement.faults[_fault(reply, expected)] += 1
        return outcome


def _fault(reply: Reply, expected: str | None) -> str:
    """In words, without anything that differs from request to request."""
    if reply.status == 200:
        return f"{expected} was expected"
    return f"status {reply.status}" if reply.status else reply.problem


def _cpu_s() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


async def closed(
    target: Target, shots: Sequence[Shot], clients: int, seconds: float, warmup_s: float
) -> Measurement:
    """`clients` at once. A client that is told that the queue is full waits as long as it is told."""
    recorder = _Recorder(warmup_s, seconds)
    each = [_client(target, rotated(shots, 7 * number), recorder) for number in range(clients)]
    await asyncio.gather(*each)
    return recorder.measurement


async def _client(target: Target, shots: Sequence[Shot], recorder: _Recorder) -> None:
    connection = Connection()
    for shot in itertools.cycle(shots):
        sent = perf_counter()
        if sent >= recorder.end:
            break
        # The last answer is waited for, too: what nobody waited for would burden whoever comes next.
        connection, reply = await _asked(connection, target, shot)
        outcome = recorder.judge(sent, reply, shot.expected)
        if outcome in (Outcome.BUSY, Outcome.ERROR):
            await asyncio.sleep(max(0.0, min(reply.retry_after_s or 0.1, recorder.end - perf_counter())))
    connection.close()


async def _asked(connection: Connection, target: Target, shot: Shot) -> tuple[Connection, Reply]:
    """The answer, and the connection to go on with. A request that cannot be sent has no status."""
    try:
        if not connection.is_open:
            connection = await Connection.open(target)
        return connection, await connection.ask(target.request(shot.jpeg), TIMEOUT_S)
    except (OSError, TimeoutError) as error:
        return connection, Reply(0, problem=type(error).__name__)


async def opened(
    target: Target, shots: Sequence[Shot], phases: Sequence[tuple[float, float]]
) -> list[Measurement]:
    """For each `(rate, seconds)` so many pictures a second; a phase does not wait for the answers to the
    one before. Latency counts from when a picture was due, not from when it was sent.

    A measurement holds everything that was due in its phase, whenever its answer came.
    """
    recorders = []
    idle: list[Connection] = []
    under_way: set[asyncio.Task] = set()
    for rate, seconds in phases:
        recorders.append(_Recorder(0.0, seconds, late_s=TIMEOUT_S))
        await _arrivals(target, itertools.cycle(shots), rate, recorders[-1], idle, under_way)
    if under_way:
        await asyncio.wait(under_way)
    for connection in idle:
        connection.close()
    return [recorder.measurement for recorder in recorders]


async def _arrivals(
    target: Target,
    shots: Iterator[Shot],
    rate: float,
    recorder: _Recorder,
    idle: list[Connection],
    under_way: set[asyncio.Task],
) -> None:
    """Sends one phase's pictures when they are due."""
    start = perf_counter()
    for number in range(int(rate * recorder.measurement.seconds)):
        due = start + number / rate
        if (wait_s := due - perf_counter()) > 0:
            await asyncio.sleep(wait_s)
        task = asyncio.create_task(_arrival(target, next(shots), due, idle, len(under_way), recorder))
        under_way.add(task)
        task.add_done_callback(under_way.discard)


async def _arrival(
    target: Target, shot: Shot, due: float, idle: list[Connection], others: int, recorder: _Recorder
) -> None:
    if others >= MOST_CONNECTIONS:
        recorder.judge(due, Reply(0, problem="too many connections"), shot.expected)
        return
    connection = idle.pop() if idle else Connection()
    connection, reply = await _asked(connection, target, shot)
    recorder.judge(due, reply, shot.expected)
    if connection.is_open:
        idle.append(connection)
