"""What holds for the API as a whole: problems, limits, health, metrics, headers, CORS and its documents."""

from __future__ import annotations

import shutil

import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.parser import text_string_to_metric_families

from ray_backend.api.limits import TokenBuckets
from ray_backend.api.problems import STATUS, document
from ray_backend.domain import errors
from ray_backend.domain.errors import (
    BackendUnavailable,
    Forbidden,
    RollcallError,
    StoreUnavailable,
    TooManyAttempts,
)
from ray_backend.domain.permissions import Role
from tests.fakes import photo

ADA = 1


def kinds(root: type) -> set[type]:
    return {root}.union(
        *(kinds(kind) for kind in root.__subclasses__() if kind.__module__ == errors.__name__)
    )


@pytest.mark.parametrize(
    "kind", sorted(kinds(RollcallError) - {RollcallError}, key=lambda kind: kind.__name__)
)
def test_every_error_of_the_tree_has_a_status(kind):
    extra = {"FaceBelongsToAnother": ("E1", "Ada"), "TooManyAttempts": (3.2,), "Overloaded": (3.2,)}
    body, headers = document(kind("What to do.", *extra.get(kind.__name__, ())), "/path")
    assert 400 <= body["status"] <= 599
    assert body["status"] != 500
    assert (body["detail"], body["instance"]) == ("What to do.", "/path")
    assert body["type"].startswith("urn:rollcall:problem:")
    assert ("Retry-After" in headers) == (body["status"] in (429, 503))
    assert ("WWW-Authenticate" in headers) == (body["status"] == 401)


def test_each_kind_of_problem_has_a_name_of_its_own():
    names = [name for _, name in STATUS.values()]
    assert len(set(names)) == len(names)
    assert document(Forbidden("no"), "/")[0]["status"] == 403


def test_an_unknown_error_of_ours_tells_nothing():
    body, _ = document(RollcallError("secret"), "/")
    assert body["status"] == 500
    assert "secret" not in str(body)


def test_a_path_that_is_not_there_is_a_problem(web):
    answer = web.client.get("/nowhere")
    assert answer.status_code == 404
    assert answer.json()["instance"] == "/nowhere"
    assert answer.headers["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", "/recognize", "POST"),
        ("POST", "/people/E1", "DELETE, GET, PATCH, PUT"),
        ("DELETE", "/people", "GET"),
        ("OPTIONS", "/people", "GET"),
    ],
)
def test_a_method_that_is_not_there_is_answered_with_those_that_are(web, method, path, allowed):
    answer = web.client.request(method, path)
    assert (answer.status_code, answer.headers["Allow"]) == (405, allowed)
    assert answer.headers["Content-Type"] == "application/problem+json"


def test_a_bucket_gives_a_minutes_worth_at_once_and_then_evenly():
    now = [0.0]
    buckets = TokenBuckets(60, now=lambda: now[0])
    for _ in range(60):
        buckets.take("a")
    with pytest.raises(TooManyAttempts) as refused:
        buckets.take("a")
    assert refused.value.retry_after_s == pytest.approx(1)
    buckets.take("b")
    now[0] = 2.0
    buckets.take("a")
    buckets.take("a")
    with pytest.raises(TooManyAttempts):
        buckets.take("a")
    now[0] = 10_000.0
    for _ in range(60):
        buckets.take("a")
    with pytest.raises(TooManyAttempts):
        buckets.take("a")


def test_no_limit_is_no_limit_and_many_callers_are_forgotten():
    free, buckets, now = TokenBuckets(0), TokenBuckets(60, now=lambda: now[0]), [0.0]
    for _ in range(1000):
        free.take("a")
    for index in range(10_000):
        buckets.take(str(index))
    now[0] = 61.0
    buckets.take("one more")
    assert len(buckets._level) == 1


