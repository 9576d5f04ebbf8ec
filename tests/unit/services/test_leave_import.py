"""Leave from files: headings of two languages, days as people write them, an outcome for each row."""

from __future__ import annotations

import io
from datetime import date

import openpyxl
import pytest

from ray_backend.domain.errors import InvalidInput
from ray_backend.domain.worktime.schedule import LeavePart
from ray_backend.services.bulk_import.entries import ImportLimits
from ray_backend.services.leave_import import of_person, read

LIMITS = ImportLimits(1_000_000)


def rows(text: str):
    return read(io.BytesIO(text.encode()), "leave.csv", LIMITS)


def test_english_and_german_tables_say_the_same():
    english = rows("employee_id,first,last,kind\nE1,2026-03-02,2026-03-06,Vacation\n")
    german = rows("Personalnummer;von;bis;Art\nE1;02.03.2026;06.03.2026;Vacation\n")
    assert english == german
    [row] = english
    assert (row.number, row.leave.first, row.leave.last) == (2, date(2026, 3, 2), date(2026, 3, 6))


def test_an_excel_table_with_real_days():
    book, file = openpyxl.Workbook(), io.BytesIO()
    book.active.append(["Employee id", "First", "Last", "Kind"])
    book.active.append(["E1", date(2026, 3, 2), date(2026, 3, 3), "Sick"])
    book.save(file)
    file.seek(0)
    [row] = read(file, "leave.xlsx", LIMITS)
    assert (row.leave.first, row.leave.last, row.problem) == (date(2026, 3, 2), date(2026, 3, 3), "")


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        (",2026-03-02,,Sick,", "missing"),
        ("E1,2026-03-02,,,", "missing"),
        ("E1,03/02/2026,,Sick,", "Write days as"),
        ("E1,2026-02-30,,Sick,", "Write days as"),
        ("E1,2026-03-02,2026-03-01,Sick,", "after the last one"),
        ("E1,2026-03-02,,Sick,a third", "The part is"),
    ],
)
def test_each_wrong_row_says_what_is_wrong(line, problem):
    [row] = rows(f"id,from,to,kind,part\n{line}\n")
    assert row.leave is None
    assert problem in row.problem


def test_one_day_and_half_days():
    [row] = rows("id,von,art,teil\nE1,2026-03-02,Urlaub,Vormittag\n")
    assert (row.leave.last, row.leave.part) == (date(2026, 3, 2), LeavePart.FIRST_HALF)


def test_a_table_without_the_columns_is_refused():
    with pytest.raises(InvalidInput, match="has to name the columns"):
        rows("name,when\nAda,2026-03-02\n")


def test_the_same_leave_has_the_same_id_and_another_one_another():
    [one, other] = rows("id,from,kind\nE1,2026-03-02,Sick\nE1,2026-03-03,Sick\n")
    assert of_person(one.leave, "p").leave_id == of_person(one.leave, "p").leave_id
    assert len({of_person(leave, who).leave_id for leave in (one.leave, other.leave) for who in "pq"}) == 4
