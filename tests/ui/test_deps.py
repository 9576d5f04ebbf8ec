"""What all pages share: the site's settings are fresh, and never waited for."""

from __future__ import annotations

import threading
import time
from types import SimpleNamespace

from ray_backend.domain.errors import BackendUnavailable
from ray_backend.domain.site import SiteSettings
from streamlit_app import deps
from streamlit_app.deps import SiteSource

WORKS, MILL = SiteSettings("Works", "Europe/Berlin"), SiteSettings("Mill", "Europe/Berlin")


class Answering:
    """A backend whose site may be slow, away, or another one."""

    def __init__(self) -> None:
        self.now: SiteSettings | Exception = WORKS
        self.asked = 0
        self.free = threading.Event()
        self.free.set()
        self.site = SimpleNamespace(current=self._current)

    def _current(self) -> SiteSettings:
        self.asked += 1
        self.free.wait(10)
        if isinstance(self.now, Exception):
            raise self.now
        return self.now


def test_before_there_is_a_backend_the_environment_has_the_word(settings):
    assert SiteSource(lambda: None).get().site_name == "Example Works"


def test_it_is_asked_every_other_second_and_at_once_after_a_change(settings, monkeypatch):
    backend = Answering()
    source = SiteSource(lambda: backend)
    assert [source.get() for _ in range(3)] == [WORKS] * 3
    assert backend.asked == 1
    backend.now = MILL
    assert source.get() == WORKS
    source.forget()
    assert source.get() == MILL
    backend.now = WORKS
    now = time.monotonic()
    monkeypatch.setattr(deps.time, "monotonic", lambda: now + deps.SITE_EVERY_S + 0.1)
    assert source.get() == WORKS


def test_what_is_known_stays_while_the_backend_is_away(settings):
    backend = Answering()
    source = SiteSource(lambda: backend)
    assert source.get() == WORKS
    backend.now = BackendUnavailable("away")
    source.forget()
    assert source.get() == WORKS


def test_nobody_waits_for_a_slow_backend_longer_than_a_moment(settings):
    backend = Answering()
    backend.free.clear()
    source = SiteSource(lambda: backend)
    started = time.monotonic()
    assert source.get().site_name == "Example Works"
    assert time.monotonic() - started < deps.SITE_PATIENCE_S + 2
    backend.free.set()
    until = time.monotonic() + 5
    while source.get() != WORKS and time.monotonic() < until:
        time.sleep(0.01)
    assert source.get() == WORKS
    assert backend.asked == 1
