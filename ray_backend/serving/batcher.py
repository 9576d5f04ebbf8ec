"""Adaptive micro-batching: many callers, few calls, a bounded queue, and no work for nobody.

Knows nothing of Ray or pictures: a worker is any coroutine function that takes a list of items and
returns one answer for each.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Generic, TypeVar

from ray_backend.domain.errors import BackendUnavailable, Overloaded

Item = TypeVar("Item")
Answer = TypeVar("Answer")
Worker = Callable[[list[Item]], Awaitable[Sequence[Answer | Exception]]]
_FULL = "Too many requests are waiting. Try again in a moment."
_LATE = "The answer would have come too late, so the work was dropped. Try again in a moment."


class Priority(IntEnum):
    """Who is served first: people who wait come before bulk work."""

    PERSON = 0
    BULK = 1


@dataclass(frozen=True, slots=True)
class BatchPolicy:
    """How to batch. A call carries up to `max_batch` items and waits at most `max_wait_s` for them.

    Each worker has up to `calls_per_worker` calls at once, so that the next batch lies ready when one
    is done. At most `max_waiting` items queue, and of people's only as many as will have their turn
    within `patience_s`: who would wait longer is better told at once. One that waited `deadline_s` is
    dropped.
    """

    max_batch: int = 8
    max_wait_s: float = 0.003
    calls_per_worker: int = 2
    max_waiting: int = 256
    patience_s: float = 0.4
    deadline_s: float = 5.0


DEFAULT = BatchPolicy()


@dataclass(slots=True)
class _Waiting(Generic[Item, Answer]):
    item: Item
    answer: asyncio.Future[Answer]
    since: float


@dataclass(slots=True)
class BatcherStats:
    """Counts since the start. `batch_sizes[n]` is the number of calls with n items."""

    answered: int = 0
    refused: int = 0
    dropped_late: int = 0
    dropped_gone: int = 0
    retried: int = 0
    batch_sizes: dict[int, int] = field(default_factory=dict)


class MicroBatcher(Generic[Item, Answer]):
    """Lives in one event loop; `submit` is its only way in."""

    def __init__(self, workers: Sequence[Worker], policy: BatchPolicy = DEFAULT) -> None:
        self._workers = list(workers)
        self._policy = policy
        self._queues: dict[Priority, deque[_Waiting]] = {priority: deque() for priority in Priority}
        self._in_flight = [0] * len(workers)
        self._calls: set[asyncio.Task] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._free_since = [0.0] * len(workers)
        self._item_s = 0.0
        self.stats = BatcherStats()

    @property
    def waiting(self) -> int:
        """Items that no worker has taken yet."""
        return sum(len(queue) for queue in self._queues.values())

    async def submit(self, item: Item, priority: Priority = Priority.PERSON) -> Answer:
        """The worker's answer. Raises Overloaded, and whatever the worker answered or raised.

        When the caller is cancelled, because its client went away, the item is not worked on.
        """
        self.refuse_if_full(priority)
        waiting = _Waiting(item, asyncio.get_running_loop().create_future(), time.monotonic())
        self._queues[priority].append(waiting)
        self._dispatch()
        return await waiting.answer

    def refuse_if_full(self, priority: Priority = Priority.PERSON) -> None:
        """Raises Overloaded where `submit` would: to be asked before anything is spent on a request."""
        full = self.waiting >= self._policy.max_waiting
        if not full and priority is Priority.PERSON:
            full = self._seconds_of(len(self._queues[priority])) > self._policy.patience_s
        if full:
            self.stats.refused += 1
            raise Overloaded(_FULL, self._retry_after_s())

    def _retry_after_s(self) -> float:
        return max(1.0, self._seconds_of(self.waiting))

    def _seconds_of(self, items: int) -> float:
        """How long the workers will need for so many items."""
        return items * self._item_s / max(1, len(self._workers))

    def _dispatch(self) -> None:
        """Starts as many calls as there are free places for full or ripe batches."""
        while self.waiting:
            worker = min(range(len(self._workers)), key=self._in_flight.__getitem__)
            if self._in_flight[worker] >= self._policy.calls_per_worker:
                return
            wait_s = self._seconds_to_ripe()
            if wait_s > 0:
                self._dispatch_in(wait_s)
                return
            batch = self._take()
            if batch:
                self._start(worker, batch)

    def _seconds_to_ripe(self) -> float:
        if self.waiting >= self._policy.max_batch:
            return 0.0
        oldest = min(queue[0].since for queue in self._queues.values() if queue)
        return oldest + self._policy.max_wait_s - time.monotonic()

    def _dispatch_in(self, wait_s: float) -> None:
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(wait_s, self._ripe)

    def _ripe(self) -> None:
        self._timer = None
        self._dispatch()

    def _take(self) -> list[_Waiting]:
        """The next batch, without what nobody waits for any more or what has waited too long."""
        batch: list[_Waiting] = []
        latest = time.monotonic() - self._policy.deadline_s
        for queue in self._queues.values():
            while queue and len(batch) < self._policy.max_batch:
                waiting = queue.popleft()
                if waiting.answer.done():
                    self.stats.dropped_gone += 1
                elif waiting.since < latest:
                    self.stats.dropped_late += 1
                    waiting.answer.set_exception(Overloaded(_LATE, self._retry_after_s()))
                else:
                    batch.append(waiting)
        return batch

    def _start(self, worker: int, batch: list[_Waiting]) -> None:
        self._in_flight[worker] += 1
        size = len(batch)
        self.stats.batch_sizes[size] = self.stats.batch_sizes.get(size, 0) + 1
        call = asyncio.get_running_loop().create_task(self._call(worker, batch))
        self._calls.add(call)
        call.add_done_callback(self._calls.discard)

    async def _call(self, worker: int, batch: list[_Waiting]) -> None:
        started = time.monotonic()
        try:
            answers = await self._ask(worker, [waiting.item for waiting in batch])
            self._learn(worker, started, len(batch))
        except Exception as error:  # noqa: BLE001 whatever it is, the callers have to hear it
            answers = [error] * len(batch)
        finally:
            self._in_flight[worker] -= 1
        for waiting, answer in zip(batch, answers, strict=True):
            _settle(waiting.answer, answer)
        self.stats.answered += len(batch)
        self._dispatch()

    def _learn(self, worker: int, started: float, size: int) -> None:
        """Keeps a mean of the time that one item takes; a call that lay behind another began after it."""
        now = time.monotonic()
        item_s = (now - max(started, self._free_since[worker])) / size
        self._free_since[worker] = now
        self._item_s += 0.1 * (item_s - self._item_s)

    async def _ask(self, worker: int, items: list[Item]) -> Sequence[Answer | Exception]:
        """A worker that dies gets its batch taken over once by another one."""
        try:
            return await self._workers[worker](items)
        except BackendUnavailable:
            self.stats.retried += 1
            another = (worker + 1) % len(self._workers)
            return await self._workers[another](items)


def _settle(future: asyncio.Future, answer) -> None:
    if future.done():
        return
    if isinstance(answer, Exception):
        future.set_exception(answer)
    else:
        future.set_result(answer)
