"""The inbox of unknown faces over the real services, with the memory store and with SQLite."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ray_backend.domain.errors import (
    ConsentMissing,
    FaceBelongsToAnother,
    Forbidden,
    InvalidInput,
    NotFound,
    PersonNotFound,
    PhotosRefused,
    StoreUnavailable,
)
from ray_backend.domain.grouping import GroupingRules
from ray_backend.domain.model import Quality, UnknownFace
from ray_backend.domain.permissions import Caller, Role
from ray_backend.domain.queries import PunchQuery
from ray_backend.domain.requests import PersonDraft
from ray_backend.domain.unknown import Assigned, Likeness, Sighting
from ray_backend.services.inbox import Inbox
from ray_backend.services.policy import Policy
from ray_backend.storage import open_store_url
from ray_backend.storage.memory import MemoryStore
from tests.fakes import FAKE_PACK, FakeEngine, colour_of, photo
from tests.unit.services.conftest import Site, look_alike

ADA, ALAN, STRANGER, OTHER = 1, 50, 120, 77
GOOD = Quality(150, 200, 120, 0, 0, 0, 1, 0.99)
POOR = replace(GOOD, size_px=50)
DRAFT = PersonDraft("N1", "New Person", consent=True)
SOMEBODY = {"actor": "admin"}


@pytest.fixture(params=["memory", "sqlite"])
def site(request, open_site, tmp_path) -> Site:
    """A site that keeps strangers' faces for a day."""
    if request.param == "memory":
        store = MemoryStore()
    else:
        settings = open_site().settings
        store = open_store_url(f"sqlite://{tmp_path}/faces.sqlite3", settings)
    made = open_site(store)
    made.backend.site.change({"keep_unknown_hours": 24}, **SOMEBODY)
    return made


def face_of(who: int) -> np.ndarray:
    """What the fake engine makes of person number `who`."""
    engine = FakeEngine()
    picture = np.zeros((240, 240, 3), np.uint8)
    picture[40:190, 20:170] = colour_of(who)
    return engine.embed([engine.align(picture, engine.detect(picture)[0])])[0]


def seen(site: Site, who: int | np.ndarray, *, quality: Quality = GOOD, kiosk: str = "door") -> str:
    """A kiosk hands in somebody's face; a minute passes. Returns the face's id."""
    embedding = face_of(who) if isinstance(who, int) else who
    sighting = Sighting(site.clock.now(), kiosk, FAKE_PACK.pack_id, embedding, quality, b"jpeg of a face")
    site.backend.unknown.note(sighting)
    site.clock.move(minutes=1)
    return sighting.face_id


def cards(site: Site, **options):
    return site.backend.unknown.cards(**options).cards


def only_card(site: Site):
    (card,) = cards(site)
    return card


def actions(site: Site) -> list[str]:
    return [entry.action for entry in site.audit() if entry.action.startswith("unknown.")]


def test_nothing_is_kept_where_the_site_keeps_no_strangers(open_site):
    site = open_site()
    seen(site, STRANGER)
    assert cards(site) == ()
    assert site.store.unknown_faces() == []


def test_the_same_stranger_is_one_card_and_another_one_is_another(site):
    for who in (STRANGER, OTHER, STRANGER):
        seen(site, who, kiosk=f"door {who}")
    first, second = cards(site)
    assert (first.faces, first.seen, first.kiosks) == (2, 2, (f"door {STRANGER}",))
    assert (second.faces, second.kiosks) == (1, (f"door {OTHER}",))
    assert first.first_at < second.first_at < first.last_at
    assert first.thumbnail == b"jpeg of a face"


def test_a_poor_face_a_spoilt_one_and_one_of_another_pack_are_not_kept(site):
    seen(site, STRANGER, quality=replace(GOOD, sharpness=1))
    seen(site, OTHER, quality=replace(GOOD, yaw_deg=float("nan")))
    site.backend.unknown.note(Sighting(site.clock.now(), "door", "another", face_of(3), GOOD, b""))
    assert cards(site) == ()


def test_a_card_names_the_three_nearest_people_with_their_photos(site):
    stranger = face_of(STRANGER)
    people = [site.enrol(who) for who in (ADA, ALAN, OTHER, 33)]
    seen(site, STRANGER)
    near = only_card(site).near
    assert len(near) == 3
    likeness = {person.person_id: float(face_of(int(person.employee_id[1:])) @ stranger) for person in people}
    best = sorted(likeness, key=likeness.get, reverse=True)[:3]
    assert [one.person.person_id for one in near] == best
    assert all(one.thumbnail for one in near)
    assert near[0].similarity == pytest.approx(likeness[best[0]], abs=1e-5)
    assert {one.likeness for one in near} <= {Likeness.HARDLY, Likeness.MAYBE}


