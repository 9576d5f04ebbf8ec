"""What became of an import's files, as rows and as a CSV file that is safe to open in a spreadsheet."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from typing import NamedTuple

from ray_backend.services.bulk_import.entries import PersonOutcome
from ray_backend.services.bulk_import.words import Fate, Reason
from ray_backend.services.plain_text import plain_cell

NOT_TAKEN = (Fate.REFUSED, Fate.DUPLICATE)
TITLES = ("File", "Employee id", "Name", "Outcome", "Reason", "Shows employee id")


class Row(NamedTuple):
    """One file of an import."""

    place: str
    employee_id: str
    name: str
    fate: Fate
    reason: Reason | None
    other: str


def rows(outcomes: Iterable[PersonOutcome], fates: Collection[Fate] = tuple(Fate)) -> Iterator[Row]:
    """One for each file with one of these fates."""
    for person in outcomes:
        for file in person.files:
            if file.fate in fates:
                yield Row(file.place, person.employee_id, person.name, file.fate, file.reason, file.other)


def refused_csv(
    outcomes: Iterable[PersonOutcome],
    *,
    titles: Sequence[str] = TITLES,
    fate_words: Callable[[Fate], str] = lambda fate: fate.value,
    say: Callable[[str], str] = lambda sentence: sentence,
) -> bytes:
    """What was not taken, and why. UTF-8 with a byte order mark. The others put it into another language:
    `titles` in the order of `TITLES`, `say` a reason."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(titles)
    for row in rows(outcomes, NOT_TAKEN):
        reason = say(row.reason.sentence) if row.reason else ""
        cells = (row.place, row.employee_id, row.name, fate_words(row.fate), reason, row.other)
        writer.writerow([plain_cell(cell) for cell in cells])
    return text.getvalue().encode("utf-8-sig")
