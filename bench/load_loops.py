"""Closed and open load on one server from one event loop, and what came of it.

Closed: a number of clients, each sends its next picture when it has the answer to the last one. Open: so
many pictures a second whatever the server does, as kiosks do that know nothing of each other; what is due
within the same 20 ms is sent together, which is easier for the server, too, than one by one.
"""

from __future__ import annotations

import asyncio
import itertools
import math
from collections import Counter
from collections.abc import Callable, Coroutine, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from time import perf_counter, process_time

import numpy as np

from bench.http_client import Connection, Outcome, Reply, Shot, Target, judge, rotated

TIMEOUT_S = 30.0
# A generator that wakes up for every picture takes a twentieth of what the system could have answered.
TICK_S = 0.02
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
            self._cpu_at_start = process_time()
        if self._start <= now < self.end + self._late_s:
            self.measurement.samples.append(Sample(now - self._start, now - sent, outcome))
            self.measurement.client_cpu_s = process_time() - self._cpu_at_start
            if outcome in (Outcome.ERROR, Outcome.WRONG):
                self.measurement.faults[_fault(reply, expected)] += 1
        return outcome


def _fault(reply: Reply, expected: str | None) -> str:
    """In words, without anything that differs from request to request."""
    if reply.status == 200:
        return f"{expected} was expected"
    return f"status {reply.status}" if reply.status else reply.problem


async def closed(
    target: Target, shots: Sequence[Shot], clients: int, seconds: float, warmup_s: float
) -> Measurement:
    """`clients` at once. A client that is told that the queue is full waits as long as it is told."""
    recorder = _Recorder(warmup_s, seconds)
    async with _Line(target) as line:
        each = [_client(line, rotated(shots, 7 * number), recorder) for number in range(clients)]
        await asyncio.gather(*each)
    return recorder.measurement


async def _client(line: _Line, shots: Sequence[Shot], recorder: _Recorder) -> None:
    loop = asyncio.get_running_loop()
    for shot in itertools.cycle(shots):
        sent = perf_counter()
        if sent >= recorder.end:
            break
        # The last answer is waited for, too: what nobody waited for would burden whoever comes next.
        answer: asyncio.Future[Reply] = loop.create_future()
        line.send(shot, answer.set_result)
        reply = await answer
        outcome = recorder.judge(sent, reply, shot.expected)
        if outcome in (Outcome.BUSY, Outcome.ERROR):
            await asyncio.sleep(max(0.0, min(reply.retry_after_s or 0.1, recorder.end - perf_counter())))


class _Line:
    """Connections to one server: as many as there are requests at once. Closes those that wait too long."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._idle: list[Connection] = []
        self._under_way: dict[Connection, float] = {}
        self._tasks: set[asyncio.Task] = set()

    def send(self, shot: Shot, then: Callable[[Reply], None]) -> None:
        """Sends the picture; its answer goes to `then`, with status 0 where there is none."""
        while self._idle and not self._idle[-1].is_open:
            self._idle.pop()
        if self._idle:
            self._send(self._idle.pop(), shot, then)
        elif len(self._under_way) + len(self._tasks) >= MOST_CONNECTIONS:
            then(Reply(0, problem="too many connections"))
        else:
            self._begin(self._send_when_open(shot, then))

    async def all_answers(self) -> None:
        """Returns when nothing is under way."""
        while self._under_way or len(self._tasks) > 1:
            await asyncio.sleep(TICK_S)

    async def _send_when_open(self, shot: Shot, then: Callable[[Reply], None]) -> None:
        try:
            connection = await Connection.open(self._target)
        except OSError as error:
            then(Reply(0, problem=type(error).__name__))
        else:
            self._send(connection, shot, then)

    def _send(self, connection: Connection, shot: Shot, then: Callable[[Reply], None]) -> None:
        def came(reply: Reply) -> None:
            del self._under_way[connection]
            if reply.status:
                self._idle.append(connection)
            then(reply)

        self._under_way[connection] = perf_counter()
        connection.send(self._target.request(shot.jpeg), came)

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(1.0)
            latest = perf_counter() - TIMEOUT_S
            for connection in [one for one, sent in self._under_way.items() if sent < latest]:
                connection.give_up()

    def _begin(self, work: Coroutine[None, None, None]) -> asyncio.Task:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def __aenter__(self) -> _Line:
        self._watching = self._begin(self._watch())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._watching.cancel()
        for connection in self._idle:
            connection.close()


async def opened(
    target: Target, shots: Sequence[Shot], phases: Sequence[tuple[float, float]]
) -> list[Measurement]:
    """For each `(rate, seconds)` so many pictures a second; a phase does not wait for the answers to the
    one before. What is due within the same `TICK_S` is sent at its end; latency counts from when a picture
    was due, not from when it was sent.

    A measurement holds everything that was due in its phase, whenever its answer came.
    """
    recorders = []
    async with _Line(target) as line:
        for rate, seconds in phases:
            recorders.append(_Recorder(0.0, seconds, late_s=math.inf))
            await _arrivals(line, itertools.cycle(shots), rate, recorders[-1])
        await line.all_answers()
    return [recorder.measurement for recorder in recorders]


async def _arrivals(line: _Line, shots: Iterator[Shot], rate: float, recorder: _Recorder) -> None:
    """Sends one phase's pictures when they are due."""
    start = perf_counter()
    for number in range(int(rate * recorder.measurement.seconds)):
        due, shot = start + number / rate, next(shots)
        if due > perf_counter():
            await asyncio.sleep(start + math.ceil((due - start) / TICK_S) * TICK_S - perf_counter())
        line.send(shot, partial(_judge, recorder, due, shot.expected))


def _judge(recorder: _Recorder, due: float, expected: str | None, reply: Reply) -> None:
    recorder.judge(due, reply, expected)
