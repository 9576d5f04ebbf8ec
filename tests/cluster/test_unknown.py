"""A stranger before a kiosk, with the models and the inbox on real actors."""

from __future__ import annotations

from ray_backend.client import Photo
from ray_backend.domain.model import DecisionKind
from ray_backend.domain.permissions import Caller, Role
from ray_backend.domain.requests import PersonDraft
from tests.contract.test_unknown_faces import NOBODY, OTHER, STRANGER, visit
from tests.people import face_photo


def test_a_strangers_face_comes_from_the_kiosk_to_the_page_and_becomes_a_person(backend):
    backend.site.change({"keep_unknown_hours": 24}, actor="test")
    ada = PersonDraft("E1", "Ada Example", consent=True)
    backend.enrol(ada, [Photo("1.jpg", face_photo(OTHER))], source="upload", actor="test")
    session = backend.acting_as(Caller("door", Role.KIOSK)).kiosk_session("door")

    assert visit(session, STRANGER, 5.0) is DecisionKind.UNKNOWN
    visit(session, NOBODY, 1.6)

    admin = backend.acting_as(Caller("admin", Role.ADMIN))
    (card,) = admin.unknown.cards().cards
    assert card.kiosks == ("door",)
    assert card.thumbnail[:2] == b"\xff\xd8"
    assert [near.person.name for near in card.near] == ["Ada Example"]
    answer = admin.unknown.enrol([card.group_id], PersonDraft("E2", "Grace Example", consent=True), actor="x")
    assert answer.added == 1
    assert visit(session, STRANGER, 4.0) is DecisionKind.MATCH
    assert admin.unknown.cards().cards == ()
