"""The HTTP API on a real Ray Serve: recognised right, recorded once, whatever is killed meanwhile."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections import Counter
from uuid import uuid4

import httpx2
import psutil
import pytest
import ray

from ray_backend.client import Photo
from ray_backend.domain.queries import PunchQuery
from ray_backend.domain.requests import PersonDraft
from ray_backend.jobs.pack_beside import put_beside
from ray_backend.serving import handles
from ray_backend.serving.names import CLUSTER_ACTOR, DATABASE_ACTOR
from ray_backend.serving.second_pack import open_faces
from ray_backend.settings import Settings
from tests.cluster import nodes
from tests.cluster.conftest import site_settings
from tests.faces import EDGE_PACK
from tests.people import PEOPLE, face_photo

START_S = 60.0


@pytest.fixture(scope="module")
def api(ray_address, api_port, tmp_path_factory):
    """A client of the API with an admin's key, over freshly started actors with four people enrolled."""
    from ray_backend import client
    from ray_backend.domain.permissions import Role
    from ray_backend.serving import cluster, deployment

    settings = site_settings(tmp_path_factory.mktemp("api"), ray_address, api_port=api_port, actors=0)
    cluster.start_actors(settings)
    deployment.start_serve(settings)
    deployment.start_api(settings)
    backend = client.ray_backend(settings)
    for person in range(PEOPLE):
        draft = PersonDraft(f"E{person}", f"Person {person}", consent=True)
        photos = [Photo("1.jpg", face_photo(person))]
        backend.enrol(draft, photos, source="upload", actor="test")
    key = backend.access.issue_key("tests", role=Role.ADMIN, actor="test")
    with httpx2.Client(
        base_url=f"http://127.0.0.1:{settings.api_port}",
        headers={"Authorization": f"Bearer {key}"},
        timeout=30,
    ) as http:
        http.backend = backend
        yield http
    # Serve itself ends with Ray: shutting it down alone waits half a minute for its proxy to drain.
    cluster.stop_actors()


def post_photo(http, path: str, person: int, **headers):
    return http.post(path, content=face_photo(person, 1), headers={"Content-Type": "image/jpeg"} | headers)


def test_a_face_is_recognised_over_http(api):
    answer = post_photo(api, "/recognize", 1).json()
    (face,) = answer["faces"]
    assert face["decision"] == "match"
    assert face["person"] == {"employee_id": "E1", "name": "Person 1"}
    assert answer["pack"] == "dlib-resnet"


def test_who_registers_over_http_is_recognised_by_the_next_request(api):
    removed = api.backend.people.by_employee_id("E2")
    api.backend.people.erase(removed.person_id, typed_employee_id="E2", keep_punches=False, actor="test")
    assert post_photo(api, "/recognize", 2).json()["faces"][0]["decision"] == "unknown"
    created = api.post(
        "/register",
        data={"employee_id": "E2", "name": "Person 2, again", "consent": "true"},
        files=[("photos", ("1.jpg", face_photo(2), "image/jpeg"))],
    )
    assert created.status_code == 201, created.text
    assert post_photo(api, "/recognize", 2).json()["faces"][0]["person"]["name"] == "Person 2, again"


