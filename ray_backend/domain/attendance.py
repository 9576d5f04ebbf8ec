"""The rules of a punch: which visit it belongs to. Which way a person goes is in `worktime.direction`."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, tzinfo

from ray_backend.domain.model import Punch

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def cooldown_slots(person_id: str, at: datetime, cooldown_s: float, unless: str) -> tuple[str, str]:
    """Two keys that no other punch of the same visit can have both different.

    Time is cut into slots of `cooldown_s` twice, the second cut shifted by half a slot. Two punches
    less than half a cooldown apart always share a slot in one of the cuts, and punches that share one
    are less than a cooldown apart. A unique index on each key therefore stops two kiosks that record
    the same person at the same moment, in any database and without a transaction. The length is part
    of the key: slots of 61 s counted from 1970 have the numbers of slots of 60 s a year ago. `unless`
    is a key of the punch's own, which makes the slots unique where there is no cooldown.
    """
    length_us = round(cooldown_s * 1_000_000)
    if length_us <= 0:
        return f"{unless}/a", f"{unless}/b"
    at_us = (at - _EPOCH) // timedelta(microseconds=1)
    slots = f"{person_id}/{length_us}"
    return f"{slots}/a{at_us // length_us}", f"{slots}/b{(2 * at_us + length_us) // (2 * length_us)}"


def same_visit(earlier: Punch | None, at: datetime, cooldown_s: float) -> bool:
    """Whether a punch at `at` repeats `earlier`. A clock that was set back does not open a new visit."""
    return earlier is not None and abs(at - earlier.at) < timedelta(seconds=cooldown_s)


def local_day(at: datetime, zone: tzinfo) -> date:
    """The calendar day of the site at this moment."""
    return at.astimezone(zone).date()
