"""What goes by itself, and when: the rules of retention, without any storage."""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from ray_backend.domain.model import Person
from ray_backend.domain.site import SiteSettings

# More people than this share of all are not erased in one sweep unless an admin says so: a wrong clock or
# a wrong number makes nearly everybody due at once.
MOST_SHARE = 0.1


@dataclass(frozen=True, slots=True)
class Limits:
    """What is older than these goes. `people` None: nobody goes by themselves."""

    decisions: datetime
    unknown_faces: datetime
    people: datetime | None


@dataclass(frozen=True, slots=True)
class DuePerson:
    """Somebody who was not seen for too long. `last_seen` None: never, since the registration."""

    person: Person
    last_seen: datetime | None


@dataclass(frozen=True, slots=True)
class Due:
    """What the next sweep would remove: `people` in the order of their employee ids, out of
    `registered`. `most` of them go without an admin's word."""

    decisions: int
    unknown_faces: int
    people: tuple[DuePerson, ...]
    registered: int

    @property
    def most(self) -> int:
        """How many people a sweep erases at most by itself."""
        return most_at_once(self.registered)

    @property
    def too_many(self) -> bool:
        """Whether an admin has to agree before any of these people is erased."""
        return len(self.people) > self.most


@dataclass(frozen=True, slots=True)
class Sweep:
    """What a sweep removed. `held_back` people were due, but too many at once: none of them was erased.
    `failed` people could not be erased now; the next sweep tries again."""

    at: datetime
    decisions: int = 0
    unknown_faces: int = 0
    people: int = 0
    held_back: int = 0
    failed: int = 0

    @property
    def removed(self) -> bool:
        """Whether anything went."""
        return bool(self.decisions or self.unknown_faces or self.people)


def limits(site: SiteSettings, now: datetime) -> Limits:
    """The limits at this moment, an aware datetime. Months and days are the calendar's, at the site."""
    months = site.people_unseen_months
    return Limits(
        decisions=now - timedelta(days=site.keep_decisions_days),
        unknown_faces=now - timedelta(hours=site.keep_unknown_hours),
        people=months_before(now, months, site.zone) if months else None,
    )


def most_at_once(registered: int) -> int:
    """How many of so many people a sweep erases by itself: `MOST_SHARE` of them, one at least."""
    return max(1, int(MOST_SHARE * registered))


def months_before(moment: datetime, months: int, zone: ZoneInfo) -> datetime:
    """The start of the site's day so many calendar months before this one.

    There is a last day in each month: three months before 31 May is 28 or 29 February.
    """
    day = moment.astimezone(zone).date()
    year, month = divmod(day.year * 12 + day.month - 1 - months, 12)
    month += 1
    return datetime(year, month, min(day.day, monthrange(year, month)[1]), tzinfo=zone)
