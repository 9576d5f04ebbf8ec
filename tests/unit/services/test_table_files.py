"""Tables as files: each one is opened again and compared with the table, and nothing in it runs."""

from __future__ import annotations

import csv
import io
import json
import tracemalloc
from datetime import date, datetime, timedelta

import openpyxl
import pandas as pd
import pypdf
import pytest

from ray_backend.domain.errors import InvalidInput
from ray_backend.services import table_files, timesheet_views
from ray_backend.services.plain_text import one_line
from ray_backend.services.table_cells import clock
from ray_backend.services.table_files import pieces, to_bytes
from ray_backend.services.tables import Column, Kind, Table, day_sheet, table
from tests.working import BERLIN, WorkingSite

FORMULAS = [
    "=1+1",
    "+1+1",
    "-1+1",
    "@SUM(1)",
    "\t=1+1",
    "\r=1+1",
    "\n=1+1",
    "＝1+1",
    "＋1",
    "－1",
    "＠SUM(1)",
]
ALL = ("csv", "xlsx", "pdf", "json")
NAMES = ('Zoë; "Ång", O\'Neill', "Łukasz Żółć", "Ελένη Παπαδοπούλου", "Юлія Їжак")


@pytest.fixture(scope="module")
def week() -> Table:
    """A week around the night of 29 March 2026, in which Berlin's clocks are set forward."""
    site = WorkingSite()
    for number, name in enumerate(NAMES):
        person = site.person(number, name)
        for day in ("2026-03-27", "2026-03-30", "2026-04-01"):
            site.work(person, at(f"{day} 08:07"), at(f"{day} 17:23"))
    site.work(site.person(8, "Guard"), at("2026-03-28 22:00"), at("2026-03-29 06:00"))
    return day_sheet(site.sheet(date(2026, 3, 26), date(2026, 4, 2)))


def at(clock: str) -> datetime:
    return datetime.fromisoformat(clock).replace(tzinfo=BERLIN)


def csv_rows(made: Table) -> list[dict[str, str]]:
    text = to_bytes(made, "csv").decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text, newline="")))


def workbook(made: Table) -> openpyxl.Workbook:
    return openpyxl.load_workbook(io.BytesIO(to_bytes(made, "xlsx")))


def pdf_text(made: Table) -> str:
    reader = pypdf.PdfReader(io.BytesIO(to_bytes(made, "pdf")))
    return "\n".join(page.extract_text() for page in reader.pages)


def test_the_csv_holds_exactly_the_rows_of_the_table(week):
    rows = pd.read_csv(io.BytesIO(to_bytes(week, "csv")), keep_default_na=False)
    assert len(rows) == len(week) > 30
    assert list(rows["Name"]) == list(week.frame["name"])
    assert list(rows["Date"]) == [str(day) for day in week.frame["date"]]
    assert [round(hours * 60) for hours in rows["Worked (hours)"]] == list(week.frame["worked"])
    assert [round(hours * 60) for hours in rows["Balance (hours)"]] == list(week.frame["balance"])
    came = pd.to_datetime(rows["First in"].replace("", None))
    assert [a == b or (pd.isna(a) and pd.isna(b)) for a, b in zip(came, week.frame["first_in"], strict=True)]
    assert came.notna().sum() == week.frame["first_in"].notna().sum() == 13
    assert set(rows["Status"]) >= {"Present", "Late", "Off"}


def test_each_row_of_the_csv_says_what_the_file_is_about(week):
    for row in csv_rows(week):
        assert row["Filter"] == "2026-03-26 to 2026-04-02"
        assert row["Time zone"] == "Europe/Berlin"
        assert row["Generated at"] == "2026-04-10T02:00:00+02:00"
        assert row["Rules version"] == "1"


def test_offsets_are_right_where_the_clocks_change(week):
    offsets = {(row["Name"], row["Date"]): row["UTC offset"] for row in csv_rows(week)}
    assert offsets["Guard", "2026-03-28"] == "UTC+01:00 to +02:00"
    assert offsets[NAMES[0], "2026-03-27"] == "UTC+01:00"
    assert offsets[NAMES[0], "2026-03-30"] == "UTC+02:00"
    [night] = [row for row in csv_rows(week) if row["UTC offset"] == "UTC+01:00 to +02:00"]
    # Seven hours by the clock that was set forward.
    assert (night["First in"], night["Last out"]) == ("2026-03-28T22:00:00", "2026-03-29T06:00:00")
    assert float(night["Worked (hours)"]) == 7


def test_the_night_on_which_clocks_are_set_back_has_an_hour_more():
    site = WorkingSite()
    site.clock.at = at("2026-11-10")
    site.work(site.person(1, "Guard"), at("2026-10-24 22:00"), at("2026-10-25 06:00"))
    made = day_sheet(site.sheet(date(2026, 10, 24), date(2026, 10, 25)))
    [night] = [row for row in csv_rows(made) if row["First in"]]
    assert (night["UTC offset"], float(night["Worked (hours)"])) == ("UTC+02:00 to +01:00", 9)


