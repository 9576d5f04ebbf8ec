"""Taking over a file's punches in pieces, and what became of its rows. Knows nothing of Streamlit."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import islice
from zoneinfo import ZoneInfo

from ray_backend.client import Backend
from ray_backend.services.plain_text import plain_cell
from ray_backend.services.punch_files import DateOrder, PunchColumn, punch_rows
from ray_backend.services.punch_import import MOST_AT_ONCE, PunchOutcome, PunchRowOutcome
from streamlit_app.i18n import N_, _, in_language, language, message

MOST_SHOWN, MOST_KEPT = 1000, 100_000
COLUMNS = {
    PunchColumn.EMPLOYEE: N_("Employee id"),
    PunchColumn.WHEN: N_("Date and time"),
    PunchColumn.DATE: N_("Date"),
    PunchColumn.TIME: N_("Time"),
    PunchColumn.DIRECTION: N_("Direction"),
    PunchColumn.DEVICE: N_("Terminal"),
}
# Words of `DateOrder`; an empty one takes no date that may be two days.
ORDERS = {
    "": N_("Only where it is clear"),
    DateOrder.DAY_FIRST.value: N_("The day comes first"),
    DateOrder.MONTH_FIRST.value: N_("The month comes first"),
}
OUTCOMES = {
    PunchOutcome.ADDED: N_("Recorded"),
    PunchOutcome.KNOWN: N_("There already"),
    PunchOutcome.REPEATED: N_("Too soon after another punch"),
    PunchOutcome.REFUSED: N_("Refused"),
}


@dataclass(frozen=True)
class Plan:
    """How a file is read: what its columns hold, by place, the clock of its times, the order of its dates."""

    places: Mapping[PunchColumn, int]
    zone: ZoneInfo
    order: DateOrder | None = None


@dataclass
class Result:
    """What became of a file's rows. `left` are the first 100,000 that were not taken, which are also those
    that repeat another punch."""

    counts: Counter[PunchOutcome] = field(default_factory=Counter)
    left: list[PunchRowOutcome] = field(default_factory=list)

    def add(self, outcomes: list[PunchRowOutcome]) -> None:
        """Takes note of a piece."""
        self.counts.update(one.outcome for one in outcomes)
        left = (PunchOutcome.REFUSED, PunchOutcome.REPEATED)
        room = MOST_KEPT - len(self.left)
        self.left += [one for one in outcomes if one.outcome in left][:room]


def take(
    backend: Backend, data: bytes, plan: Plan, *, dry_run: bool, actor: str, told: Callable[[int], object]
) -> Result:
    """Takes all rows, a thousand at a time; `told` hears how many are done. Raises RollcallError.

    What is recorded stays where this is ended in between, and the same file goes on from there.
    """
    rows = punch_rows(io.BytesIO(data), plan.zone, places=plan.places, order=plan.order)
    result = Result()
    while batch := list(islice(rows, MOST_AT_ONCE)):
        result.add(backend.punch_imports.take(batch, dry_run=dry_run, actor=actor))
        told(result.counts.total())
    return result


def rows_of(data: bytes) -> int:
    """About how many rows a file has, and no fewer than one."""
    return max(1, data.count(b"\n"))


def table(result: Result, most: int = MOST_SHOWN) -> list[dict[str, str]]:
    """The first rows that were not taken, and why."""
    return [
        {
            _("Row"): str(one.number),
            _("Employee id"): one.employee_id,
            _("Why"): message(one.reason) if one.reason else _(OUTCOMES[one.outcome]),
        }
        for one in result.left[:most]
    ]


def left_file(result: Result) -> Callable[[], bytes]:
    """Makes `left_csv` in the language of whoever reads this: the thread that makes it knows of no reader."""
    reader = language()

    def made() -> bytes:
        with in_language(reader):
            return left_csv(result)

    return made


def left_csv(result: Result) -> bytes:
    """The rows that were not taken as CSV in the reader's language, without formulas."""
    text = io.StringIO()
    out = csv.writer(text)
    out.writerow([_("Row"), _("Employee id"), _("Why")])
    out.writerows([plain_cell(cell) for cell in row.values()] for row in table(result, MOST_KEPT))
    return text.getvalue().encode("utf-8-sig")
