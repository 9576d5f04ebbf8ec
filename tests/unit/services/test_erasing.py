"""Erasing: reaches everything, survives a death at any moment, and says the truth in its certificate."""

from __future__ import annotations

import json
import logging
from dataclasses import replace
from datetime import timedelta

import pytest

from ray_backend.domain.entries import KINDS, EntryQuery
from ray_backend.domain.errors import Conflict, InvalidInput, PersonNotFound, StoreUnavailable
from ray_backend.domain.model import Direction, UnknownFace, UnknownGroup
from ray_backend.domain.queries import PunchQuery
from ray_backend.domain.worktime.corrections import Correction, CorrectionKind
from ray_backend.domain.worktime.schedule import Leave
from ray_backend.services import certificates
from ray_backend.services.attachments import Attachment
from ray_backend.services.certificates import is_about
from ray_backend.storage.memory import MemoryStore
from tests.fakes import FAKE_PACK, photo
from tests.unit.services.conftest import look_alike, stored_template

ADA, ALAN, TWIN = 1, 2, 11
WRITES = (
    "put_setting", "erase_person", "remove_unknown_faces", "put_unknown_group", "add_audit", "pin_setting",
    "replace_entry", "remove_entries",
)  # fmt: skip


@pytest.fixture(autouse=True)
def _cheap_digests(monkeypatch):
    monkeypatch.setitem(certificates._SCRYPT, "n", 16)


def erase(site, person, *, keep_punches=False, typed=None):
    return site.backend.people.erase(
        person.person_id,
        typed_employee_id=typed or person.employee_id,
        keep_punches=keep_punches,
        actor="admin",
    )


def merge(site, source, target):
    site.store.update_person(replace(source, merged_into=target.person_id))


def unknown(site, embedding, group_id, **changes):
    face = UnknownFace(site.clock.now(), "door", FAKE_PACK.pack_id, embedding, 0.5, group_id, b"jpeg")
    site.store.add_unknown_face(replace(face, **changes))


def corrected(site, ada, alan):
    """A correction with a file, one of Alan's punch that is said to be hers, and leave."""
    records, now = site.backend._records, site.clock.now()
    file = Attachment("doctor.txt", "text/plain", b"Ada was at the doctor")
    missed = Correction(
        CorrectionKind.ADD, ada.person_id, "Ada forgot", "", now, now, direction=Direction.OUT
    )
    records.corrections.request(missed, attachment=file, actor="anna")
    [punch] = site.punches(alan)
    hers = Correction(
        CorrectionKind.PERSON, alan.person_id, "Seen", "", now, punch.at,
        punch_id=punch.punch_id, to_person_id=ada.person_id,
    )  # fmt: skip
    records.corrections.request(hers, actor="anna")
    records.leave.add([Leave("l1", ada.person_id, now.date(), now.date(), "sick")], actor="anna")


def full_life(site):
    """Ada, with one of everything that a person can leave behind."""
    ada = site.enrol(ADA, photo(ADA), photo(ADA, variant=1), name="Ada Example", email="ada@example.org")
    alan = site.enrol(ALAN)
    site.backend.people.set_code(ada.person_id, "482913", actor="admin")
    embedding = site.store.templates_of(ada.person_id)[0].embedding
    twin = site.enrol(TWIN)
    site.backend._records.enrolments.add_template(
        stored_template(twin, look_alike(embedding, 0.47), template_id="twin")
    )
    site.check_in(ADA)
    site.check_in(ALAN)
    second = site.enrol(3, employee_id="E1-old", name="Ada Old")
    site.punch(second.person_id, site.clock.now() - timedelta(days=1))
    merge(site, second, ada)
    unknown(site, look_alike(embedding, 0.46), "hers")
    unknown(site, look_alike(embedding, 0.1), "hers")
    unknown(site, look_alike(embedding, 0.1, seed=2), "somebody")
    site.store.put_unknown_group(UnknownGroup("somebody", not_people=(ada.person_id, alan.person_id)))
    corrected(site, ada, alan)
    site.backend.calibration.start()
    return ada, second


def everything(store) -> str:
    """All that the store holds, as text, but the audit log."""
    people = [*store.merged_people(), *store.list_people(_everybody()).items]
    return repr((
        people, list(store.templates()), store.list_punches(PunchQuery()).items, store.settings(),
        store.unknown_faces(), store.unknown_groups(),
        [store.list_entries(EntryQuery(kind)).items for kind in KINDS],
    ))  # fmt: skip


def _everybody():
    from ray_backend.domain.queries import PeopleQuery

    return PeopleQuery(merged_into=None, limit=1000)


def found(certificate) -> dict[str, int]:
    return {f"{c['where']}/{c['what']}": c["found"] for c in certificate.content["checks"]}


