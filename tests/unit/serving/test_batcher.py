"""Micro-batching: everybody gets their own answer, nobody waits for ever, nothing is done for nobody."""

from __future__ import annotations

import asyncio
import gc
import time
import weakref
from contextlib import suppress

import pytest

from ray_backend.domain.errors import BackendUnavailable, BrokenImage, Overloaded
from ray_backend.serving.batcher import BatchPolicy, MicroBatcher

NO_WAIT = BatchPolicy(max_wait_s=0.0)


def doubling(calls: list[list[int]]):
    async def worker(items):
        calls.append(list(items))
        await asyncio.sleep(0)
        return [2 * item for item in items]

    return worker


class Gate:
    """A worker that stands still until it is opened."""

    def __init__(self) -> None:
        self.calls: list[list[int]] = []
        self.opened = asyncio.Event()

    async def __call__(self, items):
        self.calls.append(list(items))
        await self.opened.wait()
        return list(items)


async def settled() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


def test_everybody_gets_their_own_answer():
    async def scenario():
        batcher = MicroBatcher([doubling([]), doubling([])])
        return await asyncio.gather(*(batcher.submit(number) for number in range(100)))

    assert asyncio.run(scenario()) == [2 * number for number in range(100)]


def test_calls_carry_no_more_than_a_batch_and_use_every_worker():
    async def scenario():
        calls = [[], []]
        batcher = MicroBatcher([doubling(one) for one in calls], BatchPolicy(max_batch=4))
        await asyncio.gather(*(batcher.submit(number) for number in range(40)))
        return calls

    calls = asyncio.run(scenario())
    assert all(calls)
    assert max(len(batch) for worker in calls for batch in worker) == 4


def test_a_lonely_item_does_not_wait_for_company_for_long():
    async def scenario():
        batcher = MicroBatcher([doubling([])], BatchPolicy(max_wait_s=0.01))
        return await asyncio.wait_for(batcher.submit(1), 1)

    assert asyncio.run(scenario()) == 2


def test_items_that_come_together_share_calls():
    async def scenario():
        calls = []
        batcher = MicroBatcher([doubling(calls)], BatchPolicy(max_wait_s=0.01))
        await asyncio.gather(*(batcher.submit(number) for number in range(5)))
        return calls

    assert asyncio.run(scenario()) == [[0, 1, 2, 3], [4]]


def test_every_worker_gets_a_share_of_what_comes_together():
    async def scenario():
        gates = [Gate(), Gate()]
        batcher = MicroBatcher(gates, BatchPolicy(max_wait_s=0.01))
        waiting = [asyncio.create_task(batcher.submit(number)) for number in range(8)]
        await asyncio.sleep(0.05)
        for gate in gates:
            gate.opened.set()
        await asyncio.gather(*waiting)
        return [gate.calls[0] for gate in gates]

    assert asyncio.run(scenario()) == [[0, 1, 2], [3, 4, 5]]


def test_the_next_call_is_sent_shortly_before_its_worker_is_free():
    begun = []

    async def slow(items):
        begun.append(time.monotonic())
        await asyncio.sleep(0.1)
        return items

    async def scenario():
        batcher = MicroBatcher([slow], BatchPolicy(max_wait_s=0.0, lead_s=0.04))
        for number in range(30):  # until the mean of the time for one item has settled
            await batcher.submit(number)
        await asyncio.gather(batcher.submit(1), batcher.submit(2))

    asyncio.run(scenario())
    assert 0.03 < begun[-1] - begun[-2] < 0.1


def test_a_full_queue_refuses_and_says_when_to_come_back():
    async def scenario():
        gate = Gate()
        policy = BatchPolicy(max_batch=1, max_wait_s=0, calls_per_worker=1, max_waiting=2)
        batcher = MicroBatcher([gate], policy)
        accepted = [asyncio.create_task(batcher.submit(number)) for number in range(3)]
        await settled()
        with pytest.raises(Overloaded) as refused:
            await batcher.submit(99)
        gate.opened.set()
        return refused.value, await asyncio.gather(*accepted), batcher.stats

    refused, answers, stats = asyncio.run(scenario())
    assert refused.retry_after_s >= 1
    assert answers == [0, 1, 2]
    assert (stats.refused, stats.answered) == (1, 3)


