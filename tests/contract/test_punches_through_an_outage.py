"""Check-ins over a real database server that is killed, frozen and started again."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from ray_backend.bootstrap import Records, build_records
from ray_backend.domain.model import Direction, Person, Receipt
from ray_backend.domain.queries import AuditQuery, PunchQuery
from ray_backend.settings import Settings
from ray_backend.storage import open_store_url
from ray_backend.storage.journal import FileJournal
from tests.fakes import FAKE_PACK, SetClock
from tests.mongo_server import MongoServer
from tests.store_samples import MORNING, person

# The kiosk's promise, and some air for a busy machine that runs the tests.
FIRST_ANSWER_S = 1.5
FURTHER_ANSWER_S = 0.5
RECEIPT = Receipt("fake", 0.5, 0.75)
BACK_WITHIN_S = 20.0


class Process:
    """One process over the site's folder: the real use cases, store and journal."""

    def __init__(self, url: str, folder: Path, clock: SetClock) -> None:
        settings = Settings(
            data_dir=folder, store=url, store_timeout_s=5.0, time_zone="Europe/Berlin", cooldown_s=60
        )
        self.journal = FileJournal(folder / "journal")
        self.store = open_store_url(url, settings)
        self.records: Records = build_records(
            settings, FAKE_PACK, "fake", store=self.store, clock=clock, journal=self.journal
        )

    def punch(self, who: Person, key: str):
        return self.records.check_ins.punch_recognised(
            who.person_id, kiosk="door", idempotency_key=key, receipt=RECEIPT
        )

    def depth(self) -> int:
        return self.records.overview.journal_depth()

    def die(self) -> None:
        """What kill -9 leaves: the file, and nobody who holds it."""
        self.records.check_ins._punches.close()
        self.journal.close()
        self.store.close()


@pytest.fixture
def clock() -> SetClock:
    return SetClock(MORNING)


@pytest.fixture
def start(own_server: MongoServer, tmp_path: Path, clock: SetClock):
    """Starts processes over one server and one folder."""
    started: list[Process] = []

    def make() -> Process:
        started.append(Process(f"{own_server.url}/site", tmp_path / "data", clock))
        return started[-1]

    yield make
    for process in started:
        process.die()


def enrolled(process: Process, count: int) -> list[Person]:
    people = [person(f"E-{number}") for number in range(count)]
    for one in people:
        process.store.add_person(one)
    return people


def timed(action: Callable[[], object]) -> tuple[object, float]:
    started = time.monotonic()
    return action(), time.monotonic() - started


def wait_until_delivered(process: Process) -> None:
    deadline = time.monotonic() + BACK_WITHIN_S
    while process.depth():
        assert time.monotonic() < deadline, "nothing was delivered"
        time.sleep(0.05)


def stored(process: Process) -> list:
    return list(process.store.list_punches(PunchQuery()).items)


def test_punches_are_accepted_while_the_server_is_gone_and_arrive_once_in_order(
    own_server: MongoServer, start, clock: SetClock
):
    process = start()
    people = enrolled(process, 4)
    process.die()
    process = start()
    answers = [process.punch(people[0], "before")]
    own_server.kill()
    clock.move(minutes=10)
    first, took_s = timed(lambda: process.punch(people[1], "first"))
    assert took_s < FIRST_ANSWER_S
    answers.append(first)
    for number in (2, 3, 0):
        clock.move(minutes=1)
        answer, took_s = timed(lambda n=number: process.punch(people[n], f"n{n}"))
        assert took_s < FURTHER_ANSWER_S
        answers.append(answer)
    again = process.punch(people[3], "n3")
    assert (again.punch, again.repeated) == (answers[3].punch, True)
    assert [answer.delivered for answer in answers] == [True, False, False, False, False]
    assert [answer.punch.direction for answer in answers] == [*[Direction.IN] * 4, Direction.OUT]
    assert process.depth() == 4
    own_server.start()
    wait_until_delivered(process)
    assert stored(process) == [answer.punch for answer in answers]
    clock.move(minutes=10)
    last = process.punch(people[1], "after")
    assert (last.delivered, last.punch.direction) == (True, Direction.OUT)


def test_what_a_killed_process_took_is_delivered_by_the_next(own_server: MongoServer, start, clock: SetClock):
    process = start()
    people = enrolled(process, 3)
    process.die()
    process = start()
    own_server.kill()
    taken = []
    for number, one in enumerate(people):
        clock.move(seconds=1)
        taken.append(process.punch(one, f"k{number}").punch)
    process.die()
    own_server.start()
    process = start()
    again = process.punch(people[0], "k0")
    assert (again.punch, again.repeated) == (taken[0], True)
    wait_until_delivered(process)
    assert stored(process) == taken


def test_a_frozen_server_holds_nobody_up_and_its_late_writes_double_nothing(
    own_server: MongoServer, start, clock: SetClock
):
    process = start()
    people = enrolled(process, 2)
    process.die()
    process = start()
    process.punch(people[0], "warm")
    own_server.process.send_signal(signal.SIGSTOP)
    try:
        clock.move(minutes=5)
        first, took_s = timed(lambda: process.punch(people[0], "frozen"))
        assert took_s < FIRST_ANSWER_S
        clock.move(seconds=1)
        second, took_s = timed(lambda: process.punch(people[1], "frozen too"))
        assert took_s < FURTHER_ANSWER_S
    finally:
        own_server.process.send_signal(signal.SIGCONT)
    wait_until_delivered(process)
    assert stored(process)[1:] == [first.punch, second.punch]


def test_a_visit_that_another_site_recorded_meanwhile_is_dropped_and_noted(
    own_server: MongoServer, start, clock: SetClock
):
    process = start()
    [ada] = enrolled(process, 1)
    process.die()
    process = start()
    own_server.kill()
    dropped = process.punch(ada, "mine").punch
    process.die()
    own_server.start()
    theirs = replace(dropped, punch_id="theirs", idempotency_key="theirs", kiosk="gate")
    other = open_store_url(f"{own_server.url}/site", Settings())
    other.add_punch(theirs)
    other.close()
    process = start()
    wait_until_delivered(process)
    assert stored(process) == [theirs]
    [entry] = [e for e in process.store.list_audit(AuditQuery()).items if e.action == "punch.dropped"]
    assert entry.subject == dropped.punch_id
