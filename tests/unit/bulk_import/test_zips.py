"""Zip archives: ordinary ones of all makers, and those made to do harm."""

from __future__ import annotations

import struct
import tracemalloc
import zipfile
from dataclasses import replace

import pytest

from ray_backend.domain.errors import InvalidInput
from ray_backend.services.bulk_import.sources import Source
from tests.unit.bulk_import.sources import LIMITS, archive, contents, entries, refused

JUNK = {"__MACOSX/E1_Ada/._a.jpg": b"x", "E1_Ada/.DS_Store": b"x", "E1_Ada/Thumbs.db": b"x"}


def noise(size: int) -> bytes:
    import random

    return random.Random(size).randbytes(size)


def with_entry(path, name: str, data: bytes = b"1", **facts):
    """A zip with a good person and one more entry, whose header says these things."""
    with zipfile.ZipFile(path, "w") as made:
        made.writestr("E1_Ada/a.jpg", b"good")
        info = zipfile.ZipInfo(name)
        for key, value in facts.items():
            setattr(info, key, value)
        made.writestr(info, data)
    return path


def test_people_are_read_like_those_of_a_folder(tmp_path):
    path = archive(tmp_path / "all.zip", {"E2_Bob/b.jpg": b"2", "E1_Ada/a.jpg": b"1", **JUNK})

    with Source(path, LIMITS, consent=True) as source:
        assert [entry.draft.employee_id for entry in source.people()] == ["E1", "E2"]
        assert (source.skipped, source.count()) == (3, 2)
    assert contents(path) == {"E1": [b"1"], "E2": [b"2"]}


def test_one_folder_around_everything_does_not_matter(tmp_path):
    path = archive(tmp_path / "all.zip", {"staff/E1_Ada/a.jpg": b"1", "staff/E2_Bob/b.jpg": b"2"})

    assert contents(path) == {"E1": [b"1"], "E2": [b"2"]}


def test_one_person_alone_is_no_folder_around_everything(tmp_path):
    assert contents(archive(tmp_path / "all.zip", {"E1_Ada/a.jpg": b"1"})) == {"E1": [b"1"]}


@pytest.mark.parametrize(
    "name",
    [
        "../E9_Eve/a.jpg",
        "/etc/E9_Eve/a.jpg",
        "C:\\E9_Eve\\a.jpg",
        "E9_Eve/../../a.jpg",
        "..\\E9_Eve\\a.jpg",
        "\\\\host\\E9_Eve\\a.jpg",
    ],
)
def test_paths_that_lead_out_are_refused(tmp_path, name):
    path = with_entry(tmp_path / "all.zip", name)

    assert list(refused(path).values()) == ["outside"]
    assert contents(path) == {"E1": [b"good"]}


def test_links_are_refused(tmp_path):
    path = with_entry(tmp_path / "all.zip", "E1_Ada/z.jpg", b"/etc/passwd", external_attr=0o120777 << 16)

    assert refused(path) == {"E1_Ada/z.jpg": "link"}


def test_an_archive_in_an_archive_is_not_opened(tmp_path):
    inner = archive(tmp_path / "inner.zip", {"E9_Eve/a.jpg": b"1"}).read_bytes()
    path = archive(tmp_path / "all.zip", {"E1_Ada/a.jpg": b"1", "E1_Ada/inner.zip": inner, "more.zip": inner})

    assert refused(path) == {"E1_Ada/inner.zip": "nested_archive", "more.zip": "nested_archive"}
    assert contents(path) == {"E1": [b"1"]}


def patched(path, offset_in_central: int, value: bytes):
    """The archive with other bytes in the last entry's line of the list of files."""
    data = bytearray(path.read_bytes())
    start = data.rindex(b"PK\x01\x02") + offset_in_central
    data[start : start + len(value)] = value
    path.write_bytes(data)
    return path


def test_encrypted_files_are_refused(tmp_path):
    path = patched(with_entry(tmp_path / "all.zip", "E1_Ada/b.jpg"), 8, struct.pack("<H", 1))

    assert refused(path) == {"E1_Ada/b.jpg": "encrypted"}


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_packings_that_unpack_without_bound_are_refused(tmp_path, method):
    path = archive(tmp_path / "all.zip", {"E1_Ada/a.jpg": bytes(10_000_000)}, method)

    assert refused(path) == {"E1_Ada/a.jpg": "packed_otherwise"}