def test_whoever_is_registered_later_is_named_on_the_card(site):
    seen(site, STRANGER)
    assert only_card(site).known_as is None
    person = site.enrol(STRANGER)
    assert only_card(site).known_as == person


def test_assigning_adds_good_crops_removes_poor_ones_and_writes_no_punch(site):
    person = site.enrol(ADA)
    like_ada = look_alike(face_of(ADA), 0.7)
    seen(site, like_ada)
    seen(site, like_ada, quality=POOR)
    answer = site.backend.unknown.assign(person.person_id, group_ids=[only_card(site).group_id], **SOMEBODY)
    assert answer == Assigned(person, added=1, poor=1)
    assert cards(site) == ()
    assert site.store.unknown_faces() == []
    templates = site.backend.people.details(person.person_id).templates
    assert [t.source for t in templates] == ["upload", "kiosk"]
    assert templates[1].thumbnail == b"jpeg of a face"
    assert site.store.list_punches(PunchQuery()).total == 0
    assert actions(site) == ["unknown.assigned"]


def test_a_face_that_does_not_look_like_the_person_stays_until_an_admin_compared_them(site):
    person = site.enrol(ADA)
    seen(site, look_alike(face_of(ADA), 0.2))
    group = [only_card(site).group_id]
    answer = site.backend.unknown.assign(person.person_id, group_ids=group, **SOMEBODY)
    assert (answer.added, answer.unlike) == (0, 1)
    assert only_card(site).faces == 1
    answer = site.backend.unknown.assign(person.person_id, group_ids=group, confirmed=True, **SOMEBODY)
    assert (answer.added, answer.unlike) == (1, 0)


@pytest.mark.parametrize("confirmed", [False, True])
def test_a_face_that_is_nearer_to_somebody_else_is_never_given_to_the_person(site, confirmed):
    ada, alan = site.enrol(ADA), site.enrol(ALAN)
    seen(site, look_alike(face_of(ALAN), 0.45))
    group = [only_card(site).group_id]
    answer = site.backend.unknown.assign(ada.person_id, group_ids=group, confirmed=confirmed, **SOMEBODY)
    assert (answer.added, answer.nearer) == (0, 1)
    assert len(site.backend.people.details(ada.person_id).templates) == 1
    answer = site.backend.unknown.assign(alan.person_id, group_ids=group, confirmed=True, **SOMEBODY)
    assert answer.added == 1


@pytest.mark.parametrize("quality", [
    replace(GOOD, size_px=63), replace(GOOD, sharpness=75), replace(GOOD, brightness=40),
    replace(GOOD, brightness=230), replace(GOOD, yaw_deg=36), replace(GOOD, visible=0.89),
])  # fmt: skip
def test_whatever_makes_a_crop_too_poor_for_an_enrolment_it_is_never_trained_on(site, quality):
    person = site.enrol(ADA)
    seen(site, look_alike(face_of(ADA), 0.7), quality=quality)
    assert only_card(site).enrollable == 0
    group = [only_card(site).group_id]
    answer = site.backend.unknown.assign(person.person_id, group_ids=group, confirmed=True, **SOMEBODY)
    assert (answer.added, answer.poor) == (0, 1)
    assert len(site.backend.people.details(person.person_id).templates) == 1


def test_single_faces_are_assigned_and_deleted(site):
    person = site.enrol(ADA)
    like_ada = look_alike(face_of(ADA), 0.7)
    one, two, three = (seen(site, like_ada) for _ in range(3))
    site.backend.unknown.assign(person.person_id, face_ids=[one], **SOMEBODY)
    assert site.backend.unknown.delete([], [two], **SOMEBODY) == 1
    assert [face.face_id for face in site.backend.unknown.faces([only_card(site).group_id])] == [three]


def test_a_group_becomes_a_new_person_with_consent_only(site):
    seen(site, STRANGER)
    seen(site, STRANGER, quality=POOR)
    group = [only_card(site).group_id]
    with pytest.raises(ConsentMissing):
        site.backend.unknown.enrol(group, replace(DRAFT, consent=False), **SOMEBODY)
    answer = site.backend.unknown.enrol(group, DRAFT, **SOMEBODY)
    assert (answer.added, answer.poor) == (1, 1)
    assert answer.person.consent_at is not None
    assert answer.person.consent_version
    assert cards(site) == ()
    assert site.check_in(STRANGER).person == answer.person


def test_a_group_of_poor_crops_becomes_nobody(site):
    seen(site, STRANGER, quality=POOR)
    with pytest.raises(PhotosRefused):
        site.backend.unknown.enrol([only_card(site).group_id], DRAFT, **SOMEBODY)
    assert site.counts()[0] == 0
    assert only_card(site).faces == 1


