"""Webhooks: each punch and decision is told at least once, signed, patiently, and to nobody else."""

from __future__ import annotations

import hashlib
import hmac
import os
import signal
import socket
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest

from ray_backend.domain.entries import DELIVERY, EntryQuery
from ray_backend.domain.errors import Conflict, InvalidInput, NotFound
from ray_backend.domain.model import Direction, Person, Punch, new_id
from ray_backend.domain.webhooks import TOLD, DeliveryState, Event, check_url, may_be_called, wait_s
from ray_backend.domain.worktime.corrections import Correction, CorrectionKind
from ray_backend.services import webhook_courier
from ray_backend.services.corrections import CorrectionService
from ray_backend.settings import Settings
from ray_backend.storage import open_store
from ray_backend.storage.memory import MemoryStore
from tests.fakes import SetClock
from tests.unit.services.webhook_stage import Ear, listening, service_of

ROOT = Path(__file__).parents[3]


class Place:
    """A site in memory that has one webhook, and Ada."""

    def __init__(self, ear: Ear, store=None, clock=None) -> None:
        self.ear, self.store, self.clock = ear, store or MemoryStore(), clock or SetClock()
        self.service = service_of(self.store, self.clock)
        self.hook, self.secret = self.service.add("payroll", ear.url, TOLD, actor="admin")
        self.ada = Person("E1", "Ada Example", self.clock.now())
        self.store.add_person(self.ada)

    def punch(self, at: datetime | None = None) -> Punch:
        key = new_id()
        at = at or self.clock.now()
        punch = Punch(self.ada.person_id, at, Direction.IN, "door", "face", key, (f"{key}/a", f"{key}/b"))
        self.store.add_punch(punch)
        return punch

    def round(self) -> None:
        self.service._courier.round()

    def count(self, state: DeliveryState) -> int:
        return self.service.messages(state).total


@pytest.fixture
def ear():
    with listening() as heard:
        yield heard


@pytest.fixture
def place(ear) -> Place:
    return Place(ear)


def test_a_punch_is_told_once_with_what_is_needed_and_no_more(place, ear):
    punch = place.punch()
    place.round()
    place.round()
    (message,) = ear.messages
    assert message == {
        "id": message["id"],
        "event": "punch.recorded",
        "punch": {
            "punch_id": punch.punch_id,
            "employee_id": "E1",
            "at": "2026-03-02T09:00:00+01:00",
            "direction": "in",
            "kiosk": "door",
            "source": "face",
        },
    }
    assert place.count(DeliveryState.SENT) == 1
    kept = place.store.list_entries(EntryQuery(DELIVERY)).items[0].body
    assert not {"E1", "Ada Example"} & set(map(str, kept.values())), "what is kept names nobody"


def test_whoever_has_the_secret_can_check_the_signature(place, ear):
    place.punch()
    place.round()
    headers, body = ear.heard[0]
    at, mac = (part.partition("=")[2] for part in headers["Rollcall-Signature"].split(","))
    signed = at.encode() + b"." + body
    assert hmac.compare_digest(hmac.new(place.secret.encode(), signed, hashlib.sha256).hexdigest(), mac)
    assert abs(time.time() - int(at)) < 60
    assert (headers["path"], headers["Host"]) == ("/told?key=1", f"127.0.0.1:{ear.port}")


def test_what_was_before_the_webhook_is_not_told(ear):
    place = Place(ear)
    place.punch(place.clock.now() - timedelta(seconds=1))
    place.round()
    assert ear.heard == []


def test_a_punch_that_arrives_hours_late_is_told(place, ear):
    made = place.clock.now()
    place.round()
    place.clock.move(hours=30)
    place.punch(made + timedelta(minutes=1))
    place.round()
    assert len(ear.heard) == 1


def test_decisions_about_old_punches_are_told(place, ear):
    corrections = CorrectionService(place.store, place.clock)
    when = place.clock.now() - timedelta(days=40)
    wanted = Correction(
        CorrectionKind.ADD, place.ada.person_id, "The train stood.", "", when, when, direction=Direction.IN
    )
    asked = corrections.request(wanted, actor="anna")
    place.clock.move(seconds=1)
    corrections.decide(asked.correction_id, approve=True, actor="chief")
    place.round()
    told = {message["event"]: message["correction"] for message in ear.messages}
    assert set(told) == {"correction.requested", "correction.approved"}
    assert told["correction.approved"]["employee_id"] == "E1"
    assert told["correction.approved"]["state"] == "approved"
    assert all("train" not in body.decode() for _, body in ear.heard), "reasons stay here"


def test_only_what_was_asked_for_is_told(place, ear):
    place.service.remove(place.hook.hook_id, actor="admin")
    place.service.add("only decisions", ear.url, [Event.APPROVED], actor="admin")
    place.punch()
    place.round()
    assert ear.heard == []


