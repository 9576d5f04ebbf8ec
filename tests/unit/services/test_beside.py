"""A second pack beside the site's own: templates from stored pictures, answers of its own, no punches."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest

from ray_backend.client import local_backend
from ray_backend.domain.beside import Beside, compared
from ray_backend.domain.errors import Conflict, Forbidden, InvalidInput, NotFound, Unavailable
from ray_backend.domain.permissions import Caller, Role
from ray_backend.jobs.pack_beside import put_beside
from ray_backend.services.faces import Embed, FaceService
from ray_backend.services.pinned import pin_pack
from ray_backend.vision.images import PillowCodec
from tests.fakes import FAKE_PACK, SecondEngine, photo
from tests.unit.services.conftest import stored_template

ADA, ALAN, GRACE, STRANGER = 1, 60, 120, 190
SECOND = SecondEngine.pack


@pytest.fixture
def second():
    return FaceService(SecondEngine(), PillowCodec(max_bytes=10**7, max_pixels=10**8))


@pytest.fixture
def put(site, second):
    """Puts the second pack beside the site's."""

    def now(share: float = 0.5):
        return put_beside(site.backend, second, "/models/second", share)

    return now


def asked(site, second, who: int, department: str | None = None):
    """The nearest face, as the second pack names it."""
    analysis = second.analyse(photo(who), Embed.ALL)
    (answer,) = site.backend.beside.recognise([analysis], [department])
    return answer.faces[0]


def erase(site, person) -> None:
    site.backend.people.erase(
        person.person_id, typed_employee_id=person.employee_id, keep_punches=True, actor="admin"
    )


def test_everybody_gets_templates_from_the_stored_pictures_and_is_recognised(site, second, put):
    people = {who: site.enrol(who) for who in (ADA, ALAN, GRACE)}
    told = []
    outcome = put_beside(site.backend, second, "/models/second", 0.1, lambda *how: told.append(how))
    assert (outcome.templates, outcome.without) == (3, ())
    assert told == [(0, 3), (1, 3), (2, 3), (3, 3)]
    for who, person in people.items():
        face = asked(site, second, who)
        assert face.person == person
        assert face.decision.best.similarity > SECOND.threshold
    assert asked(site, second, STRANGER).person is None


def test_run_again_it_adds_who_is_missing_and_repeats_nothing(site, second, put):
    site.enrol(ADA)
    put()
    alan = site.enrol(ALAN)
    assert site.backend.beside.state().missing == 1
    assert put().templates == 1
    assert site.backend.beside.state().missing == 0
    assert site.store.count_templates() == {"fake": 2, "second": 2}
    assert asked(site, second, ALAN).person == alan


def test_who_has_no_picture_is_named(site, put):
    ada = site.enrol(ADA)
    (own,) = site.store.templates_of(ada.person_id)
    site.store.add_templates([replace(own, thumbnail=b"")])
    outcome = put()
    assert (outcome.templates, outcome.without) == (0, (ada,))


def test_it_records_nothing_and_the_site_decides_as_before(site, second, put):
    ada = site.enrol(ADA)
    put()
    asked(site, second, ADA)
    assert site.punches() == []
    assert site.check_in(ADA).person == ada
    (punch,) = site.punches()
    assert punch.receipt.pack_id == FAKE_PACK.pack_id


def test_its_own_threshold_counts_and_not_the_one_that_the_site_set(site, second, put):
    site.enrol(ADA)
    put()
    site.backend.site.change({"threshold": 0.999999}, actor="admin")
    assert asked(site, second, ADA).person is not None


def test_who_is_erased_has_no_template_of_any_pack_and_is_not_recognised(site, second, put):
    ada = site.enrol(ADA)
    put()
    assert asked(site, second, ADA).person == ada
    erase(site, ada)
    assert site.store.count_templates() == {}
    assert asked(site, second, ADA).decision.kind.value == "unknown"


def test_a_picture_that_is_taken_away_is_taken_away_in_every_pack(site, second, put):
    ada = site.enrol(ADA, photo(ADA), photo(ADA, variant=3))
    put()
    own = [one for one in site.store.templates_of(ada.person_id) if one.pack_id == "fake"]
    for template in own:
        site.backend.people.remove_template(template.template_id, actor="admin")
    assert site.store.count_templates() == {}
    assert asked(site, second, ADA).person is None


def test_a_persons_page_shows_each_picture_once(site, put):
    ada = site.enrol(ADA)
    before = site.backend.people.details(ada.person_id).templates
    put()
    assert site.backend.people.details(ada.person_id).templates == before


def test_only_the_department_that_is_named_is_looked_at(site, second, put):
    site.enrol(ADA)
    put()
    assert asked(site, second, ADA, "Engines").person is not None
    assert asked(site, second, ADA, "Elsewhere").person is None


def test_what_another_process_enrolled_is_seen_after_a_while(site, second, put, monkeypatch):
    monkeypatch.setattr("ray_backend.services.beside._COUNT_EVERY_S", 0.0)
    site.enrol(ADA)
    put()
    assert asked(site, second, ALAN).person is None
    alan = site.enrol(ALAN)
    embedding = second.analyse(photo(ALAN), Embed.ALL).faces[0].embedding
    site.store.add_templates([stored_template(alan, embedding, pack_id="second")])
    assert asked(site, second, ALAN).person == alan


