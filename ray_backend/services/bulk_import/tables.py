"""People from the rows of a table."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import BinaryIO

from ray_backend.domain.errors import InvalidInput
from ray_backend.domain.requests import PersonDraft
from ray_backend.services.bulk_import import columns
from ray_backend.services.bulk_import.columns import Column
from ray_backend.services.bulk_import.csv_rows import Row, csv_rows
from ray_backend.services.bulk_import.entries import Entry, FileOutcome, ImportLimits, PhotoFile, refusal
from ray_backend.services.bulk_import.names import comparable, ending, suspicious
from ray_backend.services.bulk_import.words import Reason, Why, because
from ray_backend.services.bulk_import.xlsx_rows import ERROR, FORMULA, xlsx_rows

_YES = frozenset({"yes", "y", "true", "1", "x", "ja", "j", "wahr", "ok"})
_NO = frozenset({"no", "n", "false", "0", "nein", "falsch", "-"})
_BETWEEN_PHOTOS = re.compile(r"[;\n]")

FindPhoto = Callable[[str], PhotoFile | Reason]


def table_rows(file: BinaryIO, name: str, limits: ImportLimits) -> Iterator[Row]:
    """The rows of a CSV or Excel file, headings first. Raises InvalidInput."""
    return xlsx_rows(file, limits) if ending(name) == ".xlsx" else csv_rows(file)


def count_rows(file: BinaryIO, name: str) -> int | None:
    """How many rows there are about, or None where finding out takes as long as reading them."""
    if ending(name) == ".xlsx":
        return None
    file.seek(0)
    return max(0, sum(chunk.count(b"\n") for chunk in iter(lambda: file.read(1 << 20), b"")) - 1)


def table_entries(
    rows: Iterator[Row], name: str, find: FindPhoto, limits: ImportLimits, *, consent: bool
) -> Iterator[Entry]:
    """One entry a row. `consent` is what counts where the table itself says nothing.

    Raises InvalidInput for a table without the columns that it needs, or with too many rows.
    """
    _, headings = next(rows, (0, []))
    if isinstance(headings, str):
        raise InvalidInput(f"The table cannot be read: {headings}.")
    places = columns.required(headings)
    for count, (number, cells) in enumerate(rows, start=1):
        if count > limits.rows:
            raise InvalidInput(f"The table has more than {limits.rows:,} rows. Split it into several.")
        where = f"{name}:{number}"
        if isinstance(cells, str):
            yield Entry(where, refused=(refusal(where, because(Why.ROW_DAMAGED, problem=cells)),))
        else:
            yield _entry(where, cells, places, find, consent)


def _entry(where: str, cells: list[str], places: dict[int, Column], find: FindPhoto, consent: bool) -> Entry:
    values: dict[Column, str] = {}
    named: list[str] = []
    for place, column in places.items():
        text = comparable(cells[place].strip()) if place < len(cells) else ""
        wrong = _wrong(text, column)
        if wrong is not None:
            return Entry(where, refused=(refusal(where, wrong),))
        if column is Column.PHOTO:
            named += [part.strip() for part in _BETWEEN_PHOTOS.split(text) if part.strip()]
        else:
            values[column] = text
    draft = _draft(values, consent)
    if isinstance(draft, Reason):
        return Entry(where, refused=(refusal(where, draft),))
    photos, refused = _photos(named, find)
    return Entry(where, draft, photos, refused)


def _wrong(text: str, column: Column) -> Reason | None:
    if text.startswith(FORMULA):
        return because(Why.FORMULA, column=column.value)
    if text.startswith(ERROR):
        return because(Why.CELL_ERROR, column=column.value, value=text.removeprefix(ERROR))
    return suspicious(text, column.value)


def _draft(values: dict[Column, str], consent: bool) -> PersonDraft | Reason:
    agreed = _agreed(values.get(Column.CONSENT, ""), consent)
    if isinstance(agreed, Reason):
        return agreed
    both = f"{values.get(Column.FIRST_NAME, '')} {values.get(Column.LAST_NAME, '')}"
    # A German table calls the family name "Name" when there is a column for the given name beside it.
    name = values.get(Column.NAME, "")
    if values.get(Column.FIRST_NAME) and Column.LAST_NAME not in values:
        name = f"{values[Column.FIRST_NAME]} {name}"
    return PersonDraft(
        values[Column.EMPLOYEE_ID],
        name or both,
        values.get(Column.DEPARTMENT, ""),
        values.get(Column.EMAIL, ""),
        consent=agreed,
    )


def _agreed(text: str, otherwise: bool) -> bool | Reason:
    word = text.casefold()
    if not word:
        return otherwise
    if word in _YES:
        return True
    return because(Why.NO_CONSENT) if word in _NO else because(Why.CONSENT_UNCLEAR, value=text[:40])


def _photos(named: list[str], find: FindPhoto) -> tuple[tuple[PhotoFile, ...], tuple[FileOutcome, ...]]:
    photos: list[PhotoFile] = []
    refused: list[FileOutcome] = []
    for path in dict.fromkeys(named):
        found = find(path)
        if isinstance(found, Reason):
            refused.append(refusal(path[:300], found))
        else:
            photos.append(found)
    return tuple(photos), tuple(refused)
