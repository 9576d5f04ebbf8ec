"""No step of a correction goes untold, wherever its process dies: tried at every single write."""

from __future__ import annotations

import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

import pytest

from ray_backend.domain.entries import CORRECTION, EntryQuery
from ray_backend.domain.errors import Conflict
from ray_backend.domain.model import Direction, Person
from ray_backend.domain.queries import AuditQuery
from ray_backend.domain.webhooks import TOLD, Event
from ray_backend.domain.worktime.corrections import Correction, CorrectionKind
from ray_backend.services import correction_steps
from ray_backend.services.corrections import CorrectionService
from ray_backend.settings import Settings
from ray_backend.storage import open_store
from ray_backend.storage.memory import MemoryStore
from tests.fakes import SetClock
from tests.unit.services.webhook_stage import listening, service_of

ROOT = Path(__file__).parents[3]
WRITES = ("put_setting", "add_entry", "replace_entry", "add_audit")
STEPS = ("request", "approve", "refuse", "withdraw", "add_manually")


class Died(BaseException):
    """What a process that is killed leaves behind: nothing runs after it."""


class MortalStore(MemoryStore):
    """Dies at the write with this number, counted from 0: before it, or just after it."""

    def __init__(self) -> None:
        super().__init__()
        self.writes_left = -1
        self.after = False

    def __getattribute__(self, name):
        found = super().__getattribute__(name)
        return self._dying(found) if name in WRITES else found

    def _dying(self, write):
        def maybe(*args, **kwargs):
            self.writes_left -= 1
            if self.writes_left == -1 and not self.after:
                raise Died
            written = write(*args, **kwargs)
            if self.writes_left == -1:
                raise Died
            return written

        return maybe


class Place:
    """A site with a webhook, two people and an open request."""

    def __init__(self, url: str) -> None:
        self.store, self.clock = MortalStore(), SetClock()
        service_of(self.store, self.clock).add("payroll", url, TOLD, actor="admin")
        self.people = [Person(f"E{n}", f"Person {n}", self.clock.now()) for n in range(2)]
        for person in self.people:
            self.store.add_person(person)
        self.clock.move(seconds=1)
        self.open = self.corrections.request(self.wanted(), actor="anna")
        self.clock.move(seconds=1)

    @property
    def corrections(self) -> CorrectionService:
        return CorrectionService(self.store, self.clock)

    def wanted(self) -> Correction:
        at = self.clock.now() - timedelta(days=3)
        return Correction(
            CorrectionKind.ADD, self.people[0].person_id, "Bus", "", at, at, direction=Direction.IN
        )

    def do(self, step: str) -> None:
        if step == "request":
            self.corrections.request(self.wanted(), actor="anna")
        elif step == "add_manually":
            people = [person.person_id for person in self.people]
            at = self.clock.now() - timedelta(hours=2)
            self.corrections.add_manually(people, at, Direction.IN, "Outage", actor="chief")
        elif step == "withdraw":
            self.corrections.withdraw(self.open.correction_id, actor="anna")
        else:
            self.corrections.decide(self.open.correction_id, approve=step == "approve", actor="chief")

    def rounds(self) -> None:
        """What a new process does."""
        service_of(self.store, self.clock)._courier.round()

    def truth(self) -> set[tuple[str, str]]:
        """What the corrections themselves say has happened."""
        happened = set()
        for entry in self.store.list_entries(EntryQuery(CORRECTION)).items:
            if entry.entry_id.startswith("manual-"):
                happened.add((Event.ADDED, entry.entry_id))
                continue
            happened.add((Event.REQUESTED, entry.entry_id))
            if entry.state != "requested":
                happened.add((f"correction.{entry.state}", entry.entry_id))
        return happened

    def log(self) -> list[tuple[str, str]]:
        entries = self.store.list_audit(AuditQuery(action="correction.")).items
        return [(entry.action, entry.detail["correction"]) for entry in entries]


@pytest.fixture
def ear():
    with listening() as heard:
        yield heard


