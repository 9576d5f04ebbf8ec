"""How the photos of one person go together: a photo of somebody else stands out."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest

from ray_backend.domain.model import Template
from ray_backend.domain.nearness import Fit, compare

NOW = datetime(2026, 3, 2, tzinfo=UTC)


def at(degrees: float, template_id: str, pack_id: str = "p") -> Template:
    """A photo in this direction: cosines are those of the angles between them."""
    angle = np.radians(degrees)
    embedding = np.array([np.cos(angle), np.sin(angle)], np.float32)
    return Template("ada", pack_id, embedding, 0.9, "upload", NOW, template_id=template_id)


def fits(*templates: Template, threshold: float = 0.8, margin: float = 0.05) -> dict[str, Fit]:
    found = compare(templates, pack_id="p", threshold=threshold, margin=margin)
    return {one.template_id: one.fit for one in found}


def test_without_photos_there_is_nothing():
    assert compare([], pack_id="p", threshold=0.5, margin=0.1) == ()


def test_a_single_photo_is_compared_with_nothing():
    assert fits(at(0, "a")) == {"a": Fit.ONLY_ONE}


def test_the_one_that_nothing_matches_shows_somebody_else():
    assert fits(at(0, "a"), at(5, "b"), at(10, "c"), at(90, "x")) == {
        "a": Fit.FITS, "b": Fit.FITS, "c": Fit.FITS, "x": Fit.SOMEBODY_ELSE,
    }  # fmt: skip


def test_one_that_most_others_do_not_match_differs():
    found = fits(at(0, "a"), at(2, "b"), at(4, "c"), at(45, "d"), threshold=0.74)
    assert found == {"a": Fit.FITS, "b": Fit.FITS, "c": Fit.FITS, "d": Fit.DIFFERS}


def test_photos_of_one_person_fit():
    assert set(fits(at(0, "a"), at(5, "b"), at(10, "c")).values()) == {Fit.FITS}


def test_of_two_that_differ_it_cannot_be_told_which_is_wrong():
    assert fits(at(0, "a"), at(80, "b")) == {"a": Fit.SOMEBODY_ELSE, "b": Fit.SOMEBODY_ELSE}


def test_one_within_the_margin_differs():
    cosine_of_33 = 0.8387
    assert fits(at(0, "a"), at(33, "b"), threshold=cosine_of_33 - 0.01) == {
        "a": Fit.DIFFERS,
        "b": Fit.DIFFERS,
    }


def test_photos_of_another_pack_are_left_out():
    other = replace(at(90, "old"), pack_id="q", embedding=np.ones(7, np.float32))
    assert fits(at(0, "a"), other, at(5, "b")) == {
        "a": Fit.FITS, "old": Fit.NOT_COMPARABLE, "b": Fit.FITS,
    }  # fmt: skip


def test_the_numbers_are_cosines_in_the_order_of_the_photos():
    first, second, third = compare(
        [at(0, "a"), at(60, "b"), at(90, "c")], pack_id="p", threshold=0.8, margin=0.05
    )
    assert [one.template_id for one in (first, second, third)] == ["a", "b", "c"]
    assert first.nearest == pytest.approx(0.5, abs=1e-6)
    assert first.average == pytest.approx(0.25, abs=1e-6)
    assert second.nearest == pytest.approx(np.cos(np.radians(30)), abs=1e-6)
