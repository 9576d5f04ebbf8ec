"""Punches of other terminals: their tables are read, each comes once, and none twice."""

from __future__ import annotations

import io
import tracemalloc
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from ray_backend.domain.errors import Forbidden, InvalidInput
from ray_backend.domain.model import Direction
from ray_backend.domain.permissions import Caller, Role
from ray_backend.services.punch_files import DateOrder, PunchColumn, PunchRow, moment, punch_rows
from ray_backend.services.punch_import import PunchOutcome

BERLIN = ZoneInfo("Europe/Berlin")
EIGHT = datetime(2026, 2, 27, 7, tzinfo=UTC)  # 08:00 in Berlin, some days before the site's present
ADDED, KNOWN, REPEATED, REFUSED = PunchOutcome


def read(text: str | bytes, **more) -> list[PunchRow]:
    data = text if isinstance(text, bytes) else text.encode()
    return list(punch_rows(io.BytesIO(data), BERLIN, **more))


def take(site, *rows: PunchRow, **more) -> list[PunchOutcome]:
    said = site.backend.punch_imports.take(list(rows), actor="test", **more)
    assert [one.number for one in said] == [row.number for row in rows]
    return [one.outcome for one in said]


def row(at: datetime = EIGHT, direction: Direction | None = Direction.IN, number: int = 2, who: str = "E1"):
    return PunchRow(number, who, at, direction, "gate")


@pytest.mark.parametrize(
    "text",
    [
        "AC-No.,Name,Time,State,New State\nE1,Ada,2026-02-27 08:00:00,C/In,\n",
        "Emp No.;Date/Time;Punch State;Device Name\nE1;27.02.2026 08:00;Check-In;gate\n",
        "Person ID\tDate\tTime\tAttendance Status\nE1\t2026/02/27\t8:00 AM\t\n",
        "Personalnummer;Datum;Uhrzeit;Richtung\nE1;27.02.2026;08:00;Kommen\n",
        "user_id,timestamp\nE1,2026-02-27T07:00:00Z\n",
        "user_id,timestamp\nE1,2026-02-27T08:00:00.250+01:00\n",
        "User ID,Date,Time\nE1,27/02/2026,08:00:00\n",
        "User ID,Date,Time\nE1,02/27/2026,08:00:00\n",
        "    E1\t2026-02-27 08:00:00\t1\t0\t1\t0\r\n",
        "\ufeffEmployee ID,Date Time\r\n\r\nE1,2026-02-27 08:00:00\r\n",
    ],
)
def test_tables_of_several_terminals_are_read(text):
    (found,) = read(text)
    assert (found.employee_id, found.at, found.problem) == ("E1", EIGHT, "")
    assert found.direction in (Direction.IN, None)


@pytest.mark.parametrize(
    ("word", "way"),
    [("C/Out", "out"), ("1", "out"), ("0", "in"), ("I", "in"), ("OverTime Out", "out"), ("", None)],
)
def test_directions_are_known_by_many_words(word, way):
    (found,) = read(f"id,date time,state\nE1,2026-02-27 08:00,{word}\n")
    assert found.direction == way


def test_a_row_that_cannot_be_used_says_why_and_the_others_go_on():
    rows = read("id,date time,state\n,2026-02-27 08:00,\n"
                "E1,yesterday,\nE1,2026-02-30 08:00,\nE1,2026-02-27 25:00,\n"
                "E1,2026-02-27 08:00,sideways\nE1,2026-02-27 08:00,in\n")  # fmt: skip
    assert [bool(one.problem) for one in rows] == [True] * 5 + [False]
    assert [one.number for one in rows] == [2, 3, 4, 5, 6, 7]
    assert "sideways" in rows[4].problem


def test_a_date_that_may_be_two_days_is_refused_until_somebody_says_which():
    text = "id,date time\nE1,03/02/2026 08:00\n"
    assert "--date-order" in read(text)[0].problem
    assert read(text, order=DateOrder.DAY_FIRST)[0].at == datetime(2026, 2, 3, 7, tzinfo=UTC)
    assert read(text, order=DateOrder.MONTH_FIRST)[0].at == datetime(2026, 3, 2, 7, tzinfo=UTC)