def test_a_failure_is_repeated_later_and_later_with_the_same_id(place, ear):
    ear.status = 500
    place.punch()
    place.round()
    place.round()
    assert len(ear.heard) == 1, "not at once"
    for _ in range(3):
        place.clock.move(hours=1)
        place.round()
    ear.status = 200
    place.clock.move(hours=1)
    place.round()
    assert len(ear.heard) == 5
    assert len({message["id"] for message in ear.messages}) == 1
    assert (place.count(DeliveryState.SENT), place.count(DeliveryState.WAITING)) == (1, 0)


def test_waits_double_up_to_an_hour_and_differ():
    assert all(2.5 <= wait_s(1) <= 5 for _ in range(20))
    assert all(1800 <= wait_s(50) <= 3600 for _ in range(20))
    assert len({wait_s(3) for _ in range(20)}) > 1


def test_after_a_day_it_is_given_up_with_the_reason_and_can_be_sent_again(place, ear):
    ear.status = 503
    place.punch()
    place.round()
    place.clock.move(hours=25)
    place.punch()
    place.round()
    (dead,) = place.service.messages(DeliveryState.DEAD).items
    assert (dead.error, place.count(DeliveryState.WAITING)) == ("The server answered with 503.", 1)
    place.clock.move(days=3)
    ear.status, heard = 204, len(ear.heard)
    place.round()
    assert len(ear.heard) == heard + 1, "what is given up is left alone"
    assert place.service.replay([dead.delivery_id], actor="admin") == 1
    assert place.service.replay([dead.delivery_id], actor="admin") == 0
    place.round()
    assert ear.messages[-1]["id"] == dead.delivery_id
    assert place.count(DeliveryState.DEAD) == 0


def test_everything_that_was_given_up_is_sent_again_at_once(place, ear):
    ear.status = 500
    for _ in range(5):
        place.punch()
    place.round()
    place.clock.move(hours=25)
    place.round()
    assert place.count(DeliveryState.DEAD) == 5
    ear.status = 200
    assert place.service.replay_dead(place.hook.hook_id, actor="admin") == 5
    place.clock.move(hours=1)
    place.round()
    assert (place.count(DeliveryState.DEAD), place.count(DeliveryState.SENT)) == (0, 5)


def test_a_server_that_fails_is_asked_once_a_round_however_much_waits(place, ear):
    ear.status = 500
    for _ in range(50):
        place.punch()
    place.round()
    place.round()
    assert len(ear.heard) == 1
    ear.status = 200
    place.clock.move(minutes=10)
    place.round()
    assert place.count(DeliveryState.SENT) == 50


def test_one_that_hangs_holds_up_no_other(ear):
    place = Place(ear)
    with listening() as slow:
        slow.before_answer = lambda: time.sleep(1.0)
        place.service.add("slow", slow.url, TOLD, actor="admin")
        place.punch()
        place.service._send._timeout_s = 0.3
        waits = lambda: place.service.messages(DeliveryState.WAITING).items  # noqa: E731
        timer = webhook_courier.WebhookTimer(place.service._courier, every_s=0.05)
        timer.start()
        _until(lambda: len(ear.heard) == 1 and place.count(DeliveryState.SENT) == 1)
        _until(lambda: waits()[0].attempts == 1)
        timer.close()
        (waiting,) = waits()
        assert (waiting.attempts, waiting.error) == (1, "The server did not answer within 5 seconds.")


def _until(there, timeout_s: float = 5.0) -> None:
    end = time.monotonic() + timeout_s
    while not there():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_a_redirect_is_not_followed(place, ear):
    ear.status = 307
    assert place.service.test(place.hook.hook_id) == "The server answered with 307."
    assert len(ear.heard) == 1


def test_a_test_says_what_is_wrong_and_is_not_kept(place, ear):
    assert place.service.test(place.hook.hook_id) == ""
    assert ear.messages[0]["event"] == "webhook.test"
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        nobody = f"http://127.0.0.1:{free.getsockname()[1]}/"
    hook, _ = place.service.add("nobody", nobody, TOLD, actor="admin")
    assert "could not be reached" in place.service.test(hook.hook_id)
    assert place.store.list_entries(EntryQuery(DELIVERY)).total == 0


def test_a_process_that_is_killed_while_it_sends_sends_again_with_the_same_id(ear, tmp_path):
    path = tmp_path / "site.sqlite3"
    store = open_store(Settings(store=f"sqlite:///{path.as_posix()}"))
    clock = SetClock(datetime.now(UTC))
    place = Place(ear, store, clock)
    place.punch()
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.unit.services.webhook_process", str(path)], cwd=ROOT
    )
    ear.before_answer = lambda: os.kill(process.pid, signal.SIGKILL)
    assert process.wait(60) == -signal.SIGKILL
    assert place.count(DeliveryState.WAITING) == 1
    ear.before_answer = lambda: None
    clock.move(minutes=1)
    place.round()
    ids = [message["id"] for message in ear.messages]
    assert len(ids) == 2
    assert len(set(ids)) == 1
    assert place.count(DeliveryState.SENT) == 1
    store.close()


