"""Whether both packs recognise the right people on labelled photos, at the thresholds they come with."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from ray_backend.ports import FaceEngine
from ray_backend.settings import Settings
from ray_backend.vision.packs import load_engine
from tests import faces

pytestmark = faces.needs_shared

PACKS = ["dlib-resnet", "edge"]
PROBES = faces.labelled("probe", "resolution", "odd")
STRANGERS = faces.labelled("group", "liveness", "many", "pose", "quality", "rotate")


@cache
def engine(pack: str) -> FaceEngine:
    return load_engine(Settings(pack=str(faces.EDGE_PACK) if pack == "edge" else pack))


@cache
def enrolled(pack: str) -> dict[str, np.ndarray]:
    """Templates of each person of `enrol`, (N, D)."""
    rows: dict[str, list[np.ndarray]] = {}
    for photo in faces.labelled("enrol"):
        (person,) = photo.people
        rows.setdefault(person, []).append(embeddings(pack, photo)[:1])
    return {person: np.concatenate(parts) for person, parts in rows.items()}


def embeddings(pack: str, photo: faces.Photo) -> np.ndarray:
    picture = faces.open_photo(photo.path)
    found = engine(pack).detect(picture)
    return engine(pack).embed([engine(pack).align(picture, face) for face in found])


def recognised(pack: str, photo: faces.Photo) -> list[str]:
    """Who of the enrolled is in the photo, face by face, by threshold and margin."""
    people = enrolled(pack)
    names = []
    for row in embeddings(pack, photo):
        ranking = sorted(((float((people[name] @ row).max()), name) for name in people), reverse=True)
        (best, name), (second, _) = ranking[:2]
        if best >= engine(pack).pack.threshold and best - second >= engine(pack).pack.margin:
            names.append(name)
    return names


def by_name(photo: faces.Photo) -> str:
    return photo.name


@pytest.mark.parametrize("photo", PROBES, ids=by_name)
def test_edge_recognises_exactly_the_right_people(photo):
    assert sorted(recognised("edge", photo)) == sorted(photo.people)


@pytest.mark.parametrize("photo", PROBES, ids=by_name)
def test_dlib_never_takes_one_for_another(photo):
    assert set(recognised("dlib-resnet", photo)) <= photo.people


def test_dlib_recognises_most():
    right = [set(recognised("dlib-resnet", photo)) == photo.people for photo in PROBES]
    assert sum(right) / len(right) >= 0.95


@pytest.mark.parametrize("pack", PACKS)
@pytest.mark.parametrize("photo", STRANGERS, ids=by_name)
def test_strangers_stay_unknown(pack, photo):
    assert recognised(pack, photo) == []


@pytest.mark.parametrize("photo", faces.labelled("group"), ids=by_name)
def test_edge_finds_every_face_of_a_group(photo):
    assert len(embeddings("edge", photo)) == photo.faces


@pytest.mark.parametrize("pack", PACKS)
def test_everybody_to_be_enrolled_has_exactly_one_face(pack):
    counts = {photo.name: len(embeddings(pack, photo)) for photo in faces.labelled("enrol")}
    assert set(counts.values()) == {1}, counts
