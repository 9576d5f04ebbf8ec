"""A person's shifts as a calendar that calendar programs subscribe to."""

from __future__ import annotations

import hashlib
from datetime import UTC, date, datetime, timedelta
from urllib.parse import quote
from zoneinfo import ZoneInfo

from ray_backend.domain.entries import FEED, Entry, EntryQuery
from ray_backend.domain.errors import PersonNotFound, WrongCredentials
from ray_backend.domain.model import Person
from ray_backend.domain.worktime.schedule import LeavePart, Planner
from ray_backend.domain.worktime.shifts import ShiftKind, Turn
from ray_backend.ports import Clock, Store
from ray_backend.services.audit import Auditor
from ray_backend.services.identity import canonical, ids_of
from ray_backend.services.leave import LeaveService
from ray_backend.services.policy import Policy
from ray_backend.services.rules import RuleService
from ray_backend.services.sessions import digest, new_secret

DAYS_BACK, DAYS_AHEAD = 14, 90
_OPEN, _SHUT = "open", "shut"
_NOT_KNOWN = "This calendar address is not known, or was shut. Ask for a new one."


def feed_path(employee_id: str, secret: str) -> str:
    """Where the HTTP API answers with the calendar of whoever this secret was issued for."""
    return f"/people/{quote(employee_id, safe='')}/shifts.ics?token={secret}"


class ShiftFeedService:
    """Makes calendars from the schedules, and keeps the addresses under which they may be read."""

    def __init__(
        self, store: Store, clock: Clock, policy: Policy, rules: RuleService, leave: LeaveService
    ) -> None:
        self._store = store
        self._clock = clock
        self._policy = policy
        self._rules = rules
        self._leave = leave
        self._audit = Auditor(store, clock)

    def issue(self, person_id: str, *, actor: str) -> str:
        """A new secret for a person's calendar, shown this once; an earlier one is shut. Raises
        PersonNotFound."""
        person = canonical(self._store.get_person, person_id)
        self._shut(person.person_id)
        secret = new_secret()
        # A digest alone: whoever reads the database cannot read calendars with it.
        entry = Entry(FEED, self._clock.now(), {}, person.person_id, _OPEN, digest(secret))
        self._store.add_entry(entry)
        self._audit.record(actor, "calendar.issued", person.person_id)
        return secret

    def revoke(self, person_id: str, *, actor: str) -> bool:
        """Shuts a person's calendar address and says whether there was one. Raises PersonNotFound."""
        person = canonical(self._store.get_person, person_id)
        shut = self._shut(person.person_id)
        if shut:
            self._audit.record(actor, "calendar.revoked", person.person_id)
        return shut

    def by_secret(self, employee_id: str, secret: str) -> bytes:
        """The calendar of the person whose secret this is, as `calendar`. Raises WrongCredentials."""
        entry = self._store.get_entry(FEED, digest(secret))
        try:
            if entry is not None and entry.state == _OPEN:
                person = canonical(self._store.get_person, entry.subject)
                if person.employee_id == employee_id:
                    return self._calendar(person)
        except PersonNotFound:
            pass  # erased; what is said is the same
        raise WrongCredentials(_NOT_KNOWN)

    def calendar(self, person_id: str) -> bytes:
        """iCalendar (RFC 5545) with the shifts from two weeks ago to three months ahead, without those of
        whole days of leave. An event's UID stays the same for as long as its day and shift do.

        Raises PersonNotFound.
        """
        return self._calendar(canonical(self._store.get_person, person_id))

    def _shut(self, person_id: str) -> bool:
        found = self._store.list_entries(EntryQuery(FEED, subjects=(person_id,), states=(_OPEN,))).items
        for entry in found:
            shut = Entry(FEED, entry.at, {}, person_id, _SHUT, entry.entry_id)
            self._store.replace_entry(shut, state=_OPEN)
        return bool(found)

    def _calendar(self, person: Person) -> bytes:
        from icalendar import Calendar

        book = self._rules.current()
        site = book.site_of(person.department)
        zone = ZoneInfo(site.zone) if site else self._policy.zone
        now = self._clock.now()
        today = now.astimezone(zone).date()
        first, last = today - timedelta(days=DAYS_BACK), today + timedelta(days=DAYS_AHEAD)
        away = self._away(person, first, last)
        plan = Planner(book).days(person.person_id, person.department, zone, first, last)
        calendar = Calendar.new(
            prodid="-//Rollcall//Shifts//EN", name="Shifts", refresh_interval=timedelta(hours=6)
        )
        for day in plan:
            for turn in day.turns if day.day not in away else ():
                calendar.add_component(_event(person, turn, zone, now))
        calendar.add_missing_timezones(first - timedelta(days=1), last + timedelta(days=2))
        return calendar.to_ical()

    def _away(self, person: Person, first: date, last: date) -> set[date]:
        found = self._leave.between(first, last, ids_of(self._store, person.person_id))
        return {
            leave.first + timedelta(days=count)
            for leave in found
            if leave.part is LeavePart.WHOLE
            for count in range((leave.last - leave.first).days + 1)
        }


def _event(person: Person, turn: Turn, zone: ZoneInfo, now: datetime):
    from icalendar import Event

    named = f"{person.person_id}/{turn.shift.shift_id}/{turn.day.isoformat()}"
    uid = hashlib.sha256(named.encode()).hexdigest()[:32]
    if turn.shift.kind is ShiftKind.OPEN:
        start: date = turn.day
        end: date = turn.day + timedelta(days=1)
    else:
        start = datetime.fromtimestamp(turn.start, UTC).astimezone(zone)
        end = datetime.fromtimestamp(turn.end, UTC).astimezone(zone)
    return Event.new(
        uid=f"{uid}@rollcall", summary=turn.shift.name, start=start, end=end, stamp=now.replace(microsecond=0)
    )
