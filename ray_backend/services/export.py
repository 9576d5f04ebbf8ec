"""Reports as files: exactly the rows on the screen, safe to open in a spreadsheet."""

from __future__ import annotations

import io
import re
from datetime import datetime

import pandas as pd
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter

from ray_backend.services.report import Report, utc_offset

_TITLES = {
    "employee_id": "Employee id",
    "name": "Name",
    "department": "Department",
    "date": "Date",
    "first_in": "First in",
    "last_out": "Last out",
    "hours": "Hours",
    "punches": "Punches",
}
# A cell that begins with one of these, or their full-width forms, is run as a formula by spreadsheets
# (OWASP: CSV injection). So is what follows a line break that the CSV does not quote.
_FORMULA_STARTS = ("=", "+", "-", "@", "＝", "＋", "－", "＠")
_CONTROL = re.compile(r"[\x00-\x20\x7f]+")


def to_csv(report: Report) -> bytes:
    """UTF-8 with a byte order mark. Times are ISO 8601 with their UTC offset; the last column states
    the time of generation."""
    table = _neutral(report.days)
    for column in ("first_in", "last_out"):
        table[column] = [_iso(value) for value in table[column]]
    table["hours"] = [None if pd.isna(hours) else f"{hours:.2f}" for hours in table["hours"]]
    table["generated_at"] = _iso(report.generated_at.astimezone(report.zone))
    titles = _TITLES | {"generated_at": "Generated at"}
    return table.rename(columns=titles).to_csv(index=False).encode("utf-8-sig")


def to_xlsx(report: Report) -> bytes:
    """Sheet *Attendance* with real dates, times and numbers, and sheet *About* with filter, time zone
    and time of generation."""
    table = _neutral(report.days)
    offsets = [_offset(*times) for times in zip(table["first_in"], table["last_out"], strict=True)]
    for column in ("first_in", "last_out"):
        # Spreadsheet cells know no time zones: local time here, the offset in its own column.
        table[column] = [None if pd.isna(value) else value.to_pydatetime().replace(tzinfo=None, microsecond=0)
                         for value in table[column]]  # fmt: skip
    table["utc_offset"] = offsets
    table = table.rename(columns=_TITLES | {"utc_offset": "UTC offset"})
    about = pd.DataFrame({"About this report": [report.describe()]})
    buffer = io.BytesIO()
    with pd.ExcelWriter(buffer, engine="openpyxl", datetime_format="yyyy-mm-dd hh:mm:ss") as writer:
        table.to_excel(writer, sheet_name="Attendance", index=False)
        about.to_excel(writer, sheet_name="About", index=False)
        _format(writer.sheets["Attendance"], table)
    return buffer.getvalue()


def _format(sheet, table: pd.DataFrame) -> None:
    sheet.freeze_panes = "A2"
    sheet.auto_filter.ref = sheet.dimensions
    for index, title in enumerate(table.columns, start=1):
        sheet.cell(1, index).font = Font(bold=True)
        sheet.column_dimensions[get_column_letter(index)].width = (
            20 if "in" in title or "out" in title else 16
        )
        if title == "Hours":
            for cell in sheet[get_column_letter(index)][1:]:
                cell.number_format = "0.00"


def _neutral(days: pd.DataFrame) -> pd.DataFrame:
    table = days.copy()
    for column in ("employee_id", "name", "department"):
        table[column] = [plain_cell(text) for text in table[column]]
    return table


def plain_cell(text: str) -> str:
    """Text on one line that no spreadsheet runs."""
    text = _CONTROL.sub(" ", text).strip()
    return f"'{text}" if text.startswith(_FORMULA_STARTS) else text


def _offset(first_in: datetime, last_out: datetime) -> str:
    """Such as `UTC+01:00`, or both where the clocks changed in between."""
    offsets = [f"UTC{utc_offset(at)}" for at in (first_in, last_out) if not pd.isna(at)]
    return " to ".join(dict.fromkeys(offsets))


def _iso(value) -> str | None:
    return None if pd.isna(value) else value.isoformat(timespec="seconds")
