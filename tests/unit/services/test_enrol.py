"""Enrolment: which photos become templates, and that a refusal leaves nothing behind."""

from __future__ import annotations

import io
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from ray_backend.domain.errors import (
    ConsentMissing,
    DuplicateEmployeeId,
    FaceBelongsToAnother,
    InvalidInput,
    PersonNotFound,
    PhotosRefused,
    StoreUnavailable,
)
from ray_backend.domain.model import DecisionKind, PhotoProblem, QualityIssue, new_id
from ray_backend.domain.quality import ENROL_LIMITS
from ray_backend.domain.requests import PersonDraft
from ray_backend.storage.memory import MemoryStore
from tests.fakes import FAKE_PACK, colour_of, photo
from tests.unit.services.conftest import photos
from tests.unit.services.test_check_in import race

ADA, ALAN = 1, 2
DRAFT = PersonDraft("E1", "Ada Lovelace", "Engines", "ada@example.org", consent=True)
GIF = b"GIF89a" + bytes(40)


def with_passer_by(who: int, passer_by: int, size: int) -> bytes:
    """A picture of one person, 150 px wide, with somebody of this width beside."""
    picture = np.zeros((240, 420, 3), np.uint8)
    picture[40:190, 20:170] = colour_of(who)
    picture[40 : 40 + size, 220 : 220 + size] = colour_of(passer_by)
    buffer = io.BytesIO()
    Image.fromarray(picture[:, :, ::-1]).save(buffer, "PNG")
    return buffer.getvalue()


def reasons(reviews) -> list:
    return [review.reason for review in reviews]


def test_an_enrolled_person_is_recognised_by_the_next_frame(site):
    assert site.check_in(ADA).decision.kind is DecisionKind.UNKNOWN
    enrolment = site.try_enrol(DRAFT, photo(ADA))
    assert site.check_in(ADA).person == enrolment.person


def test_what_was_typed_and_when_consent_was_given_is_stored(site):
    person = site.try_enrol(replace(DRAFT, name="  Ada   Lovelace "), photo(ADA)).person
    assert site.store.get_person(person.person_id) == person
    assert (person.employee_id, person.name, person.department) == ("E1", "Ada Lovelace", "Engines")
    assert person.email == "ada@example.org"
    assert person.created_at == person.consent_at == site.clock.now()
    assert person.active


def test_each_accepted_photo_becomes_a_template_with_its_face(site):
    enrolment = site.try_enrol(DRAFT, photo(ADA), photo(ADA, variant=1))
    assert reasons(enrolment.reviews) == [None, None]
    assert [review.label for review in enrolment.reviews] == ["0.png", "1.png"]
    templates = site.store.templates_of(enrolment.person.person_id)
    assert len({template.photo_sha256 for template in templates}) == 2
    for template in templates:
        assert (template.pack_id, template.source) == (FAKE_PACK.pack_id, "upload")
        assert np.linalg.norm(template.embedding) == pytest.approx(1.0, abs=1e-5)
        assert 0 < template.quality <= 1
        assert Image.open(io.BytesIO(template.thumbnail)).format == "JPEG"
    assert site.counts() == (1, 2, 2)


def test_bad_photos_are_left_out_beside_good_ones(site):
    files = (GIF, photo(), photo(ADA), photo(ADA, ALAN), photo(ADA, blurred=True), photo(ADA), photo(ALAN))
    enrolment = site.try_enrol(DRAFT, *files)
    assert reasons(enrolment.reviews) == [
        PhotoProblem.UNREADABLE,
        PhotoProblem.NO_FACE,
        None,
        PhotoProblem.SEVERAL_FACES,
        QualityIssue.BLURRED,
        PhotoProblem.ALREADY_STORED,
        PhotoProblem.NOT_THE_SAME_PERSON,
    ]
    assert site.counts() == (1, 1, 1)


@pytest.mark.parametrize(
    ("file", "reason"),
    [
        (GIF, PhotoProblem.UNREADABLE),
        (photo(ADA)[:200], PhotoProblem.UNREADABLE),
        (photo(), PhotoProblem.NO_FACE),
        (photo(ADA, ALAN), PhotoProblem.SEVERAL_FACES),
        (with_passer_by(ADA, ALAN, 90), PhotoProblem.SEVERAL_FACES),
        (photo(ADA, blurred=True), QualityIssue.BLURRED),
    ],
    ids=["gif", "cut off", "empty", "two people", "two at a distance", "blurred"],
)
def test_an_enrolment_without_a_good_photo_is_refused_and_leaves_nothing(site, file, reason):
    with pytest.raises(PhotosRefused) as refusal:
        site.try_enrol(DRAFT, file)
    assert reasons(refusal.value.reviews) == [reason]
    assert_nothing_is_left(site)