def test_the_workbook_has_a_sheet_for_each_month_with_the_rows_of_the_table(week):
    book = workbook(week)
    assert book.sheetnames == ["2026-03", "2026-04", "About"]
    found = []
    for name in book.sheetnames[:2]:
        header, *rows = book[name].iter_rows(values_only=True)
        found += [dict(zip(header, row, strict=True)) for row in rows]
        assert book[name].freeze_panes == "A2"
    assert len(found) == len(week)
    for row, day in zip(found, week.frame.itertuples(), strict=True):
        assert (row["Name"], row["Date"].date()) == (day.name, day.date)
        assert row["First in"] == (None if pd.isna(day.first_in) else day.first_in.to_pydatetime())
        assert row["Last out"] == (None if pd.isna(day.last_out) else day.last_out.to_pydatetime())
        assert row["Worked (hours)"] == pytest.approx(day.worked / 60)
        assert row["Corrected"] == "no"


def test_cells_of_the_workbook_can_be_calculated_with(week):
    sheet = workbook(week)["2026-03"]
    kinds = {cell.value: below for cell, below in zip(sheet[1], sheet[3], strict=True)}
    assert {cell.font.bold for cell in sheet[1]} == {True}
    assert kinds["Date"].is_date
    assert kinds["First in"].is_date or kinds["First in"].value is None
    assert (kinds["Worked (hours)"].data_type, kinds["Worked (hours)"].number_format) == ("n", "0.00")
    assert kinds["Records"].data_type == "n"


def test_the_workbook_says_what_it_is_about(week):
    said = dict(workbook(week)["About"].iter_rows(values_only=True))
    assert said == {"Report": "Attendance", **dict(week.about)}


def test_the_json_holds_the_rows_as_they_are(week):
    made = json.loads(to_bytes(week, "json"))
    assert made["about"] == dict(week.about)
    assert [row["worked"] for row in made["rows"]] == list(week.frame["worked"])
    assert [row["status"] for row in made["rows"]] == list(week.frame["status"])
    assert [row["date"] for row in made["rows"]] == [str(day) for day in week.frame["date"]]
    times = {row["first_in"] for row in made["rows"]}
    assert None in times
    assert "2026-03-27T08:07:00" in times
    assert {"key": "worked", "heading": "Worked", "kind": "minutes"} in made["columns"]


def test_the_pdf_shows_every_row_with_its_names_and_hours(week):
    text = pdf_text(week)
    for name in NAMES:
        assert text.count(name) == (week.frame["name"] == name).sum()
    for minutes in week.frame["worked"].unique():
        assert clock(minutes) in text
    assert "Worked (h:mm)" in text
    assert "06:00 +1" in text
    for label, words in week.about:
        assert f"{label}: {words}" in text


def test_the_pdf_repeats_its_headings_and_numbers_its_pages(week):
    long = Table(week.title, week.columns, pd.concat([week.frame] * 10), week.about)
    pages = [page.extract_text() for page in pypdf.PdfReader(io.BytesIO(to_bytes(long, "pdf"))).pages]
    assert len(pages) > 3
    for number, text in enumerate(pages, start=1):
        assert text.count("Employee id") == 1
        assert f"Page {number} of {len(pages)}" in text
    box = pypdf.PdfReader(io.BytesIO(to_bytes(long, "pdf"))).pages[0].mediabox
    assert (round(box.width), round(box.height)) == (842, 595)


def test_what_is_too_long_for_its_column_is_cut(week):
    frame = pd.DataFrame({"name": ["A" * 500], "leave": ["B" * 500]})
    text = pdf_text(table("Long", frame))
    assert "AAA…" in text
    assert "BBB…" in text


@pytest.mark.parametrize("field", ["employee_id", "name", "department", "leave"])
def test_no_text_is_run_as_a_formula(field):
    made = table("Report", pd.DataFrame({field: FORMULAS, "punches": -1}))
    expected = [f"'{one_line(text)}" for text in FORMULAS]
    assert [row[made.columns[0].heading] for row in csv_rows(made)] == expected
    _, *cells = next(workbook(made)["Report"].columns)
    assert [cell.value for cell in cells] == expected
    assert {cell.data_type for cell in cells} == {"s"}
    assert [row[field] for row in json.loads(to_bytes(made, "json"))["rows"]] == FORMULAS


def test_no_heading_and_nothing_said_about_a_file_is_run_as_a_formula():
    made = Table("=1+1", (Column("name", "=2+2"),), pd.DataFrame({"name": ["Ada"]}), (("Filter", "=3+3"),))
    assert csv_rows(made) == [{"'=2+2": "Ada", "Filter": "'=3+3"}]
    book = workbook(made)
    assert all(cell.data_type != "f" for sheet in book for row in sheet.iter_rows() for cell in row)


