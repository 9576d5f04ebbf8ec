"""A DatabaseActor over a real database server: both are killed, every acknowledged punch is there once, and
a webhook is told of every one."""

from __future__ import annotations

import os
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from datetime import timedelta
from pathlib import Path

import pytest
import ray

from ray_backend import client
from ray_backend.client import Backend, Photo
from ray_backend.domain.errors import BackendUnavailable
from ray_backend.domain.model import Direction
from ray_backend.domain.queries import PunchQuery
from ray_backend.domain.requests import PersonDraft
from ray_backend.domain.webhooks import TOLD
from ray_backend.serving import cluster, handles
from ray_backend.serving.names import DATABASE_ACTOR
from ray_backend.settings import Settings
from ray_backend.storage import open_store
from tests.cluster.conftest import site_settings
from tests.mongo_server import MongoServer, new_server
from tests.people import PEOPLE, face_photo
from tests.unit.services.webhook_stage import Ear, listening

# What the journal adds to a check-in may be 1.5 s; the rest is the models on a busy machine.
FIRST_ANSWER_S = 4.0
FURTHER_ANSWER_S = 2.5
BACK_WITHIN_S = 90.0


@pytest.fixture
def server(tmp_path: Path) -> Iterator[MongoServer]:
    server = new_server(tmp_path / "server")
    server.start()
    yield server
    server.kill()


@pytest.fixture
def settings(ray_address: str, tmp_path: Path, server: MongoServer) -> Settings:
    # Long enough for a check-in, short enough for a test that waits for the error.
    site = site_settings(tmp_path, ray_address, call_timeout_s=5.0, store_timeout_s=2.0, webhook_private=True)
    return site.model_copy(update={"store": f"{server.url}/site"})


@pytest.fixture
def backend(settings: Settings) -> Iterator[Backend]:
    cluster.start_actors(settings)
    yield client.ray_backend(settings)
    cluster.stop_actors()


def health() -> dict:
    return ray.get(handles.get_handle(DATABASE_ACTOR).health.remote(), timeout=10)


def enrol_everybody(backend: Backend) -> None:
    for number in range(PEOPLE):
        draft = PersonDraft(f"E{number}", f"Person {number}", consent=True)
        backend.enrol(draft, [Photo("1.jpg", face_photo(number))], source="upload", actor="test")


def check_in(backend: Backend, number: int, key: str):
    return backend.check_in(face_photo(number, 1), kiosk="door", idempotency_key=key)


def timed(action: Callable[[], object]) -> tuple[object, float]:
    started = time.monotonic()
    return action(), time.monotonic() - started


def wait_until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + BACK_WITHIN_S
    while True:
        with suppress(BackendUnavailable, ray.exceptions.RayError):
            if true():
                return
        assert time.monotonic() < deadline, "it did not come back"
        time.sleep(0.5)


def stored(settings: Settings) -> list:
    with closing(open_store(settings)) as store:
        return list(store.list_punches(PunchQuery()).items)


def told_of(ear: Ear) -> set[str]:
    """The ids of the punches and corrections that the webhook heard of."""
    about = [message.get("punch") or message["correction"] for message in list(ear.messages)]
    return {one.get("correction_id") or one["punch_id"] for one in about}


@pytest.fixture
def ear() -> Iterator[Ear]:
    with listening() as heard:
        yield heard


@pytest.mark.parametrize("killed", ["while the database is away", "as soon as it is back", "never"])
def test_punches_outlive_the_database_and_the_actor(
    backend: Backend, settings: Settings, server: MongoServer, ear: Ear, killed: str
):
    enrol_everybody(backend)
    backend.webhooks.add("payroll", ear.url, TOLD, actor="test")
    taken = [check_in(backend, 0, "before").punch]
    server.kill()
    answer, took_s = timed(lambda: check_in(backend, 1, "first"))
    assert took_s < FIRST_ANSWER_S
    assert (answer.person.employee_id, answer.delivered) == ("E1", False)
    taken.append(answer.punch)
    for number in (2, 3, 0):
        answer, took_s = timed(lambda n=number: check_in(backend, n, f"further {n}"))
        assert took_s < FURTHER_ANSWER_S
        assert not answer.delivered
        taken.append(answer.punch)
    told = health()
    assert told["journal"] == 4

    if killed == "while the database is away":
        os.kill(told["pid"], signal.SIGKILL)
        # The gallery lies in the database: the new actor waits for it, and the kiosk is told to.
        with pytest.raises(BackendUnavailable):
            check_in(backend, 1, "too early")
    server.start()
    if killed == "as soon as it is back":
        os.kill(told["pid"], signal.SIGKILL)
    wait_until(lambda: health()["journal"] == 0)
    assert (health()["pid"] != told["pid"]) == (killed != "never")

    again = check_in(backend, 1, "first")
    assert (again.punch, again.repeated, again.delivered) == (taken[1], True, True)
    after = check_in(backend, 2, "after")
    assert after.delivered
    everything = stored(settings)
    assert set(Counter(punch.idempotency_key for punch in everything).values()) == {1}
    # A call that nobody waited for any more may still have been served: it is sent again by Ray.
    assert [punch for punch in everything if punch.idempotency_key != "too early"] == [*taken, after.punch]
    assert backend.overview().journal_depth == 0
    person_id, at = after.punch.person_id, after.punch.at - timedelta(minutes=1)
    [added] = backend.corrections.add_manually([person_id], at, Direction.IN, "Outage", actor="test")
    wait_until(lambda: told_of(ear) >= {punch.punch_id for punch in everything} | {added.correction_id})
    # By now there may be a call more that nobody waited for.
    happened = {punch.punch_id for punch in stored(settings)} | {added.correction_id}
    assert told_of(ear) <= happened
    # Where the actor died between sending and noting it, a message comes again, under the same id.
    assert len({message["id"] for message in ear.messages}) == len(told_of(ear))
