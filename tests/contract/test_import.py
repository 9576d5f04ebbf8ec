"""The labelled people, imported as `rollcall people import` does, and recognised by the whole system."""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path

import pytest

from ray_backend.client import Backend, local_backend
from ray_backend.domain.model import DecisionKind
from ray_backend.jobs.people_import import import_people
from ray_backend.services.bulk_import.report import NOT_TAKEN, rows
from ray_backend.settings import Settings
from tests import faces

pytestmark = faces.needs_shared

PACKS = ["dlib-resnet", "edge"]
PROBES = faces.labelled("probe")
_folders: list[tempfile.TemporaryDirectory] = []


@cache
def site(pack: str) -> Backend:
    spec = str(faces.EDGE_PACK) if pack == "edge" else pack
    _folders.append(tempfile.TemporaryDirectory())  # gone with the process
    backend = local_backend(Settings(store="memory", pack=spec, data_dir=Path(_folders[-1].name)))
    rehearsed = import_people(backend, faces.FACES / "enrol", consent=True, dry_run=True)
    assert backend.overview().people == 0
    run = import_people(backend, faces.FACES / "enrol", consent=True)
    assert list(rows(run.outcomes(), NOT_TAKEN)) == []
    assert (run.tally().counts.created, run.tally().counts.accepted) == (7, 10)
    assert list(rehearsed.outcomes()) == list(run.outcomes())
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
    counts = import_people(site(pack), faces.FACES / "enrol", consent=True).tally().counts
    assert (counts.people, counts.created, counts.accepted, counts.stored_already) == (7, 0, 0, 10)


@pytest.mark.parametrize("pack", PACKS)
def test_a_check_in_serves_the_nearest_of_two(pack):
    photo = next(photo for photo in PROBES if photo.name.endswith("kit_with_rose.jpg"))
    answer = site(pack).check_in(photo.path.read_bytes(), kiosk="door")
    assert answer.decision.kind in {DecisionKind.MATCH, DecisionKind.UNKNOWN}
    assert answer.person is None or answer.person.employee_id == "rose_leslie"
