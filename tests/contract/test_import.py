"""The labelled people, imported as `rollcall people import` does, and recognised by the whole system."""

from __future__ import annotations

from functools import cache

import pytest

from ray_backend.client import Backend, local_backend
from ray_backend.domain.model import DecisionKind
from ray_backend.jobs.people_import import import_people, person_folders
from ray_backend.settings import Settings
from tests import faces

pytestmark = faces.needs_shared

PACKS = ["dlib-resnet", "edge"]
PROBES = faces.labelled("probe")


@cache
def site(pack: str) -> Backend:
    spec = str(faces.EDGE_PACK) if pack == "edge" else pack
    backend = local_backend(Settings(store="memory", pack=spec))
    folders = person_folders(faces.FACES / "enrol")
    summary = import_people(backend, folders, consent=True, max_image_bytes=12_000_000)
    assert list(summary.refusals()) == []
    assert (summary.people_added, summary.photos_accepted) == (7, 10)
    return backend


def recognised(pack: str, photo: faces.Photo) -> set[str]:
    found = site(pack).recognise(photo.path.read_bytes()).faces
    return {face.person.employee_id for face in found if face.person}


@pytest.mark.parametrize("photo", PROBES, ids=lambda photo: photo.name)
def test_every_probe_gets_its_people_and_every_stranger_is_unknown(photo):
    assert recognised("edge", photo) == photo.people


@pytest.mark.parametrize("photo", PROBES, ids=lambda photo: photo.name)
def test_the_built_in_pack_may_miss_but_never_confuses(photo):
    assert recognised("dlib-resnet", photo) <= photo.people


@pytest.mark.parametrize("pack", PACKS)
@pytest.mark.parametrize("photo", faces.labelled("group"), ids=lambda photo: photo.name)
def test_groups_of_strangers_stay_unknown(pack, photo):
    assert recognised(pack, photo) == set()


@pytest.mark.parametrize("pack", PACKS)
def test_importing_again_adds_nothing(pack):
    folders = person_folders(faces.FACES / "enrol")
    again = import_people(site(pack), folders, consent=True, max_image_bytes=12_000_000)
    assert (again.people_added, again.photos_accepted, again.photos_known) == (0, 0, 10)


@pytest.mark.parametrize("pack", PACKS)
def test_a_check_in_serves_the_nearest_of_two(pack):
    photo = next(photo for photo in PROBES if photo.name.endswith("kit_with_rose.jpg"))
    answer = site(pack).check_in(photo.path.read_bytes(), kiosk="door")
    assert answer.decision.kind in {DecisionKind.MATCH, DecisionKind.UNKNOWN}
    assert answer.person is None or answer.person.employee_id == "rose_leslie"
