"""What only the sqlite store has: a file with a mode, a version, a log, and bytes that must go."""

from __future__ import annotations

import json
import random
import sqlite3
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from ray_backend.domain.errors import StoreUnavailable
from ray_backend.domain.model import Liveness, Person, Template
from ray_backend.domain.queries import DecisionQuery, PeopleQuery
from ray_backend.storage import sqlite_file, sqlite_schema
from ray_backend.storage.sqlite import SqliteStore
from tests.store_samples import decision, person, punch, template

ANOTHER_MIGRATION = ("ALTER TABLE people ADD COLUMN note TEXT", "UPDATE people SET note = name")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "new folder" / "site.sqlite3"


def opened(path: Path) -> SqliteStore:
    return SqliteStore(path, timeout_s=5.0)


def version(path: Path) -> int:
    with sqlite3.connect(path) as connection:
        return connection.execute("PRAGMA user_version").fetchone()[0]


def test_only_the_owner_may_read_the_files(path: Path):
    store = opened(path)
    store.add_punch(punch())
    modes = {file.name: file.stat().st_mode & 0o777 for file in path.parent.iterdir()}
    assert modes == {path.name: 0o600, f"{path.name}-wal": 0o600, f"{path.name}-shm": 0o600}
    assert path.parent.stat().st_mode & 0o777 == 0o700
    store.close()
    path.chmod(0o644)
    opened(path).close()
    assert path.stat().st_mode & 0o777 == 0o600


def test_an_empty_file_becomes_a_database(path: Path):
    path.parent.mkdir()
    path.touch()
    opened(path).close()
    assert version(path) == len(sqlite_schema.MIGRATIONS)


def test_an_older_database_is_migrated_with_its_data(path: Path, monkeypatch: pytest.MonkeyPatch):
    store = opened(path)
    store.add_person(person(name="Ann"))
    store.close()
    monkeypatch.setattr(sqlite_file, "MIGRATIONS", (*sqlite_schema.MIGRATIONS, ANOTHER_MIGRATION))
    opened(path).close()
    opened(path).close()
    assert version(path) == len(sqlite_schema.MIGRATIONS) + 1
    with sqlite3.connect(path) as connection:
        assert connection.execute("SELECT note FROM people").fetchall() == [("Ann",)]


def test_a_database_of_before_decisions_and_liveness_is_migrated(path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sqlite_file, "MIGRATIONS", sqlite_schema.MIGRATIONS[:1])
    old, one = opened(path), punch()
    old.add_punch(one)
    old.close()
    with sqlite3.connect(path) as connection:
        receipt = json.loads(connection.execute("SELECT receipt FROM punches").fetchone()[0])
        del receipt["liveness_outcome"]
        connection.execute("UPDATE punches SET receipt = ?", (json.dumps(receipt),))
    monkeypatch.undo()
    store, record = opened(path), decision()
    store.add_decision(record)
    assert store.list_decisions(DecisionQuery()).items == (record,)
    assert store.find_punch(one.idempotency_key).receipt.liveness_outcome is Liveness.NOT_CHECKED
    store.close()


def test_a_database_of_before_merged_people_is_migrated(path: Path):
    """Made with the old schema by hand, since the store of today writes the new columns."""
    path.parent.mkdir()
    with sqlite3.connect(path) as connection:
        for statement in (line for script in sqlite_schema.MIGRATIONS[:2] for line in script):
            connection.execute(statement)
        connection.execute("PRAGMA user_version = 2")
        row = ("p1", "E-1", "Zoë", "e-1\nzoë", "Küche", "", 1, 1_000_000, None)
        connection.execute(f"INSERT INTO people VALUES ({', '.join('?' * len(row))})", row)
    store = opened(path)
    [old] = store.list_people(PeopleQuery(text="ZOË")).items
    assert (old.person_id, old.merged_into, old.consent_version) == ("p1", "", "")
    target = person("E-2")
    store.add_person(target)
    store.update_person(replace(old, merged_into=target.person_id, consent_version="v1"))
    store.close()
    again = opened(path)
    assert [one.consent_version for one in again.merged_people()] == ["v1"]
    assert again.list_people(PeopleQuery()).items == (target,)
    again.close()


