"""Reports as files: what a spreadsheet reads is what the page shows, and nothing in it runs."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import openpyxl
import pandas as pd
import pytest

from ray_backend.domain.model import Person
from ray_backend.domain.requests import ReportQuery

BERLIN = ZoneInfo("Europe/Berlin")
MONDAY, SUNDAY = date(2026, 3, 2), date(2026, 3, 29)
ADA = Person("E1", "Ada Lovelace", datetime(2026, 1, 1, tzinfo=UTC), "Engines", person_id="ada")
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
COLUMNS = ["Employee id", "Name", "Department", "Date", "First in", "Last out", "Hours", "Punches"]


@pytest.fixture
def report_of(site):
    """Makes a report over these days of Ada, of Zoë with one punch, and of whoever is given."""

    def make(*people: Person, start: date = MONDAY, end: date | None = None):
        zoe = replace(ADA, person_id="zoe", employee_id="E2", name='Zoë; "Ång", O\'Neill', department="")
        for person in (ADA, zoe, *people):
            site.store.add_person(person)
        for day in (MONDAY, SUNDAY):
            begin = datetime(day.year, day.month, day.day, 1, 30, 15, 250_000, tzinfo=BERLIN)
            for person in (ADA, *people):
                site.punch(person.person_id, begin.astimezone(UTC))
                site.punch(person.person_id, begin.astimezone(UTC) + timedelta(hours=8, minutes=20))
            site.punch("zoe", begin.astimezone(UTC) + timedelta(hours=1))
        return site.backend.reports.report(ReportQuery(start, end or start))

    return make


def csv_table(site, report) -> pd.DataFrame:
    return pd.read_csv(io.BytesIO(site.backend.export(report, "csv")), keep_default_na=False)


def workbook(site, report) -> openpyxl.Workbook:
    return openpyxl.load_workbook(io.BytesIO(site.backend.export(report, "xlsx")))


def sheet_rows(site, report) -> list[tuple]:
    return list(workbook(site, report)["Attendance"].iter_rows(values_only=True))


def shown(value, make) -> object:
    return None if pd.isna(value) else make(value)


def test_the_csv_holds_exactly_the_rows_of_the_report(site, report_of):
    report = report_of(end=SUNDAY)
    table = csv_table(site, report)
    assert list(table.columns) == [*COLUMNS, "Generated at"]
    assert len(table) == len(report.days) == 4
    for (_, row), day in zip(table.iterrows(), report.days.itertuples(), strict=True):
        assert (row["Employee id"], row["Name"], row["Department"]) == (
            day.employee_id, day.name, day.department,
        )  # fmt: skip
        assert (row["Date"], int(row["Punches"])) == (str(day.date), day.punches)
        for title, value in (("First in", day.first_in), ("Last out", day.last_out)):
            expected = shown(value, lambda at: at.to_pydatetime().replace(microsecond=0))
            assert (datetime.fromisoformat(row[title]) if row[title] else None) == expected
        assert (float(row["Hours"]) if row["Hours"] else None) == shown(day.hours, lambda h: round(h, 2))


def test_the_csv_states_offsets_and_the_time_of_generation(site, report_of):
    table = csv_table(site, report_of(end=SUNDAY))
    offsets = set(zip(table["Date"], table["First in"].str[-6:], table["Last out"].str[-6:], strict=True))
    assert offsets == {
        ("2026-03-02", "+01:00", "+01:00"),
        ("2026-03-02", "+01:00", ""),
        ("2026-03-29", "+01:00", "+02:00"),
        ("2026-03-29", "+02:00", ""),
    }
    assert set(table["Generated at"]) == {"2026-03-02T09:00:00+01:00"}


def test_the_csv_opens_in_spreadsheets_with_its_accents(site, report_of):
    data = site.backend.export(report_of(), "csv")
    assert data.startswith(b"\xef\xbb\xbf")
    assert 'Zoë; ""Ång"", O\'Neill' in data.decode("utf-8-sig")


def test_the_xlsx_holds_exactly_the_rows_of_the_report(site, report_of):
    report = report_of(end=SUNDAY)
    header, *found = sheet_rows(site, report)
    assert header == (*COLUMNS, "UTC offset")
    assert len(found) == len(report.days) == 4
    for row, day in zip(found, report.days.itertuples(), strict=True):
        local = [
            shown(at, lambda at: at.to_pydatetime().replace(tzinfo=None, microsecond=0))
            for at in (day.first_in, day.last_out)
        ]
        assert row[:3] == (day.employee_id, day.name, day.department or None)
        assert row[3].date() == day.date if isinstance(row[3], datetime) else row[3] == day.date
        assert list(row[4:6]) == local
        assert row[6] == shown(day.hours, pytest.approx)
        assert row[7] == day.punches


def test_the_xlsx_states_the_offset_of_each_row_and_both_where_the_clocks_changed(site, report_of):
    header, *found = sheet_rows(site, report_of(end=SUNDAY))
    offset_of = {(row[1].split()[0], row[header.index("First in")].date()): row[-1] for row in found}
    assert offset_of["Ada", MONDAY] == "UTC+01:00"
    assert offset_of["Ada", SUNDAY] == "UTC+01:00 to UTC+02:00"
    assert offset_of["Zoë;", SUNDAY] == "UTC+02:00"


def test_the_xlsx_says_what_it_is_of_and_when_it_was_made(site, report_of):
    report = report_of()
    [title], [text] = workbook(site, report)["About"].iter_rows(values_only=True)
    assert title == "About this report"
    assert text == report.describe()
    assert "UTC+01:00 when this was generated, 2026-03-02 09:00:00" in text


def test_numbers_and_times_of_the_xlsx_can_be_calculated_with(site, report_of):
    sheet = workbook(site, report_of())["Attendance"]
    types = {cell.column_letter: cell.data_type for cell in sheet[2]}
    assert [types[letter] for letter in "ABCDEFGH"] == ["s", "s", "s", "d", "d", "d", "n", "n"]
    assert sheet["G2"].number_format == "0.00"
    assert sheet.freeze_panes == "A2"


def hostile(number: int, text: str, field: str) -> Person:
    """Somebody whose data begins like a formula, as an import might bring it."""
    person = replace(ADA, person_id=f"x{number}", employee_id=f"X{number}", name=f"Name {number}")
    return replace(person, **{field: text})


@pytest.mark.parametrize("field", ["employee_id", "name", "department"])
def test_no_text_is_run_as_a_formula(site, report_of, field):
    report = report_of(*(hostile(number, text, field) for number, text in enumerate(FORMULAS)))
    expected = {f"'{text.strip()}" for text in FORMULAS}
    column = {"employee_id": 0, "name": 1, "department": 2}[field]

    data = site.backend.export(report, "csv").decode("utf-8-sig")
    in_csv = {row[column] for row in csv.reader(io.StringIO(data, newline=""))}
    assert expected <= in_csv

    cells = list(workbook(site, report)["Attendance"].iter_cols())[column][1:]
    assert expected <= {cell.value for cell in cells}
    assert not any(cell.data_type == "f" for cell in cells)


def test_no_text_opens_a_line_of_its_own(site, report_of):
    report = report_of(hostile(1, "Ada\r=1+1\n@SUM(1)", "name"))
    data = site.backend.export(report, "csv").decode("utf-8-sig")
    assert len(data.splitlines()) == 1 + len(report.days)
    assert "Ada =1+1 @SUM(1)" in data


def test_ordinary_text_stays_as_it_is(site, report_of):
    report = report_of(hostile(1, "O-Neill = A+B @ C", "name"))
    assert "O-Neill = A+B @ C" in set(csv_table(site, report)["Name"])


@pytest.mark.parametrize("file_format", ["csv", "xlsx"])
def test_an_empty_report_has_its_headings(site, report_of, file_format):
    report = report_of(start=date(2026, 5, 1))
    if file_format == "csv":
        table = csv_table(site, report)
        assert (list(table.columns), len(table)) == ([*COLUMNS, "Generated at"], 0)
    else:
        assert sheet_rows(site, report) == [(*COLUMNS, "UTC offset")]
        assert workbook(site, report)["About"]["A2"].value == report.describe()


def test_a_file_of_erased_people_names_nobody(site, report_of):
    report_of()
    site.store.erase_person("ada", keep_punches=True)
    report = site.backend.reports.report(ReportQuery(MONDAY, MONDAY))
    data = site.backend.export(report, "csv").decode("utf-8-sig")
    assert "Erased person" in data
    assert "Ada" not in data


def test_exporting_leaves_the_report_as_it_is(site, report_of):
    report = report_of()
    before = report.days.copy()
    site.backend.export(report, "csv")
    site.backend.export(report, "xlsx")
    pd.testing.assert_frame_equal(report.days, before)
