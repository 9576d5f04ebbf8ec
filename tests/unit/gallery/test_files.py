"""The gallery's files: found again, checked against the store, mended, and free of whom was forgotten."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import pytest

from ray_backend.gallery import open_gallery
from ray_backend.gallery.approximate import ApproximateGallery
from ray_backend.gallery.coarse import Codebook
from ray_backend.gallery.files import FileBlocks, shred
from ray_backend.settings import Settings
from tests.unit.gallery.samples import Faces, template

DIMENSION = 64
FACES = Faces(DIMENSION, 600)
ROWS = FACES.pictures(np.arange(600))
TEMPLATES = [template(f"p{n}", f"t{n}", row) for n, row in enumerate(ROWS)]


class Site:
    """Opens the gallery of one folder again and again, as restarts do."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def start(self, templates=TEMPLATES) -> ApproximateGallery:
        self.files = FileBlocks(self.folder, DIMENSION, 256)
        self.gallery = ApproximateGallery(
            DIMENSION, 100, self.files, codebook=self.files.codebook(), remember=self.files.remember,
            block_rows=256, step=1,
        )  # fmt: skip
        self.gallery.replace(iter(templates))
        self.gallery.settle()
        return self.gallery

    def stop(self) -> None:
        self.gallery.close()
        self.files.close()

    def bytes(self) -> bytes:
        return b"".join(path.read_bytes() for path in sorted(self.folder.iterdir()))

    def blocks(self) -> list[Path]:
        return sorted(self.folder.glob("rows-*.bin"))


@pytest.fixture
def site(tmp_path):
    made = Site(tmp_path / "gallery")
    made.start()
    yield made
    made.stop()


@pytest.fixture
def encoded(monkeypatch):
    """How many vectors were encoded."""
    counted = []
    encode = Codebook.encode

    def counting(self, vectors):
        counted.append(len(vectors))
        return encode(self, vectors)

    monkeypatch.setattr(Codebook, "encode", counting)
    return counted


def names(gallery) -> list[str]:
    return [answer[0].person_id for answer in gallery.search(ROWS, 1)]


def test_the_next_start_finds_the_codes_of_the_last(site, encoded):
    site.stop()
    gallery = site.start()
    assert names(gallery) == [f"p{n}" for n in range(600)]
    assert encoded == []


def test_templates_in_another_order_are_found_too(site, encoded):
    site.stop()
    assert names(site.start(TEMPLATES[::-1])) == [f"p{n}" for n in range(600)]
    assert encoded == []


def test_the_store_wins_over_the_files(site, encoded):
    site.stop()
    changed = template("p1", "t1", FACES.pictures(np.array([1]))[0])
    moved = template("p3", "t2", TEMPLATES[2].embedding)
    new = template("new", "new", FACES.pictures(np.array([5]))[0])
    held = [TEMPLATES[0], changed, moved, *TEMPLATES[4:], new]
    gallery = site.start(held)
    assert len(gallery) == 600
    assert sum(encoded) == 3
    [asked] = gallery.search(np.stack([new.embedding]), 1)
    assert asked[0].person_id == "new"
    assert names(gallery)[2] == "p3"
    assert gallery.search(changed.embedding[None], 1)[0][0].similarity == pytest.approx(1.0)
    for gone in (1, 3):
        assert ROWS[gone].tobytes() not in site.bytes()


@pytest.mark.parametrize("place", ["vectors", "codes", "sums", "keys"])
def test_damaged_bytes_are_mended(site, place):
    site.stop()
    block = FileBlocks(site.folder, DIMENSION, 256).left_over()[0]
    array = getattr(block, place)
    array[7:90] = 255 - array[7:90].view(np.uint8).view(array.dtype) if array.dtype == np.uint8 else 1
    block.flush()
    del block, array
    assert names(site.start()) == [f"p{n}" for n in range(600)]


def test_a_block_that_was_cut_off_is_removed(site):
    site.stop()
    with site.blocks()[0].open("r+b") as file:
        file.truncate(1000)
    assert names(site.start()) == [f"p{n}" for n in range(600)]


def test_blocks_of_another_pack_are_removed(site):
    site.stop()
    other = FileBlocks(site.folder, 32, 256)
    assert other.left_over() == []
    assert site.blocks() == []
    other.close()
    site.start()


def test_a_damaged_codebook_is_learnt_anew(site, caplog):
    site.stop()
    path = site.folder / "codebook.bin"
    whole = path.read_bytes()
    path.write_bytes(b"nonsense")
    with caplog.at_level(logging.WARNING):
        assert names(site.start()) == [f"p{n}" for n in range(600)]
    assert "codes are made anew" in caplog.text
    assert path.read_bytes() == whole