def test_a_group_of_somebody_registered_becomes_nobody_new(site):
    seen(site, STRANGER)
    site.enrol(STRANGER)
    with pytest.raises(FaceBelongsToAnother):
        site.backend.unknown.enrol([only_card(site).group_id], DRAFT, **SOMEBODY)
    assert site.counts()[0] == 1


def test_two_strangers_who_were_chosen_together_do_not_become_one_person(site):
    seen(site, STRANGER)
    seen(site, OTHER)
    answer = site.backend.unknown.enrol([card.group_id for card in cards(site)], DRAFT, **SOMEBODY)
    assert (answer.added, answer.unlike) == (1, 1)
    assert len(cards(site)) == 1


def test_not_them_is_not_suggested_again_and_survives_a_restart(site):
    person = site.enrol(ADA)
    seen(site, look_alike(face_of(ADA), 0.4))
    card = only_card(site)
    assert [one.person for one in card.near] == [person]
    site.backend.unknown.not_them(card.group_id, person.person_id, **SOMEBODY)
    assert only_card(site).near == ()
    seen(site, look_alike(face_of(ADA), 0.4))
    assert only_card(site.restarted()).near == ()
    with pytest.raises(NotFound):
        site.backend.unknown.not_them("no such group", person.person_id, **SOMEBODY)


def test_an_ignored_group_is_not_shown_and_its_new_faces_are_counted_without_a_picture(site):
    seen(site, STRANGER)
    group = only_card(site).group_id
    assert site.backend.unknown.ignore([group, "no such group"], **SOMEBODY) == 1
    face_id = seen(site, STRANGER)
    assert cards(site) == ()
    (hidden,) = cards(site, ignored=True)
    assert (hidden.group_id, hidden.seen, hidden.ignored) == (group, 2, True)
    stored = {face.face_id: face for face in site.store.unknown_faces()}
    assert stored[face_id].thumbnail == b""
    assert site.backend.unknown.cards().ignored == 1
    assert cards(site.restarted()) == ()
    site.backend.unknown.ignore([group], ignored=False, **SOMEBODY)
    assert only_card(site).group_id == group
    assert actions(site) == ["unknown.ignored", "unknown.shown"]


def test_groups_are_merged_by_an_admin_and_stay_so(site):
    base = face_of(STRANGER)
    ada = site.enrol(ADA)
    seen(site, base)
    seen(site, look_alike(base, 0.47))
    first, second = cards(site)
    assert first.alike == (second.group_id,)
    site.backend.unknown.not_them(second.group_id, ada.person_id, **SOMEBODY)
    merged = site.backend.unknown.merge([first.group_id, second.group_id], **SOMEBODY)
    for again in (site, site.restarted()):
        card = only_card(again)
        assert (card.group_id, card.faces, card.near) == (merged, 2, ())
    with pytest.raises(NotFound):
        site.backend.unknown.merge([merged], **SOMEBODY)


def test_deleting_leaves_nothing(site):
    for who in (STRANGER, STRANGER, OTHER):
        seen(site, who)
    site.backend.unknown.ignore([card.group_id for card in cards(site)][:1], **SOMEBODY)
    everything = [card.group_id for card in (*cards(site), *cards(site, ignored=True))]
    assert site.backend.unknown.delete(everything, **SOMEBODY) == 3
    assert site.store.unknown_faces() == site.store.unknown_groups() == []
    assert cards(site) == ()


def test_faces_go_when_their_hours_are_over_and_all_at_once_when_it_is_switched_off(site):
    seen(site, STRANGER)
    site.clock.move(hours=23)
    seen(site, OTHER)
    assert len(cards(site)) == 2
    site.clock.move(hours=1)
    assert only_card(site).faces == 1
    site.backend.site.change({"keep_unknown_hours": 0}, **SOMEBODY)
    assert cards(site) == ()
    assert site.store.unknown_faces() == []


def test_groups_are_the_same_after_a_restart(site):
    for who in (STRANGER, OTHER, STRANGER):
        seen(site, who)
    again = site.restarted()
    assert [card.group_id for card in cards(again)] == [card.group_id for card in cards(site)]
    seen(again, OTHER)
    assert [card.faces for card in cards(again)] == [2, 2]


def test_an_erasure_takes_the_persons_unknown_faces_and_not_them_notes_along(site):
    ada = site.enrol(ADA)
    seen(site, look_alike(face_of(ADA), 0.48))
    seen(site, STRANGER)
    stranger, near_ada = cards(site)
    site.backend.unknown.not_them(stranger.group_id, ada.person_id, **SOMEBODY)
    site.backend.people.erase(
        ada.person_id, typed_employee_id=ada.employee_id, keep_punches=False, **SOMEBODY
    )
    assert [card.group_id for card in cards(site)] == [stranger.group_id]
    assert all(ada.person_id not in group.not_people for group in site.store.unknown_groups())
    assert near_ada.group_id not in {face.group_id for face in site.store.unknown_faces()}


