"""POST /recognize, /batch_recognize, /base64 and /uploadfile."""

from __future__ import annotations

import asyncio
import json

import httpx2 as httpx
import pytest

from ray_backend.api import schemas
from ray_backend.api.answers import recognition_text
from ray_backend.domain.answers import RecognisedFace, Recognition
from ray_backend.domain.errors import BackendUnavailable, Overloaded
from ray_backend.domain.model import Candidate, Decision, DecisionKind, Person, Quality
from ray_backend.domain.permissions import Role
from ray_backend.jobs.pack_beside import put_beside
from ray_backend.services.faces import FaceService
from ray_backend.vision.images import PillowCodec
from tests.api.conftest import encoded
from tests.fakes import SecondEngine, SetClock, photo

ADA, ALAN, STRANGER = 1, 2, 9


@pytest.fixture(params=["hot path", "router"])
def web(open_web, request):
    """With CORS /recognize takes the way of all other routes: both have to give the same."""
    return open_web(api_cors_origins="https://hr.example" if request.param == "router" else "")


def in_every_form(web, data: bytes):
    yield web.send_picture("/recognize", data)
    yield web.call("POST", "/recognize", files={"file": ("a.png", data, "image/png")})
    yield web.call("POST", "/recognize", json={"image": encoded(data)})
    yield web.call("POST", "/recognize", json={"image": "data:image/png;base64," + encoded(data)})


def test_everybody_in_the_picture_is_named_nearest_first_in_every_form(web):
    web.site.enrol(ADA)
    web.site.enrol(ALAN)
    for answer in in_every_form(web, photo(ADA, STRANGER, ALAN)):
        assert answer.status_code == 200
        assert answer.headers["Content-Type"] == "application/json"
        document = answer.json()
        assert [face["person"] and face["person"]["employee_id"] for face in document["faces"]] == [
            "E1", None, "E2",
        ]  # fmt: skip
        assert [face["decision"] for face in document["faces"]] == ["match", "unknown", "match"]
        assert document["faces"][0]["box"] == [20, 40, 170, 190]
        assert document["faces"][0]["similarity"] == pytest.approx(1, abs=1e-4)
        assert document["faces"][0]["runner_up_similarity"] < 0.5
        assert document["pack"] == "fake"
        assert document["gallery_version"] == web.site.backend.overview().gallery_version
        assert {"decode", "detect", "embed", "search"} <= set(document["timings_ms"])


def test_recognising_records_nothing(web):
    web.site.enrol(ADA)
    web.send_picture("/recognize", photo(ADA))
    assert web.site.punches() == []


def test_a_poor_face_says_what_to_mend_and_an_empty_picture_has_no_faces(web):
    web.site.enrol(ADA)
    (face,) = web.send_picture("/recognize", photo(ADA, blurred=True)).json()["faces"]
    assert (face["decision"], face["issue"], face["person"]) == ("poor_quality", "blurred", None)
    assert web.send_picture("/recognize", photo()).json()["faces"] == []


def test_what_is_no_picture_is_refused_in_every_form(web):
    for answer in in_every_form(web, b"no picture"):
        assert answer.status_code == 415
        assert answer.json()["type"] == "urn:rollcall:problem:unsupported-image"
    for answer in in_every_form(web, photo(ADA)[:200]):
        assert answer.status_code == 422
        assert answer.json()["type"] == "urn:rollcall:problem:broken-image"


@pytest.mark.parametrize("kind", ["text/plain", "image/gif", "application/octet-stream", ""])
def test_other_media_types_are_refused(web, kind):
    answer = web.send_picture("/recognize", photo(ADA), headers={"Content-Type": kind})
    assert answer.status_code == 415
    assert "image/jpeg" in answer.headers["Accept"]


@pytest.mark.parametrize(
    "body",
    [
        b"", b"{", b"[]", b"null", b'{"image": 7}', b'{"image": "%%%"}', b'{"picture": ""}', b"[" * 100_000,
        b"\xff",
    ],
)  # fmt: skip
def test_json_that_is_no_picture_is_refused_with_a_reason(web, body):
    headers = {"Content-Type": "application/json"}
    answer = web.call("POST", "/recognize", content=body, headers=headers)
    assert answer.status_code == 422
    assert answer.json()["detail"]