def assert_nothing_is_left(site) -> None:
    assert site.counts() == (0, 0, 0)
    assert site.store.find_person("E1") is None
    assert site.check_in(ADA).decision.kind is DecisionKind.UNKNOWN
    assert [entry for entry in site.audit() if entry.action.startswith("person")] == []


def test_a_review_shows_the_face_that_it_is_about(site):
    good, blurred, empty = site.backend.review(photos(photo(ADA), photo(ADA, blurred=True), photo()))
    assert good.box == blurred.box == (20, 40, 170, 190)
    assert good.accepted
    assert not blurred.accepted
    assert empty.box is None


def test_an_unreadable_photo_says_why(site):
    [review] = site.backend.review(photos(GIF))
    assert "JPEG, PNG or WebP" in review.detail


def test_somebody_small_in_the_background_does_not_matter(site):
    enrolment = site.try_enrol(DRAFT, with_passer_by(ADA, ALAN, 80))
    assert reasons(enrolment.reviews) == [None]
    assert site.check_in(ADA).person == enrolment.person
    assert site.check_in(ALAN).person is None


@pytest.mark.parametrize(
    ("flaw", "issue"),
    [
        ({"size_px": ENROL_LIMITS.min_size_px - 1}, QualityIssue.TOO_SMALL),
        ({"visible": ENROL_LIMITS.min_visible - 0.05}, QualityIssue.CUT_OFF),
        ({"yaw_deg": ENROL_LIMITS.max_yaw_deg + 1}, QualityIssue.TURNED_AWAY),
        ({"brightness": ENROL_LIMITS.min_brightness - 1}, QualityIssue.TOO_DARK),
        ({"brightness": ENROL_LIMITS.max_brightness + 1}, QualityIssue.TOO_BRIGHT),
        ({"sharpness": ENROL_LIMITS.min_sharpness - 1}, QualityIssue.BLURRED),
    ],
)
def test_templates_have_to_keep_the_stricter_limits(site, flaw, issue):
    [analysed] = site.backend.analyse(photos(photo(ADA)))
    face = analysed.analysis.faces[0]
    worse = replace(face, quality=replace(face.quality, **flaw))
    analysed = replace(analysed, analysis=replace(analysed.analysis, faces=(worse,)))
    enrolments = site.backend._records.enrolments
    with pytest.raises(PhotosRefused) as refusal:
        enrolments.enrol(DRAFT, [analysed], source="upload", actor="admin")
    assert reasons(refusal.value.reviews) == [issue]
    assert_nothing_is_left(site)


def test_without_photos_nobody_is_enrolled(site):
    with pytest.raises(PhotosRefused, match="at least one photo"):
        site.try_enrol(DRAFT)
    assert_nothing_is_left(site)


def test_without_consent_nobody_is_enrolled(site):
    with pytest.raises(ConsentMissing):
        site.try_enrol(replace(DRAFT, consent=False), photo(ADA))
    assert_nothing_is_left(site)


def test_where_consent_was_given_elsewhere_none_is_noted(site):
    person = site.try_enrol(replace(DRAFT, consent=False), photo(ADA), consent_required=False).person
    assert person.consent_at is None


def test_an_incomplete_form_is_refused_before_anything_else(site):
    with pytest.raises(InvalidInput, match="name"):
        site.try_enrol(replace(DRAFT, name=" "), photo(ADA))
    assert_nothing_is_left(site)


def test_an_employee_id_is_given_once(site):
    site.enrol(ADA)
    with pytest.raises(DuplicateEmployeeId, match="E1"):
        site.try_enrol(replace(DRAFT, employee_id=" E1 "), photo(ALAN))
    assert site.counts() == (1, 1, 1)
    assert site.check_in(ALAN).person is None


def test_a_face_that_is_another_persons_is_refused_and_says_whose(site):
    site.enrol(ADA)
    with pytest.raises(FaceBelongsToAnother) as refusal:
        site.try_enrol(replace(DRAFT, employee_id="E2"), photo(ALAN), photo(ADA, variant=1))
    assert (refusal.value.employee_id, refusal.value.name) == ("E1", "Person 1")
    assert "1.png" in refusal.value.message
    assert site.counts() == (1, 1, 1)
    assert site.store.find_person("E2") is None


