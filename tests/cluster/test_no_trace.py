"""After an erasure: no id, name, address, department or part of a face, wherever the whole system writes."""

from __future__ import annotations

import io
import tempfile
import time
from contextlib import closing
from functools import cache
from pathlib import Path
from uuid import uuid4

import httpx2
import ray
from PIL import Image, ImageEnhance

from ray_backend import client
from ray_backend.client import Backend, Photo, local_backend
from ray_backend.domain.model import DecisionKind, UnknownFace
from ray_backend.domain.permissions import Role
from ray_backend.domain.queries import PeopleQuery
from ray_backend.domain.requests import PersonDraft, SheetQuery
from ray_backend.services.certificates import is_about
from ray_backend.services.tables import day_sheet
from ray_backend.serving import cluster, deployment
from ray_backend.settings import Settings
from ray_backend.storage import open_store
from tests.cluster.conftest import site_settings
from tests.mongo_server import running_server
from tests.people import face_photo, group_photo
from tests.traces import Needles, in_files, in_mongo, in_these, written_since

WHO, OTHERS = 0, (1, 2)
# Registered again as somebody else, by mistake.
WHO_AGAIN = 3
MARK = uuid4().hex[:12]
BEFORE = PersonDraft(f"EMP-{MARK}", f"Before {MARK}", f"Old-{MARK}", f"{MARK}@old.example", consent=True)
AFTER = PersonDraft(f"NEW-{MARK}", f"After {MARK}", f"Now-{MARK}", f"{MARK}@new.example")
SECOND = PersonDraft(f"TWO-{MARK}", f"Twice {MARK}", f"Old-{MARK}", consent=True)
# Not ours: what other runs of tests, and of anything else on this machine, write there.
NOT_OURS = ("pytest-of-", "ray", "bash_jobs", "systemd", ".")


def needles_of(templates) -> Needles:
    needles = Needles()
    for draft in (BEFORE, AFTER, SECOND):
        for what in ("employee_id", "name", "department", "email"):
            if getattr(draft, what):
                needles.text(what, getattr(draft, what))
    needles.text("mark", MARK)
    for template in templates:
        needles.template(template)
    for variant in (0, 1, 2, 3):
        needles.picture(f"photo {variant}", own_photo(variant))
    return needles


@cache
def own_photo(variant: int, who: int = WHO) -> bytes:
    """The person as no other run of tests has them: files of those on this machine must not look like it."""
    with Image.open(io.BytesIO(face_photo(who, variant))) as picture:
        # Brighter only: in less light some of these pictures are too soft to be enrolled.
        unlike = ImageEnhance.Brightness(picture).enhance(1.01 + 0.04 * int(MARK[:6], 16) / 0xFFFFFF)
    buffer = io.BytesIO()
    unlike.save(buffer, "JPEG", quality=95)
    return buffer.getvalue()


def photo_of(person: int, variant: int) -> bytes:
    return face_photo(person, variant) if person in OTHERS else own_photo(variant, person)


def photos(person: int, *variants: int) -> list[Photo]:
    return [Photo(f"{variant}.jpg", photo_of(person, variant)) for variant in variants]


def begin(settings: Settings) -> None:
    """Some people are there before the system starts: the gallery finds them and keeps them in files."""
    with closing(local_backend(settings.model_copy(update={"ray_address": "", "gallery_shards": 0}))) as site:
        for number in OTHERS:
            draft = PersonDraft(f"E{number}", f"Person {number}", consent=True)
            site.enrol(draft, photos(number, 1), source="upload", actor="test")
        site.enrol(BEFORE, photos(WHO, 1), source="upload", actor="test")


def live(backend: Backend, settings: Settings) -> str:
    """Everything that somebody does who works there; returns the person's id."""
    [person] = backend.people.find(PeopleQuery(text=BEFORE.name)).items
    backend.add_photos(person.person_id, photos(WHO, 2), source="upload", actor="test")
    assert backend.check_in(own_photo(3), kiosk="door").decision.kind is DecisionKind.MATCH
    here = [face.person.person_id for face in backend.recognise(group_photo()).faces if face.person]
    assert person.person_id in here
    backend.record_present(here, picture_sha256="0" * 64, actor="test")
    backend.people.set_code(person.person_id, "482913", actor="test")
    assert backend.kiosk_session("door").code("482913", "request-1").check_in.person.name == BEFORE.name
    backend.people.update(person.person_id, AFTER, actor="test")
    second = backend.enrol(SECOND, photos(WHO_AGAIN, 1), source="upload", actor="test").person
    backend.merges.merge(second.person_id, person.person_id, actor="test")
    today = backend.reports.today()
    report = backend.timesheets.sheet(SheetQuery(today, today))
    for kind in ("csv", "xlsx", "pdf", "json"):
        assert backend.export(day_sheet(report), kind)
    seen_as_a_stranger(backend, settings, person.person_id)
    return person.person_id


def seen_as_a_stranger(backend: Backend, settings: Settings, person_id: str) -> None:
    """A kiosk once did not recognise them, and kept the face for an admin to look at."""
    # Otherwise the first sweep takes it, which comes a minute after the start.
    backend.site.change({"keep_unknown_hours": 48}, actor="test")
    template = backend.people.details(person_id).templates[0]
    face = UnknownFace(
        template.created_at, "door", template.pack_id, template.embedding, 0.5, "g1", template.thumbnail
    )
    with closing(open_store(settings)) as store:
        store.add_unknown_face(face)


