"""A table as a workbook with real dates, times and numbers, and a sheet for each month."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import IO, Any

import pandas as pd
from xlsxwriter import Workbook
from xlsxwriter.worksheet import Worksheet

from ray_backend.services.plain_text import plain_cell
from ray_backend.services.table_cells import heading, serials, texts
from ray_backend.services.tables import Column, Kind, Table

# What Excel takes, less the heading.
MOST_ROWS = 1_048_575
_PIECE_ROWS = 5000
_FORMS = {
    Kind.DATE: "yyyy-mm-dd",
    Kind.TIME: "yyyy-mm-dd hh:mm:ss",
    Kind.MINUTES: "0.00",
    Kind.NUMBER: "General",
}
_WIDTHS = {Kind.DATE: 11, Kind.TIME: 19, Kind.MINUTES: 10, Kind.NUMBER: 10, Kind.FLAG: 10}
_WIDEST, _NARROWEST = 40, 5
_SAMPLE_ROWS = 1000
# Our own sheet, and a name that Excel keeps for itself.
_TAKEN = ("about", "history")


def write_xlsx(table: Table, file: IO[bytes], progress: Callable[[int, int], None]) -> None:
    """Writes the workbook into a file. Its cells are never all in memory."""
    book = Workbook(file, {"constant_memory": True, "in_memory": False})
    forms = {kind: book.add_format({"num_format": form}) for kind, form in _FORMS.items()}
    style = _Style(book.add_format({"bold": True, "bottom": 1, "text_wrap": True, "valign": "top"}), forms)
    done = 0
    for name, part in _sheets(table):
        sheet = book.add_worksheet(name)
        _head(sheet, table, part, style)
        for start in range(0, len(part), _PIECE_ROWS):
            piece = part.iloc[start : start + _PIECE_ROWS]
            _write(sheet, table.columns, piece, start + 1, style)
            done += len(piece)
            progress(done, len(table))
    _about(book.add_worksheet("About"), table, style)
    book.close()


@dataclass(frozen=True, slots=True)
class _Style:
    bold: Any
    of_kind: dict[Kind, Any]


def _sheets(table: Table) -> Iterator[tuple[str, pd.DataFrame]]:
    """The name and the rows of each sheet: one a month where the rows have dates."""
    dated = any(column.key == "date" and column.kind is Kind.DATE for column in table.columns)
    if not dated or table.frame.empty:
        title = re.sub(r"[\[\]:*?/\\']", " ", table.title).strip()[:25] or "Report"
        yield from _fitting(f"{title} report" if title.lower() in _TAKEN else title, table.frame)
        return
    months = pd.to_datetime(table.frame["date"]).dt.strftime("%Y-%m")
    for month, part in table.frame.groupby(months.to_numpy(), sort=True):
        yield from _fitting(str(month), part)


def _fitting(name: str, rows: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    yield name, rows.iloc[:MOST_ROWS]
    for number, start in enumerate(range(MOST_ROWS, len(rows), MOST_ROWS), start=2):
        yield f"{name} ({number})", rows.iloc[start : start + MOST_ROWS]


def _head(sheet: Worksheet, table: Table, rows: pd.DataFrame, style: _Style) -> None:
    sheet.freeze_panes(1, 0)
    for place, column in enumerate(table.columns):
        title = heading(column)
        sheet.set_column(place, place, _width(column, title, rows))
        sheet.write_string(0, place, plain_cell(title), style.bold)
    if table.columns:
        sheet.autofilter(0, 0, max(1, len(rows)), len(table.columns) - 1)
    sheet.set_landscape()
    sheet.repeat_rows(0)
    sheet.fit_to_pages(1, 0)


def _width(column: Column, title: str, rows: pd.DataFrame) -> int:
    if column.kind in _WIDTHS:
        return _WIDTHS[column.kind]
    longest = max(map(len, texts(column, rows[column.key].head(_SAMPLE_ROWS))), default=0)
    return min(_WIDEST, max(_NARROWEST, longest + 1, min(len(title), 12) + 1))


def _write(
    sheet: Worksheet, columns: tuple[Column, ...], rows: pd.DataFrame, first: int, style: _Style
) -> None:
    cells, writers = [], []
    for column in columns:
        form = style.of_kind.get(column.kind)
        values = rows[column.key]
        cells.append(texts(column, values) if form is None else serials(column, values))
        writers.append((sheet.write_string if form is None else sheet.write_number, form))
    for number, row in enumerate(zip(*cells, strict=True), start=first):
        for place, value in enumerate(row):
            # An empty text or None: the cell stays empty.
            if value is not None and value != "":
                write, form = writers[place]
                write(number, place, value, form)


def _about(sheet: Worksheet, table: Table, style: _Style) -> None:
    sheet.set_column(0, 0, 18)
    sheet.set_column(1, 1, 90)
    for row, (label, text) in enumerate((("Report", table.title), *table.about)):
        sheet.write_string(row, 0, plain_cell(label), style.bold)
        sheet.write_string(row, 1, plain_cell(text))
