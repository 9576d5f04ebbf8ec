"""Who looks like somebody who is about to be registered, told before anything is stored."""

from __future__ import annotations

import numpy as np
import pytest

from ray_backend.domain.model import PhotoProblem, Template
from ray_backend.domain.requests import PersonDraft
from ray_backend.vision.images import decode
from tests.fakes import FAKE_PACK, FakeEngine, photo
from tests.unit.services.conftest import photos

ADA, ALAN = 1, 2


def embedding_of(who: int) -> np.ndarray:
    engine = FakeEngine()
    picture = decode(photo(who), max_bytes=10**7, max_pixels=10**7)
    return engine.embed([engine.align(picture, engine.detect(picture)[0])])[0]


def like(embedding: np.ndarray, similarity: float, seed: int = 5) -> np.ndarray:
    """Another embedding of just this cosine to the first."""
    other = np.random.default_rng(seed).standard_normal(embedding.shape)
    other -= (other @ embedding) * embedding
    mixed = similarity * embedding + (1 - similarity**2) ** 0.5 * other / np.linalg.norm(other)
    return (mixed / np.linalg.norm(mixed)).astype(np.float32)


def add_template(site, person, embedding) -> None:
    made = Template(person.person_id, FAKE_PACK.pack_id, embedding, 1.0, "test", site.clock.now())
    site.backend._enrolments.add_template(made)


def check(site, *files, person_id=None):
    return site.backend.check_photos(photos(*files), person_id)


def test_nobody_is_found_in_an_empty_site_and_nothing_is_stored(site):
    found = check(site, photo(ADA))
    assert found.similar == ()
    assert [review.reason for review in found.reviews] == [None]
    assert site.backend.overview().people == 0


def test_the_same_face_is_found_with_both_pictures(site):
    ada = site.enrol(ADA)
    found = check(site, photo(ADA, variant=1))
    (one,) = found.similar
    assert (one.person, one.same) == (ada, True)
    assert one.similarity == pytest.approx(1, abs=1e-4)
    assert one.new_thumbnail[:2] == one.known_thumbnail[:2] == b"\xff\xd8"
    assert [review.reason for review in found.reviews] == [PhotoProblem.ANOTHER_PERSON]


@pytest.mark.parametrize(
    ("short_of_the_threshold", "found"), [(0.0, "same"), (0.03, "alike"), (0.049, "alike"), (0.06, "")]
)
def test_look_alikes_are_those_within_the_margin_below_the_threshold(site, short_of_the_threshold, found):
    alan = site.enrol(ALAN)
    similarity = FAKE_PACK.threshold - short_of_the_threshold + 0.001
    add_template(site, alan, like(embedding_of(ADA), similarity))

    similar = check(site, photo(ADA)).similar

    assert ["same" if one.same else "alike" for one in similar] == ([found] if found else [])
    if similar:
        assert similar[0].similarity == pytest.approx(similarity, abs=1e-4)


def test_a_person_is_told_once_with_the_best_of_all_photos_and_the_nearest_comes_first(site):
    alan, grace = site.enrol(ALAN), site.enrol(3)
    add_template(site, alan, like(embedding_of(ADA), 0.46))
    add_template(site, alan, like(embedding_of(ADA), 0.47, seed=6))
    add_template(site, grace, like(embedding_of(ADA), 0.48, seed=7))
    similar = check(site, photo(ADA), photo(ADA, variant=1)).similar
    assert [one.person.name for one in similar] == ["Person 3", "Person 2"]


def test_who_is_being_looked_at_is_no_look_alike_of_themselves(site):
    ada = site.enrol(ADA)
    assert check(site, photo(ADA, variant=1), person_id=ada.person_id).similar == ()


def test_poor_photos_are_compared_with_nobody(site):
    site.enrol(ADA)
    found = check(site, photo(ADA, blurred=True, variant=1))
    assert found.similar == ()


def test_what_is_told_agrees_with_what_is_kept_after_saving(site):
    alan = site.enrol(ALAN)
    add_template(site, alan, like(embedding_of(ADA), 0.47))
    (told,) = check(site, photo(ADA)).similar
    ada = site.enrol(ADA)
    assert told.person.person_id in site.backend._check_ins.look_alikes()[ada.person_id]


def test_the_consent_that_was_shown_is_the_one_that_is_stored(site):
    shown = site.backend.site.keep_consent_text()
    site.backend.site.change({"consent_text": "A newer text."}, actor="admin")
    old = site.enrol(ADA, consent_version=shown)
    new = site.enrol(ALAN)
    assert (old.consent_version, new.consent_version) == (shown, site.backend.site.current().consent_version)
    assert "used to record attendance" in site.backend.site.consent_text(old.consent_version)


def test_without_consent_no_version_is_noted(site):
    draft = PersonDraft("E9", "Nobody Asked")
    person = site.try_enrol(draft, photo(9), consent_required=False).person
    assert (person.consent_at, person.consent_version) == (None, "")