def peak_of(work) -> int:
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_a_bomb_is_read_no_further_than_a_photo_may_be_large(tmp_path):
    path = archive(tmp_path / "all.zip", {"E1_Ada/a.jpg": bytes(200_000_000), "E2_Bob/b.jpg": b"2"})
    limits = replace(LIMITS, photo_bytes=5_000_000)

    assert refused(path, limits) == {"E1_Ada/a.jpg": "bomb"}
    assert contents(path, limits)["E2"] == [b"2"]
    assert peak_of(lambda: contents(path, limits)) < 30_000_000


def test_a_bomb_that_says_that_it_is_small_is_damaged(tmp_path):
    path = archive(tmp_path / "all.zip", {"E1_Ada/a.jpg": bytes(50_000_000)})
    patched(path, 24, struct.pack("<I", 1000))

    assert refused(path) == {"E1_Ada/a.jpg": "damaged"}


def test_a_large_file_that_says_that_it_is_small_is_not_believed(tmp_path):
    path = archive(tmp_path / "all.zip", {"E1_Ada/a.jpg": noise(3_000_000)}, zipfile.ZIP_STORED)
    patched(path, 24, struct.pack("<I", 1000))

    assert refused(path)["E1_Ada/a.jpg"] in {"damaged", "too_many_bytes"}


def test_many_entries_that_share_their_bytes_are_stopped_by_their_sum(tmp_path):
    """A flat bomb (Fifield): each entry is small enough, all of them together are not."""
    path = archive(tmp_path / "all.zip", {f"E{n}_X/a.jpg": bytes(900_000) for n in range(60)})
    limits = replace(LIMITS, expansion_free_bytes=9_000_000)

    codes = refused(path, limits)

    assert set(codes.values()) == {"archive_too_large"}
    assert len(codes) == 60 - 11


def test_a_list_of_too_many_files_is_not_even_read(tmp_path):
    path = archive(tmp_path / "all.zip", {f"E{n}_X/a.jpg": b"" for n in range(2000)})

    with pytest.raises(InvalidInput, match="too many files"):
        entries(path, limits=replace(LIMITS, directory_bytes=50_000))


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04", b"no zip at all", noise(5000)])
def test_what_is_no_zip_is_said_so(tmp_path, data):
    path = tmp_path / "all.zip"
    path.write_bytes(data)

    with pytest.raises(InvalidInput, match="not a zip archive"):
        entries(path)


def test_an_archive_without_anybody_is_said_so(tmp_path):
    with pytest.raises(InvalidInput, match="nobody in it"):
        entries(archive(tmp_path / "all.zip", {}))


def test_a_cut_off_archive_is_said_so(tmp_path):
    path = archive(tmp_path / "all.zip", {"E1_Ada/a.jpg": noise(50_000)})
    path.write_bytes(path.read_bytes()[:-40])

    with pytest.raises(InvalidInput, match="not a zip archive"):
        entries(path)


def test_a_damaged_photo_spoils_only_itself(tmp_path):
    path = archive(
        tmp_path / "all.zip", {"E1_Ada/a.jpg": noise(50_000), "E2_Bob/b.jpg": b"2"}, zipfile.ZIP_STORED
    )
    data = bytearray(path.read_bytes())
    data[1000] ^= 0xFF
    path.write_bytes(data)

    assert contents(path) == {"E1": ["damaged"], "E2": [b"2"]}


def test_umlauts_arrive_from_every_maker_of_zips(tmp_path):
    path = tmp_path / "all.zip"
    with zipfile.ZipFile(path, "w") as made:
        made.writestr("E1_Jo\u0308rg/a.jpg", b"1")  # marked as UTF-8
        made.writestr("E2_Xxxrg/b.jpg", b"2")
    # macOS writes UTF-8 without marking it.
    path.write_bytes(path.read_bytes().replace(b"E2_Xxxrg", "E2_J\u00f6rg".encode()))

    assert [entry.draft.name for entry in entries(path)] == ["J\u00f6rg", "J\u00f6rg"]


def test_of_two_files_with_one_name_the_first_is_used(tmp_path):
    path = tmp_path / "all.zip"
    with zipfile.ZipFile(path, "w") as made:
        made.writestr("E1_Ada/a.jpg", b"first")
        with pytest.warns(UserWarning, match="Duplicate name"):
            made.writestr("E1_Ada/a.jpg", b"second")

    assert contents(path) == {"E1": [b"first"]}
    assert refused(path) == {"E1_Ada/a.jpg": "same_file_twice"}


def test_nothing_is_written_beside_the_archive(tmp_path):
    path = archive(tmp_path / "all.zip", {"E1_Ada/a.jpg": b"1", "people.csv": b"id,photo\nE1,E1_Ada/a.jpg\n"})
    contents(path)

    assert [found.name for found in tmp_path.iterdir()] == ["all.zip"]