@pytest.mark.parametrize("after", [False, True], ids=["before the write", "after it"])
@pytest.mark.parametrize("step", STEPS)
def test_whatever_was_kept_is_logged_and_told_though_the_process_died_at_any_write(ear, step, after):
    unlogged = 0
    for number in count():
        ear.heard.clear()
        place = Place(ear.url)
        place.store.after, place.store.writes_left = after, number
        try:
            place.do(step)
        except Died:
            unlogged += place.truth() != set(place.log())
        else:
            assert number >= 4, "each step is four writes or more"
            break
        finally:
            place.store.writes_left = -1
        place.rounds()
        place.rounds()
        told = [(message["event"], message["correction"]["correction_id"]) for message in ear.messages]
        assert set(told) == place.truth() == set(place.log())
        assert len(told) == len(set(told))
        assert len(place.log()) == len(set(place.log()))
    assert unlogged, "the log alone would have missed some"


def test_what_is_finished_later_says_who_and_when_it_was(ear):
    place = Place(ear.url)
    place.store.writes_left = 2
    decided_at = place.clock.now()
    with pytest.raises(Died):
        place.do("approve")
    place.clock.move(days=3)
    place.rounds()
    entry = next(e for e in place.store.list_audit(AuditQuery()).items if e.action == Event.APPROVED)
    assert (entry.at, entry.actor, entry.subject) == (decided_at, "chief", place.people[0].person_id)
    assert place.store.settings(correction_steps.OPEN) == {}


def test_a_step_that_came_to_nothing_is_given_up(ear):
    place = Place(ear.url)
    place.store.writes_left = 1
    with pytest.raises(Died):
        place.do("request")
    place.rounds()
    assert len(place.store.settings(correction_steps.OPEN)) == 1, "somebody may be at it just now"
    place.clock.move(hours=2)
    place.rounds()
    assert place.store.settings(correction_steps.OPEN) == {}
    assert len(place.log()) == 1


def test_who_loses_a_race_leaves_no_step_and_no_word_in_the_log(ear, monkeypatch):
    place = Place(ear.url)
    monkeypatch.setattr(MortalStore, "replace_entry", lambda *_, **__: False)
    with pytest.raises(Conflict):
        place.do("approve")
    assert place.store.settings(correction_steps.OPEN) == {}
    assert place.log() == [("correction.requested", place.open.correction_id)]


_KILLED = """
import os, signal, sys
from ray_backend.clock import SystemClock
from ray_backend.services.corrections import CorrectionService
from ray_backend.settings import Settings
from ray_backend.storage import open_store

store = open_store(Settings(store=sys.argv[1]))
store.add_audit = lambda entry: os.kill(os.getpid(), signal.SIGKILL)
CorrectionService(store, SystemClock()).decide(sys.argv[2], approve=True, actor="chief")
"""


def test_a_decision_whose_process_was_killed_before_the_log_is_told(ear, tmp_path):
    address = f"sqlite:///{(tmp_path / 'site.sqlite3').as_posix()}"
    store, clock = open_store(Settings(store=address)), SetClock(datetime.now(UTC) - timedelta(seconds=5))
    service_of(store, clock).add("payroll", ear.url, TOLD, actor="admin")
    ada = Person("E1", "Ada", clock.now())
    store.add_person(ada)
    wanted = Correction(
        CorrectionKind.ADD, ada.person_id, "Bus", "", clock.now(), clock.now(), direction=Direction.IN
    )
    asked = CorrectionService(store, clock).request(wanted, actor="anna")
    command = [sys.executable, "-c", _KILLED, address, asked.correction_id]
    assert subprocess.run(command, cwd=ROOT, timeout=60).returncode == -signal.SIGKILL
    assert store.get_entry(CORRECTION, asked.correction_id).state == "approved"
    clock.move(minutes=1)
    service_of(store, clock)._courier.round()
    assert {message["event"] for message in ear.messages} == {Event.REQUESTED, Event.APPROVED}
    store.close()