def test_many_clients_at_once_each_get_their_own_answer(api):
    wrong = []

    def client(number: int) -> None:
        for turn in range(8):
            person = (number + turn) % PEOPLE
            face = post_photo(api, "/recognize", person).json()["faces"][0]
            if face["person"] is None or face["person"]["employee_id"] != f"E{person}":
                wrong.append((person, face))

    threads = [threading.Thread(target=client, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


@pytest.mark.skipif(not EDGE_PACK.is_dir(), reason="no second pack: set ROLLCALL_TEST_SHARED")
def test_a_second_pack_beside_answers_and_is_compared(api):
    faces = open_faces(Settings(), str(EDGE_PACK))
    try:
        outcome = put_beside(api.backend, faces, str(EDGE_PACK), share=1.0)
        assert (outcome.templates, outcome.without) == (PEOPLE, ())
        pack_id = faces.pack.pack_id
        until = time.monotonic() + 30
        while (answer := post_photo(api, f"/recognize?pack={pack_id}", 1)).status_code in (404, 503):
            assert time.monotonic() < until
            time.sleep(0.5)
        assert answer.json()["pack"] == pack_id
        assert answer.json()["faces"][0]["person"]["employee_id"] == "E1"
        assert post_photo(api, "/recognize", 3).json()["pack"] == "dlib-resnet"
        same = "rollcall_packs_compared_total{"
        while not any(
            line.startswith(same) and 'outcome="same"' in line
            for line in api.get("/metrics").text.splitlines()
        ):
            assert time.monotonic() < until
            time.sleep(0.5)
        assert api.backend._service("overview").overview().templates == PEOPLE
    finally:
        api.backend.beside.end(actor="test")


def test_the_metrics_tell_of_queues_batches_and_recoveries(api):
    post_photo(api, "/recognize", 1)
    lines = api.get("/metrics").text.splitlines()

    def value(name: str, label: str = "") -> float:
        """The sum over all processes."""
        found = [line for line in lines if line.startswith(name) and label in line]
        assert found, name
        return sum(float(line.split()[-1]) for line in found)

    assert value("rollcall_queue_pictures_total", 'outcome="answered"') >= 1
    assert value("rollcall_journal_depth") == 0
    assert value("rollcall_gallery_templates") == PEOPLE
    assert value("rollcall_pictures_total", 'outcome="analysed"') >= 1
    assert value("rollcall_decisions_total", 'way="recognise"') >= 1
    for kind in ("actor_retry", "out_of_memory", "poisoned_image"):
        assert any("rollcall_recoveries_total" in line and f'kind="{kind}"' in line for line in lines), kind


def test_the_health_of_every_part_is_told(api):
    assert api.get("/health/ready").json() == {"status": "ready"}
    found = api.get("/health/ray").json()
    assert (found["status"], found["problem"], found["database"]) == ("ready", None, "ok")
    assert found["gallery"]["templates"] > 0
    cluster = found["cluster"]
    assert (cluster["nodes"], cluster["draining"], cluster["gpus"]) == (1, 0, 0)
    assert cluster["cpus"] > 0
    assert cluster["pool"]["ready"] == cluster["pool"]["wanted"] == 2
    assert cluster["actors"]["DatabaseActor"] == cluster["actors"]["FaceEmbeddingActor-1"] == "ready"


def test_what_the_last_minutes_were_like_is_kept(api):
    until = time.monotonic() + 30
    busy: list = []
    while not busy and time.monotonic() < until:
        post_photo(api, "/recognize", 1)
        moments = handles.result(handles.get_handle(CLUSTER_ACTOR).history.remote(), 5)
        # Pictures and decisions are told by the actors, the time by the API, five seconds later at most.
        busy = [one for one in moments if one.pictures and one.decisions.get("match") and one.p50_s]
        time.sleep(0.1)
    assert busy
    assert 0 < busy[-1].p50_s <= busy[-1].p95_s < 10


def replica_pid() -> int:
    """Of the one ingress replica, by the title that Ray gives its process."""
    titles = {
        process.pid: " ".join(process.cmdline()) for process in psutil.Process().children(recursive=True)
    }
    (pid,) = [pid for pid, title in titles.items() if "ServeReplica" in title]
    return pid


def test_kills_under_load_lose_and_double_nothing(api):
    acknowledged: dict[str, str] = {}
    wrong: list = []
    stop = threading.Event()

    def kiosk(number: int) -> None:
        turn = 0
        while not stop.is_set():
            person, key = (number + turn) % PEOPLE, f"{number}-{turn}-{uuid4().hex}"
            answer = send_until_answered(person, key)
            if answer is None:
                return
            if answer["decision"] != "match" or answer["person"]["employee_id"] != f"E{person}":
                wrong.append((person, answer))
            else:
                acknowledged[key] = answer["punch"]["punch_id"]
            turn += 1

    def send_until_answered(person: int, key: str):
        while not stop.is_set():
            try:
                answer = post_photo(api, f"/check_in?kiosk=k{person}", person, **{"Idempotency-Key": key})
            except httpx2.TransportError:
                continue  # The connection broke: nothing was acknowledged.
            if answer.status_code == 200:
                return answer.json()
            assert answer.status_code >= 500, answer.text
            time.sleep(0.05)
        return None

    kiosks = [threading.Thread(target=kiosk, args=(number,)) for number in range(4)]
    for thread in kiosks:
        thread.start()
    time.sleep(1.5)
    for pid in (
        ray.get(handles.get_handle("FaceEmbeddingActor-0").health.remote())["pid"],
        ray.get(handles.get_handle(DATABASE_ACTOR).health.remote())["pid"],
        replica_pid(),
    ):
        os.kill(pid, signal.SIGKILL)
        time.sleep(3)
    before, deadline = len(acknowledged), time.monotonic() + START_S
    while len(acknowledged) < before + 20 and time.monotonic() < deadline:
        time.sleep(0.1)
    stop.set()
    for thread in kiosks:
        thread.join()

    assert not wrong
    assert len(acknowledged) >= before + 20, "the API did not come back after the kills"
    punches = [punch for punch, _ in api.backend.reports.recent_punches(PunchQuery(limit=5000))]
    assert max(Counter(punch.idempotency_key for punch in punches).values()) == 1
    stored = {punch.punch_id for punch in punches}
    assert set(acknowledged.values()) <= stored


def test_a_node_that_dies_takes_no_acknowledged_request_with_it(api, ray_address, tmp_path):
    before = nodes.wait_for_pool(2)
    answers: Counter[int] = Counter()
    wrong: list = []
    stop = threading.Event()

    def client(number: int) -> None:
        turn = 0
        while not stop.is_set():
            person = (number + turn) % PEOPLE
            answer = post_photo(api, "/recognize", person)
            answers[answer.status_code] += 1
            if answer.status_code != 200:
                time.sleep(0.1)
                continue
            found = answer.json()["faces"][0]["person"]
            if found is None or found["employee_id"] != f"E{person}":
                wrong.append((person, found))
            turn += 1

    clients = [threading.Thread(target=client, args=(number,)) for number in range(3)]
    with nodes.worker_node(ray_address, places=2, log=tmp_path / "node.log") as node:
        joined = nodes.wait_for_pool(4)
        places = Counter(part.node_id for part in joined.pool.parts)
        assert sorted(places.values()) == [2, 2]
        for thread in clients:
            thread.start()
        time.sleep(3)
        node.kill()
        killed_at = time.monotonic()
        after = nodes.wait_for_pool(2)
        print(f"the pool was back after {time.monotonic() - killed_at:.1f} s")
    answered = answers[200]
    time.sleep(2)
    stop.set()
    for thread in clients:
        thread.join()

    assert not wrong
    assert set(answers) <= {200, 503}, answers
    assert answers[200] > answered, "nobody was answered once the pool was back"
    assert {part.identity for part in after.pool.parts} == {part.identity for part in before.pool.parts}
    assert not {part.identity for part in joined.pool.parts} <= {part.identity for part in after.pool.parts}