def test_everything_of_a_person_goes_and_is_counted(site):
    ada, second = full_life(site)
    erasure = erase(site, ada)

    left = everything(site.store)
    for trace in (ada.person_id, second.person_id, "E1-old", "Ada ", "ada@example.org"):
        assert trace not in left
    content = erasure.certificate.content
    assert content["removed"] == {
        "records": 2, "templates": 3, "photos": 3, "codes": 1, "look_alike_notes": 1, "unknown_faces": 2,
        "punches": 2, "entries": 1, "leave": 1, "files": 1,
    }  # fmt: skip
    assert content["kept_without_a_name"] == {"punches": 0, "entries": 0}
    assert [face.group_id for face in site.store.unknown_faces()] == ["somebody"]
    assert site.store.unknown_groups()[0].not_people != ()
    assert erasure.certificate.verified
    assert set(found(erasure.certificate).values()) == {0}
    assert site.backend.calibration.state().result is None


def test_the_certificate_says_what_where_when_and_by_whom_and_names_nobody(site):
    ada, second = full_life(site)
    certificate = erase(site, ada, keep_punches=True).certificate

    text = certificates.to_file(certificate).decode()
    for personal in (ada.person_id, second.person_id, "Ada", "E1", "ada@example.org", "Engines"):
        assert f'"{personal}' not in text
        assert f"{personal}@" not in text
    content = certificate.content
    assert (content["by"], content["site"], content["pack"]) == ("admin", "Rollcall", "fake")
    assert content["finished_at"] == site.clock.now().isoformat()
    assert content["kept_without_a_name"] == {"punches": 2, "entries": 1}
    assert content["removed"]["punches"] == 0
    assert (content["removed"]["leave"], content["removed"]["files"]) == (1, 1)
    kept = repr([site.store.list_entries(EntryQuery(kind)).items for kind in KINDS])
    assert "forgot" not in kept
    assert "sick" not in kept
    assert "doctor" not in kept
    [gallery] = content["where"]["gallery"]
    assert gallery["part"] == "gallery"
    assert gallery["version"] == site.backend.overview().gallery_version
    assert content["where"]["database"] == "memory"
    assert is_about(content["person"], "E1")
    assert not is_about(content["person"], "E2")
    assert site.backend.certificates.check(text.encode()) == certificate
    assert site.backend.certificates.all() == [certificate]
    assert site.backend.certificates.find(certificate.certificate_id) == certificate


def test_the_shards_of_a_gallery_are_searched_one_by_one(open_site, monkeypatch):
    from ray_backend import bootstrap
    from ray_backend.gallery.exact import ExactGallery

    shards = [ExactGallery(FAKE_PACK.dimension) for _ in range(3)]
    build = bootstrap.build_records
    monkeypatch.setattr(bootstrap, "build_records", lambda *a, **k: build(*a, **k, shards=shards))
    site = open_site()
    ada = site.enrol(ADA, photo(ADA), photo(ADA, variant=1))
    certificate = erase(site, ada).certificate
    assert [part["part"] for part in certificate.content["where"]["gallery"]] == [
        "shard 0",
        "shard 1",
        "shard 2",
    ]
    assert [part["version"] for part in certificate.content["where"]["gallery"]] == [
        s.version for s in shards
    ]
    assert certificate.verified


class Killed(BaseException):
    """The process is gone: nothing may catch this."""


class MortalStore(MemoryStore):
    """Dies at its n-th write from now on, before it or after it."""

    left: int | None = None
    after = False

    def _die_or(self, write, *args, **kwargs):
        if self.left is not None:
            self.left -= 1
            if self.left < 0 and not self.after:
                raise Killed
        answer = write(*args, **kwargs)
        if self.left is not None and self.left < 0:
            raise Killed
        return answer


def _mortal(name):
    def write(self, *args, **kwargs):
        return self._die_or(getattr(MemoryStore, name), self, *args, **kwargs)

    return write


for _name in WRITES:
    setattr(MortalStore, _name, _mortal(_name))


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("keep_punches", [False, True])
def test_an_erasure_that_dies_at_any_moment_is_finished_by_the_next_start(open_site, after, keep_punches):
    moments = 0
    while True:
        store = MortalStore()
        site = open_site(store=store)
        ada, second = full_life(site)
        store.left, store.after = moments, after
        try:
            erase(site, ada, keep_punches=keep_punches)
        except Killed:
            store.left = None
        else:
            break
        begun = store.settings("erasing/")
        site = site.restarted()
        assert store.settings("erasing/") == {}
        if begun:
            _assert_gone(site, ada, second, keep_punches)
        else:
            # Killed before the first write, or between the last one and the answer.
            assert moments == 0 or _assert_gone(site, ada, second, keep_punches) is None
        moments += 1
    assert moments > 8


