"""When something is due that comes back every day, week or month at a time of the site's clocks."""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from ray_backend.domain.errors import InvalidInput

# The longest way to the next due day is that of a month, from one day in it to the same of the next one.
_FARTHEST_DAYS = 62
_DAY = timedelta(days=1)


class Rhythm(StrEnum):
    """How often."""

    DAILY = "daily"
    WEEKLY = "weekly"
    MONTHLY = "monthly"


@dataclass(frozen=True, slots=True)
class Timing:
    """`at` is a time of the site's clocks. `weekday`, 0 (Monday) to 6, counts when weekly; `day`, 1 to 31,
    when monthly: the last day of a month that is shorter.

    A time that the clocks leave out in spring comes as much later as they jump; of one that they show twice
    in autumn the first counts. So there is exactly one due time a day, week or month.
    """

    rhythm: Rhythm
    at: time
    weekday: int = 0
    day: int = 1

    def checked(self) -> Timing:
        """Itself. Raises InvalidInput."""
        if not 0 <= self.weekday <= 6:
            raise InvalidInput("Choose a day of the week.")
        if not 1 <= self.day <= 31:
            raise InvalidInput("The day of the month is a number from 1 to 31.")
        return self

    def next_after(self, moment: datetime, zone: ZoneInfo) -> datetime:
        """The first due time after an aware moment, in UTC."""
        first = moment.astimezone(zone).date() - _DAY
        days = (first + timedelta(days=count) for count in range(_FARTHEST_DAYS + 2))
        times = (self._on(day, zone) for day in days if self._is_due(day))
        return next(due for due in times if due > moment)

    def latest(self, due: datetime, now: datetime, zone: ZoneInfo) -> tuple[datetime, int]:
        """The last due time up to `now`, of `due` and those that follow it, and how many came before it."""
        missed = 0
        while (following := self.next_after(due, zone)) <= now:
            due, missed = following, missed + 1
        return due, missed

    def _is_due(self, day: date) -> bool:
        if self.rhythm is Rhythm.WEEKLY:
            return day.weekday() == self.weekday
        if self.rhythm is Rhythm.MONTHLY:
            return day.day == min(self.day, monthrange(day.year, day.month)[1])
        return True

    def _on(self, day: date, zone: ZoneInfo) -> datetime:
        return datetime.combine(day, self.at, zone).astimezone(UTC)