def test_pages_of_cards(site):
    for who in (3, 4, 5, 6, 7):
        seen(site, who)
    everything = cards(site)
    answer = site.backend.unknown.cards(start=2, limit=2)
    assert answer.cards == everything[2:4]
    assert answer.total == len(everything) == 5
    with pytest.raises(InvalidInput):
        cards(site, limit=1000)


def test_what_is_gone_or_nobody_says_so(site):
    with pytest.raises(PersonNotFound):
        site.backend.unknown.assign("nobody", group_ids=["none"], **SOMEBODY)
    person = site.enrol(ADA)
    with pytest.raises(NotFound):
        site.backend.unknown.assign(person.person_id, group_ids=["none"], **SOMEBODY)


def test_the_audit_log_holds_no_name_and_no_picture(site):
    ada = site.enrol(ADA)
    seen(site, look_alike(face_of(ADA), 0.7))
    site.backend.unknown.assign(ada.person_id, group_ids=[only_card(site).group_id], **SOMEBODY)
    (entry,) = [entry for entry in site.audit() if entry.action == "unknown.assigned"]
    assert entry.subject == ada.person_id
    assert set(entry.detail) == {"confirmed", "added", "poor", "nearer", "unlike"}


def test_a_kiosk_hands_in_for_itself_only_and_sees_nothing(site):
    kiosk = site.backend.acting_as(Caller("door", Role.KIOSK))
    kiosk.unknown.note(Sighting(site.clock.now(), "door", FAKE_PACK.pack_id, face_of(ADA), GOOD, b"x"))
    assert only_card(site).faces == 1
    with pytest.raises(Forbidden):
        kiosk.unknown.note(Sighting(site.clock.now(), "yard", FAKE_PACK.pack_id, face_of(ADA), GOOD, b"x"))
    for use_case in (kiosk.unknown.cards, lambda: kiosk.unknown.faces(["g"])):
        with pytest.raises(Forbidden):
            use_case()


class BrokenStore(MemoryStore):
    """Takes no unknown faces while it is `away`."""

    away = False

    def add_unknown_face(self, face) -> None:
        if self.away:
            raise StoreUnavailable("away")
        super().add_unknown_face(face)


def test_while_the_database_is_away_faces_are_dropped_and_counted_and_nobody_is_held_up(open_site):
    store = BrokenStore()
    site = open_site(store)
    site.backend.site.change({"keep_unknown_hours": 24}, **SOMEBODY)
    seen(site, STRANGER)
    store.away = True
    seen(site, OTHER)
    unknown = site.backend._records.unknown
    assert unknown.notes_dropped == 1
    store.away = False
    unknown._reach.look_again()
    seen(site, OTHER)
    kept = [(card.faces, card.seen) for card in cards(site)]
    assert kept == [(1, 1), (1, 1)], "what was dropped is not remembered either"


def test_nothing_is_read_before_it_is_needed(open_site, monkeypatch):
    monkeypatch.setattr(Inbox, "_read", lambda _: pytest.fail("read"))
    site = open_site()
    seen(site, STRANGER)


def unknown_face(site: Site, who: int) -> UnknownFace:
    site.clock.move(minutes=1)
    return UnknownFace(site.clock.now(), "door", FAKE_PACK.pack_id, face_of(who), 0.7, "", b"jpeg")


def test_the_database_keeps_no_more_than_the_caps(site):
    policy = Policy(FAKE_PACK, site.backend.site.current)
    inbox = Inbox(
        site.store, site.clock, policy, lambda: 24, rules=GroupingRules(most_faces=2, most_groups=2)
    )
    for who in (3, 4, 5, 5, 5, 5):
        inbox.add(unknown_face(site, who))
    assert [len(group.faces) for group in inbox.groups(ignored=False)] == [2, 1]
    assert [group.seen for group in inbox.groups(ignored=False)] == [4, 1]
    kept = {face.face_id for group in inbox.groups(ignored=False) for face in group.faces}
    assert {face.face_id for face in site.store.unknown_faces()} == kept


def test_what_another_process_does_is_seen_within_a_minute(site):
    now = [0.0]
    policy = Policy(FAKE_PACK, site.backend.site.current)
    mine = Inbox(site.store, site.clock, policy, lambda: 24, elapsed_s=lambda: now[0])
    theirs = Inbox(site.store, site.clock, policy, lambda: 24)
    mine.add(unknown_face(site, STRANGER))
    theirs.add(unknown_face(site, OTHER))
    assert len(mine.groups(ignored=False)) == 1
    now[0] = 61.0
    assert len(mine.groups(ignored=False)) == 2


def test_a_photo_of_a_stranger_at_the_old_way_of_checking_in_keeps_nothing(site):
    site.enrol(ADA)
    site.backend.check_in(photo(STRANGER), kiosk="door")
    assert cards(site) == ()
