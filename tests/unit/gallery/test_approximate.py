"""The approximate gallery: how much it finds, and that building in the background loses nothing."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from ray_backend.gallery.approximate import ApproximateGallery
from ray_backend.gallery.blocks import MemoryBlocks, code_bytes, pieces
from ray_backend.gallery.coarse import Codebook
from ray_backend.gallery.rows import Rows
from tests.unit.gallery.samples import Faces, template


def gallery_of(rows: np.ndarray, people: np.ndarray, **options) -> ApproximateGallery:
    gallery = ApproximateGallery(rows.shape[1], 1000, **options)
    gallery.replace(
        template(f"p{p}", f"t{n}", row) for n, (p, row) in enumerate(zip(people, rows, strict=True))
    )
    gallery.settle()
    return gallery


@pytest.mark.parametrize(
    ("dimension", "alike", "cone"),
    [(512, 0.65, 0.0), (512, 0.45, 0.0), (128, 0.65, 0.0), (128, 0.96, 0.87)],
    ids=["512", "512, poor pictures", "128", "128, as narrow as dlib's"],
)
def test_it_finds_nearly_always_whom_a_full_search_finds(dimension, alike, cone):
    """0.99 of the best people, and similarities that are exact."""
    faces = Faces(dimension, 5000, alike=alike, cone=cone)
    people = np.repeat(np.arange(5000), 4)
    rows = faces.pictures(people)
    gallery = gallery_of(rows, people, block_rows=8192)
    questions = faces.pictures(np.arange(500))
    similarities = questions @ rows.T
    best = similarities.argmax(axis=1)
    answers = gallery.search(questions, 2)
    right = [answer[0].person_id == f"p{people[row]}" for answer, row in zip(answers, best, strict=True)]
    assert np.mean(right) >= 0.99
    for answer, row in zip(answers, similarities, strict=True):
        number = int(answer[0].person_id[1:])
        assert answer[0].similarity == pytest.approx(row[people == number].max(), abs=1e-2)


def test_what_is_added_and_removed_while_it_builds_is_found_and_gone():
    faces = Faces(64, 3000)
    people = np.arange(3000)
    rows = faces.pictures(people)
    gallery = ApproximateGallery(64, 100, block_rows=512, step=64)
    templates = [template(f"p{p}", f"t{p}", row) for p, row in enumerate(rows)]
    for start in range(0, 3000, 100):
        gallery.add(templates[start : start + 100])
        gallery.remove_person(f"p{start}")
        assert gallery.search(rows[start + 1][None], 1)[0][0].person_id == f"p{start + 1}"
        assert gallery.search(rows[start][None], 1)[0][0].person_id != f"p{start}"
    gallery.settle()
    found = [answer[0].person_id for answer in gallery.search(rows, 1)]
    staying = [p for p in range(3000) if p % 100]
    assert [found[p] for p in staying] == [f"p{p}" for p in staying]
    assert not {f"p{p}" for p in range(0, 3000, 100)} & set(found)


def test_it_searches_exactly_up_to_the_limit(monkeypatch):
    faces = Faces(64, 1001)
    rows = faces.pictures(np.arange(1001))
    monkeypatch.setattr(ApproximateGallery, "_pack_all", pytest.fail)
    gallery = gallery_of(rows[:1000], np.arange(1000))
    assert [answer[0].person_id for answer in gallery.search(rows[:1000], 1)] == [
        f"p{n}" for n in range(1000)
    ]


def test_a_search_that_a_removal_meets_is_repeated():
    rows = Rows(4, MemoryBlocks(4))
    axes = np.eye(4, dtype=np.float32)
    rows.add([template("ada", "t1", axes[0]), template("alan", "t2", axes[1])])
    seen = []

    def answer(view):
        seen.append(view)
        if len(seen) == 1:
            thread = threading.Thread(target=rows.remove_person, args=("ada",))
            thread.start()
            thread.join()
        return len(seen)

    assert rows.read(answer) == 2


def test_rows_of_removed_templates_are_used_up_and_closed():
    gallery = ApproximateGallery(4, 10**6, block_rows=2048)
    axes = np.eye(4, dtype=np.float32)
    for number in range(5000):
        gallery.add([template("ada", "t", axes[number % 4])])
    assert len(gallery) == 1
    assert gallery._rows.view.count < 2048


@pytest.mark.parametrize(
    ("dimension", "expected"), [(512, 128), (128, 128), (256, 128), (16, 16), (7, 7), (131, 1)]
)
def test_an_embedding_is_cut_evenly(dimension, expected):
    assert pieces(dimension) == expected
    assert code_bytes(dimension) == (expected + 1) // 2


def test_a_codebook_comes_back_from_its_bytes_and_damage_is_noticed():
    rows = Faces(32, 500).pictures(np.arange(500))
    book = Codebook.train(rows)
    again = Codebook.from_bytes(32, book.to_bytes())
    codes = book.encode(rows)
    assert np.array_equal(again.encode(rows), codes)
    assert np.array_equal(again.sums(codes), book.sums(codes))
    damaged = bytearray(book.to_bytes())
    damaged[100] ^= 1
    for data, dimension in (
        (bytes(damaged), 32),
        (book.to_bytes()[:-4], 32),
        (book.to_bytes(), 64),
        (b"", 32),
    ):
        with pytest.raises(ValueError):
            Codebook.from_bytes(dimension, data)


def test_check_sums_notice_a_changed_code_and_another_codebook():
    rows = Faces(32, 500).pictures(np.arange(500))
    book, other = Codebook.train(rows), Codebook.train(rows[:200])
    codes = book.encode(rows)
    changed = codes.copy()
    changed[:, 3] ^= 1
    assert not (book.sums(codes) == book.sums(changed)).any()
    assert (book.sums(codes) != other.sums(codes)).all()
    assert (book.sums(np.zeros_like(codes)) != 0).all()
