"""What is left after kill -9: everything that was acknowledged, once."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections import Counter

import numpy as np
import pytest
import ray

from ray_backend.client import Photo
from ray_backend.domain.errors import BackendUnavailable, Forbidden, UnsupportedImage
from ray_backend.domain.model import DecisionKind
from ray_backend.domain.permissions import SYSTEM
from ray_backend.domain.queries import PunchQuery
from ray_backend.domain.requests import PersonDraft
from ray_backend.serving import handles, tasks
from ray_backend.serving.names import DATABASE_ACTOR
from ray_backend.serving.pooled_faces import PooledFaces
from tests.people import PEOPLE, face_photo, group_photo


def pid_of(name: str) -> int:
    """Waits for an actor that is being started again; how long that takes is up to the machine's load."""
    health = handles.get_handle(name).health.options(max_task_retries=-1)
    return ray.get(health.remote(), timeout=60)["pid"]


def wait_for_an_empty_journal(backend) -> None:
    """On a busy machine the database may seem away for a moment; its punches follow within seconds."""
    deadline = time.monotonic() + 30
    while backend.overview().journal_depth and time.monotonic() < deadline:
        time.sleep(0.1)


def kill(name: str) -> int:
    pid = pid_of(name)
    os.kill(pid, signal.SIGKILL)
    return pid


def enrol_everybody(backend) -> list[str]:
    people = []
    for person in range(PEOPLE):
        draft = PersonDraft(f"E{person}", f"Person {person}", consent=True)
        photos = [Photo("1.jpg", face_photo(person))]
        people.append(backend.enrol(draft, photos, source="upload", actor="test").person.person_id)
    return people


def stored_punches(backend) -> list:
    return [punch for punch, _ in backend.reports.recent_punches(PunchQuery(limit=5000))]


def test_the_database_actor_killed_between_two_check_ins(backend):
    ada, bob, *_ = enrol_everybody(backend)
    first = backend.check_in(face_photo(0, 1), kiosk="door", idempotency_key="a")
    killed = kill(DATABASE_ACTOR)

    second = backend.check_in(face_photo(1, 1), kiosk="door", idempotency_key="b")

    assert second.decision.kind is DecisionKind.MATCH
    assert (first.person.person_id, second.person.person_id) == (ada, bob)
    assert pid_of(DATABASE_ACTOR) != killed
    repeated = backend.check_in(face_photo(0, 1), kiosk="door", idempotency_key="a")
    assert repeated.punch == first.punch
    assert stored_punches(backend) == [first.punch, second.punch]


def test_actors_killed_under_load_lose_and_double_nothing(backend):
    people = enrol_everybody(backend)
    acknowledged: dict[str, str] = {}
    wrong: list[tuple[int, object]] = []
    stop = threading.Event()

    def kiosk(number: int) -> None:
        turn = 0
        while not stop.is_set():
            person, key = (number + turn) % PEOPLE, f"{number}-{turn}"
            try:
                answer = backend.check_in(face_photo(person, 1), kiosk=f"k{number}", idempotency_key=key)
            except BackendUnavailable:
                continue  # Not acknowledged: the kiosk sends the same frame again.
            if answer.decision.kind is not DecisionKind.MATCH or answer.person.person_id != people[person]:
                wrong.append((person, answer))
            else:
                acknowledged[key] = answer.punch.punch_id
            turn += 1

    kiosks = [threading.Thread(target=kiosk, args=(number,)) for number in range(3)]
    for thread in kiosks:
        thread.start()
    for name in (DATABASE_ACTOR, "FaceEmbeddingActor-0", DATABASE_ACTOR):
        time.sleep(1.5)
        kill(name)
    before = len(acknowledged)
    deadline = time.monotonic() + 60
    while len(acknowledged) < before + 10 and time.monotonic() < deadline:
        time.sleep(0.1)
    stop.set()
    for thread in kiosks:
        thread.join(60)

    assert not wrong
    assert len(acknowledged) >= before + 10, "service did not come back after the kills"
    wait_for_an_empty_journal(backend)
    stored = {punch.idempotency_key: punch.punch_id for punch in stored_punches(backend)}
    assert Counter(punch.idempotency_key for punch in stored_punches(backend)).most_common(1)[0][1] == 1
    assert acknowledged.items() <= stored.items()


