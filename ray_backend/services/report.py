"""The attendance report: one row for each person and day, worked out in pandas from the raw punches."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pandas as pd

from ray_backend.domain.errors import PersonNotFound
from ray_backend.domain.model import Person, Punch
from ray_backend.domain.queries import PeopleQuery, PunchQuery
from ray_backend.domain.requests import ReportQuery
from ray_backend.ports import Clock, Store
from ray_backend.services.identity import aliases, canonical

DAY_COLUMNS = ["employee_id", "name", "department", "date", "first_in", "last_out", "hours", "punches"]
ERASED = Person(employee_id="", name="Erased person", created_at=datetime.min, person_id="")
_PAGE = 5000


@dataclass(frozen=True, slots=True, eq=False)
class Report:
    """`days` has the columns DAY_COLUMNS: `date` a date, `first_in` and `last_out` in the site's zone
    (`last_out` NaT and `hours` NaN on days with a single punch), `hours` between first and last punch.
    """

    query: ReportQuery
    zone: ZoneInfo
    generated_at: datetime
    days: pd.DataFrame = field(repr=False)

    @property
    def people(self) -> int:
        """How many people punched at least once."""
        return int(self.days["employee_id"].nunique())

    @property
    def hours(self) -> float:
        """All hours together."""
        return float(self.days["hours"].sum())

    @property
    def incomplete_days(self) -> int:
        """Days with one punch only."""
        return int(self.days["last_out"].isna().sum())

    def describe(self) -> str:
        """The filter, the time zone and the time of generation, in words."""
        parts = [f"{self.query.start} to {self.query.end}"]
        if self.query.department is not None:
            parts.append(f"department {self.query.department}" if self.query.department else "no department")
        parts += [f"matching “{self.query.text}”"] if self.query.text else []
        stamp = self.generated_at.astimezone(self.zone)
        return (
            f"{', '.join(parts)}. Times in {self.zone.key}, UTC{utc_offset(stamp)} when this was generated, "
            f"{stamp:%Y-%m-%d %H:%M:%S}."
        )


class ReportService:
    """Reads punches and people, and makes reports of them."""

    def __init__(self, store: Store, clock: Clock, zone: Callable[[], ZoneInfo]) -> None:
        """`zone`: the site's, asked for each report."""
        self._store = store
        self._clock = clock
        self._zone = zone

    def report(self, query: ReportQuery) -> Report:
        """Raises InvalidInput."""
        query = query.checked()
        people = self._people_by_record(query)
        keep_erased = query.department is None and query.departments is None and not query.text
        zone = self._zone()
        punches = self._punches(query, zone, people, keep_erased)
        return Report(query, zone, self._clock.now(), self._days(punches, zone, people))

    def today(self) -> date:
        """The site's calendar day."""
        return self._clock.now().astimezone(self._zone()).date()

    def recent_punches(self, query: PunchQuery) -> list[tuple[Punch, Person]]:
        """Punches with their people, oldest first; erased people come as a nameless one.

        Punches of merged records come with the person that they stand for, and are among those of that
        person where the query names people.
        """
        if query.people is not None:
            query = replace(query, people=self._all_records(query.people))
        punches = self._store.list_punches(query).items
        people = {person_id: self._person(person_id) for person_id in {p.person_id for p in punches}}
        return [(punch, people[punch.person_id]) for punch in punches]

    def _person(self, person_id: str) -> Person:
        try:
            return canonical(self._store.get_person, person_id)
        except PersonNotFound:
            return ERASED

    def _all_records(self, people: Sequence[str]) -> tuple[str, ...]:
        """All records of the people for whom these records stand."""
        stands_for = aliases(self._store.merged_people())
        wanted = {stands_for.get(person_id, person_id) for person_id in people}
        return (*sorted(wanted), *(record for record, owner in stands_for.items() if owner in wanted))

    def _people_by_record(self, query: ReportQuery) -> dict[str, Person]:
        """The wanted people by the ids of all their records."""
        people = {person.person_id: person for person in self._people(query)}
        merged = aliases(self._store.merged_people())
        return people | {record: people[owner] for record, owner in merged.items() if owner in people}

    def _people(self, query: ReportQuery) -> Iterator[Person]:
        bounds = {"department": query.department, "departments": query.departments}
        return self._all_people(PeopleQuery(text=query.text, **bounds, limit=1000))

    def _all_people(self, query: PeopleQuery) -> Iterator[Person]:
        yield from pages(self._store.list_people, query)

    def _punches(
        self, query: ReportQuery, zone: ZoneInfo, people: dict[str, Person], keep_erased: bool
    ) -> list[Punch]:
        window = PunchQuery(
            start=datetime.combine(query.start, time.min, zone),
            end=datetime.combine(query.end + timedelta(days=1), time.min, zone),
            limit=_PAGE,
        )
        found = pages(self._store.list_punches, window)
        if keep_erased:
            return list(found)
        return [punch for punch in found if punch.person_id in people]

    def _days(self, punches: list[Punch], zone: ZoneInfo, people: dict[str, Person]) -> pd.DataFrame:
        if not punches:
            return pd.DataFrame(columns=DAY_COLUMNS)
        whose = [people[p.person_id].person_id if p.person_id in people else p.person_id for p in punches]
        frame = pd.DataFrame({"person_id": whose, "at": [p.at for p in punches]})
        frame["at"] = pd.to_datetime(frame["at"], utc=True)
        frame["date"] = frame["at"].dt.tz_convert(zone).dt.date
        days = frame.groupby(["person_id", "date"], sort=False)["at"].agg(
            first_in="min", last_out="max", punches="size"
        )
        days = days.reset_index()
        days.loc[days["punches"] < 2, "last_out"] = pd.NaT
        days["hours"] = (days["last_out"] - days["first_in"]).dt.total_seconds() / 3600
        for column in ("first_in", "last_out"):
            days[column] = days[column].dt.tz_convert(zone)
        owners = [people.get(person_id, ERASED) for person_id in days["person_id"]]
        days["employee_id"] = [owner.employee_id or f"erased-{person_id[:8]}" for owner, person_id in zip(
            owners, days["person_id"], strict=True)]  # fmt: skip
        days["name"] = [owner.name for owner in owners]
        days["department"] = [owner.department for owner in owners]
        days = days.sort_values(["date", "name", "employee_id"], ignore_index=True)
        return days[DAY_COLUMNS]


def utc_offset(at: datetime) -> str:
    """Such as `+01:00`."""
    return at.isoformat(timespec="seconds")[-6:]


def pages(read, query) -> Iterator:
    """Every item of a paged list."""
    while True:
        page = read(query)
        yield from page.items
        if page.next_cursor is None:
            return
        query = replace(query, cursor=page.next_cursor)
