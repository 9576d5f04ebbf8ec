"""A folder with one folder a person, as it should be and as it should not."""

from __future__ import annotations

import os
from dataclasses import replace

import pytest

from ray_backend.domain.errors import InvalidInput
from ray_backend.services.bulk_import.sources import Source
from tests.unit.bulk_import.sources import LIMITS, contents, entries, folder, refused


def test_a_folder_is_a_person_and_its_files_are_photos(tmp_path):
    folder(
        tmp_path, {"E1_Ada Lovelace/b.JPG": b"2", "E1_Ada Lovelace/a.png": b"1", "rose_leslie/c.webp": b"3"}
    )

    first, second = entries(tmp_path)

    assert (first.draft.employee_id, first.draft.name) == ("E1", "Ada Lovelace")
    assert (second.draft.employee_id, second.draft.name) == ("rose_leslie", "Rose Leslie")
    assert contents(tmp_path) == {"E1": [b"1", b"2"], "rose_leslie": [b"3"]}


def test_consent_is_what_the_importer_says(tmp_path):
    folder(tmp_path, {"E1_Ada/a.jpg": b"1"})

    assert [entries(tmp_path, consent=word)[0].draft.consent for word in (True, False)] == [True, False]


def test_what_is_no_photo_of_a_person_is_refused_with_its_reason(tmp_path):
    folder(
        tmp_path,
        {
            "loose.jpg": b"1",
            "read me.txt": b"1",
            "E1_Ada/cv.pdf": b"1",
            "E1_Ada/more.zip": b"1",
            "E1_Ada/2024/a.jpg": b"1",
            "E1_Ada/large.jpg": bytes(1_000_001),
            "E2_Nobody/.DS_Store": b"1",
        },
    )

    assert refused(tmp_path) == {
        "loose.jpg": "no_folder",
        "read me.txt": "not_a_photo",
        "E1_Ada/cv.pdf": "not_a_photo",
        "E1_Ada/more.zip": "nested_archive",
        "E1_Ada/2024": "too_deep",
        "E1_Ada/large.jpg": "too_many_bytes",
        "E2_Nobody": "no_photos",
    }


def test_links_and_pipes_are_never_opened(tmp_path):
    secret = tmp_path / "secret.jpg"
    secret.write_bytes(b"secret")
    root = folder(tmp_path / "people", {"E1_Ada/a.jpg": b"1", "E2_Bob/b.jpg": b"2"})
    (root / "E1_Ada" / "link.jpg").symlink_to(secret)
    (root / "E3_Link").symlink_to(tmp_path)
    os.mkfifo(root / "E2_Bob" / "pipe.jpg")

    assert contents(root) == {"E1": [b"1"], "E2": [b"2"]}
    assert refused(root) == {"E1_Ada/link.jpg": "link", "E3_Link": "link", "E2_Bob/pipe.jpg": "not_a_file"}


def test_a_link_that_is_put_in_a_photos_place_meanwhile_is_not_followed(tmp_path):
    secret = tmp_path / "secret"
    secret.write_bytes(b"secret")
    root = folder(tmp_path / "people", {"E1_Ada/a.jpg": b"1"})
    (entry,) = entries(root)
    (root / "E1_Ada" / "a.jpg").unlink()
    (root / "E1_Ada" / "a.jpg").symlink_to(secret)

    assert entry.photos[0].read().code == "unreadable_file"


def test_what_operating_systems_leave_behind_is_counted_and_nothing_else(tmp_path):
    folder(tmp_path, {
        "E1_Ada/a.jpg": b"1", "E1_Ada/._a.jpg": b"x", "E1_Ada/Thumbs.db": b"x", ".DS_Store": b"x",
        "__MACOSX/E1_Ada/a.jpg": b"x",
    })  # fmt: skip
    with Source(tmp_path, LIMITS, consent=True) as source:
        found = list(source.people())

        assert [len(entry.photos) for entry in found] == [1]
        assert (source.skipped, source.count()) == (4, 1)


def test_the_same_employee_id_counts_once(tmp_path):
    folder(tmp_path, {"E1_Ada/a.jpg": b"1", "E1_Ada Lovelace/b.jpg": b"2"})

    first, second = entries(tmp_path)

    assert first.draft.employee_id == "E1"
    assert second.draft is None
    assert second.refused[0].reason.sentence == (
        "The employee id stands a second time here; E1_Ada has it, too."
    )


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("E1_=HYPERLINK(1)", "formula"),
        ("=1+1_Ada", "formula"),
        ("E1_Ada\u202egpj", "hidden_sign"),
        ("E1_Zero\u200bwidth", "hidden_sign"),
        ("E1_" + "x" * 201, "field"),
        ("E1_line\nbreak", None),
        ("E1_bell\a", "field"),
    ],
)
def test_strange_names_are_refused_where_they_hide_something(tmp_path, name, code):
    folder(tmp_path, {f"{name}/a.jpg": b"1"})

    (entry,) = entries(tmp_path)

    assert (entry.refused[0].reason.code if entry.refused else None) == code


def test_names_are_composed_as_everybody_else_writes_them(tmp_path):
    folder(tmp_path, {"E1_Jo\u0308rg/a.jpg": b"1"})

    assert entries(tmp_path)[0].draft.name == "J\u00f6rg"


def test_a_name_that_is_no_text_is_refused_and_can_be_shown(tmp_path):
    folder(tmp_path, {os.fsdecode(b"E1_J\xf6rg/a.jpg"): b"1"})

    (entry,) = entries(tmp_path)

    assert entry.refused[0].reason.code == "field"
    entry.place.encode()


def test_photos_beyond_the_limit_are_refused(tmp_path):
    folder(tmp_path, {f"E1_Ada/{n}.jpg": b"1" for n in range(5)})

    (entry,) = entries(tmp_path, limits=replace(LIMITS, photos_each=3))

    assert (len(entry.photos), [file.reason.code for file in entry.refused]) == (3, ["too_many_photos"] * 2)


def test_the_mark_changes_with_the_photo(tmp_path):
    folder(tmp_path, {"E1_Ada/a.jpg": b"1"})
    before = entries(tmp_path)[0].mark
    folder(tmp_path, {"E1_Ada/a.jpg": b"other"})

    assert entries(tmp_path)[0].mark != before


@pytest.mark.parametrize("name", ["nothing", "list.txt", "photo.jpg"])
def test_what_is_no_source_is_said_so(tmp_path, name):
    if "." in name:
        (tmp_path / name).write_bytes(b"1")

    with pytest.raises(InvalidInput, match=r"neither a folder nor a \.zip"):
        entries(tmp_path / name)