@pytest.mark.parametrize(
    "request_",
    [
        {"files": {"picture": ("a.png", photo(ADA))}},
        {"files": [("file", ("a.png", photo(ADA))), ("file", ("b.png", photo(ADA)))]},
        {"data": {"file": "text"}, "files": {"other": b""}},
        {"content": b"--x\r\nbroken", "headers": {"Content-Type": "multipart/form-data; boundary=x"}},
        {"content": b"", "headers": {"Content-Type": "multipart/form-data"}},
    ],
)
def test_a_form_without_one_picture_is_refused(web, request_):
    answer = web.call("POST", "/recognize", **request_)
    assert answer.status_code == 422
    assert answer.headers["Content-Type"] == "application/problem+json"


def test_a_full_queue_says_when_to_come_again(web):
    web.recogniser.failure = Overloaded("Too many wait.", 2.4)
    answer = web.send_picture("/recognize", photo(ADA))
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "3")
    assert answer.json()["retry_after"] == 3
    assert answer.json()["detail"] == "Too many wait."
    web.recogniser.failure = BackendUnavailable("Away.")
    answer = web.send_picture("/recognize", photo(ADA))
    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) >= 1


def test_a_full_queue_and_nothing_else_makes_the_proxy_turn_pictures_away(open_web):
    web = open_web()
    for failure, told in ((Overloaded("Too many wait.", 1.0), "1"), (BackendUnavailable("Away."), None)):
        web.recogniser.failure = failure
        answer = web.send_picture("/recognize", photo(ADA))
        assert (answer.status_code, answer.headers.get("Rollcall-Full")) == (503, told)


@pytest.mark.parametrize("settings", [{"api_proxy": "python"}, {"api_cors_origins": "https://hr.example"}])
def test_nothing_is_left_to_a_proxy_that_is_not_ours_or_cannot_speak_to_browsers(open_web, settings):
    web = open_web(**settings)
    web.recogniser.nearly_full = True
    assert "Rollcall-Full" not in web.send_picture("/recognize", photo(ADA)).headers
    web.recogniser.failure = Overloaded("Too many wait.", 1.0)
    answer = web.send_picture("/recognize", photo(ADA), headers={"Rollcall-Refused": "17"})
    assert (answer.status_code, answer.headers.get("Rollcall-Full")) == (503, None)
    assert refused(web) == 1


def test_the_proxy_hears_that_the_queue_is_nearly_full_with_an_answer(open_web):
    web = open_web()
    seen = []
    for web.recogniser.nearly_full in (False, True):
        answer = web.send_picture("/recognize", photo(ADA))
        seen.append((answer.status_code, answer.headers.get("Rollcall-Full")))
    assert seen == [(200, None), (200, "1")]


def test_what_the_proxy_turned_away_is_counted(open_web):
    web = open_web()
    for told in ("17", "-3", "many", "9" * 5000):
        assert web.send_picture("/recognize", photo(ADA), headers={"Rollcall-Refused": told}).is_success
    assert refused(web) == 17


def refused(web) -> float:
    line = 'rollcall_http_requests_total{method="POST",route="/recognize",status="503"} '
    return float(web.call("GET", "/metrics").text.partition(line)[2].partition("\n")[0])


def test_a_full_queue_is_said_before_the_picture_is_read_but_not_to_strangers(web):
    web.recogniser.full = Overloaded("Too many wait.", 1.0)
    # Nothing but reading the body would find out that this is no picture.
    answer = web.call("POST", "/recognize", content=b"no picture", headers={"Content-Type": "text/plain"})
    assert answer.status_code == 503
    answer = web.client.post("/recognize", content=photo(ADA), headers={"Content-Type": "image/png"})
    assert answer.status_code == 401


@pytest.mark.parametrize(
    ("department", "decision"), [("Engines", "match"), ("Kitchen", "unknown"), ("", "unknown")]
)
def test_only_the_people_of_a_department_are_looked_at_where_one_is_named(web, department, decision):
    web.register(ADA, department="Engines")
    answer = web.send_picture("/recognize", photo(ADA), params={"department": department}).json()
    assert [face["decision"] for face in answer["faces"]] == [decision]


@pytest.mark.parametrize("department", ["x" * 201, "a\x00b"])
def test_a_department_that_cannot_be_is_refused(web, department):
    answer = web.send_picture("/recognize", photo(ADA), params={"department": department})
    assert answer.status_code == 422
    assert "department" in answer.json()["detail"]


