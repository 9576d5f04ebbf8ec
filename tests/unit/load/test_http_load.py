"""The benches' load generator: what it sends, what it counts, and that it waits when it is told to."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import Counter

import pytest

from bench import load_loops
from bench.http_client import Outcome, Reply, Shot, Target, judge
from bench.load_loops import Measurement, Sample, closed, opened
from bench.overload import Overload, by_second, recovery_s
from tests.unit.load.stub import face, serving, without_comment

SHOTS = [Shot(b"\xff\xd8" + name * 40 + b"\xff\xd9", employee_id) for name, employee_id in
         ((b"ada", "E1"), (b"bob", "E2"), (b"eve", None))]  # fmt: skip
WHO = {without_comment(b"\xff\xd8" + bytes(20) + shot.jpeg[2:]): shot.expected for shot in SHOTS}


def right(method, path, body):
    return 200, {"faces": [face(WHO[without_comment(body)])]}, {}


def run_closed(behaviour, clients=4, seconds=0.4):
    with serving(behaviour) as url:
        return asyncio.run(closed(Target(url, "key"), SHOTS, clients, seconds, 0.1))


def test_right_answers_are_counted_with_their_latency():
    measurement = run_closed(right)

    assert measurement.count(Outcome.OK) == len(measurement.samples) > 10
    assert measurement.percentile_ms(50) > 0
    assert measurement.summary()["wrong"] == measurement.summary()["errors"] == 0


def test_no_two_requests_are_alike_and_each_carries_the_token():
    seen, lock = Counter(), threading.Lock()

    def remember(method, path, body):
        with lock:
            seen[body] += 1
        return right(method, path, body)

    run_closed(remember)

    assert max(seen.values()) == 1
    assert b"Authorization: Bearer key\r\n" in Target("http://x:1", "key").request(SHOTS[0].jpeg)[0]


def test_a_wrong_person_is_wrong_and_named():
    measurement = run_closed(lambda *request: (200, {"faces": [face("E2")]}, {}))

    assert measurement.count(Outcome.WRONG) > measurement.count(Outcome.OK) > 0
    assert set(measurement.faults) == {"E1 was expected", "None was expected"}


def test_a_server_error_is_an_error():
    measurement = run_closed(lambda *request: (500, {}, {}))

    assert measurement.rps == 0
    assert measurement.percentile_ms(95) is None
    assert set(measurement.faults) == {"status 500"}


def test_a_full_queue_is_neither_and_the_client_waits_as_long_as_it_is_told():
    measurement = run_closed(lambda *request: (503, {}, {"Retry-After": "1"}), clients=3, seconds=0.5)

    assert measurement.count(Outcome.BUSY) <= 3
    assert measurement.count(Outcome.ERROR) == measurement.count(Outcome.WRONG) == 0


def test_a_server_that_is_not_there_is_an_error():
    async def load():
        return await closed(Target("http://127.0.0.1:1", "key"), SHOTS, 2, 0.3, 0.0)

    measurement = asyncio.run(load())

    assert measurement.count(Outcome.ERROR) == len(measurement.samples) > 0


def test_an_answer_that_does_not_come_in_time_is_an_error(monkeypatch):
    monkeypatch.setattr(load_loops, "TIMEOUT_S", 0.2)

    def too_late(method, path, body):
        time.sleep(2.5)
        return right(method, path, body)

    with serving(too_late) as url:
        (measurement,) = asyncio.run(opened(Target(url, "key"), SHOTS, [(10, 0.2)]))
        ended = asyncio.run(closed(Target(url, "key"), SHOTS, 2, 0.1, 0.0))

    assert measurement.count(Outcome.ERROR) == len(measurement.samples) == 2
    assert set(measurement.faults) == {"TimeoutError"}
    assert ended.recognised == 0


def test_open_load_arrives_at_its_rate_however_slow_the_answers_are():
    def slow(method, path, body):
        time.sleep(0.2)
        return right(method, path, body)

    with serving(slow) as url:
        first, second = asyncio.run(opened(Target(url, "key"), SHOTS, [(50, 0.4), (10, 0.2)]))

    assert first.count(Outcome.OK) == 20
    assert second.count(Outcome.OK) == 2
    assert first.percentile_ms(50) >= 200


@pytest.mark.parametrize(
    ("reply", "outcome"),
    [
        (Reply(200, b'{"faces": [{"decision": "match", "person": {"employee_id": "E1"}}]}'), Outcome.OK),
        (Reply(200, b'{"faces": [{"decision": "unknown", "person": null}]}'), Outcome.WRONG),
        (Reply(200, b'{"faces": []}'), Outcome.WRONG),
        (Reply(200, b"{}"), Outcome.ERROR),
        (Reply(200, b"<html>"), Outcome.ERROR),
        (Reply(503), Outcome.BUSY),
        (Reply(429), Outcome.ERROR),
        (Reply(404), Outcome.ERROR),
        (Reply(0), Outcome.ERROR),
    ],
)
def test_an_answer_is_right_only_when_it_names_the_person(reply, outcome):
    assert judge(reply, "E1") is outcome


def samples(*rows):
    return [Sample(at, latency, outcome) for at, latency, outcome in rows]


def test_goodput_is_what_was_answered_rightly_while_the_overload_lasted():
    onset = Measurement(1.0, samples((0.5, 0.1, Outcome.OK), (1.5, 0.7, Outcome.OK), (3.5, 2.6, Outcome.OK)))
    overload = Measurement(
        2.0,
        samples(
            (0.5, 0.1, Outcome.OK), (1.5, 0.1, Outcome.OK), (1.6, 0.1, Outcome.BUSY), (2.5, 1.0, Outcome.OK)
        ),
    )  # fmt: skip

    assert Overload(onset, overload, Measurement(1.0)).goodput_rps == 1.5
    assert by_second(overload) == [1, 1, 1]


def every_tenth(start, stop, latency, outcome=Outcome.OK):
    """A request each tenth of a second, by when it was sent."""
    return [
        Sample(tenth / 10 + latency, latency, outcome) for tenth in range(round(10 * start), round(10 * stop))
    ]


def test_recovered_at_once():
    assert recovery_s(every_tenth(0, 5, 0.1), slow=0.2) == 0.0


def test_recovered_when_a_good_second_begins():
    slow_at_first = every_tenth(0, 2, 0.9) + every_tenth(2, 3, 0.01, Outcome.BUSY) + every_tenth(3, 6, 0.1)

    assert recovery_s(slow_at_first, slow=0.2) == pytest.approx(3.0, abs=0.11)


def test_never_recovered():
    assert recovery_s(every_tenth(0, 5, 0.9), slow=0.2) is None
