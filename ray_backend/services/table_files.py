"""Tables as files: CSV, JSON, XLSX and PDF, in pieces, so that long ones need little memory."""

from __future__ import annotations

import csv
import io
import json
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Literal

import pandas as pd

from ray_backend.domain.errors import InvalidInput
from ray_backend.services.plain_text import plain_cell
from ray_backend.services.table_cells import heading, texts
from ray_backend.services.tables import Kind, Table

FileFormat = Literal["csv", "xlsx", "pdf", "json"]
MEDIA_TYPES: dict[str, str] = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "pdf": "application/pdf",
    "json": "application/json",
}
# Rows written, and all rows there are; called after every piece.
Progress = Callable[[int, int], None]
_PIECE_ROWS = 5000
_BLOCK_BYTES = 1 << 18
# Some 500 pages, which take a minute; nobody prints more.
MOST_PRINTED_ROWS = 20_000


def _silent(done: int, total: int) -> None:
    return None


def pieces(table: Table, file_format: FileFormat, progress: Progress = _silent) -> Iterator[bytes]:
    """The file, piece by piece. The CSV and the JSON are made while they are read.

    Raises InvalidInput, before the first piece, for a table that is too long for a PDF.
    """
    if file_format == "pdf" and len(table) > MOST_PRINTED_ROWS:
        raise InvalidInput(
            f"A PDF holds at most {MOST_PRINTED_ROWS:,} rows, and these are {len(table):,}. Choose "
            "fewer days or people, or another kind of file."
        )
    return _MAKERS[file_format](table, progress)


def to_bytes(table: Table, file_format: FileFormat, progress: Progress = _silent) -> bytes:
    """The whole file at once; as `pieces`."""
    return b"".join(pieces(table, file_format, progress))


def _csv(table: Table, progress: Progress) -> Iterator[bytes]:
    """UTF-8 with a byte order mark; the last columns state on each row what the file is about."""
    headings = [heading(column) for column in table.columns]
    about = [plain_cell(text) for _, text in table.about]
    yield b"\xef\xbb\xbf" + _lines([[*map(plain_cell, headings), *(label for label, _ in table.about)]])
    for done, part in _parts(table):
        columns = [texts(column, part[column.key]) for column in table.columns]
        yield _lines([*row, *about] for row in zip(*columns, strict=True))
        progress(done, len(table))


def _lines(rows: Iterable[Sequence[str]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\r\n").writerows(rows)
    return text.getvalue().encode("utf-8")


def _json(table: Table, progress: Progress) -> Iterator[bytes]:
    """`title`, `about`, `columns` with `key`, `heading` and `kind`, and `rows`; lengths are minutes."""
    columns = [
        {"key": str(column.key), "heading": column.heading, "kind": column.kind.value}
        for column in table.columns
    ]
    head = {"title": table.title, "about": dict(table.about), "columns": columns}
    yield _dumped(head)[:-1] + b', "rows": ['
    keys = [str(column.key) for column in table.columns]
    for done, part in _parts(table):
        values = [_plain_values(column.kind, part[column.key]) for column in table.columns]
        rows = (dict(zip(keys, row, strict=True)) for row in zip(*values, strict=True))
        body = b",\n".join(map(_dumped, rows))
        yield (b",\n" if done > len(part) else b"\n") + body
        progress(done, len(table))
    yield b"\n]}\n"


def _dumped(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, allow_nan=False).encode("utf-8")


def _plain_values(kind: Kind, values: pd.Series) -> list[Any]:
    """As JSON has them; None for a missing one."""
    if kind in (Kind.DATE, Kind.TIME):
        form = "%Y-%m-%d" if kind is Kind.DATE else "%Y-%m-%dT%H:%M:%S"
        shown = pd.to_datetime(values).dt.strftime(form)
        return [text if isinstance(text, str) else None for text in shown]
    cells = values.astype(object).tolist()
    if kind is Kind.FLAG:
        return [None if pd.isna(value) else bool(value) for value in cells]
    if kind is Kind.MINUTES:
        return [None if pd.isna(value) else int(value) for value in cells]
    return [None if pd.isna(value) else value for value in cells]


def _parts(table: Table) -> Iterator[tuple[int, pd.DataFrame]]:
    """Some rows at a time, with how many are done after them."""
    for start in range(0, len(table), _PIECE_ROWS):
        part = table.frame.iloc[start : start + _PIECE_ROWS]
        yield start + len(part), part


def _xlsx(table: Table, progress: Progress) -> Iterator[bytes]:
    from ray_backend.services.table_xlsx import write_xlsx

    with tempfile.TemporaryFile() as file:
        write_xlsx(table, file, progress)
        file.seek(0)
        yield from iter(lambda: file.read(_BLOCK_BYTES), b"")


def _pdf(table: Table, progress: Progress) -> Iterator[bytes]:
    from ray_backend.services.table_pdf import make_pdf

    yield make_pdf(table, progress)


_MAKERS: dict[str, Callable[[Table, Progress], Iterator[bytes]]] = {
    "csv": _csv,
    "xlsx": _xlsx,
    "pdf": _pdf,
    "json": _json,
}
