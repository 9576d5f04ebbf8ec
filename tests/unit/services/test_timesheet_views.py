"""The views of a timesheet, on a small one that can be reckoned by hand."""

from __future__ import annotations

from datetime import date

import pandas as pd
import pytest

from ray_backend.services import timesheet_views as views
from ray_backend.services.timesheet_table import COLUMNS

MONDAY, TUESDAY = date(2026, 3, 2), date(2026, 3, 3)
TEXTS = ("person_id", "employee_id", "name", "department", "site", "shift", "status", "utc_offset")


def row(who: str, day: date, status: str, came: str | None = None, went: str | None = None, **more) -> dict:
    times = {"first_in": came and f"{day} {came}", "last_out": went and f"{day} {went}"}
    empty = {name: "" if name in (*TEXTS, "missing", "holiday", "leave") else 0 for name in COLUMNS}
    named = {"person_id": who, "employee_id": f"E-{who}", "name": who.title(), "date": day, "status": status}
    return {**empty, **named, **times, **more}


@pytest.fixture
def days() -> pd.DataFrame:
    table = pd.DataFrame(
        [
            row(
                "anna",
                MONDAY,
                "late",
                "08:20",
                "17:00",
                worked=490,
                target=480,
                balance=10,
                late=20,
                overtime=10,
            ),
            row("anna", TUESDAY, "absent", target=480, balance=-480),
            row("bert", MONDAY, "present", "07:58", "12:00", worked=240, target=240),
            row("bert", MONDAY, "incomplete", "13:00", target=240, balance=-240, missing="out"),
            row("bert", TUESDAY, "at_work", "08:01", target=480, balance=-480),
            row("cleo", MONDAY, "on_leave", leave="vacation"),
            row("cleo", TUESDAY, "off"),
        ],
        columns=COLUMNS,
    )
    for name in ("first_in", "last_out"):
        table[name] = pd.to_datetime(table[name])
    return table


def test_the_grid_has_a_row_a_person_and_shows_what_needs_looking_at(days):
    table = views.grid(days)
    assert table["name"].tolist() == ["Anna", "Bert", "Cleo"]
    assert table[MONDAY].tolist() == ["L", "?", "V"]
    assert table[TUESDAY].tolist() == ["A", "…", "·"]


def test_every_status_has_a_letter_of_its_own():
    assert set(views.LETTERS) == set(views.Status)
    assert len(set(views.LETTERS.values())) == len(views.LETTERS)


def test_totals_add_up_to_the_rows(days):
    table = views.totals(days).set_index("name")
    assert table.loc["Anna", ["worked", "target", "balance", "overtime"]].tolist() == [490, 960, -470, 10]
    assert table.loc["Bert", ["late_days", "absent_days", "incomplete_days", "leave_days"]].tolist() == [
        0,
        0,
        1,
        0,
    ]
    assert table["worked"].sum() == days["worked"].sum()


def test_lists_hold_the_rows_that_they_are_about(days):
    assert views.late_and_early(days)["name"].tolist() == ["Anna"]
    assert views.absences(days)[["name", "status"]].values.tolist() == [
        ["Anna", "absent"],
        ["Cleo", "on_leave"],
    ]
    assert views.overtime(days)["overtime"].tolist() == [10]
    assert views.to_look_at(days)["missing"].tolist() == ["out"]
    assert views.inside(days)["name"].tolist() == ["Bert"]


def test_arrivals_are_counted_by_quarter_hours(days):
    assert views.arrivals(days).values.tolist() == [["07:45", 1], ["08:00", 1], ["08:15", 1], ["13:00", 1]]


def test_the_rate_of_a_week_leaves_out_who_need_not_come(days):
    (week,) = views.attendance_by_week(days).to_dict("records")
    assert week == {"week": MONDAY, "due": 5, "came": 4, "rate": 0.8}


def test_hours_of_a_day_are_everybodys(days):
    assert views.hours_by_day(days).values.tolist() == [[MONDAY, 730, 2], [TUESDAY, 0, 1]]


@pytest.mark.parametrize(
    "view",
    [views.grid, views.totals, views.late_and_early, views.absences, views.overtime, views.to_look_at,
     views.arrivals, views.attendance_by_week, views.hours_by_day, views.inside],
)  # fmt: skip
def test_nothing_gives_nothing(days, view):
    assert len(view(days.iloc[:0])) == 0
