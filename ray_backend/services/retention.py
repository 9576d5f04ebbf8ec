"""Retention: what is kept for a time only, and goes by itself when that is over."""

from __future__ import annotations

import logging
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from typing import Any

from ray_backend.domain.errors import Conflict, PersonNotFound, RollcallError, StoreUnavailable
from ray_backend.domain.model import Person
from ray_backend.domain.queries import DecisionQuery, PeopleQuery
from ray_backend.domain.retention import Due, DuePerson, Limits, Sweep, limits
from ray_backend.domain.site import SiteSettings, with_changes
from ray_backend.ports import Clock, Store
from ray_backend.services.audit import Auditor
from ray_backend.services.people import PeopleService
from ray_backend.services.punch_log import PunchLog
from ray_backend.services.reach import Reach

log = logging.getLogger(__name__)

LAST = "retention/last"
ACTOR = "retention"
EVERY_S = 3600.0
# The first people come to the kiosks when a system starts; this can wait.
FIRST_AFTER_S = 60.0
# What is left of erased records in a large database is overwritten in these hours of the site, or when it
# has waited for a day because nobody runs Rollcall at night.
NIGHT_HOURS, WIPES_WAIT = range(2, 5), timedelta(days=1)
WIPES_SINCE = "retention/wipes_since"
_PAGE = 1000
_CHANGED = "It is {due} people by now, not {agreed}. Look at the list again, then decide."


