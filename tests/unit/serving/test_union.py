"""Many processes' figures as one text, and what the last minutes were like."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

import pytest
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.parser import text_string_to_metric_families

from ray_backend.observing.meters import ANSWER_S
from ray_backend.observing.snapshots import Snapshot, snapshot
from ray_backend.serving.history import History, quantile
from ray_backend.serving.union import GONE_AFTER_S, Union

AT = datetime(2026, 3, 2, 8, tzinfo=UTC)


class Process:
    """Counts as a process of ours does."""

    def __init__(self, name: str, started: float = 1.0) -> None:
        self.name = name
        self.registry = CollectorRegistry()
        self.pictures = Counter("rollcall_pictures", "p", ["outcome"], registry=self.registry)
        self.decisions = Counter("rollcall_decisions", "d", ["way", "decision"], registry=self.registry)
        self.seconds = Histogram(
            "rollcall_http_request_seconds", "s", ["route"], buckets=ANSWER_S, registry=self.registry
        )
        Gauge("rollcall_process_start_seconds", "t", registry=self.registry).set(started)

    def says(self) -> Snapshot:
        return snapshot(self.name, self.registry)


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def values(text: bytes, name: str) -> dict[str, float]:
    """What the text says under this name, by process."""
    return {
        sample.labels["process"]: sample.value
        for family in text_string_to_metric_families(text.decode())
        for sample in family.samples
        if sample.name == name
    }


def test_two_processes_that_count_the_same_do_not_get_into_each_others_way():
    one, two, union = Process("api-1"), Process("api-2"), Union()
    one.pictures.labels("analysed").inc(3)
    two.pictures.labels("analysed").inc(5)
    union.take(one.says())
    union.take(two.says())
    text = union.exposition()
    assert values(text, "rollcall_pictures_total") == {"api-1": 3, "api-2": 5}
    assert text.count(b"# TYPE rollcall_pictures_total counter") == 1


def test_whoever_answers_adds_its_own_figures_of_this_moment():
    one, union = Process("ClusterActor"), Union()
    one.pictures.labels("analysed").inc()
    assert values(union.exposition(one.says()), "rollcall_pictures_total") == {"ClusterActor": 1}


def test_a_process_that_is_gone_is_left_out_after_a_minute_and_no_earlier():
    clock = Clock()
    union = Union(clock)
    union.take(Process("app").says())
    clock.now = GONE_AFTER_S
    assert [one.process for one in union.latest()] == ["app"]
    clock.now += 0.1
    assert union.latest() == []


def test_a_restart_is_counted_once_however_often_the_process_reports():
    union = Union()
    for started in (1.0, 1.0, 2.0, 2.0):
        union.take(Process("DatabaseActor", started).says())
    (figure,) = union.restarts().figures
    assert figure == ("rollcall_restarts_total", {"part": "DatabaseActor"}, 1)


def test_names_that_never_come_back_are_not_kept():
    clock = Clock()
    union = Union(clock)
    for number in range(100):
        clock.now += GONE_AFTER_S + 1
        union.take(Process(f"api-{number}").says())
        union.latest()
    assert len(union.restarts().figures) == 1


def moments_of(history: History, process: Process, work, seconds: float = 5.0):
    """The last moment, after this work took place."""
    history.add(AT, [process.says()])
    work(process)
    history.add(AT + timedelta(seconds=seconds), [process.says()])
    return history.moments()


def test_a_moment_says_how_much_was_done_each_second():
    def work(process: Process) -> None:
        process.pictures.labels("analysed").inc(50)
        process.decisions.labels("kiosk", "match").inc(10)
        process.decisions.labels("recognise", "match").inc(5)
        for _ in range(50):
            process.seconds.labels("/recognize").observe(0.02)
        process.seconds.labels("/metrics").observe(9.0)

    (moment,) = moments_of(History(), Process("api"), work)
    assert moment.pictures == 10
    assert moment.decisions == {"match": 3}
    assert 0.01 < moment.p50_s < 0.025
    assert moment.p95_s <= 0.025


def test_nothing_that_was_counted_before_counts_as_done_now():
    history, known, fresh = History(), Process("api"), Process("face")
    history.add(AT, [known.says()])
    fresh.pictures.labels("analysed").inc(1000)
    history.add(AT + timedelta(seconds=5), [known.says(), fresh.says()])
    assert history.moments()[-1].pictures == 0


def test_a_process_that_began_anew_counts_from_its_beginning():
    history, before, after = History(), Process("face"), Process("face", 2.0)
    before.pictures.labels("analysed").inc(1000)
    history.add(AT, [before.says()])
    after.pictures.labels("analysed").inc(20)
    history.add(AT + timedelta(seconds=5), [after.says()])
    assert history.moments()[-1].pictures == 4


def test_a_quarter_of_an_hour_is_kept():
    history, process = History(), Process("api")
    for number in range(400):
        history.add(AT + timedelta(seconds=5 * number), [process.says()])
    moments = history.moments()
    assert moments[-1].at - moments[0].at == timedelta(minutes=15) - timedelta(seconds=5)
    assert moments[0].p50_s is None


@pytest.mark.parametrize(
    ("share", "value"),
    [(0.5, 0.1), (0.25, 0.05), (0.75, 0.15), (1.0, 0.2)],
)
def test_a_quantile_lies_where_prometheus_would_put_it(share, value):
    assert quantile({0.1: 10, 0.2: 20, math.inf: 20}, share) == pytest.approx(value)


def test_what_took_longer_than_all_limits_is_said_to_have_taken_the_longest_one():
    assert quantile({0.1: 0, math.inf: 4}, 0.5) == 0.1