def test_one_token_that_asks_too_often_is_told_when_to_come_again_and_others_are_not(open_web):
    web = open_web(api_requests_per_minute=2)
    answers = [web.send_picture("/recognize", photo(ADA), role=Role.RECOGNIZER) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert int(answers[2].headers["Retry-After"]) == answers[2].json()["retry_after"] == 30
    assert web.get("/people", Role.MANAGER).status_code == 200


def test_health_tells_nobody_anything_but_that(web):
    assert web.client.get("/health").json() == {"status": "ok"}
    assert web.client.get("/health/ready").json() == {"status": "ready"}


def assert_not_ready(web, what: str) -> None:
    assert web.client.get("/health").status_code == 200
    answer = web.client.get("/health/ready")
    assert (answer.status_code, answer.headers["Content-Type"]) == (503, "application/problem+json")
    assert answer.headers["Retry-After"]
    assert what in answer.json()["detail"]


def test_without_its_database_it_is_ready_as_long_as_the_journal_takes_punches(web, monkeypatch):
    def away() -> None:
        raise StoreUnavailable("The database does not answer.")

    monkeypatch.setattr("ray_backend.api.health._READY_FOR_S", 0.0)
    monkeypatch.setattr(web.site.store, "ping", away)
    web.site.enrol(ADA)
    assert web.client.get("/health/ready").status_code == 200
    found = web.get("/health/ray", Role.MONITOR).json()
    assert (found["status"], found["database"]) == ("ready", "away")
    journal = web.site.settings.data_dir / "journal-of-trials"
    shutil.rmtree(journal, ignore_errors=True)
    journal.write_text("no folder")
    assert_not_ready(web, "Check the disk")
    found = web.get("/health/ray", Role.MONITOR).json()
    assert found["status"] == "not ready"
    assert "Check the disk" in found["problem"]


def test_it_is_not_ready_while_its_gallery_is_empty_though_faces_are_stored(web):
    web.site.enrol(ADA)
    web.site.backend._records.overview._gallery.replace(iter(()))
    assert_not_ready(web, "gallery is empty")


def test_it_is_not_ready_while_nobody_finds_faces(web, monkeypatch):
    class Away:
        @property
        def pack(self):
            raise BackendUnavailable("Nobody finds faces.")

    monkeypatch.setattr(web.site.backend, "_faces", Away())
    assert_not_ready(web, "Nobody finds faces")


def test_how_everything_does_is_told_to_who_may_know(open_web):
    web = open_web()
    web.site.enrol(ADA)
    found = web.get("/health/ray", Role.MONITOR).json()
    gallery = found.pop("gallery")
    assert found == {
        "status": "ready",
        "problem": None,
        "where": "in this process",
        "database": "ok",
        "journal": 0,
        "cluster": None,
    }
    assert gallery["templates"] > 0
    web.site.enrol(ADA + 1)
    assert web.get("/health/ray", Role.MONITOR).json()["gallery"]["version"] > gallery["version"]
    assert web.client.get("/health/ray").status_code == 401


def test_the_cluster_is_shown_where_there_is_one(open_web):
    pool = {"ready": 2, "wanted": 3, "fewest": 1, "most": 4, "room": 4}
    cluster = {"nodes": 2, "draining": 1, "cpus": 8.0, "gpus": 0.5, "pool": pool, "actors": {"A": "away"}}
    web = open_web(cluster_status=lambda: cluster)
    assert web.get("/health/ray", Role.MONITOR).json()["cluster"] == cluster


def samples(web) -> dict[tuple, float]:
    text = web.get("/metrics", Role.MONITOR).text
    return {
        (sample.name.removeprefix("rollcall_http_"), *sorted(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_requests_and_decisions_are_counted(web):
    web.site.enrol(ADA)
    for picture in (photo(ADA), photo(ADA, 9), photo(), b"no picture"):
        web.send_picture("/recognize", picture)
    web.client.get("/people")
    web.get("/people/E1")
    found = samples(web)
    assert found["requests_total", "/recognize", "200", "POST"] == 3
    assert found["requests_total", "/recognize", "415", "POST"] == 1
    assert found["requests_total", "/people", "401", "GET"] == 1
    assert found["requests_total", "/people/{employee_id:employee_id}", "200", "GET"] == 1
    assert found["decisions_total", "/recognize", "match"] == 2
    assert found["decisions_total", "/recognize", "unknown"] == 1
    assert found["decisions_total", "/recognize", "no_face"] == 1
    assert found["request_seconds_count", "/recognize"] == 4


def test_what_strangers_send_makes_no_new_labels(web):
    web.client.get("/health")
    samples(web)
    before = set(samples(web))
    for index in range(20):
        web.client.get(f"/nowhere/{index}")
        web.client.request(f"METHOD{index}", "/people")
        web.client.get(f"/people/{index}")
    new = set(samples(web)) - before
    assert {key[1:] for key in new if key[0] == "requests_total"} == {
        ("404", "other", "other"),
        ("/people", "405", "other"),
        ("/people/{employee_id:employee_id}", "401", "GET"),
    }


def test_the_metrics_may_be_put_into_a_registry_of_somebody_else(open_web):
    registry = CollectorRegistry()
    open_web(registry=registry).client.get("/health")
    labels = {"method": "GET", "route": "/health", "status": "200"}
    assert registry.get_sample_value("rollcall_http_requests_total", labels) == 1


@pytest.mark.parametrize("path", ["/health", "/people", "/nowhere", "/docs"])
def test_every_answer_has_the_headers_that_protect_it(web, path):
    for answer in (web.client.get(path), web.send_picture("/recognize", photo(ADA))):
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Cache-Control"] == "no-store"
        assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]


PREFLIGHT = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"}


def test_no_page_of_another_site_may_call_unless_allowed(open_web):
    ask = {"Origin": "https://hr.example.org", **PREFLIGHT}
    closed = open_web().client.options("/recognize", headers=ask)
    assert "Access-Control-Allow-Origin" not in closed.headers
    client = open_web(api_cors_origins="https://a.example, https://hr.example.org/").client
    allowed = client.options("/recognize", headers=ask)
    assert (allowed.status_code, allowed.headers["Access-Control-Allow-Origin"]) == (200, ask["Origin"])
    refused = client.options("/recognize", headers=ask | {"Origin": "https://evil.example"})
    assert "Access-Control-Allow-Origin" not in refused.headers
    answer = client.post("/recognize", headers={"Origin": ask["Origin"]})
    assert (answer.status_code, answer.headers["Access-Control-Allow-Origin"]) == (401, ask["Origin"])


def test_the_page_of_the_documents_loads_nothing_from_elsewhere(web):
    page = web.client.get("/docs")
    assert "://" not in page.text
    policy = page.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "://" not in policy
    assert "*" not in policy
    for part in ("swagger-ui.css", "swagger-ui-bundle.js", "start.js"):
        assert f"docs/{part}" in page.text
        assert web.client.get(f"/docs/{part}").status_code == 200
    for wrong in ("app.py", "..%2Fcore.py", "redoc.standalone.js", "favicon.png"):
        assert web.client.get(f"/docs/{wrong}").status_code == 404


@pytest.mark.parametrize("path", ["/health", "/people", "/nowhere", "/recognize"])
def test_every_answer_names_its_request(web, path):
    def sent(**headers: str):
        send = web.send_picture if path == "/recognize" else web.client.get
        return send(path, *([photo(ADA)] if path == "/recognize" else []), headers=headers)

    assert sent(**{"X-Request-ID": "mine-7"}).headers["X-Request-ID"] == "mine-7"
    first, second = sent(), sent(**{"X-Request-ID": "not a sane one"})
    ids = {first.headers["X-Request-ID"], second.headers["X-Request-ID"]}
    assert len(ids) == 2
    assert all(len(one) == 16 for one in ids)


def test_the_log_names_routes_and_requests_but_nobody(web, caplog):
    web.site.enrol(ADA)
    with caplog.at_level("INFO", "ray_backend"):
        web.call("GET", "/people/E1", headers={"X-Request-ID": "mine-7"})
        web.send_picture("/recognize", photo(ADA))
        web.client.get("/health")
    (line,) = [record for record in caplog.records if record.name.endswith("edge")]
    assert line.getMessage() == "GET /people/{employee_id:employee_id} 200"
    assert "E1" not in caplog.text


def test_the_figures_of_the_whole_site_are_answered_where_there_are_other_processes(open_web):
    web = open_web(whole_site=lambda: b"rollcall_of_all 1\n")
    assert web.get("/metrics", Role.MONITOR).text == "rollcall_of_all 1\n"
    assert web.get("/metrics", Role.RECOGNIZER).status_code == 403