class RetentionService:
    """Removes what is due. One sweep at a time; what broke off is found again by the next one."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        site: Callable[[], SiteSettings],
        people: PeopleService,
        punches: PunchLog,
        reach: Reach,
        remove_unknown: Callable[[datetime], int] | None = None,
    ) -> None:
        """`remove_unknown` removes the unknown faces from before a moment, and returns how many."""
        self._store = store
        self._clock = clock
        self._site = site
        self._people = people
        self._punches = punches
        self._reach = reach
        self._remove_unknown = remove_unknown or store.remove_unknown_before
        self._audit = Auditor(store, clock)
        self._one_at_a_time = threading.Lock()

    def due(self, changes: Mapping[str, Any] | None = None) -> Due:
        """What a sweep would remove now, with the site's settings after these changes. Changes nothing.

        Raises InvalidInput for settings that cannot be. At a large site it takes some seconds.
        """
        bounds = limits(with_changes(self._site(), changes or {}), self._clock.now())
        people, registered = self._due_people(bounds)
        return Due(
            decisions=self._store.list_decisions(DecisionQuery(end=bounds.decisions, limit=1)).total,
            unknown_faces=sum(face.at < bounds.unknown_faces for face in self._store.unknown_faces()),
            people=tuple(people),
            registered=registered,
        )

    def last(self) -> Sweep | None:
        """The last sweep that removed something, or held something back."""
        found = self._store.get_setting(LAST)
        return Sweep(**found | {"at": datetime.fromisoformat(found["at"])}) if found else None

    def sweep(self) -> Sweep:
        """Removes what is due; nobody is erased where too many people are due at once."""
        with self._one_at_a_time:
            return self._sweep(agreed=None, actor=ACTOR)

    def wipe(self) -> bool:
        """Has the database overwrite what is left of removed records, if it is time; says whether it did.

        Raises StoreUnavailable; the next call tries again.
        """
        if not self._store.wipes_due():
            return False
        now, since = self._clock.now(), self._store.get_setting(WIPES_SINCE)
        if since is None:
            self._store.put_setting(WIPES_SINCE, now.isoformat())
        waited = timedelta() if since is None else now - datetime.fromisoformat(since)
        if now.astimezone(self._site().zone).hour not in NIGHT_HOURS and waited < WIPES_WAIT:
            return False
        self._store.wipe()
        self._store.put_setting(WIPES_SINCE, None)
        return True

    def sweep_agreed(self, people: int, *, actor: str) -> Sweep:
        """As `sweep`, with an admin's word for so many people.

        Raises Conflict when more are due by now, before anything is removed.
        """
        with self._one_at_a_time:
            return self._sweep(agreed=people, actor=actor)

    def _sweep(self, agreed: int | None, actor: str) -> Sweep:
        if self._reach.away:
            raise StoreUnavailable("The database does not answer. Nothing was removed.")
        site, now = self._site(), self._clock.now()
        bounds = limits(site, now)
        due, registered = self._due_people(bounds)
        of_people = Due(0, 0, tuple(due), registered)
        if agreed is not None and len(due) > agreed:
            raise Conflict(_CHANGED.format(due=len(due), agreed=agreed))
        result = Sweep(
            now,
            decisions=self._store.remove_decisions(bounds.decisions),
            unknown_faces=self._remove_unknown(bounds.unknown_faces),
        )
        if of_people.too_many and agreed is None:
            result = replace(result, held_back=len(due))
        else:
            erased, failed = self._erase(due, bounds, site, actor)
            result = replace(result, people=erased, failed=failed)
        self._tell(result, actor)
        return result

    def _due_people(self, bounds: Limits) -> tuple[list[DuePerson], int]:
        """Who is due, in the order of their employee ids, and how many people there are at all."""
        if bounds.people is None:
            return [], 0
        merged = self._merged()
        due: list[DuePerson] = []
        registered = 0
        for page in self._pages():
            registered += len(page)
            ids = [one for person in page for one in (person.person_id, *merged[person.person_id])]
            seen = self._store.last_seen(ids)
            for person in page:
                own = (person.person_id, *merged[person.person_id])
                last = max((seen[one] for one in own if one in seen), default=None)
                if (last or person.created_at) < bounds.people:
                    due.append(DuePerson(person, last))
        return due, registered

    def _merged(self) -> Mapping[str, list[str]]:
        """For each person the ids of the records that were merged into theirs, directly or not."""
        into = {person.person_id: person.merged_into for person in self._store.merged_people()}
        found: defaultdict[str, list[str]] = defaultdict(list)
        for person_id in into:
            owner = into[person_id]
            while owner in into:
                owner = into[owner]
            found[owner].append(person_id)
        return found

    def _pages(self) -> Iterator[tuple[Person, ...]]:
        query = PeopleQuery(limit=_PAGE)
        while True:
            page = self._store.list_people(query)
            yield page.items
            if page.next_cursor is None:
                return
            query = replace(query, cursor=page.next_cursor)

    def _erase(self, due: list[DuePerson], bounds: Limits, site: SiteSettings, actor: str) -> tuple[int, int]:
        """How many were erased, and how many could not be."""
        erased = failed = 0
        for one in due:
            person = one.person
            if self._came_back(person, bounds):
                continue
            try:
                self._people.erase(
                    person.person_id,
                    typed_employee_id=person.employee_id,
                    keep_punches=site.unseen_punches == "keep",
                    actor=actor,
                )
            except PersonNotFound:
                continue  # another process, or an admin, was quicker
            except StoreUnavailable:
                raise
            except RollcallError as error:
                log.warning("a person who was not seen cannot be erased yet: %s", error.message)
                failed += 1
            else:
                erased += 1
        return erased, failed

    def _came_back(self, person: Person, bounds: Limits) -> bool:
        """Whether the person punched while the sweep goes on, be it that the punch still waits."""
        last = self._punches.last(person.person_id)
        return last is not None and last.at >= bounds.people

    def _tell(self, result: Sweep, actor: str) -> None:
        """Keeps and audits a sweep that did something, and that one is held back, once."""
        facts = asdict(result) | {"at": result.at.isoformat()}
        before = self._store.get_setting(LAST) or {}
        counts = {name: number for name, number in facts.items() if name != "at" and number}
        held_back_before = before.get("held_back", 0)
        if counts or held_back_before:
            self._store.put_setting(LAST, facts)
        only_as_before = counts == {"held_back": held_back_before}
        if counts and not only_as_before:
            self._audit.record(actor, "retention.swept", "site", **counts)


class RetentionTimer:
    """Sweeps every hour in a thread of its own, until it is closed, and wipes at night. What fails is left to
    the next one."""

    def __init__(
        self,
        retention: RetentionService,
        *,
        every_s: float = EVERY_S,
        first_after_s: float = FIRST_AFTER_S,
    ) -> None:
        self._retention = retention
        self._every_s = every_s
        self._first_after_s = first_after_s
        self._closed = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begins, once; the first sweep comes after `first_after_s`."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="retention", daemon=True)
            self._thread.start()

    def close(self) -> None:
        """Ends the thread; a sweep that is under way goes on to its end."""
        self._closed.set()

    def _run(self) -> None:
        wait_s = self._first_after_s
        while not self._closed.wait(wait_s):
            wait_s = self._every_s
            try:
                self._retention.sweep()
                self._retention.wipe()
            except RollcallError as error:
                log.warning("what is due could not be removed yet: %s", error.message)
