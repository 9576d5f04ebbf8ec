"""Adaptive micro-batching: many callers, few calls, a bounded queue, and no work for nobody.

Knows nothing of Ray or pictures: a worker is any coroutine function that takes a list of items and
returns one answer for each.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Generic, TypeVar

from ray_backend.domain.errors import BackendUnavailable, Overloaded
from ray_backend.serving.backoff import full_jitter_s

Item = TypeVar("Item")
Answer = TypeVar("Answer")
Worker = Callable[[list[Item]], Awaitable[Sequence[Answer | Exception]]]
# The part of a worker's items that one call carries; the rest lies ready behind it. Measured with 16 clients
# and two workers: a half costs a call for every other picture, the whole leaves workers idle.
_SHARE = 0.75
_FULL = "Too many requests are waiting. Try again in a moment."
_LATE = "The answer would have come too late, so the work was dropped. Try again in a moment."


class Priority(IntEnum):
    """Who is served first: people who wait come before bulk work."""

    PERSON = 0
    BULK = 1


@dataclass(frozen=True, slots=True)
class BatchPolicy:
    """How to batch. A call carries up to `max_batch` items; a free worker waits `max_wait_s` for them.

    A worker does one call after the other, and has up to `calls_per_worker` of them: the next one is
    sent `lead_s` before the worker is expected to be free, so that it lies ready then, and no earlier,
    since what comes until then can go along. At most `max_waiting` items queue, and of people's only as
    many as will have their turn within `patience_s`: who would wait longer is better told at once. One
    that waited `deadline_s` is dropped.
    """

    max_batch: int = 8
    max_wait_s: float = 0.001
    lead_s: float = 0.012
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


class _Lane:
    """One worker and what it has to do: one call after the other."""

    __slots__ = ("calls", "finished_at", "free_at", "items", "worker")

    def __init__(self, worker: Worker) -> None:
        self.worker = worker
        self.calls = 0
        self.items = 0
        self.finished_at = 0.0
        self.free_at = 0.0

    def begin(self, items: int, item_s: float) -> None:
        """A call has been sent, behind those that are under way."""
        now = time.monotonic()
        self.free_at = (max(now, self.free_at) if self.calls else now) + items * item_s
        self.calls += 1
        self.items += items

    def end(self, items: int, begun_at: float, item_s: float) -> float:
        """A call has come back. Returns how many seconds each of its items took."""
        now = time.monotonic()
        # A call that lay behind another one began when that was done.
        took_s = (now - max(begun_at, self.finished_at)) / items
        self.finished_at = now
        self.calls -= 1
        self.items -= items
        self.free_at = now + self.items * item_s
        return took_s


class MicroBatcher(Generic[Item, Answer]):
    """Lives in one event loop; `submit` is its only way in."""

    def __init__(self, workers: Sequence[Worker], policy: BatchPolicy = DEFAULT) -> None:
        self._lanes = [_Lane(worker) for worker in workers]
        self._policy = policy
        self._queues: dict[Priority, deque[_Waiting]] = {priority: deque() for priority in Priority}
        self._calls: set[asyncio.Task] = set()
        self._timer: asyncio.TimerHandle | None = None
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
        return items * self._item_s / max(1, len(self._lanes))

    def _dispatch(self) -> None:
        """Starts as many calls as there are free places and ripe batches for them."""
        while self.waiting:
            free = [lane for lane in self._lanes if lane.calls < self._policy.calls_per_worker]
            if not free:
                return
            lane = min(free, key=lambda lane: (lane.calls, lane.free_at))
            wait_s = self._seconds_to_ripe(lane)
            if wait_s > 0:
                self._dispatch_in(wait_s)
                return
            batch = self._take(self._fair_share())
            if batch:
                self._start(lane, batch)

    def _seconds_to_ripe(self, lane: _Lane) -> float:
        if self.waiting >= self._policy.max_batch:
            return 0.0
        oldest = min(queue[0].since for queue in self._queues.values() if queue)
        ripe_at = oldest + self._policy.max_wait_s
        if lane.calls:
            ripe_at = max(ripe_at, lane.free_at - self._policy.lead_s)
        return ripe_at - time.monotonic()

    def _fair_share(self) -> int:
        """How many items a call takes: none of them all while another worker has nothing to do."""
        items = self.waiting + sum(lane.items for lane in self._lanes)
        return min(self._policy.max_batch, math.ceil(_SHARE * items / len(self._lanes)))

    def _dispatch_in(self, wait_s: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_later(wait_s, self._ripe)

    def _ripe(self) -> None:
        self._timer = None
        self._dispatch()

    def _take(self, size: int) -> list[_Waiting]:
        """The next batch, without what nobody waits for any more or what has waited too long."""
        batch: list[_Waiting] = []
        latest = time.monotonic() - self._policy.deadline_s
        for queue in self._queues.values():
            while queue and len(batch) < size:
                waiting = queue.popleft()
                if waiting.answer.done():
                    self.stats.dropped_gone += 1
                elif waiting.since < latest:
                    self.stats.dropped_late += 1
                    waiting.answer.set_exception(Overloaded(_LATE, self._retry_after_s()))
                else:
                    batch.append(waiting)
        return batch

    def _start(self, lane: _Lane, batch: list[_Waiting]) -> None:
        size = len(batch)
        lane.begin(size, self._item_s)
        self.stats.batch_sizes[size] = self.stats.batch_sizes.get(size, 0) + 1
        call = asyncio.get_running_loop().create_task(self._call(lane, batch))
        self._calls.add(call)
        call.add_done_callback(self._calls.discard)

    async def _call(self, lane: _Lane, batch: list[_Waiting]) -> None:
        begun_at = time.monotonic()
        try:
            answers = await self._ask(lane, [waiting.item for waiting in batch])
        except Exception as error:  # noqa: BLE001 whatever it is, the callers have to hear it
            answers = [error] * len(batch)
        took_s = lane.end(len(batch), begun_at, self._item_s)
        self._item_s += 0.1 * (took_s - self._item_s)
        for waiting, answer in zip(batch, answers, strict=True):
            _settle(waiting.answer, answer)
        self.stats.answered += len(batch)
        self._dispatch()

    async def _ask(self, lane: _Lane, items: list[Item]) -> Sequence[Answer | Exception]:
        """A worker that dies gets its batch taken over once by another one."""
        try:
            return await lane.worker(items)
        except BackendUnavailable:
            self.stats.retried += 1
            await asyncio.sleep(full_jitter_s(0))
            another = self._lanes[(self._lanes.index(lane) + 1) % len(self._lanes)]
            return await another.worker(items)


def _settle(future: asyncio.Future, answer) -> None:
    if future.done():
        return
    if isinstance(answer, Exception):
        future.set_exception(answer)
    else:
        future.set_result(answer)