def test_every_face_actor_gets_work(backend):
    pool = PooledFaces(timeout_s=60)
    taken = [pool._take() for _ in range(4)]
    assert Counter(taken) == {"FaceEmbeddingActor-0": 2, "FaceEmbeddingActor-1": 2}


def test_nobody_answers_once_the_actors_are_gone(backend):
    from ray_backend.serving import cluster

    cluster.stop_actors()
    with pytest.raises(BackendUnavailable):
        backend.check_in(face_photo(0), kiosk="door")


def test_only_public_use_cases_can_be_called(backend):
    database = handles.get_handle(DATABASE_ACTOR)
    for service, method in (("store", "close"), ("people", "_store"), ("__class__", "mro")):
        with pytest.raises(Forbidden, match="no use case"):
            handles.result(database.call.remote(SYSTEM, service, method, (), {}), 30)


def test_the_tasks_answer_in_order_and_isolate_a_bad_picture(backend):
    people = enrol_everybody(backend)
    images = [face_photo(0, 1), b"junk", group_photo(), face_photo(1, 1)]
    first, bad, group, last = ray.get(tasks.batch_process_faces(images), timeout=120)
    assert isinstance(bad, UnsupportedImage)
    assert len(group.faces) >= 4

    embeddings = np.stack([first.faces[0].embedding, last.faces[0].embedding])
    found = ray.get(tasks.distributed_similarity_search(embeddings, limit=2), timeout=60)
    assert [row[0].person_id for row in found] == people[:2]
    assert all(row[0].similarity > row[1].similarity for row in found)


def test_the_names_of_the_seed_systems_work(backend):
    ada, *_ = enrol_everybody(backend)
    faces = handles.get_handle("FaceEmbeddingActor-0")
    database = handles.get_handle(DATABASE_ACTOR)
    embedding = ray.get(faces.compute_embedding.remote(face_photo(0, 1)))
    batch = ray.get(faces.batch_compute_embeddings.remote([face_photo(0, 1), b"junk"]))
    assert np.array_equal(batch[0], embedding)
    assert isinstance(batch[1], UnsupportedImage)
    nearest = ray.get(database.find_similar_embeddings.remote(embedding, 1))
    assert nearest[0].person_id == ada
    punch = ray.get(database.record_attendance.remote(ada, "desk", "by-hand"))
    assert ray.get(database.record_attendance.remote(ada, "desk", "by-hand")).punch_id == punch.punch_id


@pytest.fixture
def sharded(settings):
    from ray_backend import client
    from ray_backend.serving import cluster

    cluster.start_actors(settings.model_copy(update={"gallery_shards": 2}))
    yield client.ray_backend(settings)
    cluster.stop_actors()


def test_a_gallery_spread_over_actors_answers_as_one_and_survives_their_death(sharded):
    people = enrol_everybody(sharded)
    sizes = [
        ray.get(handles.get_handle(f"GalleryShardActor-{index}").call.remote("__len__")) for index in range(2)
    ]
    assert sum(sizes) == PEOPLE
    assert [sharded.recognise(face_photo(n, 1)).faces[0].person.person_id for n in range(PEOPLE)] == people
    handle = handles.get_handle("GalleryShardActor-0")
    os.kill(ray.get(handle.pid.remote()), signal.SIGKILL)
    assert [sharded.recognise(face_photo(n, 1)).faces[0].person.person_id for n in range(PEOPLE)] == people
    sharded.people.erase(people[0], typed_employee_id="E0", keep_punches=False, actor="test")
    assert sharded.recognise(face_photo(0, 1)).faces[0].person is None