def test_a_time_that_comes_twice_is_the_first_one():
    assert moment("2025-10-26 02:30", BERLIN) == datetime(2025, 10, 26, 0, 30, tzinfo=UTC)
    assert moment("2026-01-01 12:05 am", BERLIN) == datetime(2025, 12, 31, 23, 5, tzinfo=UTC)


def test_columns_may_be_named_and_missing_ones_are_told():
    text = "Who,When exactly\nE1,2026-02-27 08:00\n"
    with pytest.raises(InvalidInput, match="Who, When exactly"):
        read(text)
    named = {PunchColumn.EMPLOYEE: "Who", PunchColumn.WHEN: "When exactly"}
    assert read(text, named=named)[0].at == EIGHT
    with pytest.raises(InvalidInput, match="no column 'Nobody'"):
        read(text, named={PunchColumn.EMPLOYEE: "Nobody"})
    with pytest.raises(InvalidInput, match="empty"):
        read("")


def test_a_punch_is_taken_over_once_however_often_it_comes(site):
    person = site.enrol(1)
    assert take(site, row(), row(number=3)) == [ADDED, KNOWN]
    assert take(site, row()) == [KNOWN]
    (punch,) = site.punches(person)
    assert (punch.at, punch.direction, punch.kiosk, punch.source) == (EIGHT, "in", "gate", "import")


def test_a_dry_run_says_the_same_and_stores_nothing(site):
    site.enrol(1)
    assert take(site, row(), row(EIGHT + timedelta(seconds=20)), dry_run=True) == [ADDED, REPEATED]
    assert site.punches() == []
    assert "punch.imported" not in [entry.action for entry in site.audit()]


def test_what_rollcall_has_itself_is_not_taken_again(site):
    person = site.enrol(1)
    site.punch(person.person_id, EIGHT + timedelta(seconds=40))
    assert take(site, row(), row(EIGHT - timedelta(seconds=30))) == [REPEATED, ADDED]


def test_rows_of_nobody_and_of_the_future_are_refused(site):
    site.enrol(1)
    said = site.backend.punch_imports.take(
        [row(who="E9"), row(site.clock.now() + timedelta(minutes=1)), PunchRow(4, problem="Broken.")],
        actor="test",
    )
    assert [one.outcome for one in said] == [REFUSED] * 3
    assert [one.reason.split()[0] for one in said] == ["Nobody", "It", "Broken."]
    assert site.punches() == []


def test_directions_that_are_missing_are_worked_out_whatever_the_order(site):
    person = site.enrol(1)
    later = [row(EIGHT + timedelta(hours=hours), None, number=hours) for hours in (9, 0)]
    assert take(site, *later) == [ADDED, ADDED]
    assert [punch.direction for punch in site.punches(person)] == ["in", "out"]


def test_a_batch_is_noted_without_names_and_only_admins_may(site):
    site.enrol(1)
    take(site, row())
    assert [one.detail for one in site.audit() if one.action == "punch.imported"] == [{"added": 1}]
    with pytest.raises(Forbidden):
        site.backend.acting_as(Caller("anna", Role.MANAGER)).punch_imports.take([], actor="x")


def test_a_check_in_that_was_quicker_keeps_its_place(site, monkeypatch):
    person = site.enrol(1)
    service = site.backend._records.punch_imports
    days = service._days

    def then_somebody_checks_in(rows):
        found = days(rows)
        slots = service._punch(row(), found["E1"], "0" * 64, 60).cooldown_slots
        live = service._punch(row(EIGHT + timedelta(seconds=1)), found["E1"], "1" * 64, 60)
        assert live.cooldown_slots == slots
        site.store.add_punch(live)
        return found

    monkeypatch.setattr(service, "_days", then_somebody_checks_in)
    assert take(site, row(), row(EIGHT + timedelta(hours=1))) == [REPEATED, ADDED]
    assert len(site.punches(person)) == 2


def test_a_long_file_passes_row_by_row_in_little_memory():
    lines = (f"E1,{EIGHT - timedelta(minutes=2 * n):%Y-%m-%dT%H:%M:%SZ},in\n" for n in range(10_000))
    rows = punch_rows(io.BytesIO(b"id,date time,state\n" + "".join(lines).encode()), BERLIN)
    tracemalloc.start()
    count = sum(1 for _ in rows)
    used = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert count == 10_000
    assert used < 1_000_000, "a list of the rows would take 3 MB"