def test_who_is_deactivated_is_not_named_and_who_comes_back_is(site, second, put, monkeypatch):
    monkeypatch.setattr("ray_backend.services.beside._COUNT_EVERY_S", 0.0)
    ada = site.enrol(ADA)
    put()
    site.backend.people.set_active(ada.person_id, False, actor="admin")
    assert asked(site, second, ADA).person is None
    site.backend.people.set_active(ada.person_id, True, actor="admin")
    assert asked(site, second, ADA).person is not None


def test_without_a_second_pack_nobody_is_answered_by_one(site, second, put):
    with pytest.raises(NotFound, match="pack beside"):
        asked(site, second, ADA)
    site.enrol(ADA)
    put()
    assert site.backend.beside.end(actor="admin") is True
    assert site.backend.beside.end(actor="admin") is False
    assert site.backend.beside.state() is None
    with pytest.raises(NotFound):
        asked(site, second, ADA)
    assert [entry.action for entry in site.audit()].count("pack.beside_ended") == 1


def test_nobody_waits_while_the_gallery_is_filled(site, second, put, monkeypatch):
    ada = site.enrol(ADA)
    put()
    begun, go_on = threading.Event(), threading.Event()
    read = site.store.templates

    def slowly(pack_id):
        begun.set()
        assert go_on.wait(10)
        return read(pack_id)

    monkeypatch.setattr(site.store, "templates", slowly)
    with ThreadPoolExecutor(1) as one:
        first = one.submit(asked, site, second, ADA)
        try:
            assert begun.wait(10)
            with pytest.raises(Unavailable, match="being read"):
                asked(site, second, ADA)
        finally:
            go_on.set()
        assert first.result().person == ada


def test_what_was_read_before_an_erasure_is_not_kept(site, second, put, monkeypatch):
    ada = site.enrol(ADA)
    put()
    read = site.store.templates

    def then_erased(pack_id):
        found = list(read(pack_id))
        monkeypatch.setattr(site.store, "templates", read)
        erase(site, ada)
        return found

    monkeypatch.setattr(site.store, "templates", then_erased)
    assert asked(site, second, ADA).person is None
    assert site.backend._records.beside._filled is None


def test_an_analysis_of_another_pack_is_refused(site, put):
    site.enrol(ADA)
    put()
    analysis = site.backend._faces.analyse(photo(ADA), Embed.ALL)
    with pytest.raises(Conflict):
        site.backend.beside.recognise([analysis])


@pytest.mark.parametrize("share", [-0.1, 1.5, float("nan")])
def test_a_share_is_a_part_of_one(put, share):
    with pytest.raises(InvalidInput, match="share"):
        put(share)


def test_the_sites_own_pack_does_not_stand_beside_itself(site):
    with pytest.raises(Conflict, match="own pack"):
        site.backend.beside.put(Beside(FAKE_PACK, "fake", 0.1), actor="admin")


def test_no_account_may_change_it(site):
    admin = site.backend.acting_as(Caller("ada", Role.ADMIN))
    with pytest.raises(Forbidden):
        admin.beside.end(actor="ada")
    assert admin.beside.state() is None


def test_promoted_it_needs_nobody_enrolled_again_and_the_way_back_is_open(site, put):
    ada = site.enrol(ADA)
    put()
    assert pin_pack(site.store, site.clock, SECOND, "/models/second") == ()

    def opened(engine):
        return local_backend(site.settings, store=site.store, engine=engine, clock=site.clock)

    after = opened(SecondEngine())
    assert after.check_in(photo(ADA), kiosk="door").person == ada
    assert after.beside.state() is None
    assert pin_pack(site.store, site.clock, FAKE_PACK, "fake") == ()
    back = opened(site.engine)
    site.clock.move(minutes=5)
    assert back.check_in(photo(ADA), kiosk="door").person == ada
    # It was never taken away, so it stands there again.
    assert back.beside.state().beside.pack == SECOND


def test_it_is_remembered_as_it_was_put(site, put):
    site.enrol(ADA)
    put(0.25)
    assert site.backend.beside.current() == Beside(SECOND, "/models/second", 0.25)
    note = site.store.get_setting("pack_beside")
    assert {key: note[key] for key in ("id", "spec", "share")} == {
        "id": "second",
        "spec": "/models/second",
        "share": 0.25,
    }
    entry = next(entry for entry in site.audit() if entry.action == "pack.beside")
    assert (entry.subject, entry.detail) == ("second", {"share": 0.25})


@pytest.mark.parametrize(
    ("ours", "theirs", "outcome"),
    [
        ((ADA,), (ADA,), "same"),
        ((), (), "nobody"),
        ((ADA,), (), "only_site"),
        ((), (ADA,), "only_beside"),
        ((ADA,), (ALAN,), "other_person"),
        ((ADA, ALAN), (ADA,), "only_site"),
        ((ADA,), (ADA, ALAN), "only_beside"),
    ],
)
def test_two_answers_are_compared_by_the_people_in_them(site, ours, theirs, outcome):
    people = {who: site.enrol(who) for who in (ADA, ALAN)}
    (empty,) = site.backend._check_ins.recognise([site.backend._faces.analyse(photo(ADA), Embed.ALL)])
    face = empty.faces[0]

    def answer(who):
        return replace(empty, faces=tuple(replace(face, person=people[one]) for one in who))

    assert compared(answer(ours), answer(theirs)) == outcome
    assert np.isfinite(face.decision.best.similarity)
