"""Adaptive micro-batching: many callers, few calls, a bounded queue, and no work for nobody.

Knows nothing of Ray or pictures: a worker is any coroutine function that takes a list of items and
returns one answer for each.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from ray_backend.domain.errors import BackendUnavailable, Overloaded
from ray_backend.serving.backoff import full_jitter_s

Item = TypeVar("Item")
Answer = TypeVar("Answer")
Worker = Callable[[list[Item]], Awaitable[Sequence[Answer | Exception]]]
# The part of a worker's items that one call carries; the rest lies ready behind it. Measured with 16 clients
# and two workers: a half costs a call for every other picture, the whole leaves workers idle.
_SHARE = 0.75
# Of the time that people are kept waiting at most. What comes before HAProxy has heard of it, with the next
# batch's answers, fits into the rest.
_NEARLY_FULL = 0.75
FULL = "Too many requests are waiting. Try again in a moment."
_LATE = "The answer would have come too late, so the work was dropped. Try again in a moment."
_NOBODY = "No recognition is running at the moment. It starts by itself; try again in a few seconds."
# A worker whose call failed gets no other one for so long, while others do not fail.
_REST_S = 2.0
# A node that goes takes several workers with it.
_TRIES = 3


@dataclass(frozen=True, slots=True)
class BatchPolicy:
    """How to batch. A call carries up to `max_batch` items; a free worker waits `max_wait_s` for them.

    A worker does one call after the other, and has up to `calls_per_worker` of them: the next one is
    sent `lead_s` before the worker is expected to be free, so that it lies ready then, and no earlier,
    since what comes until then can go along. At most `max_waiting` items queue, and only as many as will
    have their turn within `patience_s`: who would wait longer is better told at once. One that waited
    `deadline_s` is dropped.
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

    __slots__ = ("calls", "finished_at", "free_at", "items", "rests_until", "worker")

    def __init__(self, worker: Worker) -> None:
        self.worker = worker
        self.calls = 0
        self.items = 0
        self.finished_at = 0.0
        self.free_at = 0.0
        self.rests_until = 0.0

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
    """Lives in one event loop; `submit` is its only way in. First come, first served.

    Workers may come and go: see `set_workers`.
    """

    def __init__(self, workers: Sequence[Worker], policy: BatchPolicy = DEFAULT) -> None:
        self._by_name = {str(number): _Lane(worker) for number, worker in enumerate(workers)}
        self._lanes = list(self._by_name.values())
        self._policy = policy
        self._queue: deque[_Waiting] = deque()
        self._calls: set[asyncio.Task] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._item_s = 0.0
        self.stats = BatcherStats()

    @property
    def waiting(self) -> int:
        """Items that no worker has taken yet."""
        return len(self._queue)

    @property
    def under_way(self) -> int:
        """Items that workers have."""
        return sum(lane.items for lane in self._lanes)

    def set_workers(self, workers: Mapping[str, Worker]) -> None:
        """From now on there are these, by name; one whose name stays keeps what it has.

        What a worker that is no longer named still has is waited for, and done by another one if it fails.
        Without any worker, everybody who waits hears BackendUnavailable.
        """
        self._by_name = {name: self._by_name.get(name) or _Lane(worker) for name, worker in workers.items()}
        self._lanes = list(self._by_name.values())
        if not self._lanes:
            while self._queue:
                _settle(self._queue.popleft().answer, BackendUnavailable(_NOBODY))
        self._dispatch()

    async def submit(self, item: Item) -> Answer:
        """The worker's answer. Raises Overloaded, and whatever the worker answered or raised.

        When the caller is cancelled, because its client went away, the item is not worked on.
        """
        self.refuse_if_full()
        waiting = _Waiting(item, asyncio.get_running_loop().create_future(), time.monotonic())
        self._queue.append(waiting)
        self._dispatch()
        try:
            return await waiting.answer
        finally:
            # An error holds this frame, which would hold the error: the picture would stay until Python's
            # collector of cycles comes by.
            del waiting

    @property
    def nearly_full(self) -> bool:
        """Whether it is time to keep further items away, before they cost a refusal each."""
        return self._seconds_of(len(self._queue)) > _NEARLY_FULL * self._policy.patience_s

    def refuse_if_full(self) -> None:
        """Raises Overloaded where `submit` would, and BackendUnavailable without a worker: to be asked
        before anything is spent on a request."""
        if not self._lanes:
            raise BackendUnavailable(_NOBODY)
        waiting = len(self._queue)
        if waiting >= self._policy.max_waiting or self._seconds_of(waiting) > self._policy.patience_s:
            self.stats.refused += 1
            raise Overloaded(FULL, self._retry_after_s())

    def _retry_after_s(self) -> float:
        return max(1.0, self._seconds_of(self.waiting))

    def _seconds_of(self, items: int) -> float:
        """How long the workers will need for so many items."""
        return items * self._item_s / max(1, len(self._lanes))

    def _dispatch(self) -> None:
        """Starts as many calls as there are free places and ripe batches for them."""
        while self._queue:
            free = [lane for lane in self._awake() if lane.calls < self._policy.calls_per_worker]
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

    def _awake(self) -> list[_Lane]:
        """The workers that did not fail just now; all of them, where every one did."""
        now = time.monotonic()
        return [lane for lane in self._lanes if lane.rests_until <= now] or self._lanes

    def _seconds_to_ripe(self, lane: _Lane) -> float:
        if self.waiting >= self._policy.max_batch:
            return 0.0
        ripe_at = self._queue[0].since + self._policy.max_wait_s
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
        while self._queue and len(batch) < size:
            waiting = self._queue.popleft()
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
            answers = await self._ask(lane, batch)
        except Exception as error:  # noqa: BLE001 whatever it is, the callers have to hear it
            answers = [error] * len(batch)
        took_s = lane.end(len(batch), begun_at, self._item_s)
        self._item_s += 0.1 * (took_s - self._item_s)
        for waiting, answer in zip(batch, answers, strict=True):
            _settle(waiting.answer, answer)
        self.stats.answered += len(batch)
        self._dispatch()

    async def _ask(self, lane: _Lane, batch: list[_Waiting]) -> Sequence[Answer | Exception]:
        """What a worker had that dies is done by another one, unless nobody waits for it any more."""
        items = [waiting.item for waiting in batch]
        tried: list[_Lane] = []
        while True:
            try:
                return await lane.worker(items)
            except BackendUnavailable:
                lane.rests_until = time.monotonic() + _REST_S
                tried.append(lane)
                others = [other for other in self._awake() if other not in tried]
                if not others or len(tried) == _TRIES or all(one.answer.done() for one in batch):
                    raise
                self.stats.retried += 1
                await asyncio.sleep(full_jitter_s(0))
                lane = min(others, key=lambda other: other.items)


def _settle(future: asyncio.Future, answer) -> None:
    if future.done():
        return
    if isinstance(answer, Exception):
        future.set_exception(answer)
    else:
        future.set_result(answer)
