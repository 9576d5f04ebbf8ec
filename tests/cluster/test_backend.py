"""One suite for both backends: in this process, and over actor handles on a real Ray."""

from __future__ import annotations

from datetime import timedelta

import pytest

from ray_backend.client import Photo, local_backend
from ray_backend.domain.errors import (
    Conflict,
    DuplicateEmployeeId,
    FaceBelongsToAnother,
    InvalidInput,
    PersonNotFound,
    PhotosRefused,
    UnsupportedImage,
    WrongCredentials,
)
from ray_backend.domain.model import DecisionKind, Direction, PhotoProblem
from ray_backend.domain.queries import PeopleQuery, PunchQuery
from ray_backend.domain.requests import PersonDraft, SheetQuery
from ray_backend.services.tables import day_sheet
from tests.people import face_photo, group_photo

ADA = PersonDraft("E1", "Ada Example", department="Lab", consent=True)
BOB = PersonDraft("E2", "Bob Example", consent=True)


@pytest.fixture(params=["in process", "on ray"])
def backend(request, settings):
    if request.param == "in process":
        backend = local_backend(settings.model_copy(update={"ray_address": ""}))
        yield backend
        backend.close()
        return
    from ray_backend import client
    from ray_backend.serving import cluster

    cluster.start_actors(settings)
    yield client.ray_backend(settings)
    cluster.stop_actors()


def enrol(backend, draft, person):
    photos = [Photo("1.jpg", face_photo(person))]
    return backend.enrol(draft, photos, source="upload", actor="test").person


def test_who_is_enrolled_is_recognised_by_the_next_frame_and_recorded(backend):
    ada = enrol(backend, ADA, 0)
    enrol(backend, BOB, 1)

    answer = backend.check_in(face_photo(0, 2), kiosk="door", idempotency_key="frame-1")

    assert answer.decision.kind is DecisionKind.MATCH
    assert answer.person == ada
    assert answer.punch.direction is Direction.IN
    assert answer.punch.receipt.pack_id == "dlib-resnet"
    assert answer.local_time.utcoffset() in {timedelta(hours=1), timedelta(hours=2)}
    assert [punch for punch, _ in backend.reports.recent_punches(PunchQuery())] == [answer.punch]


def test_the_same_key_gives_the_same_punch(backend):
    enrol(backend, ADA, 0)
    first = backend.check_in(face_photo(0, 1), kiosk="door", idempotency_key="frame-1")
    again = backend.check_in(face_photo(0, 1), kiosk="door", idempotency_key="frame-1")

    assert again.punch == first.punch
    assert again.repeated
    assert not first.repeated


def test_a_stranger_is_unknown_and_leaves_no_punch(backend):
    enrol(backend, ADA, 0)
    answer = backend.check_in(face_photo(2), kiosk="door")

    assert answer.decision.kind is DecisionKind.UNKNOWN
    assert answer.person is None
    assert backend.reports.recent_punches(PunchQuery()) == []


def test_errors_arrive_as_they_were_raised(backend):
    ada = enrol(backend, ADA, 0)
    with pytest.raises(UnsupportedImage):
        backend.check_in(b"no picture", kiosk="door")
    with pytest.raises(DuplicateEmployeeId):
        enrol(backend, ADA, 1)
    with pytest.raises(FaceBelongsToAnother) as refused:
        enrol(backend, BOB, 0)
    assert (refused.value.employee_id, refused.value.name) == ("E1", "Ada Example")
    with pytest.raises(PhotosRefused) as refused:
        backend.add_photos(ada.person_id, [Photo("x", group_photo())], source="upload", actor="test")
    assert refused.value.reviews[0].reason is PhotoProblem.SEVERAL_FACES
    with pytest.raises(PersonNotFound):
        backend.people.details("nobody")
    with pytest.raises(WrongCredentials):
        backend.access.verify_token("wrong")
    with pytest.raises(InvalidInput):
        backend.enrol(PersonDraft("", "No Id", consent=True), [], source="upload", actor="test")
    assert backend.overview().people == 1