def test_who_would_wait_too_long_is_told_at_once():
    async def slow(items):
        await asyncio.sleep(0.03 * len(items))
        return items

    async def scenario():
        policy = BatchPolicy(max_batch=1, max_wait_s=0, calls_per_worker=1, patience_s=0.1)
        batcher = MicroBatcher([slow], policy)
        for number in range(40):  # until the mean of the time for one item has settled near 0.03 s
            await batcher.submit(number)
        answers = await asyncio.gather(*(batcher.submit(n) for n in range(20)), return_exceptions=True)
        return answers, batcher.stats.refused

    answers, refused = asyncio.run(scenario())
    assert answers[:2] == [0, 1]
    assert sum(isinstance(answer, Overloaded) for answer in answers) == refused
    assert 10 <= refused < 20


def test_it_is_nearly_full_before_anybody_is_refused():
    async def slow(items):
        await asyncio.sleep(0.02 * len(items))
        return items

    async def scenario():
        policy = BatchPolicy(max_batch=1, max_wait_s=0, calls_per_worker=1, patience_s=0.4)
        batcher = MicroBatcher([slow], policy)
        for number in range(40):  # until the mean of the time for one item has settled near 0.02 s
            await batcher.submit(number)
        seen = [batcher.nearly_full]
        jobs = []
        while not batcher.nearly_full and len(jobs) < 100:
            jobs.append(asyncio.create_task(batcher.submit(0)))
            await settled()
        waiting_s = 0.02 * batcher.waiting
        jobs.append(asyncio.create_task(batcher.submit(0)))
        await settled()
        refused = batcher.stats.refused
        await asyncio.gather(*jobs)
        return seen, waiting_s, refused, batcher.nearly_full

    seen, waiting_s, refused, in_the_end = asyncio.run(scenario())
    assert (seen, in_the_end) == ([False], False)
    assert 0.2 < waiting_s < 0.4
    assert refused == 0


def test_work_whose_client_has_gone_is_not_done():
    async def scenario():
        gate = Gate()
        batcher = MicroBatcher([gate], BatchPolicy(max_batch=1, max_wait_s=0, calls_per_worker=1))
        first, gone, last = (asyncio.create_task(batcher.submit(number)) for number in range(3))
        await settled()
        gone.cancel()
        gate.opened.set()
        answers = await asyncio.gather(first, last)
        return gate.calls, answers, batcher.stats.dropped_gone

    assert asyncio.run(scenario()) == ([[0], [2]], [0, 2], 1)


def test_what_waited_too_long_is_dropped_with_an_error():
    async def scenario():
        gate = Gate()
        policy = BatchPolicy(max_batch=1, max_wait_s=0, calls_per_worker=1, deadline_s=0.02)
        batcher = MicroBatcher([gate], policy)
        first, late = (asyncio.create_task(batcher.submit(number)) for number in range(2))
        await asyncio.sleep(0.05)
        gate.opened.set()
        assert await first == 0
        with pytest.raises(Overloaded):
            await late
        return gate.calls, batcher.stats.dropped_late

    assert asyncio.run(scenario()) == ([[0]], 1)


def test_one_bad_item_does_not_spoil_its_batch():
    async def worker(items):
        return [BrokenImage("bad") if item == 1 else item for item in items]

    async def scenario():
        batcher = MicroBatcher([worker], BatchPolicy(max_wait_s=0.01))
        return await asyncio.gather(*(batcher.submit(n) for n in range(3)), return_exceptions=True)

    first, bad, last = asyncio.run(scenario())
    assert (first, last) == (0, 2)
    assert isinstance(bad, BrokenImage)


def test_a_picture_that_was_refused_is_let_go_at_once():
    class Picture:
        pass

    async def refusing(items):
        return [BrokenImage("broken") for _ in items]

    async def scenario():
        batcher, seen = MicroBatcher([refusing]), []

        async def caller():
            picture = Picture()
            seen.append(weakref.ref(picture))
            with suppress(BrokenImage):
                await batcher.submit(picture)

        await caller()
        await settled()
        return seen[0]()

    gc.disable()  # which would find it, but seldom comes by
    try:
        assert asyncio.run(scenario()) is None
    finally:
        gc.enable()