def test_a_mistake_of_ours_is_a_500_that_tells_nothing_and_is_logged(web, caplog):
    web.recogniser.failure = RuntimeError("secret detail")
    answer = web.send_picture("/recognize", photo(ADA))
    assert answer.status_code == 500
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert "secret detail" not in answer.text
    assert "secret detail" in caplog.text


@pytest.mark.parametrize("settings", [{"max_image_bytes": 1000}])
def test_a_picture_that_is_too_large_is_refused_before_and_while_it_is_read(open_web, settings):
    web = open_web(**settings)
    large = photo(ADA) + b"x" * 200_000
    for answer in in_every_form(web, large):
        assert answer.status_code == 413
        assert answer.json()["type"] == "urn:rollcall:problem:request-too-large"

    def parts():
        for _ in range(100):
            yield b"x" * 100

    answer = web.send_picture("/recognize", parts())
    assert answer.status_code == 413


def test_a_picture_of_too_many_pixels_is_refused(open_web):
    web = open_web(max_image_pixels=1000)
    answer = web.send_picture("/recognize", photo(ADA))
    assert (answer.status_code, answer.json()["type"]) == (413, "urn:rollcall:problem:image-too-large")


def test_a_body_in_many_parts_is_put_together(web):
    web.site.enrol(ADA)
    data = photo(ADA)
    parts = (data[start : start + 50] for start in range(0, len(data), 50))
    answer = web.send_picture("/recognize", parts)
    assert answer.json()["faces"][0]["person"]["employee_id"] == "E1"


def test_the_answer_is_as_the_document_says_whatever_is_in_it():
    nan, inf = float("nan"), float("inf")
    quality = Quality(inf, nan, 120.123456, -0.0, 1e-9, nan, 1.0, nan)
    person = Person('E"1\\', "Ünïcödé \u2028 \ud800", SetClock().now())
    kinds = [
        Decision(DecisionKind.MATCH, Candidate("a", 0.7), Candidate("b", nan)),
        Decision(DecisionKind.UNKNOWN),
    ]
    faces = tuple(RecognisedFace((nan, 1, 2, 1234.56), quality, kind, person) for kind in kinds)
    text = recognition_text(Recognition(faces, 'p"', 7, {"decode": nan, "total": 12.3456789}))
    document = json.loads(text, parse_constant=pytest.fail)
    assert document["faces"][0]["person"] == {"employee_id": person.employee_id, "name": person.name}
    assert document["faces"][0]["box"] == [None, 1, 2, 1234.56]
    assert document["faces"][0]["similarity"] == 0.7
    assert document["faces"][0]["runner_up_similarity"] is None
    assert document["timings_ms"] == {"decode": None, "total": 12.3457}


def test_a_real_answer_fits_the_schema(web):
    web.site.enrol(ADA)
    answer = web.send_picture("/recognize", photo(ADA, STRANGER))
    parsed = schemas.Recognition.model_validate_json(answer.content, strict=True)
    assert parsed.model_dump(mode="json") == answer.json()


def test_each_file_of_a_batch_has_its_answer_in_order_and_a_bad_one_its_problem(web):
    web.site.enrol(ADA)
    web.site.enrol(ALAN)
    files = [
        ("files", ("one.png", photo(ALAN))),
        ("files", ("two.png", b"no picture")),
        ("files", ("three.png", photo(ADA))),
    ]
    results = web.call("POST", "/batch_recognize", Role.RECOGNIZER, files=files).json()["results"]
    assert [result["label"] for result in results] == ["one.png", "two.png", "three.png"]
    assert [r["recognition"] and r["recognition"]["faces"][0]["person"]["name"] for r in results] == [
        "Person 2", None, "Person 1",
    ]  # fmt: skip
    assert [r["problem"] and r["problem"]["status"] for r in results] == [None, 415, None]


def test_a_batch_is_neither_empty_nor_too_long(open_web):
    web = open_web(api_max_batch=2)
    files = [("files", (f"{index}.png", photo(ADA))) for index in range(3)]
    assert web.call("POST", "/batch_recognize", files=files).status_code == 422
    assert web.call("POST", "/batch_recognize", files=files[:2]).status_code == 200
    assert web.call("POST", "/batch_recognize", json={"files": [encoded(photo(ADA))] * 3}).status_code == 422
    assert web.call("POST", "/batch_recognize", json={"files": []}).status_code == 422