def test_a_review_names_another_persons_face(site):
    ada = site.enrol(ADA)
    [review] = site.backend.review(photos(photo(ADA, variant=1)))
    assert (review.reason, review.detail) == (PhotoProblem.ANOTHER_PERSON, ada.person_id)
    [own] = site.backend.review(photos(photo(ADA, variant=1)), ada.person_id)
    assert own.accepted
    assert site.counts() == (1, 1, 1)


def test_the_face_of_somebody_erased_by_another_process_is_free(site):
    ada = site.enrol(ADA)
    site.store.erase_person(ada.person_id, keep_punches=False)
    again = site.try_enrol(DRAFT, photo(ADA)).person
    assert site.check_in(ADA).person == again


def test_a_face_is_registered_once_when_two_desks_try_at_once(site):
    def register(number: int):
        try:
            return site.enrol(ADA, photo(ADA, variant=number), employee_id=f"E{number}")
        except FaceBelongsToAnother as error:
            return error

    outcomes = race(8, register)
    assert sum(isinstance(outcome, FaceBelongsToAnother) for outcome in outcomes) == 7
    assert site.counts() == (1, 1, 1)


def test_an_employee_id_is_given_once_when_two_desks_try_at_once(site):
    def register(number: int):
        try:
            return site.enrol(number + 1, employee_id="E1")
        except DuplicateEmployeeId as error:
            return error

    outcomes = race(4, register)
    assert sum(isinstance(outcome, DuplicateEmployeeId) for outcome in outcomes) == 3
    assert site.counts() == (1, 1, 1)


def add(site, person, *files):
    return site.backend.add_photos(person.person_id, photos(*files), source="camera", actor="admin")


def test_more_photos_are_added_and_used(site):
    ada = site.enrol(ADA)
    enrolment = add(site, ada, photo(ADA, variant=1), photo(ADA, variant=2))
    assert reasons(enrolment.reviews) == [None, None]
    assert site.counts() == (1, 3, 3)


def test_adding_the_same_file_again_changes_nothing(site):
    ada = site.enrol(ADA)
    for _ in range(2):
        enrolment = add(site, ada, photo(ADA))
        assert reasons(enrolment.reviews) == [PhotoProblem.ALREADY_STORED]
    assert site.counts() == (1, 1, 1)
    assert [entry.action for entry in site.audit()].count("person.photos_added") == 0


def test_of_files_added_before_and_new_ones_the_new_ones_count(site):
    ada = site.enrol(ADA)
    enrolment = add(site, ada, photo(ADA), photo(ADA, variant=1), photo(ADA, variant=1))
    assert reasons(enrolment.reviews) == [PhotoProblem.ALREADY_STORED, None, PhotoProblem.ALREADY_STORED]
    assert site.counts() == (1, 2, 2)


def test_photos_of_somebody_unknown_are_not_added(site):
    ada = site.enrol(ADA)
    with pytest.raises(PhotosRefused) as refusal:
        add(site, ada, photo(ALAN))
    assert reasons(refusal.value.reviews) == [PhotoProblem.NOT_THE_SAME_PERSON]
    assert site.counts() == (1, 1, 1)


def test_photos_of_another_person_are_not_added(site):
    ada = site.enrol(ADA)
    site.enrol(ALAN)
    with pytest.raises(FaceBelongsToAnother):
        add(site, ada, photo(ADA, variant=1), photo(ALAN, variant=1))
    assert site.counts() == (2, 2, 2)


def test_photos_are_added_to_people_only(site):
    with pytest.raises(PersonNotFound):
        add(site, replace(site.enrol(ADA), person_id=new_id()), photo(ADA))


def test_photos_of_a_deactivated_person_are_stored_but_not_searched(site):
    ada = site.enrol(ADA)
    site.backend.people.set_active(ada.person_id, False, actor="admin")
    add(site, ada, photo(ADA, variant=1))
    assert site.counts() == (1, 2, 0)
    site.backend.people.set_active(ada.person_id, True, actor="admin")
    assert site.counts() == (1, 2, 2)


class FailingStore(MemoryStore):
    """Cannot write people or templates."""

    def add_person(self, person, templates=()):
        raise StoreUnavailable("The database does not answer.")

    def add_templates(self, templates):
        raise StoreUnavailable("The database does not answer.")


def test_without_a_database_nobody_is_recognised_who_is_not_stored(open_site):
    site = open_site(store=FailingStore())
    with pytest.raises(StoreUnavailable):
        site.try_enrol(DRAFT, photo(ADA))
    assert_nothing_is_left(site)