def test_a_bad_photo_does_not_spoil_the_others(backend):
    photos = [Photo("good", face_photo(1)), Photo("bad", b"junk"), Photo("too", face_photo(1, 3))]
    reasons = [review.reason for review in backend.review(photos)]
    assert reasons == [None, PhotoProblem.UNREADABLE, None]


def test_the_erased_are_not_recognised_and_their_report_is_nameless(backend):
    ada = enrol(backend, ADA, 0)
    backend.check_in(face_photo(0, 1), kiosk="door")
    erasure = backend.people.erase(ada.person_id, typed_employee_id="E1", keep_punches=True, actor="test")
    assert (erasure.templates, erasure.punches_kept) == (1, 1)
    assert backend.check_in(face_photo(0, 1), kiosk="door").decision.kind is DecisionKind.UNKNOWN
    assert backend.people.find(PeopleQuery()).items == ()
    today = backend.reports.today()
    names = backend.timesheets.sheet(SheetQuery(today, today)).days["name"]
    assert list(names) == ["Erased person"]


def test_a_report_is_exported_with_its_rows(backend):
    enrol(backend, ADA, 0)
    backend.check_in(face_photo(0, 1), kiosk="door")
    today = backend.reports.today()
    report = backend.timesheets.sheet(SheetQuery(today, today, department="Lab"))
    assert b"Ada Example" in backend.export(day_sheet(report), "csv")
    assert backend.export(day_sheet(report), "xlsx").startswith(b"PK")


def test_a_token_lets_its_kiosk_in_until_it_is_revoked(backend):
    secret = backend.access.issue_token("door", actor="test")
    assert backend.access.verify_token(secret) == "door"
    backend.access.revoke_token(backend.access.tokens()[0].token_id, actor="test")
    with pytest.raises(WrongCredentials):
        backend.access.verify_token(secret)


def test_a_group_photo_records_everybody_on_it_once(backend):
    people = {enrol(backend, ADA, 0).person_id, enrol(backend, BOB, 1).person_id}
    seen = backend.recognise(group_photo())
    assert seen.picture_size is not None
    here = [face.person.person_id for face in seen.faces if face.person]
    assert set(here) == people

    first = backend.record_present(here, picture_sha256="0" * 64, actor="test")
    again = backend.record_present(here, picture_sha256="0" * 64, actor="test")

    assert [answer.repeated for answer in (*first, *again)] == [False, False, True, True]
    punches = [punch for punch, _ in backend.reports.recent_punches(PunchQuery())]
    assert {(punch.person_id, punch.source) for punch in punches} == {(one, "group") for one in people}
    assert len(punches) == 2


def test_two_records_of_one_person_are_merged_and_parted_again(backend):
    ada, twice = enrol(backend, ADA, 0), enrol(backend, BOB, 1)
    early = backend.check_in(face_photo(1, 1), kiosk="door").punch
    merges = backend.merges

    preview = merges.preview(twice.person_id, ada.person_id)
    assert (preview.templates, preview.punches, preview.refused) == (1, 1, "")
    assert preview.looks_different
    merges.merge(twice.person_id, ada.person_id, actor="test")

    assert backend.check_in(face_photo(1, 2), kiosk="door").person == ada
    assert [row.templates for row in backend.people.find_rows(PeopleQuery()).items] == [2]
    punches = backend.reports.recent_punches(PunchQuery(people=(ada.person_id,)))
    assert (punches[0], len(punches)) == ((early, ada), 2)
    assert [one.person_id for one in merges.merged(ada.person_id)] == [twice.person_id]
    with pytest.raises(Conflict, match="Choose that person"):
        merges.merge(ada.person_id, twice.person_id, actor="test")

    assert merges.undo(twice.person_id, actor="test") == twice
    assert backend.check_in(face_photo(1, 3), kiosk="door").person == twice
    assert backend.people.find(PeopleQuery()).items == (ada, twice)
