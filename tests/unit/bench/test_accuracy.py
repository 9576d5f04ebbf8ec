"""The accuracy bench on faces whose similarities are known."""

from __future__ import annotations

import io
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bench.accuracy import effects, open_set, photos
from bench.accuracy.pairs import compare
from bench.accuracy.photos import Face, Shot
from ray_backend.domain.model import Quality
from tests.fakes import FAKE_PACK, FakeEngine, photo

D = 32
GOOD = Quality(150, 200, 120, 0, 0, 0, 1.0, 0.99)


def face(identity: str, embedding: np.ndarray, shot: str, *, named: bool = True) -> Face:
    row = (embedding / np.linalg.norm(embedding)).astype(np.float32)
    return Face(identity, named, Shot(shot, b"", identity if named else None), GOOD, row)


def axis(*numbers: int) -> np.ndarray:
    return np.eye(D)[list(numbers)].sum(axis=0)


def crowd(people: int, photos_each: int, spread: float = 0.3) -> list[Face]:
    random = np.random.default_rng(3)
    centres = random.standard_normal((people, D)) / np.sqrt(D)
    return [
        face(f"p{who}", centre + spread * random.standard_normal(D) / np.sqrt(D), f"p{who}/{number}")
        for who, centre in enumerate(centres)
        for number in range(photos_each)
    ]


def test_every_pair_of_people_weighs_the_same_and_is_one_trial():
    faces = [
        face("ada", axis(0), "a1"), face("ada", axis(0), "a2"), face("ada", axis(0), "a3"),
        face("bob", axis(0, 1), "b1"), face("eve", axis(5), "e1"),
    ]  # fmt: skip
    pairs = compare(faces)

    assert (pairs.people, pairs.people_pairs) == (1, 3)
    assert (pairs.genuine_comparisons, pairs.impostor_comparisons) == (3, 7)
    wrong = pairs.false_matches(0.5)
    assert (wrong.errors, wrong.trials) == (pytest.approx(1), 3)
    assert pairs.closest[0][0] == pytest.approx(np.sqrt(0.5))


def test_the_nameless_are_compared_within_a_photo_and_with_the_named_only():
    faces = [
        face("ada", axis(0), "a1"),
        face("g#0", axis(1), "g", named=False), face("g#1", axis(2), "g", named=False),
        face("h#0", axis(1), "h", named=False),
    ]  # fmt: skip

    assert compare(faces).people_pairs == 3 + 1


def test_a_person_is_missed_where_a_rival_is_too_close_and_not_where_nobody_is():
    faces = [face("ada", axis(0), "a1"), face("ada", axis(0), "a2"), face("bob", axis(0, 1), "b1")]
    found = open_set.search(faces, gallery=2, filler="random")

    assert found.mated_people == 1
    assert found.missed(0.5, margin=0.05).errors == 0
    assert found.missed(0.5, margin=0.4).errors == pytest.approx(1)
    assert found.let_in(0.6).errors == pytest.approx(2), "ada and bob, each a stranger to the other"
    assert found.let_in(0.9).errors == 0


@pytest.mark.parametrize("filler", open_set.FILLERS)
def test_a_larger_gallery_lets_more_strangers_in(filler):
    faces = crowd(20, 2)
    rates = [open_set.search(faces, size, filler).let_in(0.5).rate for size in (20, 500, 20_000)]

    assert rates == sorted(rates)
    assert rates[-1] > rates[0]


def test_invented_people_come_no_closer_to_the_faces_than_real_ones():
    faces = crowd(200, 1)
    rows = np.stack([each.embedding for each in faces])
    real = (rows @ rows.T)[np.triu_indices(len(rows), 1)]
    (invented,) = open_set._invented(rows, np.arange(len(rows)), 2000, "around")
    near = rows @ invented.T

    assert near.mean() == pytest.approx(real.mean(), abs=0.02)
    assert near.std() <= real.std() * 1.05


def test_more_templates_of_a_person_refuse_fewer():
    rows = effects.of_templates(crowd(6, 8, spread=1.0), FAKE_PACK)

    assert [row["templates"] for row in rows] == [1, 2, 3, 4, 5]
    assert rows[-1]["FNMR"] < rows[0]["FNMR"]
    assert rows[-1]["people"] == 6


def test_people_with_few_photos_are_no_measure_of_templates():
    assert effects.of_templates(crowd(3, 3), FAKE_PACK)[0]["FNMR"] is None


def test_folders_of_people_and_labels_are_read(tmp_path: Path):
    (tmp_path / "people" / "ada").mkdir(parents=True)
    (tmp_path / "people" / "ada" / "1.png").write_bytes(photo(1))
    (tmp_path / "set").mkdir()
    for name in ("bob.png", "two.png", "copy.png", "group.png"):
        (tmp_path / "set" / name).write_bytes(photo(2))
    (tmp_path / "set" / "labels.csv").write_text(
        "file,set,people\nbob.png,probe,bob\ntwo.png,probe,ada|bob\ncopy.png,odd,bob\ngroup.png,group,\n"
    )

    shots = photos.read([tmp_path / "people", tmp_path / "set"])

    assert [(shot.name, shot.person) for shot in shots[:3]] == [
        ("ada/1.png", "ada"), ("bob.png", "bob"), ("group.png", None),
    ]  # fmt: skip
    assert len(shots) > 3, "people of the packages, too"


def test_without_a_folder_the_packages_people_have_several_cuts():
    cuts = Counter(shot.person for shot in photos.read([]))

    assert max(cuts.values()) >= 2


def test_faces_that_a_kiosk_would_not_take_are_left_out_and_counted():
    shots = [
        Shot("good", photo(1), "ada"),
        Shot("poor", photo(1, blurred=True), "ada"),
        Shot("two", photo(1, 2), "ada"),
        Shot("group", photo(3, 4), None),
        Shot("empty", _empty(), None),
        Shot("broken", b"no picture", "ada"),
    ]
    found, left_out = photos.find(shots, FakeEngine())

    assert [each.identity for each in found] == ["ada", "group#0", "group#1"]
    assert left_out == {
        "blurred": 1, "several faces beside a name": 2, "no face found": 1, "unreadable photo": 1,
    }  # fmt: skip


def _empty() -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (200, 200)).save(buffer, "PNG")
    return buffer.getvalue()