def ray_session() -> Path:
    """Where this Ray keeps its logs and whatever it writes to disk."""
    return Path(ray._private.worker._global_node.get_session_dir_path())


def everywhere(needles: Needles, settings: Settings, since: float) -> dict[str, list[str]]:
    found = in_files(needles, [settings.data_dir, ray_session()])
    if settings.store.startswith("mongodb"):
        found |= in_mongo(needles, settings.store)
    return found | in_these(needles, written_since(Path(tempfile.gettempdir()), since, NOT_OURS))


def test_the_whole_system_keeps_nothing(ray_address, api_port, tmp_path):
    since = time.time()
    settings = site_settings(
        tmp_path, ray_address, api_port=api_port, gallery_shards=2, gallery_exact_limit=0
    )
    begin(settings)
    cluster.start_actors(settings)
    deployment.start_serve(settings)
    deployment.start_api(settings)
    try:
        backend = client.ray_backend(settings)
        person_id = live(backend, settings)
        needles = needles_of(backend.people.details(person_id).templates)
        with api(settings, backend) as http:
            use_the_api(http)
            before = everywhere(needles, settings, since)
            erased = http.delete(
                f"/people/{AFTER.employee_id}",
                params={"confirm": AFTER.employee_id, "keep_punches": "true"},
            )
        assert erased.status_code == 200, erased.text
        assert_found_before(before, "rollcall.sqlite3", "rollcall.sqlite3-unknown")
        assert [name for name in before if Path(name).name.startswith("rows-")], "no gallery file held a face"
        assert everywhere(needles, settings, since) == {}
        [certificate] = backend.certificates.all()
        assert certificate.verified, certificate.content["checks"]
        assert [part["part"] for part in certificate.content["where"]["gallery"]] == ["shard 0", "shard 1"]
        assert certificate.content["removed"]["unknown_faces"] == 1
        assert is_about(certificate.content["person"], AFTER.employee_id)
        assert backend.check_in(own_photo(3), kiosk="door").decision.kind is DecisionKind.UNKNOWN
    finally:
        cluster.stop_actors()
    # Nor does the next start bring anything back.
    cluster.start_actors(settings)
    try:
        answer = client.ray_backend(settings).check_in(own_photo(3), kiosk="door")
        assert answer.decision.kind is DecisionKind.UNKNOWN
        assert everywhere(needles, settings, since) == {}
    finally:
        cluster.stop_actors()


def test_mongo_keeps_no_document_of_the_erased(ray_address, tmp_path):
    since = time.time()
    with running_server(tmp_path / "server") as server:
        settings = site_settings(tmp_path / "site", ray_address)
        settings = settings.model_copy(update={"store": f"{server.url}/site"})
        begin(settings)
        cluster.start_actors(settings)
        try:
            backend = client.ray_backend(settings)
            person_id = live(backend, settings)
            needles = needles_of(backend.people.details(person_id).templates)
            before = in_mongo(needles, settings.store)
            erasure = backend.people.erase(
                person_id, typed_employee_id=AFTER.employee_id, keep_punches=False, actor="test"
            )
            assert {"people", "templates"} <= set(before)
            found = in_files(needles, [tmp_path / "site", ray_session()])
            assert (
                found | in_these(needles, written_since(Path(tempfile.gettempdir()), since, NOT_OURS)) == {}
            )
            assert erasure.certificate.verified
            assert erasure.certificate.content["where"]["database_overwrites"] is False
        finally:
            cluster.stop_actors()


def api(settings: Settings, backend: Backend) -> httpx2.Client:
    key = backend.access.issue_key("tests", role=Role.ADMIN, actor="test")
    return httpx2.Client(
        base_url=f"http://127.0.0.1:{settings.api_port}",
        headers={"Authorization": f"Bearer {key}"},
        timeout=60,
    )


def use_the_api(http: httpx2.Client) -> None:
    """What a payroll program does: looks the person up by id and by name, changes, recognises, exports."""
    address = f"/people/{AFTER.employee_id}"
    assert http.get(address).json()["name"] == AFTER.name
    assert http.get("/people", params={"q": AFTER.name}).json()["total"] == 1
    assert http.patch(address, json={"email": AFTER.email}).status_code == 200
    file = ("photos", (f"{MARK}.jpg", own_photo(0), "image/jpeg"))
    added = http.post(f"{address}/photos", files=[file])
    assert added.status_code == 200, added.text
    jpeg = {"Content-Type": "image/jpeg"}
    face = http.post("/recognize", content=own_photo(3), headers=jpeg).json()["faces"][0]
    assert face["person"]["employee_id"] == AFTER.employee_id
    punch = http.post("/check_in?kiosk=side", content=own_photo(3),
                      headers=jpeg | {"Idempotency-Key": f"key-{uuid4().hex}"})  # fmt: skip
    assert punch.json()["person"]["employee_id"] == AFTER.employee_id
    assert http.get("/people/NOBODY-" + MARK[::-1]).status_code == 404


def assert_found_before(before: dict[str, list[str]], *files: str) -> None:
    """The search does find what is there: without this it could look in the wrong place."""
    assert set(files) <= {Path(name).name for name in before}
    assert "mark" in {what.split()[0] for found in before.values() for what in found}
