"""What the filter bar of the reports says, and what is kept of it under a name."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from datetime import date, datetime

from ray_backend.domain.errors import InvalidInput
from ray_backend.domain.reporting.periods import Days, Period, days_of
from ray_backend.domain.requests import SheetQuery, checked_line
from ray_backend.domain.worktime.days import Status

LONGEST_NAME = 64
_NO_DAYS = "Choose days for the filter: a first and a last one, or a period such as last month."


@dataclass(frozen=True, slots=True)
class ReportFilter:
    """Either a `period` or the days from `start` to `end`, and who: as `SheetQuery`, no `statuses` meaning
    any."""

    period: Period | None = None
    start: date | None = None
    end: date | None = None
    site: str | None = None
    department: str | None = None
    person: str = ""
    statuses: tuple[str, ...] = ()

    def days(self, today: date) -> Days:
        """The first and the last day, seen from `today`. Raises InvalidInput."""
        if self.period is not None:
            return days_of(self.period, today)
        if self.start is None or self.end is None:
            raise InvalidInput(_NO_DAYS)
        return self.start, self.end

    def query(self, today: date) -> SheetQuery:
        """The working days that it asks for, seen from `today`. Raises InvalidInput."""
        start, end = self.days(today)
        return SheetQuery(
            start, end, department=self.department, text=self.person, site=self.site,
            statuses=self.statuses or None,
        )  # fmt: skip

    def checked(self) -> ReportFilter:
        """The same with a clean text, and with fixed days only where there is no period.

        Raises InvalidInput.
        """
        if not set(self.statuses) <= set(Status):
            raise InvalidInput("There is no such status. Choose it from the list.")
        text = self.query(date(2000, 1, 1)).checked().text
        fixed = (None, None) if self.period else (self.start, self.end)
        return replace(self, person=text, start=fixed[0], end=fixed[1])

    def names(self, employee_id: str, name: str) -> bool:
        """Whether its text is somebody's employee id, name, or a part of the name, in any case."""
        theirs = {" ".join(text.split()).casefold() for text in (employee_id, name, *name.split())}
        return bool(self.person) and self.person.casefold() in theirs


@dataclass(frozen=True, slots=True)
class SavedFilter:
    """A filter under a name: its owner's, by username, or, if `shared`, for everybody who sees reports."""

    name: str
    filter: ReportFilter
    owner: str
    created_at: datetime
    shared: bool = False

    @property
    def filter_id(self) -> str:
        """The same for the same name of the same owner, whatever the case: 32 hexadecimal characters."""
        whose = "everybody" if self.shared else f"of {self.owner}"
        return hashlib.sha256(f"{whose}/{self.name.casefold()}".encode()).hexdigest()[:32]

    def checked(self) -> SavedFilter:
        """The same without needless spaces. Raises InvalidInput."""
        name = checked_line(self.name, "name of the filter", LONGEST_NAME)
        return replace(self, name=name, filter=self.filter.checked())
