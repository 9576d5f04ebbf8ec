"""Faces are kept apart between frames."""

import pytest

from ray_backend.domain.kiosk.tracker import Tracker, overlap
from tests.unit.domain.kiosk.film import RULES, Actor, frame

RATES = [2, 5, 10, 15]


def walk(fps, *places, size_px=120):
    """The tracks of one face that is at these centres, one frame after the other."""
    tracker = Tracker(RULES)
    return [tracker.update(frame(index / fps, Actor("ada", size_px, x)))[0] for index, x in enumerate(places)]


@pytest.mark.parametrize("fps", RATES)
def test_a_face_that_stays_is_one_track(fps):
    assert len(set(walk(fps, *[320 + 5 * (index % 2) for index in range(20)]))) == 1


@pytest.mark.parametrize("fps", RATES)
def test_somebody_who_moves_by_two_of_their_faces_in_a_second_is_one_track(fps):
    assert len(set(walk(fps, *[100 + 240 * index / fps for index in range(2 * fps)]))) == 1


@pytest.mark.parametrize("fps", RATES)
def test_somebody_who_walks_up_is_one_track(fps):
    tracker = Tracker(RULES)
    seen = {
        tracker.update(frame(index / fps, Actor("ada", 50 * 1.5 ** (index / fps))))[0]
        for index in range(3 * fps)
    }
    assert len(seen) == 1


@pytest.mark.parametrize("fps", RATES)
def test_a_face_that_jumps_is_a_new_track(fps):
    first, second = walk(fps, 100, 400)
    assert first != second


@pytest.mark.parametrize("fps", RATES)
def test_a_face_that_is_suddenly_twice_as_large_is_a_new_track(fps):
    tracker = Tracker(RULES)
    first = tracker.update(frame(0, Actor("ada", 60)))
    assert tracker.update(frame(1 / fps, Actor("bob", 150))) != first


def test_a_missed_frame_does_not_end_a_track():
    tracker = Tracker(RULES)
    first = tracker.update(frame(0, Actor("ada")))
    assert tracker.update(frame(0.5)) == ()
    assert tracker.alive == set(first)
    assert tracker.update(frame(1.0, Actor("ada"))) == first


def test_a_track_that_was_not_seen_for_long_is_over():
    tracker = Tracker(RULES)
    first = tracker.update(frame(0, Actor("ada")))
    tracker.update(frame(RULES.lost_s + 0.01))
    assert tracker.alive == frozenset()
    assert tracker.update(frame(RULES.lost_s + 0.02, Actor("ada"))) != first


def test_neighbours_keep_their_tracks_whoever_comes_first_in_the_frame():
    tracker = Tracker(RULES)
    left, right = Actor("ada", 120, 200), Actor("bob", 118, 440)
    ada, bob = tracker.update(frame(0, left, right))
    larger_right = Actor("bob", 122, 440)
    assert tracker.update(frame(0.1, left, larger_right)) == (bob, ada)


@pytest.mark.parametrize("fps", [5, 10, 15])
def test_two_people_who_cross_at_different_distances_keep_their_tracks(fps):
    tracker = Tracker(RULES)
    first = None
    for index in range(2 * fps):
        place = 200 * index / fps
        ids = tracker.update(
            frame(index / fps, Actor("near", 160, 120 + place), Actor("far", 80, 520 - place))
        )
        first = first or ids
        assert ids == first


def test_two_faces_never_share_a_track():
    tracker = Tracker(RULES)
    tracker.update(frame(0, Actor("ada")))
    ids = tracker.update(frame(0.1, Actor("ada", x=315), Actor("bob", x=325)))
    assert len(set(ids)) == 2


def test_a_renewed_track_goes_on_under_a_new_number():
    tracker = Tracker(RULES)
    (old,) = tracker.update(frame(0, Actor("ada")))
    new = tracker.renew(old)
    assert new != old
    assert tracker.alive == {new}
    assert tracker.update(frame(0.1, Actor("ada"))) == (new,)


def test_a_box_without_an_extent_is_a_track_of_its_own():
    tracker = Tracker(RULES)
    tracker.update(frame(0, Actor("ada")))
    tracker.update(frame(0.1, Actor("ada", 0)))
    assert len(tracker.alive) == 2


@pytest.mark.parametrize(
    ("one", "other", "share"),
    [
        ((0, 0, 10, 10), (0, 0, 10, 10), 1.0),
        ((0, 0, 10, 10), (5, 0, 15, 10), 1 / 3),
        ((0, 0, 10, 10), (10, 0, 20, 10), 0.0),
        ((0, 0, 10, 10), (30, 30, 40, 40), 0.0),
        ((0, 0, 0, 0), (0, 0, 0, 0), 0.0),
    ],
)
def test_the_overlap_of_boxes(one, other, share):
    assert overlap(one, other) == pytest.approx(share)
