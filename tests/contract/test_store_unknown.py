"""Unknown faces and their groups, in every store."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from pymongo import MongoClient

from ray_backend.domain.errors import InvalidInput, StoreUnavailable
from ray_backend.ports import Store
from ray_backend.settings import Settings
from ray_backend.storage import open_store_url
from ray_backend.storage.sqlite import SqliteStore
from ray_backend.storage.sqlite_file import SqliteFile
from tests.contract.conftest import SERVERS
from tests.contract.test_store import race
from tests.store_samples import MORNING, facts, person, unknown_face, unknown_group


def ids(store: Store, group_id: str | None = None) -> list[str]:
    return [face.face_id for face in store.unknown_faces(group_id)]


def test_an_unknown_face_comes_back_as_stored(store: Store):
    full = unknown_face(at=MORNING + timedelta(microseconds=1))
    bare = unknown_face(1, thumbnail=b"", embedding=np.array([np.nan, -0.0, 1e-45], np.float32))
    store.add_unknown_face(full)
    store.add_unknown_face(bare)
    assert [facts(face) for face in store.unknown_faces()] == [facts(bare), facts(full)]


def test_a_face_that_is_there_is_replaced(store: Store):
    face = unknown_face()
    store.add_unknown_face(face)
    better = replace(face, quality=0.875, group_id="g2")
    store.add_unknown_face(better)
    assert [facts(one) for one in store.unknown_faces()] == [facts(better)]


def test_a_face_that_cannot_be_compared_or_dated_is_refused(store: Store):
    with pytest.raises(ValueError):
        store.add_unknown_face(unknown_face(embedding=np.zeros((1, 4), np.float32)))
    with pytest.raises(InvalidInput):
        store.add_unknown_face(unknown_face(at=MORNING.replace(tzinfo=None)))
    with pytest.raises(InvalidInput):
        store.remove_unknown_before(MORNING.replace(tzinfo=None))
    assert store.unknown_faces() == []


def test_faces_are_listed_newest_first_by_group(store: Store):
    faces = [unknown_face(minute % 4, f"g{minute % 2}") for minute in range(8)]
    for face in faces:
        store.add_unknown_face(face)
    newest = sorted(faces, key=lambda face: (face.at, face.face_id), reverse=True)
    assert ids(store) == [face.face_id for face in newest]
    assert ids(store, "g1") == [face.face_id for face in newest if face.group_id == "g1"]
    assert ids(store, "g9") == []


def test_faces_move_between_groups(store: Store):
    faces = [unknown_face(minute) for minute in range(3)]
    for face in faces:
        store.add_unknown_face(face)
    store.move_unknown_faces([faces[0].face_id, faces[2].face_id, "no such face"], "g2")
    store.move_unknown_faces([], "g3")
    assert ids(store, "g1") == [faces[1].face_id]
    moved = [facts(replace(face, group_id="g2")) for face in (faces[2], faces[0])]
    assert [facts(face) for face in store.unknown_faces("g2")] == moved


def test_removed_faces_are_counted_once(store: Store):
    faces = [unknown_face(minute) for minute in range(4)]
    for face in faces:
        store.add_unknown_face(face)
    store.put_unknown_group(unknown_group())
    wanted = [faces[0].face_id, faces[0].face_id, faces[3].face_id, "no such face"]
    assert store.remove_unknown_faces(wanted) == 2
    assert store.remove_unknown_faces(wanted) == 0
    assert store.remove_unknown_faces([]) == 0
    assert ids(store) == [faces[2].face_id, faces[1].face_id]
    assert store.unknown_groups() == [unknown_group()]


def test_old_faces_go_and_groups_that_are_empty_then(store: Store):
    for minute, group_id in enumerate(("old", "both", "both", "young")):
        store.add_unknown_face(unknown_face(minute, group_id))
    for group_id in ("old", "both", "young"):
        store.put_unknown_group(unknown_group(group_id))
    limit = MORNING + timedelta(minutes=2)
    assert store.remove_unknown_before(limit) == 2
    assert [face.group_id for face in store.unknown_faces()] == ["young", "both"]
    assert [group.group_id for group in store.unknown_groups()] == ["both", "young"]
    assert store.remove_unknown_before(limit) == 0


def test_a_group_comes_back_as_stored_and_is_replaced(store: Store):
    full, bare = unknown_group("g1"), unknown_group("g2", ignored=False, not_people=())
    store.put_unknown_group(bare)
    store.put_unknown_group(full)
    assert sorted(store.unknown_groups(), key=lambda group: group.group_id) == [full, bare]
    other = replace(full, ignored=False, not_people=("p3",))
    store.put_unknown_group(other)
    assert sorted(store.unknown_groups(), key=lambda group: group.group_id) == [other, bare]


def test_a_group_goes_with_its_faces(store: Store):
    for minute, group_id in enumerate(("g1", "g1", "g2")):
        store.add_unknown_face(unknown_face(minute, group_id))
    store.put_unknown_group(unknown_group("g1"))
    store.put_unknown_group(unknown_group("g2"))
    assert store.remove_unknown_group("g1") == 2
    assert store.remove_unknown_group("g1") == 0
    assert [face.group_id for face in store.unknown_faces()] == ["g2"]
    assert store.unknown_groups() == [unknown_group("g2")]


def test_of_simultaneous_removals_each_face_is_counted_by_one(store: Store):
    faces = [unknown_face(minute) for minute in range(12)]
    for face in faces:
        store.add_unknown_face(face)
    counts = race(lambda number: store.remove_unknown_faces([face.face_id for face in faces[number:]]))
    assert sum(counts) == 12
    assert store.unknown_faces() == []


def test_simultaneous_additions_are_all_kept(store: Store):
    race(lambda number: [store.add_unknown_face(unknown_face(number)) for _ in range(3)])
    assert len(store.unknown_faces()) == 24


def test_unknown_faces_and_merged_people_survive_a_restart(durable_url: str, settings: Settings):
    store = open_store_url(durable_url, settings)
    face, group = unknown_face(), unknown_group()
    target = person("E-1")
    source = person("E-2", merged_into=target.person_id)
    store.add_unknown_face(face)
    store.put_unknown_group(group)
    store.add_person(target)
    store.add_person(source)
    store.close()
    again = open_store_url(durable_url, settings)
    assert [facts(one) for one in again.unknown_faces()] == [facts(face)]
    assert again.unknown_groups() == [group]
    assert again.merged_people([target.person_id]) == [source]
    again.close()


def test_a_closed_store_keeps_and_tells_no_faces(store: Store):
    store.close()
    for call in (lambda: store.add_unknown_face(unknown_face()), store.unknown_faces, store.unknown_groups):
        with pytest.raises(StoreUnavailable):
            call()


@pytest.mark.parametrize("adapter", SERVERS)
def test_removed_faces_leave_no_documents(adapter: str, make_url, settings: Settings):
    url = make_url(adapter)
    store = open_store_url(url, settings)
    for minute in range(6):
        store.add_unknown_face(unknown_face(minute, f"g{minute % 3}"))
    store.put_unknown_group(unknown_group("g0"))
    store.remove_unknown_group("g0")
    store.remove_unknown_faces(ids(store, "g1"))
    store.remove_unknown_before(MORNING + timedelta(days=1))
    with MongoClient(url) as client:
        database = client.get_default_database()
        left = [list(database[name].find()) for name in ("unknown_faces", "unknown_groups")]
    assert left == [[], []]
    store.close()


def raw_bytes(folder: Path) -> bytes:
    """The main file, the one beside it, and the log and the index of each."""
    return b"".join(file.read_bytes() for file in folder.rglob("*") if file.is_file())


def test_removed_faces_leave_no_bytes_in_any_file(tmp_path: Path):
    path = tmp_path / "site.sqlite3"
    store = SqliteStore(path, timeout_s=5.0)
    chance = np.random.default_rng(7)
    faces = [unknown_face(n, f"group-{n % 9}", thumbnail=chance.bytes(3000)) for n in range(120)]
    for face in faces:
        store.add_unknown_face(face)
    store.move_unknown_faces([face.face_id for face in faces[::2]], "group-of-many")
    store.put_unknown_group(unknown_group("group-3"))
    before = raw_bytes(tmp_path)
    assert all(face.thumbnail[:64] in before and face.embedding.tobytes()[:64] in before for face in faces)
    assert store.remove_unknown_faces([face.face_id for face in faces[:30]]) == 30
    assert store.remove_unknown_group("group-3") > 0
    assert store.remove_unknown_before(faces[90].at) > 0
    left = set(ids(store))
    after = raw_bytes(tmp_path)
    for face in faces:
        pieces = [face.face_id.encode(), face.embedding.tobytes()[:64]]
        pieces += [face.thumbnail[start : start + 64] for start in (0, 1500, 2900)]
        assert [piece in after for piece in pieces] == [face.face_id in left] * 5
    assert b"group-3" not in after
    store.close()


def test_a_site_without_unknown_faces_has_no_file_for_them(tmp_path: Path):
    store = SqliteStore(tmp_path / "site.sqlite3", timeout_s=5.0)
    store.add_person(person())
    assert [file.name for file in tmp_path.iterdir() if "unknown" in file.name] == []
    store.add_unknown_face(unknown_face())
    modes = {file.name: file.stat().st_mode & 0o777 for file in tmp_path.iterdir() if "unknown" in file.name}
    assert set(modes.values()) == {0o600}
    assert "site.sqlite3-unknown" in modes
    store.close()


def test_a_crash_between_removing_and_wiping_is_made_good_at_the_next_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    path, face = tmp_path / "site.sqlite3", unknown_face()
    store = SqliteStore(path, timeout_s=5.0)
    store.add_unknown_face(face)

    def crash(self: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(SqliteFile, "wipe", crash)
    with pytest.raises(KeyboardInterrupt):
        store.remove_unknown_faces([face.face_id])
    monkeypatch.undo()
    assert face.thumbnail in raw_bytes(tmp_path)
    again = SqliteStore(path, timeout_s=5.0)
    assert face.thumbnail not in raw_bytes(tmp_path)
    again.close()
    store.close()
