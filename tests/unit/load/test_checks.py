"""An answer that names somebody else, nobody, or too many is never taken for a right one."""

from __future__ import annotations

import pytest

from bench.load import checks

ADA = {"employee_id": "E1", "name": "Ada"}
BOB = {"employee_id": "E2", "name": "Bob"}


def face(person=None, decision=None):
    return {"decision": decision or ("match" if person else "unknown"), "person": person}


def faces(*people):
    return {"faces": [face(person) for person in people]}


def checked_in(person=None, punch_of=None, punch_id="p1", repeated=False):
    punch = {"punch_id": punch_id, "person": punch_of} if punch_of else None
    return face(person) | {"punch": punch, "repeated": repeated}


@pytest.mark.parametrize(
    ("answer", "expected", "fault"),
    [
        (faces(ADA), "E1", None),
        (faces(BOB), "E1", checks.WRONG_PERSON),
        (faces(None), "E1", checks.MISSING),
        (faces(None), None, None),
        (faces(ADA), None, checks.STRANGER),
        (faces(), "E1", checks.SEVERAL),
        (faces(ADA, BOB), "E1", checks.SEVERAL),
        ({}, "E1", checks.MALFORMED),
        ({"faces": [{}]}, "E1", checks.MALFORMED),
        ({"faces": [face(None, "match")]}, "E1", checks.MALFORMED),
        ({"faces": [face(ADA, "unknown")]}, "E1", checks.MALFORMED),
        ({"faces": [face(None, "poor_quality")]}, "E1", checks.MISSING),
    ],
)
def test_recognition(answer, expected, fault):
    assert checks.recognition(answer, expected) == fault


@pytest.mark.parametrize(
    ("answer", "expected", "fault"),
    [
        (checked_in(ADA, ADA), "E1", None),
        (checked_in(ADA, BOB), "E1", checks.WRONG_PERSON),
        (checked_in(ADA), "E1", checks.MALFORMED),
        (checked_in(BOB, BOB), "E1", checks.WRONG_PERSON),
        (checked_in(), "E1", checks.MISSING),
        (checked_in(), None, None),
        (checked_in(None, ADA), None, checks.MALFORMED),
        (checked_in(ADA, ADA), None, checks.STRANGER),
    ],
)
def test_check_in(answer, expected, fault):
    assert checks.check_in(answer, expected) == fault


def test_the_same_key_has_to_give_the_same_punch():
    check = checks.same_punch(checked_in(ADA, ADA, "p1"))

    assert check(checked_in(ADA, ADA, "p1", repeated=True)) is None
    assert check(checked_in(ADA, ADA, "p2")) == checks.ANOTHER_PUNCH
    assert check(checked_in(ADA)) == checks.ANOTHER_PUNCH


def test_after_a_repeated_visit_a_new_one_may_begin():
    check = checks.same_punch(checked_in(ADA, ADA, "p1", repeated=True))

    assert check(checked_in(ADA, ADA, "p2")) is None


def result(*people, problem=None):
    return {"recognition": None if problem else faces(*people), "problem": problem}


BUSY = {"status": 503}


@pytest.mark.parametrize(
    ("results", "fault"),
    [
        ([result(ADA), result(BOB)], None),
        ([result(BOB), result(ADA)], checks.WRONG_PERSON),
        ([result(ADA)], checks.MALFORMED),
        ([result(ADA), result(problem=BUSY)], None),
        ([result(ADA), result(problem={"status": 422})], checks.MALFORMED),
    ],
)
def test_batch_answers_come_in_order(results, fault):
    assert checks.batch({"results": results}, ["E1", "E2"]) == fault


def test_a_refused_registration_names_whose_face_it_is():
    assert checks.owner_named({"person": ADA}, "E1") is None
    assert checks.owner_named({"person": BOB}, "E1") == checks.WRONG_PERSON
    assert checks.owner_named({}, "E1") == checks.WRONG_PERSON
