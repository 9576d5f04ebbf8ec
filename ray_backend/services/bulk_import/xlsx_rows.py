"""The rows of an Excel file's first sheet, one in memory at a time."""

from __future__ import annotations

import re
import zipfile
import zlib
from collections.abc import Iterator
from datetime import date, datetime, time
from typing import BinaryIO

from ray_backend.domain.errors import InvalidInput
from ray_backend.services.bulk_import.csv_rows import Row
from ray_backend.services.bulk_import.entries import ImportLimits

FORMULA, ERROR = "\x00formula", "\x00error "  # begin what no cell can hold
_MOST_COLUMNS = 64
_CHUNK = 1 << 20
_LONGEST_ROW = 8_000_000  # bytes of XML
_OTHER_PARTS = 16_000_000  # bytes of all parts but the cells
_ONLY_ZEROS = re.compile(r"0+")
_CELLS = re.compile(r"xl/(worksheets/.*|sharedStrings)\.xml", re.IGNORECASE)
_NO_EXCEL = "This is not an Excel file that can be read. Save it again as .xlsx, without a password."


def xlsx_rows(file: BinaryIO, limits: ImportLimits) -> Iterator[Row]:
    """All rows, headings first. Numbers come as people write them: no `1.0`, and with the leading zeros
    that the cell shows. Raises InvalidInput."""
    from openpyxl import load_workbook

    _refuse_bomb(file, limits)
    file.seek(0)
    try:
        book = load_workbook(file, read_only=True, data_only=False, keep_links=False)
        try:
            for number, row in enumerate(book.worksheets[0].iter_rows(max_col=_MOST_COLUMNS), start=1):
                cells = [_text(cell) for cell in row]
                if any(cell.strip() for cell in cells):
                    yield number, cells
        finally:
            book.close()
    except (zipfile.BadZipFile, KeyError, ValueError, TypeError, IndexError, SyntaxError, OSError) as error:
        raise InvalidInput(_NO_EXCEL) from error


def _text(cell) -> str:
    value = cell.value
    if value is None:
        return ""
    if cell.data_type == "f":
        return FORMULA
    if cell.data_type == "e":
        return ERROR + str(value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return _number(value, cell.number_format or "")
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    return str(value)


def _number(value: float, shown_as: str) -> str:
    text = str(int(value)) if value == int(value) else repr(value)
    return text.zfill(len(shown_as)) if _ONLY_ZEROS.fullmatch(shown_as) else text


def _refuse_bomb(file: BinaryIO, limits: ImportLimits) -> None:
    """Unpacks everything once, without keeping it, before a parser does. Raises InvalidInput."""
    file.seek(0)
    cells = others = 0
    try:
        with zipfile.ZipFile(file) as book:
            for info in book.infolist():
                if not info.filename.lower().endswith((".xml", ".rels")):
                    continue
                size = _unpacked_size(book, info, limits.table_bytes)
                if _CELLS.fullmatch(info.filename):
                    cells += size
                else:
                    others += size
                if cells > limits.table_bytes or others > _OTHER_PARTS:
                    raise InvalidInput("The Excel file is too large. Split it, or save it as CSV.")
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError) as error:
        raise InvalidInput(_NO_EXCEL) from error


def _unpacked_size(book: zipfile.ZipFile, info: zipfile.ZipInfo, most: int) -> int:
    """Bytes of one part. Raises InvalidInput for a sheet with a row that would fill the memory."""
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise InvalidInput(_NO_EXCEL)
    sheet = "worksheets/" in info.filename.lower()
    size = row_began = 0
    with book.open(info) as part:
        while size <= most and (chunk := part.read(_CHUNK)):
            last = chunk.rfind(b"row>")
            row_began = size + last if last >= 0 else row_began
            size += len(chunk)
            if sheet and size - row_began > _LONGEST_ROW:
                raise InvalidInput("The Excel file has a row of more than eight megabytes.")
    return size
