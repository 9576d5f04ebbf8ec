"""Strangers before a kiosk, with real models and real photos: who comes twice is one group, two are two.

Also measures again what the threshold of the grouping rests on (`domain/grouping.py`).
"""

from __future__ import annotations

import io
import time
from collections import Counter
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bench.accuracy import photos as labelled
from ray_backend.client import Backend, Photo, local_backend
from ray_backend.domain.grouping import GroupedFace, Grouping, GroupingRules
from ray_backend.domain.model import DecisionKind
from ray_backend.domain.requests import PersonDraft
from ray_backend.services.strangers import handover
from ray_backend.settings import Settings
from ray_backend.vision.packs import load_engine
from tests import faces, people

PACKS = ["dlib-resnet", pytest.param("edge", marks=faces.needs_shared)]
ENROLLED, STRANGER, OTHER = 3, 0, 1
NOBODY = None


def settings_of(pack: str, folder: Path) -> Settings:
    """A site of a test that runs this pack."""
    path = str(faces.EDGE_PACK) if pack == "edge" else pack
    return Settings(pack=path, store="memory", data_dir=folder, time_zone="Europe/Berlin")


@pytest.fixture
def backend(request, tmp_path) -> Backend:
    """One person is enrolled, and strangers' faces are kept for a day."""
    made = local_backend(settings_of(request.param, tmp_path))
    made.site.change({"keep_unknown_hours": 24}, actor="test")
    enrolled = [Photo(f"{index}.jpg", people.face_photo(ENROLLED, index)) for index in (0, 2)]
    made.enrol(PersonDraft("E1", "Ada Example", consent=True), enrolled, source="upload", actor="test")
    yield made
    made.close()


def picture(who: int | None, step: int) -> bytes:
    """A frame of a kiosk's camera: somebody who moves a little, or an empty room."""
    canvas = Image.new("RGB", (640, 480), (96, 104, 112))
    if who is not None:
        with Image.open(io.BytesIO(people.face_photo(who, step % 3))) as photo:
            canvas.paste(photo.convert("RGB").resize((330, 330)), (140 + step % 5, 80 + step % 3))
    out = io.BytesIO()
    canvas.save(out, "JPEG", quality=90)
    return out.getvalue()


def visit(session, who: int | None, for_s: float):
    """Shows this to the kiosk for so long; returns the kind of what was decided, if anything was."""
    until, step, decided = time.monotonic() + for_s, 0, None
    while time.monotonic() < until:
        answer = session.frame(picture(who, step))
        if answer.check_in is not None:
            decided = answer.check_in.decision.kind
        step += 1
        time.sleep(0.05)
    handover().wait()
    return decided


@pytest.mark.parametrize("backend", PACKS, indirect=True)
def test_who_comes_twice_is_one_group_two_strangers_are_two_and_one_becomes_a_person(backend):
    session = backend.kiosk_session("door")
    for who in (STRANGER, OTHER, STRANGER):
        assert visit(session, who, 3.5) is DecisionKind.UNKNOWN
        visit(session, NOBODY, 1.6)
    assert visit(session, ENROLLED, 3.0) is DecisionKind.MATCH
    visit(session, NOBODY, 1.6)

    twice, once = backend.unknown.cards().cards
    assert (twice.faces, once.faces) == (2, 1)
    assert twice.kiosks == once.kiosks == ("door",)
    assert twice.enrollable >= 1
    assert all(len(card.near) == 1 and card.known_as is None for card in (twice, once))
    with Image.open(io.BytesIO(twice.thumbnail)) as crop:
        assert crop.size == (160, 160)

    draft = PersonDraft("E2", "Grace Example", consent=True)
    answer = backend.unknown.enrol([twice.group_id], draft, actor="test")
    assert answer.added == twice.enrollable
    assert visit(session, STRANGER, 3.0) is DecisionKind.MATCH
    assert [card.group_id for card in backend.unknown.cards().cards] == [once.group_id]


@pytest.mark.parametrize("backend", ["dlib-resnet"], indirect=True)
def test_where_no_strangers_are_kept_the_same_visit_leaves_nothing(backend):
    backend.site.change({"keep_unknown_hours": 0}, actor="test")
    session = backend.kiosk_session("door")
    assert visit(session, STRANGER, 3.5) is DecisionKind.UNKNOWN
    backend.site.change({"keep_unknown_hours": 24}, actor="test")
    assert backend.unknown.cards().cards == ()


@cache
def found(pack: str) -> tuple[tuple[labelled.Face, ...], float, float]:
    """All faces of the labelled photos, the pack's threshold and its margin."""
    engine = load_engine(Settings(pack=str(faces.EDGE_PACK) if pack == "edge" else pack))
    seen, _ = labelled.find(labelled.read([faces.FACES]), engine)
    return tuple(seen), engine.pack.threshold, engine.pack.margin


def grouped(seen: tuple[labelled.Face, ...], threshold: float, seed: int) -> Grouping:
    order = np.random.default_rng(seed).permutation(len(seen))
    made = Grouping(len(seen[0].embedding), GroupingRules(most_faces=1000, most_groups=1000))
    for index in order:
        made.add(
            GroupedFace(str(index), datetime(2026, 1, 1, tzinfo=UTC), 0.5, seen[index].embedding), threshold
        )
    return made


def mixed(made: Grouping, seen: tuple[labelled.Face, ...]) -> int:
    """Groups that certainly hold two people: two names, a name and a stranger, two faces of one photo."""
    wrong = 0
    for group in made:
        members = [seen[int(one.face_id)] for one in group.faces]
        identities = {one.identity for one in members}
        names = {one.identity for one in members if one.named}
        shots = Counter(one.shot.name for one in members)
        wrong += (bool(names) and len(identities) > 1) or max(shots.values()) > 1
    return wrong


def groups_each(made: Grouping, seen: tuple[labelled.Face, ...]) -> float:
    """Into how many groups a person of several photos falls on average."""
    photos = Counter(one.identity for one in seen if one.named)
    several = [name for name, number in photos.items() if number > 1]
    holds = [{seen[int(one.face_id)].identity for one in group.faces} for group in made]
    return float(np.mean([sum(name in names for names in holds) for name in several]))


@faces.needs_shared
@pytest.mark.parametrize(("pack", "wrong", "most_groups_each"), [("dlib-resnet", 0, 1.35), ("edge", 1, 1.2)])
def test_the_packs_threshold_keeps_people_apart_in_any_order_of_arrival(pack, wrong, most_groups_each):
    seen, threshold, _ = found(pack)
    made = [grouped(seen, threshold, seed) for seed in range(20)]
    assert max(mixed(one, seen) for one in made) <= wrong
    assert np.mean([groups_each(one, seen) for one in made]) <= most_groups_each


@faces.needs_shared
def test_a_margin_below_it_the_built_in_pack_puts_two_people_together():
    seen, threshold, margin = found("dlib-resnet")
    assert min(mixed(grouped(seen, threshold - margin, seed), seen) for seed in range(20)) > 0
