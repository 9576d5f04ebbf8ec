"""Unknown faces in groups: who may be together, the caps, and that the same faces give the same groups."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime, timedelta
from itertools import count

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ray_backend.domain.grouping import GroupedFace, Grouping, GroupingRules

START = datetime(2026, 3, 2, 8, tzinfo=UTC)
THRESHOLD, DIMENSION = 0.5, 16
SEEDS = st.integers(0, 2**32 - 1)


def unit(vector: np.ndarray) -> np.ndarray:
    return (vector / np.linalg.norm(vector)).astype(np.float32)


def face(number: int, embedding: np.ndarray, *, quality: float = 0.5) -> GroupedFace:
    return GroupedFace(f"{number:04}", START + timedelta(minutes=number), quality, unit(embedding))


def anybody(seed: int, number: int) -> list[GroupedFace]:
    """Faces of no structure at all, some of them close together."""
    random = np.random.default_rng(seed)
    centres = random.standard_normal((4, DIMENSION))
    return [
        face(i, centres[random.integers(4)] + random.uniform(0, 1.5) * random.standard_normal(DIMENSION),
             quality=float(random.uniform()))
        for i in range(number)
    ]  # fmt: skip


def people(seed: int, number: int, faces_each: int) -> list[tuple[int, GroupedFace]]:
    """Faces of people who are told apart by far: cosine 0 between people, about 0.9 within one."""
    random = np.random.default_rng(seed)
    found = []
    for who in range(number):
        for _ in range(faces_each):
            noise = random.standard_normal(DIMENSION)
            vector = np.eye(DIMENSION)[who] + 0.33 * noise / np.linalg.norm(noise)
            found.append((who, face(len(found), vector)))
    return found


def grouping(rules: GroupingRules | None = None) -> Grouping:
    names = count()
    return Grouping(DIMENSION, rules, make_id=lambda: f"g{next(names):04}")


def grouped(faces, rules: GroupingRules | None = None) -> Grouping:
    made = grouping(rules)
    for one in faces:
        made.add(one, THRESHOLD)
    return made


def parts(made: Grouping) -> set[frozenset[str]]:
    return {frozenset(one.face_id for one in group.faces) for group in made}


@given(SEEDS, st.integers(1, 40))
def test_a_face_joins_the_group_it_is_most_like_and_only_from_the_threshold_on(seed, number):
    made = grouping()
    for one in anybody(seed, number):
        before = {group.group_id: [other.embedding for other in group.faces] for group in made}
        likeness = {key: float(np.mean(np.stack(rows) @ one.embedding)) for key, rows in before.items()}
        placed = made.add(one, THRESHOLD).group_id
        best = max(likeness.values(), default=-1.0)
        if placed in before:
            assert likeness[placed] >= THRESHOLD - 1e-5
            assert likeness[placed] == pytest.approx(best, abs=1e-5)
        else:
            assert best < THRESHOLD + 1e-5


@given(SEEDS, st.integers(1, 6), st.integers(1, 5), st.randoms(use_true_random=False))
def test_people_who_are_told_apart_are_grouped_alike_in_any_order_of_arrival(seed, number, each, random):
    shown = people(seed, number, each)
    random.shuffle(shown)
    by_person = defaultdict(set)
    for who, one in shown:
        by_person[who].add(one.face_id)
    assert parts(grouped(one for _, one in shown)) == {frozenset(ids) for ids in by_person.values()}


@given(SEEDS, st.integers(1, 60), st.integers(1, 4), st.integers(1, 5))
def test_the_caps_hold_and_everything_dropped_is_told(seed, number, most_faces, most_groups):
    made = grouping(GroupingRules(most_faces, most_groups))
    kept: dict[str, str] = {}
    for one in anybody(seed, number):
        placed = made.add(one, THRESHOLD)
        kept[one.face_id] = placed.group_id
        kept = {
            face_id: group_id
            for face_id, group_id in kept.items()
            if face_id not in placed.dropped_faces and group_id not in placed.dropped_groups
        }
        assert one.face_id in kept, "what came just now stays"
        assert len(made) <= most_groups
        assert all(len(group.faces) <= most_faces for group in made)
        assert kept == {one.face_id: group.group_id for group in made for one in group.faces}


@given(SEEDS, st.integers(1, 50))
def test_the_same_faces_in_the_same_order_give_the_same_groups(seed, number):
    rules = GroupingRules(most_faces=3, most_groups=4)
    one, other = (grouped(anybody(seed, number), rules) for _ in range(2))
    assert [(g.group_id, [f.face_id for f in g.faces]) for g in one] == [
        (g.group_id, [f.face_id for f in g.faces]) for g in other
    ]


@given(SEEDS, st.integers(2, 40), st.data())
def test_what_was_kept_goes_on_as_if_nothing_had_been_forgotten(seed, number, data):
    faces = anybody(seed, number)
    half = data.draw(st.integers(1, number - 1))
    made, again = grouped(faces[:half]), grouping()
    for group in made:
        again.restore(group.group_id, group.faces)
    for one in faces[half:]:
        left, right = made.nearest(one.embedding), again.nearest(one.embedding)
        assert left[0] == right[0]
        assert left[1] == pytest.approx(right[1], abs=1e-6)


def test_a_full_group_drops_its_poorest_face_but_never_the_newest():
    vector = np.eye(DIMENSION)[0]
    made = grouping(GroupingRules(most_faces=2))
    made.add(face(0, vector, quality=0.9), THRESHOLD)
    made.add(face(1, vector, quality=0.4), THRESHOLD)
    placed = made.add(face(2, vector, quality=0.1), THRESHOLD)
    assert placed.dropped_faces == ("0001",)
    assert parts(made) == {frozenset({"0000", "0002"})}
    assert next(iter(made)).seen == 3


def test_the_group_that_was_not_seen_for_longest_goes_and_an_ignored_one_stays():
    rows = np.eye(DIMENSION)
    made = grouping(GroupingRules(most_groups=2))
    first = made.add(face(0, rows[0]), THRESHOLD).group_id
    second = made.add(face(1, rows[1]), THRESHOLD).group_id
    made.get(first).ignored = True
    assert made.add(face(2, rows[2]), THRESHOLD).dropped_groups == (second,)
    assert made.get(first) is not None


def test_only_a_person_merges_groups_that_came_near():
    rows = np.eye(DIMENSION)
    one, other = unit(rows[0] + 0.65 * rows[1]), unit(0.4 * rows[0] + rows[1])
    made = grouping()
    first = made.add(face(0, rows[0]), THRESHOLD).group_id
    second = made.add(face(1, rows[1]), THRESHOLD).group_id
    made.add(face(2, one), THRESHOLD)
    made.add(face(3, other), THRESHOLD)
    assert len(made) == 2
    assert made.alike(first, 0.3) == [second]
    assert made.alike(first, 0.9) == []
    assert made.merge(first, [second]) == ()
    assert parts(made) == {frozenset({"0000", "0001", "0002", "0003"})}
    assert made.alike(first, -1.0) == []


def test_faces_and_groups_go_when_their_time_is_over():
    rows = np.eye(DIMENSION)
    made = grouped([face(0, rows[0]), face(1, rows[1]), face(5, rows[1])])
    assert made.remove_before(START + timedelta(minutes=2)) == 2
    assert parts(made) == {frozenset({"0005"})}
    made.remove_faces(["0005", "nobody"])
    assert len(made) == 0
    assert made.nearest(unit(rows[1])) is None
    assert made.remove_group("nobody") == []