def test_a_migration_that_fails_changes_nothing(path: Path, monkeypatch: pytest.MonkeyPatch):
    opened(path).close()
    broken = (*sqlite_schema.MIGRATIONS, ("CREATE TABLE half (x)", "CREATE TABLE half (x)"))
    monkeypatch.setattr(sqlite_file, "MIGRATIONS", broken)
    with pytest.raises(sqlite3.OperationalError):
        opened(path)
    monkeypatch.undo()
    opened(path).close()
    with sqlite3.connect(path) as connection:
        assert connection.execute("SELECT name FROM sqlite_master WHERE name = 'half'").fetchall() == []


def test_a_newer_database_is_refused(path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sqlite_file, "MIGRATIONS", (*sqlite_schema.MIGRATIONS, ANOTHER_MIGRATION))
    opened(path).close()
    monkeypatch.undo()
    with pytest.raises(StoreUnavailable, match="newer Rollcall"):
        opened(path)


def test_files_of_other_kinds_are_refused_untouched(tmp_path: Path):
    text, foreign = tmp_path / "notes.txt", tmp_path / "other.sqlite3"
    text.write_text("not a database, but long enough to be taken for one" * 50)
    with sqlite3.connect(foreign) as connection:
        connection.execute("CREATE TABLE albums (x)")
    for path, words in (
        (text, "not a database"),
        (foreign, "another program"),
        (tmp_path, "cannot be opened"),
    ):
        with pytest.raises(StoreUnavailable, match=words):
            opened(path)
    assert text.read_text().startswith("not a database")


def test_several_openers_of_a_new_file_agree(path: Path):
    with ThreadPoolExecutor(8) as pool:
        stores = list(pool.map(lambda _: opened(path), range(8)))
    for number, store in enumerate(stores):
        store.add_person(person(f"E-{number}"))
    assert stores[0].list_people(PeopleQuery()).total == 8
    for store in stores:
        store.close()


def test_a_file_locked_by_another_program_is_unavailable(path: Path):
    store = SqliteStore(path, timeout_s=0.1)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreUnavailable, match="locked"):
        store.add_punch(punch())
    other.execute("ROLLBACK")
    store.add_punch(punch())
    other.close()
    store.close()


def test_commits_wait_for_the_disk(path: Path):
    store = opened(path)
    with store._file.writing() as connection:
        pragmas = ("synchronous", "journal_mode", "secure_delete", "foreign_keys")
        values = [connection.execute(f"PRAGMA {name}").fetchone()[0] for name in pragmas]
    assert values == [2, "wal", 1, 1]
    store.close()


def secrets_of(somebody: Person, faces: list[Template]) -> list[bytes]:
    """What must not be found in any file once they are erased."""
    texts = [somebody.person_id, somebody.employee_id, somebody.name, somebody.email]
    texts += [text.casefold() for text in texts]
    blobs = [piece for face in faces for piece in (face.thumbnail, face.embedding.tobytes()[:64])]
    return [text.encode() for text in texts] + blobs + [face.template_id.encode() for face in faces]


def raw_bytes(folder: Path) -> bytes:
    return b"".join(file.read_bytes() for file in folder.rglob("*") if file.is_file())


def crowd(store: SqliteStore, size: int) -> dict[str, tuple[Person, list[Template]]]:
    """Many people in random order, renamed again and again, so that pages split, merge and move."""
    chance = random.Random(7)
    people: dict[str, tuple[Person, list[Template]]] = {}
    for _ in range(size):
        mark = chance.randrange(10**12)
        somebody = person(f"EMPLOYEE-{mark:012}", name=f"Name {mark:x}", email=f"{mark:x}@example.org")
        faces = [template(somebody, thumbnail=chance.randbytes(200))]
        store.add_person(somebody, faces)
        people[somebody.person_id] = (somebody, faces)
    for person_id, (somebody, faces) in people.items():
        renamed = replace(somebody, name=somebody.name * chance.randrange(1, 12))
        store.update_person(renamed)
        store.update_person(somebody)
        people[person_id] = (somebody, faces)
    return people


