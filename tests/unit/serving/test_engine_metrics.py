"""What the metrics say of queues and recoveries."""

from __future__ import annotations

import asyncio

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from ray_backend.domain.errors import BackendUnavailable, Overloaded
from ray_backend.serving.backoff import BASE_S, MOST_S, full_jitter_s
from ray_backend.serving.batcher import BatchPolicy, MicroBatcher
from ray_backend.serving.engine_metrics import EngineCollector


async def double(items):
    await asyncio.sleep(0.01)
    return [2 * item for item in items]


async def dead(items):
    raise BackendUnavailable("gone")


def test_queues_batches_and_recoveries_are_told():
    async def scenario() -> str:
        policy = BatchPolicy(max_batch=1, max_wait_s=0.0, calls_per_worker=1, max_waiting=1)
        queue = MicroBatcher([dead, double], policy)
        registry = CollectorRegistry()
        registry.register(EngineCollector({"recognise": queue}))
        assert await queue.submit(4) == 8
        accepted = [asyncio.create_task(queue.submit(number)) for number in range(2)]
        await asyncio.sleep(0)
        with pytest.raises(Overloaded):
            await queue.submit(9)
        await asyncio.gather(*accepted)
        return generate_latest(registry).decode()

    lines = asyncio.run(scenario()).splitlines()
    assert 'rollcall_queue_waiting{queue="recognise"} 0.0' in lines
    assert 'rollcall_queue_pictures_total{outcome="answered",queue="recognise"} 3.0' in lines
    assert 'rollcall_queue_pictures_total{outcome="refused",queue="recognise"} 1.0' in lines
    assert 'rollcall_batches_total{queue="recognise",size="1"} 3.0' in lines
    retries = next(line for line in lines if line.startswith('rollcall_recoveries_total{kind="actor_retry"}'))
    assert float(retries.split()[-1]) >= 1


@pytest.mark.parametrize("attempt", range(12))
def test_a_repetition_waits_a_random_and_bounded_time(attempt):
    waits = {full_jitter_s(attempt) for _ in range(50)}
    assert len(waits) > 10
    assert 0 <= min(waits) <= max(waits) <= min(MOST_S, BASE_S * 2**attempt)
