"""The report counts the busy apart, and is one page that needs no network."""

from __future__ import annotations

import pytest

from bench.load import report
from bench.load.timeline import BUSY, OTHER, Timeline

START = 1_800_000_000.0


@pytest.fixture
def timeline():
    """Ten seconds: each has 3 matches of 10, 20 and 30 ms, one busy of 1 ms and one export of 900 ms."""
    timeline = Timeline()
    for second in range(11):
        for ms in (10, 20, 30):
            timeline.add(START + second, ms, "match", True)
        timeline.add(START + second, 1, BUSY, True)
        timeline.add(START + second, 900, OTHER, False)
    return timeline


def test_throughput_counts_the_busy_apart(timeline):
    rates = report.throughput(timeline.frame()).groupby("kind")["rate"].unique()

    assert list(rates["answered"]) == [4 / 2]
    assert list(rates[BUSY]) == [1 / 2]


def test_latency_is_of_what_somebody_waited_for_and_got(timeline):
    latency = report.latency(timeline.frame())

    assert set(latency[latency["percentile"] == "p50"]["ms"]) == {20}
    assert latency["ms"].max() <= 30


def test_decisions_are_those_of_people_who_wait(timeline):
    assert set(report.decisions(timeline.frame())["decision"]) == {"match", BUSY}


def test_the_report_is_written_and_needs_no_network(timeline, tmp_path):
    table = [{"request": "check in <b>", "answered": 30}]

    picture, page = report.write(tmp_path / "load", timeline, table, ["p95 is too high"], "steady")

    assert picture.read_bytes().startswith(b"\x89PNG")
    text = page.read_text()
    assert "p95 is too high" in text
    assert "&lt;b&gt;" in text
    assert "http" not in text.replace("data:image/png;base64,", "").partition("<img")[0]


def test_without_a_request_there_is_no_report(tmp_path):
    assert report.write(tmp_path / "load", Timeline(), [], [], "steady") == []


def test_what_workers_hand_on_arrives(timeline):
    rows = timeline.taken()
    master = Timeline()
    master.extend([tuple(row) for row in rows])

    assert master.rows == rows
    assert timeline.rows == []