def test_erasing_leaves_no_bytes_in_any_file(path: Path, monkeypatch: pytest.MonkeyPatch):
    store = opened(path)
    people = crowd(store, 400)
    erased = list(people.values())[::5]
    for somebody, _ in erased:
        store.add_punch(punch(person_id=somebody.person_id))
    before = raw_bytes(path.parent)
    assert all(secret in before for somebody, faces in erased for secret in secrets_of(somebody, faces)[:4])
    for somebody, _ in erased:
        store.erase_person(somebody.person_id, keep_punches=False)
    after = raw_bytes(path.parent)
    found = [
        secret for somebody, faces in erased for secret in secrets_of(somebody, faces) if secret in after
    ]
    assert found == []
    assert store.list_people(PeopleQuery()).total == len(people) - len(erased)
    store.close()


def test_kept_punches_name_only_the_opaque_id(path: Path):
    store = opened(path)
    somebody = person("EMPLOYEE-1", name="Nobody Else")
    faces = [template(somebody)]
    store.add_person(somebody, faces)
    store.add_punch(punch(person_id=somebody.person_id))
    store.erase_person(somebody.person_id, keep_punches=True)
    after = raw_bytes(path.parent)
    assert [secret for secret in secrets_of(somebody, faces) if secret in after] == [
        somebody.person_id.encode()
    ] * 2
    store.close()


def test_a_crash_between_deleting_and_wiping_is_made_good_at_the_next_start(
    path: Path, monkeypatch: pytest.MonkeyPatch
):
    store = opened(path)
    somebody = person("EMPLOYEE-1", name="Nobody Else")
    store.add_person(somebody, [template(somebody)])

    def crash(self: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(sqlite_file.SqliteFile, "wipe", crash)
    with pytest.raises(KeyboardInterrupt):
        store.erase_person(somebody.person_id, keep_punches=True)
    monkeypatch.undo()
    assert b"Nobody Else" in raw_bytes(path.parent)
    again = opened(path)
    assert b"Nobody Else" not in raw_bytes(path.parent)
    again.close()
    store.close()


def test_a_reader_that_holds_the_log_is_reported(path: Path):
    store = SqliteStore(path, timeout_s=0.1)
    somebody = person()
    store.add_person(somebody)
    reader = sqlite3.connect(path, isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM people").fetchone()
    with pytest.raises(StoreUnavailable, match="traces stay"):
        store.erase_person(somebody.person_id, keep_punches=True)
    SqliteStore(path, timeout_s=0.1).close()
    reader.close()
    store.close()
    opened(path).close()
    assert somebody.name.encode() not in raw_bytes(path.parent)


def test_a_large_file_is_wiped_when_its_owner_says_so(path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sqlite_file.SqliteFile.__init__, "__kwdefaults__", {
        **sqlite_file.SqliteFile.__init__.__kwdefaults__, "wiped_at_once_bytes": 100_000,
    })  # fmt: skip
    store = opened(path)
    people = crowd(store, 400)
    assert path.stat().st_size > 100_000
    erased = list(people.values())[::5]
    monkeypatch.setattr(sqlite_file.SqliteFile, "wipe", _not_now)
    for somebody, _ in erased:
        store.erase_person(somebody.person_id, keep_punches=False)
    store.close()
    store = opened(path)  # nor does whoever opens it next wait for that
    assert store.wipes_due()
    monkeypatch.undo()
    store.wipe()
    after = raw_bytes(path.parent)
    assert [one for somebody, faces in erased for one in secrets_of(somebody, faces) if one in after] == []
    assert not store.wipes_due()
    store.close()


def _not_now(self: sqlite_file.SqliteFile) -> None:
    raise AssertionError("a large file is not wiped in passing")


def test_who_writes_while_a_file_is_wiped_is_told_soon_and_readers_go_on(path: Path):
    store = SqliteStore(path, timeout_s=30)
    store.add_person(somebody := person())
    store._file._wiping.set()
    with store._file._write_lock:
        started = time.monotonic()
        with pytest.raises(StoreUnavailable, match="overwriting what is left"):
            store.add_punch(punch())
        assert time.monotonic() - started < 5
        assert store.get_person(somebody.person_id) == somebody
    store._file._wiping.clear()
    store.add_punch(punch())
    store.close()
