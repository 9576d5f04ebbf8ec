"""How long a page's session is kept, and how many there are."""

from __future__ import annotations

import pytest

from streamlit_app.camera import page_sessions
from streamlit_app.camera.page_sessions import PageSessions


@pytest.fixture
def now(monkeypatch):
    """The seconds of the clock, to be set."""
    at = [1000.0]
    monkeypatch.setattr(page_sessions.time, "monotonic", lambda: at[0])
    return at


@pytest.fixture
def pages():
    return PageSessions(lambda: "full")


def test_a_page_that_comes_back_within_a_minute_finds_its_session(pages, now):
    before = pages.enter("entrance", "page")
    pages.leave("entrance", "page")
    now[0] += page_sessions.KEEP_S - 1

    assert pages.enter("entrance", "page") is before


def test_after_that_it_is_forgotten(pages, now):
    before = pages.enter("entrance", "page")
    pages.leave("entrance", "page")
    now[0] += page_sessions.KEEP_S + 1

    assert pages.enter("entrance", "page") is not before
    assert len(pages) == 1


def test_an_open_page_is_kept_for_days(pages, now):
    before = pages.enter("entrance", "page")
    now[0] += 86_400 * 7

    assert pages.enter("entrance", "page") is before


def test_the_old_connection_may_end_after_the_new_one_began(pages, now):
    before = pages.enter("entrance", "page")
    pages.enter("entrance", "page")
    pages.leave("entrance", "page")
    now[0] += page_sessions.KEEP_S + 1

    assert pages.enter("entrance", "page") is before


def test_kiosks_do_not_find_each_others_sessions(pages):
    assert pages.enter("entrance", "page") is not pages.enter("back door", "page")


def test_there_are_only_so_many_and_unused_ones_go_first(pages, now):
    used = pages.enter("entrance", "used")
    for number in range(3 * page_sessions.MOST_PAGES):
        now[0] += 0.01
        pages.enter("entrance", f"page-{number}")
        pages.leave("entrance", f"page-{number}")

    assert len(pages) == page_sessions.MOST_PAGES
    assert pages.enter("entrance", "used") is used