def test_a_batch_may_not_have_too_many_bytes(open_web):
    web = open_web(api_max_body_bytes=1000)
    files = [("files", ("a.png", b"x" * 2000))]
    assert web.call("POST", "/batch_recognize", files=files).status_code == 413


def test_earlier_systems_get_payloads_and_boxes(web):
    web.site.enrol(ADA)
    picture = photo(ADA, STRANGER)
    as_json = web.call("POST", "/base64", json={"base64str": encoded(picture)})
    as_form = web.call("POST", "/uploadfile", files={"file": ("a.png", picture)})
    assert as_json.json() == as_form.json() == {
        "payloads": ["E1", "unknown"],
        "boxes": [[20, 40, 170, 190], [220, 40, 350, 170]],
    }  # fmt: skip
    assert web.call("POST", "/uploadfile", json={"base64str": encoded(picture)}).status_code == 415
    assert web.send_picture("/base64", picture).status_code == 415


def test_work_whose_client_has_gone_is_dropped_and_counted(open_web):
    web = open_web()
    app, headers = web.client.app, web.headers(Role.RECOGNIZER)
    raw = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    scope = {
        "type": "http", "method": "POST", "path": "/recognize", "query_string": b"",
        "headers": [*raw, (b"content-type", b"image/png")],
    }  # fmt: skip
    answers = []

    async def leave() -> None:
        web.recogniser.gate = asyncio.Event()
        messages = [{"type": "http.request", "body": b"x"}, {"type": "http.disconnect"}]

        async def receive():
            return messages.pop(0)

        async def send(message):
            answers.append(message)

        await asyncio.wait_for(app(scope, receive, send), 5)

    asyncio.run(leave())
    assert web.recogniser.cancelled == 1
    assert answers == []
    counted = web.get("/metrics").text
    assert 'rollcall_http_requests_total{method="POST",route="/recognize",status="499"} 1.0' in counted


def test_a_client_that_waits_gets_its_late_answer(open_web):
    web = open_web()
    web.site.enrol(ADA)

    async def wait() -> httpx.Response:
        web.recogniser.gate = asyncio.Event()
        transport = httpx.ASGITransport(app=web.client.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://api") as client:
            headers = web.headers(Role.RECOGNIZER) | {"Content-Type": "image/png"}
            sent = asyncio.create_task(client.post("/recognize", content=photo(ADA), headers=headers))
            await asyncio.sleep(0.2)
            web.recogniser.gate.set()
            return await sent

    assert asyncio.run(wait()).json()["faces"][0]["decision"] == "match"
    assert web.recogniser.cancelled == 0


@pytest.fixture
def second(web):
    """A second pack beside the site's own, with templates of whoever is enrolled by then."""

    def put():
        faces = FaceService(SecondEngine(), PillowCodec(max_bytes=10**7, max_pixels=10**8))
        put_beside(web.site.backend, faces, "/models/second", 0.1)
        web.recogniser.beside = faces

    return put


def test_a_pack_beside_the_sites_own_answers_when_it_is_named(web, second):
    web.register(1)
    second()
    answer = web.send_picture("/recognize?pack=second", photo(1)).json()
    assert answer["pack"] == "second"
    assert answer["faces"][0]["person"]["employee_id"] == "E1"
    assert web.send_picture("/recognize", photo(1)).json()["pack"] == "fake"


def test_it_looks_in_the_department_that_is_named(web, second):
    web.register(1, department="Engines")
    second()
    here = web.send_picture("/recognize?pack=second&department=Engines", photo(1)).json()
    elsewhere = web.send_picture("/recognize?department=Kitchen&pack=second", photo(1)).json()
    assert [face["decision"] for face in here["faces"]] == ["match"]
    assert [face["decision"] for face in elsewhere["faces"]] == ["unknown"]


def test_a_pack_that_is_not_beside_is_not_found(web):
    answer = web.send_picture("/recognize?pack=third", photo(1))
    assert answer.status_code == 404
    assert "pack" in answer.json()["detail"]


def test_a_pack_without_a_name_is_refused(web):
    answer = web.send_picture("/recognize?pack=", photo(1))
    assert answer.status_code == 422


def test_what_the_second_pack_says_is_not_counted_as_a_decision_of_the_site(web, second):
    web.register(1)
    second()
    before = web.get("/metrics").text.count("rollcall_http_decisions_total{")
    web.send_picture("/recognize?pack=second", photo(1))
    assert web.get("/metrics").text.count("rollcall_http_decisions_total{") == before
