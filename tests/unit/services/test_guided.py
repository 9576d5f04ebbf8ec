"""A guided enrolment over the face pipeline."""

from __future__ import annotations

import threading

import pytest

from ray_backend.domain.enrolment.words import Fix, Target
from ray_backend.domain.errors import BrokenImage, Forbidden
from ray_backend.domain.permissions import Caller, Role
from tests.fakes import photo


@pytest.fixture
def guided(site):
    """With a clock that moves by 0.2 s a frame."""
    made = site.backend.guided_enrolment()
    ticks = iter(range(10_000))
    made._elapsed_s = lambda: 0.2 * next(ticks)
    return made


def take_front(guided, who=1):
    for _ in range(5):
        answer = guided.frame(photo(who))
    assert [shot.target for shot in answer.shots] == [Target.FRONT]
    return answer


def test_the_front_is_taken_and_shown_with_its_thumbnail(guided):
    answer = take_front(guided)
    (shot,) = guided.photos()
    assert shot.image == photo(1)
    assert shot.thumbnail[:2] == b"\xff\xd8"
    assert answer.picture_size == (200, 240)
    assert answer.state.target is Target.LEFT


def test_the_buttons_do_what_they_say(guided):
    guided.skip()
    assert not guided.finished
    take_front(guided)
    for _ in range(3):
        guided.skip()
    assert guided.finished
    assert guided.frame(photo(1)).skipped == (Target.LEFT, Target.RIGHT, Target.UP)
    guided.retake(Target.UP)
    assert guided.frame(photo(1)).state.target is Target.UP
    guided.restart()
    assert guided.photos() == ()
    take_front(guided, who=2)


def test_nothing_is_stored_by_it(site, guided):
    take_front(guided)
    assert site.backend.overview().people == 0
    assert site.audit() == []


def test_a_broken_picture_is_refused_and_does_no_harm(guided):
    with pytest.raises(BrokenImage):
        guided.frame(b"\xff\xd8\xff broken")
    take_front(guided)


def test_somebody_elses_face_is_named_as_the_reason(guided):
    take_front(guided, who=1)
    for _ in range(5):
        answer = guided.frame(photo(2))
    assert answer.state.fix is Fix.ANOTHER_PERSON


def test_the_page_may_press_buttons_while_the_camera_sends(guided):
    def press():
        for _ in range(200):
            guided.skip()
            guided.retake(Target.LEFT)
            guided.photos()

    presser = threading.Thread(target=press)
    presser.start()
    for _ in range(20):
        answer = guided.frame(photo(1))
    presser.join()
    assert [shot.target for shot in answer.shots] == [Target.FRONT]


@pytest.mark.parametrize("role", [Role.MANAGER, Role.VIEWER, Role.KIOSK, Role.MONITOR])
def test_only_who_may_enrol_gets_one(site, role):
    with pytest.raises(Forbidden):
        site.backend.acting_as(Caller("somebody", role)).guided_enrolment()
