"""Punches for many people at once, after the kiosks could not be used for a while."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import streamlit as st

from ray_backend.client import Backend
from ray_backend.domain.model import Direction, Person
from ray_backend.domain.queries import PeopleQuery, PunchQuery
from streamlit_app import correction_words as words
from streamlit_app.corrections.who import People
from streamlit_app.i18n import _, n_
from streamlit_app.notes import attempt
from streamlit_app.session import ACTOR

MOST_PEOPLE = 1000
_ALL = ""
_PREVIEW = "outage_preview"
# Clocks of other sites reach into the days beside.
_MARGIN = timedelta(days=1)


def render(backend: Backend) -> None:
    """Who, when, why; then what it would come to; then the confirmation."""
    st.write(
        _(
            "For times when the kiosks did not work: writes the same punch for many people. Each is kept as "
            "made by hand, with your name and the reason."
        )
    )
    people = _people(backend)
    if not people:
        return
    day, clock, direction, reason = _what()
    chosen = st.multiselect(
        _("People"), list(people), default=list(people), key="outage-people",
        format_func=lambda person_id: f"{people[person_id].name} ({people[person_id].employee_id})",
    )  # fmt: skip
    wanted = (tuple(chosen), day, clock, direction, reason.strip())
    if st.button(_("Look at it first"), icon=":material/preview:", disabled=not chosen, key="outage-preview"):
        st.session_state[_PREVIEW] = wanted
    # Whoever changes anything has to look again.
    if st.session_state.get(_PREVIEW) == wanted and chosen:
        _preview(backend, [people[person_id] for person_id in chosen], *wanted[1:])


def _people(backend: Backend) -> dict[str, Person]:
    left, right = st.columns(2)
    department = left.selectbox(
        _("Department"), [_ALL, *backend.people.departments()], key="outage-department",
        format_func=lambda name: name or _("All departments"),
    )  # fmt: skip
    text = right.text_input(_("Search"), placeholder=_("Name or employee id"), key="outage-text").strip()
    if not department and not text:
        st.caption(_("Choose a department, or search for people."))
        return {}
    query = PeopleQuery(text, department or None, active=True, limit=MOST_PEOPLE)
    found = backend.people.find(query)
    if not found.items:
        st.info(_("Nobody matches. Try a part of the name, or another department."))
    if found.total > len(found.items):
        st.warning(_("These are too many people. Only the first {number} are shown.", number=MOST_PEOPLE))
    return {person.person_id: person for person in found.items}


def _what() -> tuple[date, time, Direction, str]:
    left, middle, right = st.columns(3)
    day = left.date_input(_("Day"), key="outage-day", format="YYYY-MM-DD")
    clock = middle.time_input(_("Time"), value=time(8), step=60, key="outage-time")
    direction = right.radio(
        _("Direction"), list(words.DIRECTIONS), horizontal=True, key="outage-direction",
        format_func=lambda way: _(words.DIRECTIONS[way]),
    )  # fmt: skip
    reason = st.text_input(_("Reason"), placeholder=_("Such as: power cut at the gate"), key="outage-reason")
    return day, clock, direction, reason


def _preview(
    backend: Backend, people: list[Person], day: date, clock: time, direction: Direction, reason: str
) -> None:
    zones = People(backend)
    there = _punches_of(backend, people, day)
    rows = []
    for person in people:
        zone = zones.zone_of(person.department)
        times = [at.astimezone(zone) for at in there[person.person_id]]
        rows.append(
            {
                _("Name"): person.name,
                _("Employee id"): person.employee_id,
                _("New punch"): f"{_(words.DIRECTIONS[direction])} {clock:%H:%M}",
                _("Punches of that day"): ", ".join(f"{at:%H:%M}" for at in times if at.date() == day) or "–",
            }
        )
    st.dataframe(rows, hide_index=True, key="outage-rows")
    label = n_("Write {number} punch", "Write {number} punches", len(people))
    if st.button(label, type="primary", icon=":material/done_all:", key="outage-write"):
        done = _("The punches are written. Those that an earlier try had written were left as they are.")
        attempt(
            done,
            lambda: _write(backend, people, zones, datetime.combine(day, clock), direction, reason),
            lambda: st.session_state.pop(_PREVIEW),
        )


def _punches_of(backend: Backend, people: list[Person], day: date) -> dict[str, list[datetime]]:
    """The punches around this day as they were made, by person."""
    start = datetime.combine(day, time(), UTC) - _MARGIN
    ids = tuple(person.person_id for person in people)
    found: dict[str, list[datetime]] = defaultdict(list)
    query = PunchQuery(start, start + 3 * _MARGIN, ids, limit=10 * MOST_PEOPLE)
    for punch, person in backend.reports.recent_punches(query):
        found[person.person_id].append(punch.at)
    return found


def _write(
    backend: Backend, people: list[Person], zones: People, local: datetime, direction: Direction, reason: str
) -> None:
    """The same time on the clock of each person's site."""
    by_zone: dict[ZoneInfo, list[str]] = defaultdict(list)
    for person in people:
        by_zone[zones.zone_of(person.department)].append(person.person_id)
    for zone, ids in by_zone.items():
        backend.corrections.add_manually(ids, local.replace(tzinfo=zone), direction, reason, actor=ACTOR)
