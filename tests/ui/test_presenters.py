"""The words for people."""

from __future__ import annotations

import pytest

from ray_backend.domain.answers import PhotoReview
from ray_backend.domain.model import (
    Pack,
    PhotoProblem,
    QualityIssue,
)
from streamlit_app import presenters


@pytest.mark.parametrize("issue", list(QualityIssue))
def test_every_flaw_of_a_photo_has_a_reason(issue):
    assert presenters.photo_reason(PhotoReview("a", issue)).endswith(".")


@pytest.mark.parametrize(
    "problem", [problem for problem in PhotoProblem if problem is not PhotoProblem.UNREADABLE]
)
def test_every_photo_problem_has_words_of_its_own(problem):
    assert presenters.photo_reason(PhotoReview("a", problem, detail="opaque id")) not in ("", "opaque id")


def test_an_unreadable_photo_says_what_the_decoder_said():
    review = PhotoReview("a", PhotoProblem.UNREADABLE, detail="The picture is damaged.")

    assert presenters.photo_reason(review) == "The picture is damaged."


@pytest.mark.parametrize(
    ("box", "expected"),
    [((10, 20, 60, 80), (0.1, 0.1, 0.6, 0.4)), ((-5, -5, 105, 205), (0, 0, 1, 1))],
)
def test_boxes_are_shares_of_the_picture_and_stay_inside(box, expected):
    assert presenters.relative_box(box, (100, 200)) == expected


def test_without_a_box_or_a_size_there_is_no_relative_box():
    assert presenters.relative_box(None, (1, 1)) is None
    assert presenters.relative_box((0, 0, 1, 1), None) is None


def test_the_fall_back_warns_and_a_chosen_built_in_pack_does_not():
    pack = Pack("dlib-resnet", 128, 0.5, 0.05, "CC0", "it runs instead of buffalo_l, because ...")
    chosen = Pack("dlib-resnet", 128, 0.5, 0.05, "CC0", "set in ROLLCALL_PACK; built in")

    assert "built-in" in presenters.pack_warning(pack)
    assert presenters.pack_warning(chosen) == ""


@pytest.mark.parametrize(
    ("first", "shown", "total", "expected"),
    [(1, 1, 1, "1 person"), (1, 3, 3, "3 people"), (21, 20, 57, "21 to 40 of 57 people")],
)
def test_paging_in_words(first, shown, total, expected):
    assert presenters.paging_words(first, shown, total) == expected