def test_the_batch_of_a_worker_that_died_is_taken_over_once():
    async def dead(items):
        raise BackendUnavailable("gone")

    async def scenario():
        batcher = MicroBatcher([dead, doubling([])], NO_WAIT)
        return await batcher.submit(1), batcher.stats.retried

    assert asyncio.run(scenario()) == (2, 1)


def test_when_every_worker_is_dead_the_callers_hear_it():
    async def dead(items):
        raise BackendUnavailable("gone")

    async def scenario():
        batcher = MicroBatcher([dead, dead], NO_WAIT)
        with pytest.raises(BackendUnavailable):
            await batcher.submit(1)
        with pytest.raises(BackendUnavailable):  # and its place is free again
            await batcher.submit(2)

    asyncio.run(scenario())


def test_a_worker_that_failed_rests_while_another_one_does_not():
    calls = {"dying": 0, "living": 0}

    async def dying(items):
        calls["dying"] += 1
        raise BackendUnavailable("gone")

    async def living(items):
        calls["living"] += 1
        return items

    async def scenario():
        batcher = MicroBatcher([dying, living], NO_WAIT)
        return [await batcher.submit(number) for number in range(20)]

    assert asyncio.run(scenario()) == list(range(20))
    assert calls["dying"] == 1


def test_a_worker_that_comes_gets_its_share_and_one_that_leaves_gets_nothing_new():
    async def scenario():
        first, second = Gate(), Gate()
        batcher = MicroBatcher([], NO_WAIT)
        batcher.set_workers({"first": first})
        tasks = [asyncio.create_task(batcher.submit(number)) for number in range(2)]
        await settled()
        batcher.set_workers({"first": first, "second": second})
        tasks += [asyncio.create_task(batcher.submit(number)) for number in range(2, 6)]
        await settled()
        batcher.set_workers({"second": second})
        tasks += [asyncio.create_task(batcher.submit(number)) for number in range(6, 10)]
        await settled()
        before = list(first.calls)
        first.opened.set()
        second.opened.set()
        return await asyncio.gather(*tasks), before, first.calls, second.calls

    answers, before, first, second = asyncio.run(scenario())
    assert answers == list(range(10))
    assert before
    assert first == before, "it was sent something after it had left"
    assert sorted(n for call in first + second for n in call) == list(range(10))


def test_what_a_worker_had_that_left_and_died_is_done_by_another_one():
    async def scenario():
        leave = asyncio.Event()

        async def leaving(items):
            await leave.wait()
            raise BackendUnavailable("gone")

        batcher = MicroBatcher([], NO_WAIT)
        batcher.set_workers({"leaving": leaving})
        answer = asyncio.create_task(batcher.submit(21))
        await settled()
        batcher.set_workers({"new": doubling([])})
        leave.set()
        return await answer

    assert asyncio.run(scenario()) == 42


def test_without_any_worker_callers_hear_it_at_once():
    async def scenario():
        gate = Gate()
        batcher = MicroBatcher([gate], BatchPolicy(max_batch=1, max_wait_s=0, calls_per_worker=1))
        had, waits = (asyncio.create_task(batcher.submit(number)) for number in range(2))
        await settled()
        batcher.set_workers({})
        with pytest.raises(BackendUnavailable):
            await waits
        with pytest.raises(BackendUnavailable):
            await batcher.submit(3)
        gate.opened.set()
        return await had

    assert asyncio.run(scenario()) == 0


def test_a_worker_whose_name_stays_is_not_given_more_than_its_calls():
    async def scenario():
        gate = Gate()
        batcher = MicroBatcher([], BatchPolicy(max_batch=1, max_wait_s=0, calls_per_worker=1))
        batcher.set_workers({"one": gate})
        tasks = [asyncio.create_task(batcher.submit(number)) for number in range(2)]
        await settled()
        batcher.set_workers({"one": gate})
        await settled()
        sent = len(gate.calls)
        gate.opened.set()
        await asyncio.gather(*tasks)
        return sent

    assert asyncio.run(scenario()) == 1
