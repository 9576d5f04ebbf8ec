"""Decisions of kiosks, counted."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import pytest

from ray_backend.domain.errors import InvalidInput
from ray_backend.domain.model import DecisionKind, DecisionRecord
from ray_backend.services.kiosk_figures import KioskFiguresService
from ray_backend.storage.memory import MemoryStore
from tests.fakes import SetClock

MONDAY = date(2026, 3, 2)
MIDNIGHT = datetime(2026, 3, 1, 23, tzinfo=UTC)  # Monday begins in Berlin


@pytest.fixture
def store():
    return MemoryStore()


def figures(store, start=MONDAY, end=MONDAY):
    policy = SimpleNamespace(zone=ZoneInfo("Europe/Berlin"))
    return KioskFiguresService(store, SetClock(), policy).figures(start, end)


def decide(store, kiosk, kind, seconds, at=MIDNIGHT, **more):
    store.add_decision(DecisionRecord(at, kiosk, kind, **{"source": "face", "seconds": seconds, **more}))


def test_each_kind_is_counted_for_each_kiosk(store):
    for seconds in (0.5, 1.0, 1.5):
        decide(store, "door", DecisionKind.MATCH, seconds)
    decide(store, "door", DecisionKind.UNKNOWN, 2.0)
    decide(store, "gate", DecisionKind.SPOOF, 0.1)
    kiosks = figures(store).kiosks.set_index("kiosk")
    assert kiosks.loc["door", ["match", "unknown", "spoof", "decisions"]].tolist() == [3, 1, 0, 4]
    assert kiosks.loc["gate", ["match", "spoof", "decisions"]].tolist() == [0, 1, 1]
    assert kiosks.loc["door", "median_s"] == pytest.approx(1.25)
    assert kiosks.loc["door", "slow_s"] == pytest.approx(1.925)


def test_typed_codes_are_counted_and_have_no_time(store):
    decide(store, "door", DecisionKind.MATCH, 0.0, source="pin", frames=0)
    found = figures(store)
    assert found.kiosks["match"].tolist() == [1]
    assert found.kiosks["median_s"].isna().all()
    assert found.times["decisions"].sum() == 0


def test_times_lie_in_steps_and_the_last_holds_all_beyond(store):
    for seconds in (0.0, 0.24, 0.25, 5.0, 60.0):
        decide(store, "door", DecisionKind.MATCH, seconds)
    times = figures(store).times.set_index("from_s")["decisions"]
    assert times[times > 0].to_dict() == {0.0: 2, 0.25: 1, 5.0: 2}


def test_days_are_those_of_the_site(store):
    decide(store, "door", DecisionKind.MATCH, 1.0, at=MIDNIGHT - timedelta(microseconds=1))
    decide(store, "door", DecisionKind.MATCH, 1.0, at=MIDNIGHT + timedelta(days=1))
    assert figures(store).kiosks.empty
    decide(store, "door", DecisionKind.MATCH, 1.0)
    assert figures(store).kiosks["decisions"].tolist() == [1]


def test_days_the_wrong_way_round_are_refused(store):
    with pytest.raises(InvalidInput):
        figures(store, MONDAY, MONDAY - timedelta(days=1))