def test_no_text_opens_a_line_of_its_own():
    made = table("Report", pd.DataFrame({"name": ["Ada\r=1+1\n@SUM(1)"]}))
    assert len(to_bytes(made, "csv").splitlines()) == 2
    assert csv_rows(made)[0]["Name"] == "Ada =1+1 @SUM(1)"


def test_ordinary_text_stays_as_it_is():
    made = table("Report", pd.DataFrame({"name": ["O-Neill = A+B @ C"]}))
    assert csv_rows(made)[0]["Name"] == "O-Neill = A+B @ C"


def test_the_grid_and_the_totals_are_files_too(week):
    grid = table("Month", timesheet_views.grid(week.frame), week.about)
    rows = csv_rows(grid)
    assert rows[0]["2026-03-27"] in "PLEHAV·F?…"
    assert len(workbook(grid)["Month"]["A"]) == 1 + len(NAMES) + 1
    assert "27.03." in pdf_text(grid)
    totals = table("Totals", timesheet_views.totals(week.frame), week.about)
    summed = sum(float(row["Worked (hours)"]) for row in csv_rows(totals))
    assert round(summed * 60) == week.frame["worked"].sum()


@pytest.mark.parametrize("file_format", ALL)
def test_an_empty_table_has_its_headings(week, file_format):
    empty = Table(week.title, week.columns, week.frame.iloc[:0], week.about)
    assert to_bytes(empty, file_format)
    if file_format == "csv":
        assert list(pd.read_csv(io.BytesIO(to_bytes(empty, "csv"))).columns)[:2] == ["Employee id", "Name"]
    if file_format == "xlsx":
        assert len(list(workbook(empty)["Attendance"].rows)) == 1
        assert dict(workbook(empty)["About"].iter_rows(values_only=True))["Filter"]
    if file_format == "pdf":
        assert "There are no rows." in pdf_text(empty)
    if file_format == "json":
        assert json.loads(to_bytes(empty, "json"))["rows"] == []


@pytest.mark.parametrize("file_format", ALL)
def test_a_file_leaves_the_table_as_it_is_and_tells_how_far_it_is(week, file_format):
    before, seen = week.frame.copy(), []
    to_bytes(week, file_format, lambda done, total: seen.append((done, total)))
    pd.testing.assert_frame_equal(week.frame, before)
    assert seen[-1] == (len(week), len(week))


def long_table(rows: int) -> Table:
    days = [date(2026, 1, 1) + timedelta(days=number % 59) for number in range(rows)]
    return table("Long", pd.DataFrame({"name": "Ada", "date": days, "worked": 480}))


@pytest.mark.parametrize("file_format", ["csv", "json"])
def test_a_long_file_comes_in_pieces_while_it_is_made(file_format):
    made, seen = long_table(30_000), []
    parts = pieces(made, file_format, lambda done, total: seen.append(done))
    next(parts), next(parts), next(parts)
    assert seen[:1] == [5000]
    assert len(seen) == 1
    assert sum(1 for _ in parts) >= 4
    assert seen[-1] == 30_000


def test_a_long_workbook_needs_little_memory():
    made = long_table(60_000)
    tracemalloc.start()
    size = sum(len(part) for part in pieces(made, "xlsx"))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert size > 500_000
    # Cells as Python objects would take some 60 bytes each, 180,000 of them.
    assert peak < 30_000_000


def test_a_pdf_that_nobody_would_print_is_refused_before_it_begins(monkeypatch):
    monkeypatch.setattr(table_files, "MOST_PRINTED_ROWS", 10)
    with pytest.raises(InvalidInput, match="at most 10 rows, and these are 11"):
        pieces(long_table(11), "pdf")


def test_numbers_and_missing_values_of_each_kind():
    columns = tuple(Column(kind.value, kind.value.capitalize(), kind) for kind in Kind)
    full = ["x", "left_early", date(2026, 1, 2), pd.Timestamp("2026-01-02T03:04:05"), 90, 1.5, True]
    frame = pd.DataFrame([full, [None] * len(full)], columns=[kind.value for kind in Kind])
    made = Table("Kinds", columns, frame)
    first, second = csv_rows(made)
    assert list(first.values()) == [
        "x",
        "Left early",
        "2026-01-02",
        "2026-01-02T03:04:05",
        "1.5",
        "1.5",
        "yes",
    ]
    assert set(second.values()) == {""}
    rows = json.loads(to_bytes(made, "json"))["rows"]
    assert list(rows[0].values()) == ["x", "left_early", "2026-01-02", "2026-01-02T03:04:05", 90, 1.5, True]
    assert set(rows[1].values()) == {None}