def test_erasing_a_person_leaves_no_message_about_them(place, ear):
    ear.status = 500
    place.punch()
    place.round()
    place.store.erase_person(place.ada.person_id, keep_punches=False)
    place.clock.move(hours=1)
    place.round()
    assert len(ear.heard) == 1
    assert place.store.list_entries(EntryQuery(DELIVERY)).total == 0


def test_old_messages_are_tidied_away_and_not_made_again(place, ear):
    place.punch()
    place.round()
    place.clock.at = datetime(2026, 3, 20, webhook_courier.TIDY_HOUR_UTC, 30, tzinfo=UTC)
    place.round()
    assert place.count(DeliveryState.SENT) == 0
    place.clock.move(hours=1)
    place.round()
    assert len(ear.heard) == 1


def test_removing_a_webhook_removes_its_messages_and_is_noted_without_its_secret(place, ear):
    place.punch()
    place.round()
    place.service.remove(place.hook.hook_id, actor="admin")
    assert place.store.list_entries(EntryQuery(DELIVERY)).total == 0
    with pytest.raises(NotFound):
        place.service.test(place.hook.hook_id)
    log = [*place.store._audit.values()]
    assert [entry.action for entry in log] == ["webhook.added", "webhook.removed"]
    assert all(place.secret not in str(entry) for entry in log)


def test_two_webhooks_have_two_names_and_two_secrets(place, ear):
    with pytest.raises(Conflict):
        place.service.add("payroll", ear.url, TOLD, actor="admin")
    _, other = place.service.add("canteen", ear.url, TOLD, actor="admin")
    assert other != place.secret
    assert len(other) >= 32


def test_a_private_network_is_refused_unless_the_operator_allows_it(ear):
    service = service_of(MemoryStore(), SetClock(), private=False)
    hook, _ = service.add("inside", ear.url, TOLD, actor="admin")
    assert "ROLLCALL_WEBHOOK_PRIVATE" in service.test(hook.hook_id)
    assert ear.heard == []


def test_a_public_name_that_leads_inside_is_refused(ear, monkeypatch):
    """The name is looked up once, and what was looked at is what is called."""
    service = service_of(MemoryStore(), SetClock(), private=False)
    hook, _ = service.add("rebound", "https://hr.example.org/", TOLD, actor="admin")
    for inside in ("127.0.0.1", "10.0.0.1", "169.254.169.254", "::1", "fe80::1%1", "64:ff9b::a00:1"):
        rows = [(socket.AF_INET, 1, 6, "", (address, 443)) for address in ("93.184.215.14", inside)]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, rows=rows, **__: rows)
        assert "ROLLCALL_WEBHOOK_PRIVATE" in service.test(hook.hook_id)


@pytest.mark.parametrize(
    ("address", "publicly", "privately"),
    [
        ("93.184.215.14", True, True), ("2606:2800:21f::1", True, True), ("127.0.0.1", False, True),
        ("10.1.2.3", False, True), ("192.168.0.9", False, True), ("fd00::1", False, True),
        ("169.254.169.254", False, False), ("fe80::1", False, False), ("0.0.0.0", False, False),
        ("224.0.0.1", False, False), ("::ffff:169.254.169.254", False, False), ("::", False, False),
        ("::ffff:10.0.0.1", False, True), ("64:ff9b::a9fe:a9fe", False, False),
        ("100.100.100.200", False, False), ("2002:7f00:1::", False, True),
    ],
)  # fmt: skip
def test_where_messages_may_go(address, publicly, privately):
    assert may_be_called(ip_address(address), False) is publicly
    assert may_be_called(ip_address(address), True) is privately


@pytest.mark.parametrize(
    "url",
    [
        "", "hr.example.org", "http://hr.example.org/", "ftp://hr.example.org", "https://", "https://a:b@c.org/",
        "https://hr.example.org/#x", "https://hr.example.org:99999/", "http://10.0.0.1/", "https://a b.org/",
        "https://hr.example.org/" + "x" * 500, "file:///etc/passwd", "http://127.0.0.1.example.org/",
    ],
)  # fmt: skip
def test_addresses_that_are_refused(url):
    with pytest.raises(InvalidInput):
        check_url(url)


@pytest.mark.parametrize("url", ["https://hr.example.org/x?y=1", "http://localhost:9000/", "http://[::1]:1/"])
def test_addresses_that_are_taken(url):
    check_url(url)