def _assert_gone(site, ada, second, keep_punches):
    left = everything(site.store)
    # With the space, which no random salt or key contains.
    for trace in ("E1-old", "Ada ", "ada@example.org", *([] if keep_punches else [ada.person_id])):
        assert trace not in left
    assert len(site.punches(ada)) == int(keep_punches)
    assert len(site.punches(second)) == int(keep_punches)
    certificates_of_her = site.backend.certificates.all()
    assert len(certificates_of_her) == 1
    content = certificates_of_her[0].content
    assert content["verified"], content["checks"]
    assert content["removed"]["templates"] == 3
    assert content["removed"]["codes"] == 1
    assert content["removed"]["unknown_faces"] == 2
    assert is_about(content["person"], "E1")
    assert [entry.action for entry in site.audit()].count("person.erased") == 1
    with pytest.raises(PersonNotFound):
        site.backend.people.details(ada.person_id)


class StubbornStore(MemoryStore):
    """The record goes, and then the database is away."""

    fails = True

    def erase_person(self, person_id, *, keep_punches):
        erased = super().erase_person(person_id, keep_punches=keep_punches)
        if self.fails:
            self.fails = False
            raise StoreUnavailable("The erased records are deleted, but traces stay.")
        return erased


def test_the_same_call_goes_on_with_what_broke_off_and_wants_the_same_employee_id(open_site):
    site = open_site(store=StubbornStore())
    ada = site.enrol(ADA)
    with pytest.raises(StoreUnavailable):
        erase(site, ada)
    assert site.backend.certificates.all() == []
    with pytest.raises(InvalidInput, match="exactly"):
        erase(site, ada, typed="E2")
    erasure = erase(site, ada)
    assert erasure.templates == 1
    assert erasure.certificate.verified
    assert erasure.certificate.content["interrupted"]
    with pytest.raises(PersonNotFound):
        erase(site, ada)


def test_a_record_that_was_merged_is_erased_with_its_person_only(site):
    ada, old = site.enrol(ADA), site.enrol(ALAN)
    merge(site, old, ada)
    with pytest.raises(Conflict, match="merged"):
        erase(site, old)
    erase(site, ada)
    assert everything(site.store).count("Person(") == 0


class ForgetfulGallery:
    """Says that it removed somebody, and does not."""

    def __init__(self, gallery):
        self._gallery = gallery

    def remove_person(self, person_id):
        pass

    def __getattr__(self, name):
        return getattr(self._gallery, name)

    def __len__(self):
        return len(self._gallery)


def test_a_removal_that_did_not_work_is_said_aloud_and_tried_again(open_site, monkeypatch, caplog):
    from ray_backend import bootstrap

    filled = bootstrap._filled_gallery
    monkeypatch.setattr(bootstrap, "_filled_gallery", lambda *args: ForgetfulGallery(filled(*args)))
    site = open_site()
    ada = site.enrol(ADA)
    with caplog.at_level(logging.ERROR):
        certificate = erase(site, ada).certificate
    assert not certificate.verified
    assert found(certificate)["gallery/templates_by_person"] == 1
    assert found(certificate)["gallery/templates_by_face"] == 1
    assert "gallery: templates_by_face" in caplog.text
    [noted] = [entry for entry in site.audit() if entry.action == "person.erased"]
    assert noted.detail["verified"] is False

    monkeypatch.setattr(bootstrap, "_filled_gallery", filled)
    site = site.restarted()
    newest, first = sorted(site.backend.certificates.all(), key=lambda one: not one.verified)
    assert newest.verified
    assert first == certificate
    assert is_about(newest.content["person"], "E1")


def test_the_same_face_under_another_id_is_found(site):
    ada, alan = site.enrol(ADA), site.enrol(ALAN)
    [template] = site.store.templates_of(ada.person_id)
    site.backend._records.people._gallery.add([replace(template, template_id="t2", person_id=alan.person_id)])
    certificate = erase(site, ada).certificate
    assert not certificate.verified
    assert found(certificate)["gallery/templates_by_face"] == 1
    assert found(certificate)["gallery/templates_by_person"] == 0


def test_a_note_that_some_part_left_behind_is_found(site):
    ada = site.enrol(ADA)
    site.store.put_setting("somewhere", {"who": [ada.person_id]})
    certificate = erase(site, ada).certificate
    assert not certificate.verified
    assert found(certificate)["database/settings"] == 1


def test_what_was_begun_is_noted_without_a_name(open_site):
    class Watching(MemoryStore):
        notes = ()

        def put_setting(self, key, value):
            if key.startswith("erasing/") and value:
                self.notes = (*self.notes, json.dumps(value))
            super().put_setting(key, value)

    store = Watching()
    site = open_site(store=store)
    ada = site.enrol(ADA, name="Ada Example", email="ada@example.org", employee_id="EMP-0815")
    erase(site, ada)
    assert store.notes
    for personal in ("Ada ", "Example", "EMP-0815", "Engines"):
        assert personal not in "".join(store.notes)
