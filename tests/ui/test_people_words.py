"""People and certificates in words."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from html.parser import HTMLParser
from zoneinfo import ZoneInfo

import pytest

from ray_backend.domain.answers import ShiftsToday, SignedCertificate
from streamlit_app import certificate_words, people_words

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("back", "words"),
    [
        (timedelta(0), "today 09:00"),
        (timedelta(hours=8, minutes=59), "today 00:01"),
        (timedelta(hours=9, minutes=1), "yesterday 23:59"),
        (timedelta(days=2), "2 days ago"),
        (timedelta(days=6), "6 days ago"),
        (timedelta(days=7), "1 week ago"),
        (timedelta(days=21), "3 weeks ago"),
        (timedelta(days=30), "1 month ago"),
        (timedelta(days=364), "12 months ago"),
        (timedelta(days=365), "1 year ago"),
        (timedelta(days=800), "2 years ago"),
        (timedelta(hours=-1), "today 10:00"),
    ],
)
def test_when_somebody_was_seen_last(back, words):
    assert people_words.last_seen_words(NOW - back, NOW, BERLIN) == words


def test_somebody_who_never_came():
    assert people_words.last_seen_words(None, NOW, BERLIN) == "never"


@pytest.mark.parametrize(
    ("similarity", "bar"), [(None, 0), (0.5, 0.5), (1, 1), (0.75, 0.75), (0, 0), (-1, 0), (0.25, 0.25)]
)
def test_a_bar_is_half_full_at_the_threshold(similarity, bar):
    assert people_words.bar_of(similarity, 0.5) == pytest.approx(bar)


def certificate(**changes) -> SignedCertificate:
    content = {
        "certificate_id": "0123456789abcdef", "site": "Example & <Works>", "pack": "dlib-resnet",
        "by": "<b>admin</b>", "begun_at": NOW.isoformat(), "finished_at": NOW.isoformat(),
        "interrupted": False, "verified": True,
        "person": {"digest": "d1", "salt": "5a", "scrypt": {"n": 2, "r": 8, "p": 1}},
        "removed": {"records": 1, "templates": 2, "photos": 2, "punches": 0, "entries": 0},
        "kept_without_a_name": {"punches": 7, "entries": 0},
        "where": {
            "database": "sqlite", "database_overwrites": True, "files": ["imports"], "memory": [],
            "gallery": [{"part": "shard 0", "version": 4, "templates": 9}], "exports_kept": 0,
        },
        "checks": [{"where": "shard 0", "what": "templates_by_face", "searched": 2, "found": 0}],
    }  # fmt: skip
    return SignedCertificate(content | changes, "c2ln", "a2V5")


class Reader(HTMLParser):
    """The words of a page, and its elements."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.words, self.tags = [], []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)

    def handle_data(self, data):
        self.words.append(data)


def test_the_printed_page_says_everything_and_takes_no_markup():
    page = Reader(certificate_words.page_html(certificate(), BERLIN))
    words = " ".join(page.words)
    for expected in (
        "2026-03-02 09:00 (Europe/Berlin)", "Example & <Works>", "<b>admin</b>", "Gallery, part 1",
        "version 4", "Attendance records kept without a name", "nothing was found", "a2V5",
        "Notes of imports",
    ):  # fmt: skip
        assert expected in words
    assert "b" not in page.tags


def test_an_erasure_that_is_not_complete_says_so_on_paper():
    found = [{"where": "gallery", "what": "templates_by_face", "searched": 2, "found": 1}]
    bad = certificate(verified=False, checks=found)
    assert "not complete" in certificate_words.page_html(bad, BERLIN)
    assert certificate_words.problems(bad) == ["Gallery: the same faces, under any id (1)"]
    assert certificate_words.problems(certificate()) == []


def test_the_shift_of_today_in_few_words():
    early, night = ("Early", time(6), time(14)), ("Night", time(22), time(6))
    said = [
        people_words.today_words(today)
        for today in (
            None,
            ShiftsToday((early, night)),
            ShiftsToday((("Any time", None, None),)),
            ShiftsToday(()),
            ShiftsToday((), holiday="Fair"),
            ShiftsToday((early,), on_leave=True),
        )
    ]
    assert said == ["–", "Early 06:00–14:00, Night 22:00–06:00", "Any time", "Free", "Fair", "On leave"]


def test_a_certificate_says_when_the_database_is_overwritten():
    where = certificate().content["where"]
    said = [
        certificate_words.page_html(certificate(where=where | more), BERLIN)
        for more in ({}, {"overwritten_at_night": True}, {"database_overwrites": False})
    ]
    assert ["in the night after" in page for page in said] == [False, True, False]
    assert ["was overwritten in the database" in page for page in said] == [True, True, False]
