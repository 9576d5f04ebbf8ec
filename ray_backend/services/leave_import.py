"""Leave from the rows of a CSV or Excel file. Reads only; what is kept goes through `LeaveService.add`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import BinaryIO
from uuid import NAMESPACE_OID, uuid5

from ray_backend.domain.errors import InvalidInput
from ray_backend.domain.worktime.schedule import Leave, LeavePart
from ray_backend.services.bulk_import.entries import ImportLimits
from ray_backend.services.bulk_import.tables import table_rows

MOST_ROWS = 5000
_HEADINGS = {
    "employee_id": {
        "employee id", "employee", "id", "personnel number", "personalnummer", "personal-nr", "personal-nr.",
        "mitarbeiternummer",
    },
    "first": {"first", "first day", "from", "start", "von", "erster tag", "beginn", "ab"},
    "last": {"last", "last day", "to", "until", "end", "bis", "letzter tag", "ende"},
    "kind": {"kind", "type", "leave", "reason", "art", "grund", "abwesenheit", "abwesenheitsart"},
    "part": {"part", "teil", "halber tag", "half day"},
    "note": {"note", "remark", "notiz", "bemerkung"},
}  # fmt: skip
_REQUIRED = {"employee_id", "first", "kind"}
_DATES = ("%Y-%m-%d", "%d.%m.%Y", "%d.%m.%y", "%Y/%m/%d")
_PARTS = {
    "": LeavePart.WHOLE, "whole": LeavePart.WHOLE, "ganz": LeavePart.WHOLE, "ganzer tag": LeavePart.WHOLE,
    "first half": LeavePart.FIRST_HALF, "morning": LeavePart.FIRST_HALF, "vormittag": LeavePart.FIRST_HALF,
    "second half": LeavePart.SECOND_HALF, "afternoon": LeavePart.SECOND_HALF,
    "nachmittag": LeavePart.SECOND_HALF,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class LeaveRow:
    """One row of a file, by its `number`, the headings being row 1: leave of whoever has `employee_id`, with
    an empty `person_id`; or no leave and what is wrong, in words."""

    number: int
    employee_id: str
    leave: Leave | None = None
    problem: str = ""


def read(file: BinaryIO, name: str, limits: ImportLimits) -> list[LeaveRow]:
    """The rows of a file whose first row names the columns, in English or German; without a last day leave
    lasts one day. Raises InvalidInput for a table that cannot be read at all.
    """
    rows = table_rows(file, name, limits)
    places = _places(rows)
    found = []
    for number, cells in rows:
        if len(found) == MOST_ROWS:
            raise InvalidInput(f"The table has more than {MOST_ROWS} rows. Split it into several.")
        if isinstance(cells, str):
            found.append(LeaveRow(number, "", problem="This row cannot be read."))
        elif any(cell.strip() for cell in cells):
            found.append(_row(number, cells, places))
    return found


def of_person(leave: Leave, person_id: str) -> Leave:
    """The leave of this person. Its id is made from what it says: the same leave is one, however often it
    is imported."""
    content = f"leave/{person_id}/{leave.first}/{leave.last}/{leave.kind}/{leave.part.value}"
    return Leave(
        uuid5(NAMESPACE_OID, content).hex,
        person_id,
        leave.first,
        leave.last,
        leave.kind,
        leave.part,
        leave.note,
    )


def _places(rows: Iterator) -> dict[str, int]:
    _number, headings = next(rows, (0, []))
    if isinstance(headings, str):
        raise InvalidInput("The table cannot be read. Save it anew as CSV or XLSX.")
    names = [" ".join(cell.replace("_", " ").split()).casefold() for cell in headings]
    places = {}
    for column, known in _HEADINGS.items():
        place = next((place for place, name in enumerate(names) if name in known), None)
        if place is not None:
            places[column] = place
    if not places.keys() >= _REQUIRED:
        raise InvalidInput(
            "The first row has to name the columns: employee id, first, last, kind (or personalnummer, von, "
            "bis, art)."
        )
    return places


def _row(number: int, cells: list[str], places: dict[str, int]) -> LeaveRow:
    values = {column: cells[place].strip() if place < len(cells) else "" for column, place in places.items()}
    employee_id = values["employee_id"]
    first = _day(values["first"])
    last = _day(values.get("last", "")) if values.get("last") else first
    part = _PARTS.get(values.get("part", "").casefold())
    if not employee_id or not values["kind"]:
        return LeaveRow(number, employee_id, problem="The employee id or the kind is missing.")
    if first is None or last is None:
        return LeaveRow(number, employee_id, problem="Write days as 2026-03-31 or 31.03.2026.")
    if last < first:
        return LeaveRow(number, employee_id, problem="The first day lies after the last one.")
    if part is None:
        return LeaveRow(number, employee_id, problem="The part is whole, first half or second half.")
    return LeaveRow(
        number, employee_id, Leave("", "", first, last, values["kind"], part, values.get("note", ""))
    )


def _day(text: str) -> date | None:
    # Excel gives a day with a time of midnight.
    plain = text.strip().removesuffix(" 00:00:00").removesuffix("T00:00:00")
    for form in _DATES:
        try:
            return datetime.strptime(plain, form).date()
        except ValueError:
            continue
    return None
