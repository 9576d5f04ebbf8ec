"""A table as a workbook with real dates, times and numbers, and a sheet for each month.

XlsxWriter makes the workbook with its headings, formats and one row of each sheet. That row tells how columns
are formatted, and gives way to all rows, which are put into the sheet as text: cell by cell the library would
take five times as long.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable, Iterable, Iterator
from itertools import repeat
from typing import IO, Any
from xml.sax.saxutils import escape
from zipfile import ZIP_DEFLATED, ZipFile

import pandas as pd
from xlsxwriter import Workbook
from xlsxwriter.format import Format
from xlsxwriter.utility import xl_col_to_name
from xlsxwriter.worksheet import Worksheet

from ray_backend.services.plain_text import plain_cell
from ray_backend.services.table_cells import heading, serials, texts
from ray_backend.services.tables import Column, Kind, Table

# What Excel takes, less the heading; and of a text.
MOST_ROWS = 1_048_575
LONGEST_TEXT = 32_767
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
_MOST_KNOWN = 50_000
# Our own sheet, and a name that Excel keeps for itself.
_TAKEN = ("about", "history")
_LAST_ROW = re.compile(rb"<row [^>]*>((?:(?!<row ).)*)</row>\s*</sheetData>", re.DOTALL)
_CELL = re.compile(rb'<c r="[A-Z]+\d+"(?: s="(\d+)")?')
# What XML forbids even in an escaped form.
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
# Twice the work would make the file a quarter smaller.
_QUICKLY = 1


def write_xlsx(table: Table, file: IO[bytes], progress: Callable[[int, int], None]) -> None:
    """Writes the workbook into a file. Its cells are never all in memory."""
    sheets = list(_sheets(table))
    with tempfile.TemporaryFile() as frame:
        _write_frame(table, sheets, frame)
        parts = {f"xl/worksheets/sheet{number}.xml": rows for number, (_, rows) in enumerate(sheets, start=1)}
        done = 0
        with ZipFile(frame) as old, ZipFile(file, "w", ZIP_DEFLATED, compresslevel=_QUICKLY) as new:
            for item in old.infolist():
                if item.filename not in parts or parts[item.filename].empty:
                    new.writestr(item, old.read(item))
                    continue
                with new.open(item.filename, "w", force_zip64=True) as sheet:
                    for block, rows in _filled(old.read(item), table.columns, parts[item.filename]):
                        sheet.write(block)
                        done += rows
                        progress(done, len(table))


def _write_frame(table: Table, sheets: list[tuple[str, pd.DataFrame]], file: IO[bytes]) -> None:
    """The workbook with the last row of each sheet, whose cells are formatted and empty."""
    book = Workbook(file)
    forms = {kind: book.add_format({"num_format": form}) for kind, form in _FORMS.items()}
    bold = book.add_format({"bold": True, "bottom": 1, "text_wrap": True, "valign": "top"})
    plain = book.add_format()
    for name, rows in sheets:
        sheet = book.add_worksheet(name)
        _head(sheet, table, rows, bold)
        for place, column in enumerate(table.columns if len(rows) else ()):
            sheet.write_blank(len(rows), place, None, forms.get(column.kind, plain))
    _about(book.add_worksheet("About"), table, bold)
    book.close()


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


def _head(sheet: Worksheet, table: Table, rows: pd.DataFrame, bold: Format) -> None:
    sheet.freeze_panes(1, 0)
    for place, column in enumerate(table.columns):
        title = heading(column)
        sheet.set_column(place, place, _width(column, title, rows))
        sheet.write_string(0, place, plain_cell(title), bold)
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


def _filled(sheet: bytes, columns: tuple[Column, ...], rows: pd.DataFrame) -> Iterator[tuple[bytes, int]]:
    """The sheet with all its rows in the place of its last one, in blocks, each with how many it has."""
    found = _LAST_ROW.search(sheet)
    if found is None:
        raise ValueError("XlsxWriter writes sheets in another way than was expected")
    styles = [f' s="{style.decode()}"' if style else "" for style in _CELL.findall(found[1])]
    cells = [_Cells(*each) for each in zip(columns, styles, strict=True)]
    yield sheet[: found.start()], 0
    for start in range(0, len(rows), _PIECE_ROWS):
        piece = rows.iloc[start : start + _PIECE_ROWS]
        yield _rows(cells, piece, start + 2).encode("utf-8"), len(piece)
    yield sheet[sheet.index(b"</sheetData>", found.start()) :], 0


def _rows(columns: list[_Cells], rows: pd.DataFrame, first: int) -> str:
    """The elements of these rows; `first` is the number of the first one, as spreadsheets count."""
    numbers = [f'{number}"' for number in range(first, first + len(rows))]
    parts: list[Iterable[str]] = [repeat('<row r="'), numbers, repeat(">")]
    for place, column in enumerate(columns):
        begin, cells = f'<c r="{xl_col_to_name(place)}', column.of(rows)
        if all(cells):
            parts += [repeat(begin), numbers, cells]
        elif any(cells):
            pairs = zip(numbers, cells, strict=True)
            parts.append([f"{begin}{number}{cell}" if cell else "" for number, cell in pairs])
    parts.append(repeat("</row>"))
    return "".join(map("".join, zip(*parts, strict=False)))


class _Cells:
    """What follows the reference of each cell of a column; nothing where it stays empty."""

    def __init__(self, column: Column, style: str) -> None:
        self._column = column
        self._style = style
        self._known: dict[Any, str] = {}

    def of(self, rows: pd.DataFrame) -> list[str]:
        """One for each row."""
        values = rows[self._column.key]
        if self._column.kind in _FORMS:
            return [
                "" if number is None else f"{self._style}><v>{number!r}</v></c>"
                for number in serials(self._column, values)
            ]
        cells = values.astype(object).tolist()
        if len(self._known) > _MOST_KNOWN:
            self._known.clear()
        # Names come again on every day.
        fresh = list(set(cells) - self._known.keys())
        shown = texts(self._column, pd.Series(fresh, dtype=object))
        self._known |= {
            value: _inline(text, self._style) if text else ""
            for value, text in zip(fresh, shown, strict=True)
        }
        return [self._known[cell] for cell in cells]


def _inline(text: str, style: str) -> str:
    text = escape(_UNPRINTABLE.sub(" ", text[:LONGEST_TEXT]))
    return f'{style} t="inlineStr"><is><t xml:space="preserve">{text}</t></is></c>'


def _about(sheet: Worksheet, table: Table, bold: Format) -> None:
    sheet.set_column(0, 0, 18)
    sheet.set_column(1, 1, 90)
    for row, (label, text) in enumerate((("Report", table.title), *table.about)):
        sheet.write_string(row, 0, plain_cell(label), bold)
        sheet.write_string(row, 1, plain_cell(text))
