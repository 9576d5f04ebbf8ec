"""Merging shards: what comes out is what one gallery of everything would answer."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from ray_backend.domain.model import Candidate
from ray_backend.gallery.sharding import merge

templates = st.lists(
    st.tuples(st.sampled_from("abcdef"), st.integers(-20, 20), st.integers(0, 3)), max_size=40
)


def nearest(rows: list[tuple[str, int]], limit: int) -> list[Candidate]:
    """The plain search of one shard."""
    best = {person: max(s for p, s in rows if p == person) for person, _ in rows}
    return [Candidate(p, s / 20) for p, s in sorted(best.items(), key=lambda item: -item[1])[:limit]]


@given(held=templates, limit=st.integers(1, 8))
def test_shards_together_answer_like_one_gallery(held, limit):
    shards = [[(person, s) for person, s, shard in held if shard == number] for number in range(4)]
    merged = merge([nearest(shard, limit) for shard in shards], limit)
    whole = nearest([(person, s) for person, s, _ in held], limit)
    assert [c.similarity for c in merged] == [c.similarity for c in whole]
    assert len({c.person_id for c in merged}) == len(merged)


def test_a_person_on_two_shards_counts_once_with_the_largest_similarity():
    first = [Candidate("ada", 0.7), Candidate("alan", 0.6)]
    second = [Candidate("grace", 0.8), Candidate("ada", 0.75)]
    assert merge([first, second], 2) == [Candidate("grace", 0.8), Candidate("ada", 0.75)]


def test_of_equals_the_one_named_first_comes_first():
    assert merge([[Candidate("ada", 0.5)], [Candidate("alan", 0.5)]], 1) == [Candidate("ada", 0.5)]


def test_no_shards_and_empty_shards_name_nobody():
    assert merge([], 3) == []
    assert merge([[], []], 3) == []


def test_it_takes_any_iterable_once():
    shards = ([Candidate(f"p{n}", float(np.float32(n) / 10))] for n in range(3))
    assert [c.person_id for c in merge(shards, 2)] == ["p2", "p1"]