def test_codes_of_another_codebook_are_made_anew(site, encoded):
    site.stop()
    site.files = FileBlocks(site.folder, DIMENSION, 256)
    site.files.remember(Codebook.train(ROWS[:50]))
    site.files.close()
    assert names(site.start()) == [f"p{n}" for n in range(600)]
    assert sum(encoded) == 600


def test_who_is_erased_leaves_no_bytes_in_the_files(site):
    vector = ROWS[42].tobytes()
    chunk = site.gallery._rows.view.parts[0][0]
    code, key = chunk.block.codes[42].tobytes(), chunk.block.keys[42].tobytes()
    assert vector in site.bytes()
    assert key in site.bytes()
    site.gallery.remove_person("p42")
    for secret in (vector, vector[:32], vector[-32:], code, key):
        assert secret not in site.bytes()
    assert b"p42" not in site.bytes()


def test_a_replaced_template_leaves_no_bytes_either(site):
    site.gallery.add([template("p42", "t42", FACES.pictures(np.array([42]))[0])])
    site.gallery.settle()
    assert ROWS[42].tobytes() not in site.bytes()


def test_who_was_erased_while_nothing_ran_leaves_no_bytes(site):
    site.stop()
    site.start([t for t in TEMPLATES if t.person_id != "p42"])
    assert ROWS[42].tobytes() not in site.bytes()


def test_blocks_that_become_empty_are_wiped_and_removed(site, monkeypatch):
    wiped = []
    unlink = Path.unlink

    def look(path, missing_ok=False):
        wiped.append(not any(path.read_bytes()))
        unlink(path, missing_ok)

    monkeypatch.setattr(Path, "unlink", look)
    before = len(site.blocks())
    for number in range(500):
        site.gallery.remove_template(f"t{number}")
    assert len(site.blocks()) < before
    assert wiped
    assert all(wiped)
    assert names(site.gallery)[500:] == [f"p{n}" for n in range(500, 600)]


def test_a_start_that_fails_changes_nothing(site):
    def broken():
        yield from TEMPLATES[:300]
        raise ConnectionError

    version = site.gallery.version
    with pytest.raises(ConnectionError):
        site.gallery.replace(broken())
    assert site.gallery.version == version
    assert names(site.gallery) == [f"p{n}" for n in range(600)]
    site.stop()
    site.files = FileBlocks(site.folder, DIMENSION, 256)
    site.gallery = ApproximateGallery(DIMENSION, 100, site.files, block_rows=256, step=1)
    with pytest.raises(ConnectionError):
        site.gallery.replace(broken())
    assert site.gallery.search(ROWS[:1]) == [[]]
    site.gallery.replace(iter(TEMPLATES))
    site.gallery.settle()
    assert names(site.gallery) == [f"p{n}" for n in range(600)]


def test_only_the_owner_may_read_the_files(site):
    assert site.folder.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o077 for path in site.blocks()} == {0}


def test_a_full_disk_keeps_the_gallery_in_memory(tmp_path, monkeypatch, caplog):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.posix_fallocate", full)
    site = Site(tmp_path)
    with caplog.at_level(logging.WARNING):
        assert names(site.start()) == [f"p{n}" for n in range(600)]
    assert "kept in memory only" in caplog.text
    assert site.blocks() == []
    site.stop()


def test_files_are_written_for_large_galleries_only_and_by_one_process_only(tmp_path, caplog):
    settings = Settings(data_dir=tmp_path, gallery_exact_limit=100)
    folder = tmp_path / "gallery"
    small = open_gallery(settings, DIMENSION, expected=100)
    small.replace(iter(TEMPLATES[:100]))
    assert not folder.exists()
    large = open_gallery(settings, DIMENSION, expected=600)
    large.replace(iter(TEMPLATES))
    assert list(folder.glob("rows-*.bin"))
    with caplog.at_level(logging.WARNING):
        second = open_gallery(settings, DIMENSION, expected=600)
    assert "in memory only" in caplog.text
    second.replace(iter(TEMPLATES))
    for gallery in (large, second):
        gallery.settle()
        assert names(gallery) == [f"p{n}" for n in range(600)]
        gallery.close()


def test_files_of_a_gallery_that_became_small_are_removed(site):
    site.stop()
    shred(site.folder)
    assert [path.name for path in site.folder.iterdir()] == ["lock"]
    site.start()
