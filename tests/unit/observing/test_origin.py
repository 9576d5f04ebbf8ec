"""An id goes along: in a thread of a pool, in a task, over to another process, and nowhere else."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

import pytest

from ray_backend.observing import origin


@pytest.mark.parametrize("asked", ["a", "req-1", "0b7f_3.x", "X" * 64])
def test_a_sane_id_is_taken(asked):
    assert origin.sane_or_new(asked) == asked


@pytest.mark.parametrize("asked", ["", "X" * 65, "a b", "a,b", "a\nb", '{"x":1}', "ä", "a/../b"])
def test_any_other_gets_a_new_one(asked):
    new = origin.sane_or_new(asked)
    assert new != asked
    assert origin.sane_or_new(new) == new
    assert origin.sane_or_new(asked) != new


def test_it_holds_within_and_not_behind():
    with origin.of("one"):
        with origin.of("two"):
            assert origin.request_id() == "two"
        assert origin.request_id() == "one"
    assert origin.request_id() == ""


def test_it_comes_over_to_another_process():
    with origin.of("one"):
        carried = origin.carried()
    with origin.arrived(carried):
        assert origin.request_id() == "one"
    with origin.arrived(""):
        assert origin.request_id() == ""


def test_a_trace_comes_over_with_it():
    with origin.arrived("one 00-aa-bb-01"):
        assert origin.request_id() == "one"
    assert origin.trace_of("one 00-aa-bb-01") == "00-aa-bb-01"


def test_many_go_in_one_text_and_come_out_again():
    each = ["one", "two 00-aa-bb-01", "three"]
    together = origin.joined(each)
    assert origin.parted(together, 3) == each
    assert origin.ids_of(together) == "one,two,three"
    assert origin.joined(["", ""]) == ""
    assert origin.parted("", 2) == ["", ""]


def test_a_thread_of_a_pool_works_for_whoever_asked_it():
    with ThreadPoolExecutor(1) as pool, origin.of("one"):
        kept, lost = origin.kept(origin.request_id), origin.request_id
        assert pool.submit(kept).result() == "one"
        assert pool.submit(lost).result() == ""


def test_requests_at_the_same_time_do_not_mix():
    async def request(name: str) -> str:
        origin.begin(name)
        await asyncio.sleep(0.01)
        return origin.request_id()

    async def all_of_them() -> list[str]:
        return await asyncio.gather(*(request(str(number)) for number in range(20)))

    assert asyncio.run(all_of_them()) == [str(number) for number in range(20)]
