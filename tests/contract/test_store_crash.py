"""Stores against processes that die, servers that go away, and other processes on the same database."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from pymongo import MongoClient

from ray_backend.domain.errors import PersonNotFound, StoreUnavailable
from ray_backend.domain.queries import PeopleQuery, PunchQuery
from ray_backend.settings import Settings
from ray_backend.storage import open_store_url
from tests.mongo_server import MongoServer
from tests.store_samples import person, punch, template

ROOT = Path(__file__).parents[2]
WRITES_BEFORE_THE_CRASH = 60

StartWriter = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def start_writer(tmp_path: Path) -> Iterator[StartWriter]:
    """Starts a `store_writer` that has opened the store and waits for a line; kills it at the end."""
    started: list[subprocess.Popen[str]] = []

    def start(url: str, keys: int | None = None) -> subprocess.Popen[str]:
        arguments = [url, str(tmp_path), "" if keys is None else str(keys)]
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.contract.store_writer", *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def go(process: subprocess.Popen[str]) -> None:
    """Waits until the writer is ready, and lets it run."""
    assert process.stdout.readline() == "ready\n"
    process.stdin.write("\n")
    process.stdin.flush()


def acknowledged_until_killed(process: subprocess.Popen[str], kill: Callable[[], None]) -> list[str]:
    """The keys that were acknowledged before and while everything was killed."""
    go(process)
    keys = [process.stdout.readline().strip() for _ in range(WRITES_BEFORE_THE_CRASH)]
    kill()
    process.kill()
    # Not communicate(): it passes over the lines that readline() has already taken from the pipe.
    rest = process.stdout.read()
    return keys + [line for line in rest.splitlines() if len(line) == len(keys[0])]


def test_an_acknowledged_punch_survives_the_death_of_its_process(
    durable_url: str, start_writer: StartWriter, settings: Settings
):
    writer = start_writer(durable_url)
    keys = acknowledged_until_killed(writer, writer.kill)
    store = open_store_url(durable_url, settings)
    assert [key for key in keys if store.find_punch(key) is None] == []
    assert store.list_punches(PunchQuery(limit=1)).total - len(keys) in (0, 1)
    store.add_punch(punch())
    store.close()


def test_an_acknowledged_punch_survives_the_death_of_the_server(
    own_server: MongoServer, start_writer: StartWriter, settings: Settings
):
    # All three servers are durable here: mongod journals, nx-27017 maps j=True to sqlite's
    # synchronous=FULL, and FerretDB leaves the commit to sqlite's log, which outlives a process.
    url = f"{own_server.url}/site"
    keys = acknowledged_until_killed(start_writer(url), own_server.kill)
    own_server.start()
    store = open_store_url(url, settings)
    assert [key for key in keys if store.find_punch(key) is None] == []
    store.close()


def test_processes_that_race_record_each_punch_once(
    durable_url: str, start_writer: StartWriter, settings: Settings
):
    writers = [start_writer(durable_url, keys=50) for _ in range(3)]
    for writer in writers:
        go(writer)
    won = [key for writer in writers for key in writer.communicate()[0].split()]
    assert sorted(won, key=int) == [str(number) for number in range(50)]
    store = open_store_url(durable_url, settings)
    assert store.list_punches(PunchQuery(limit=1)).total == 50
    store.close()


def test_a_server_that_is_away_is_unavailable_and_comes_back(own_server: MongoServer, settings: Settings):
    impatient = settings.model_copy(update={"store_timeout_s": 0.5})
    store = open_store_url(f"{own_server.url}/site", impatient)
    store.add_punch(punch(idempotency_key="before"))
    own_server.kill()
    started = time.monotonic()
    with pytest.raises(StoreUnavailable):
        store.add_punch(punch(idempotency_key="lost"))
    assert time.monotonic() - started < 4
    with pytest.raises(StoreUnavailable):
        store.ping()
    own_server.start()
    store.add_punch(punch(idempotency_key="after"))
    assert store.find_punch("before")
    store.close()


def test_a_restart_between_two_calls_is_not_noticed(own_server: MongoServer, settings: Settings):
    store = open_store_url(f"{own_server.url}/site", settings)
    store.add_punch(punch())
    own_server.kill()
    own_server.start()
    store.add_punch(punch())
    assert store.list_punches(PunchQuery()).total == 2
    store.close()


def test_a_server_that_was_never_there_is_unavailable_without_naming_the_password(settings: Settings):
    impatient = settings.model_copy(update={"store_timeout_s": 0.3})
    store = open_store_url("mongodb://clerk:hunter2@127.0.0.1:9/site", impatient)
    with pytest.raises(StoreUnavailable) as error:
        store.ping()
    assert "127.0.0.1:9" in str(error.value)
    told = repr(error.value) + repr(error.value.__cause__)
    assert "hunter2" not in told
    assert "clerk" not in told
    store.close()


@pytest.fixture(params=["mongo"])
def mongo_site(request: pytest.FixtureRequest, make_url) -> str:
    return make_url(request.param)


def test_documents_of_before_merged_people_get_the_new_fields(mongo_site: str, settings: Settings):
    store = open_store_url(mongo_site, settings)
    old = person("E-1", consent_version="")
    store.add_person(old)
    store.close()
    with MongoClient(mongo_site) as client:
        fields = {"merged_into": "", "consent_version": ""}
        client.get_default_database().people.update_many({}, {"$unset": fields})
    again = open_store_url(mongo_site, settings)
    assert again.list_people(PeopleQuery()).items == (old,)
    assert again.departments() == [old.department]
    again.close()


def test_faces_of_an_enrolment_that_broke_off_are_never_returned(mongo_site: str, settings: Settings):
    store = open_store_url(mongo_site, settings)
    enrolled, broken_off = person("E-1"), person("E-2")
    store.add_person(enrolled, [template(enrolled)])
    store.add_person(broken_off, [template(broken_off)])
    with MongoClient(mongo_site) as client:
        client.get_default_database().people.delete_one({"_id": broken_off.person_id})
    assert store.templates_of(broken_off.person_id) == []
    assert [t.person_id for t in store.templates()] == [enrolled.person_id]
    assert store.count_templates() == {"pack-a": 1}
    store.close()


def test_old_faces_of_nobody_go_with_the_next_erasure(
    mongo_site: str, settings: Settings, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("ray_backend.storage.mongo.ORPHAN_AGE", timedelta(hours=-1))
    store = open_store_url(mongo_site, settings)
    erased, broken_off, stays = person("E-1"), person("E-2"), person("E-3")
    for one in (erased, broken_off, stays):
        store.add_person(one, [template(one)])
    with MongoClient(mongo_site) as client:
        database = client.get_default_database()
        database.people.delete_one({"_id": broken_off.person_id})
        store.erase_person(erased.person_id, keep_punches=True)
        assert [t["person_id"] for t in database.templates.find()] == [stays.person_id]
    store.close()


def test_an_erasure_that_broke_off_can_be_repeated(mongo_site: str, settings: Settings):
    store = open_store_url(mongo_site, settings)
    somebody = person()
    store.add_person(somebody, [template(somebody)])
    store.add_punch(punch(person_id=somebody.person_id))
    with MongoClient(mongo_site) as client:
        client.get_default_database().templates.delete_many({})
    erasure = store.erase_person(somebody.person_id, keep_punches=False)
    assert (erasure.templates, erasure.punches_removed) == (0, 1)
    with pytest.raises(PersonNotFound):
        store.get_person(somebody.person_id)
    store.close()
