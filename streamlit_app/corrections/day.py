"""A person's day: its punches as they were made and as they count, and asking for a correction."""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

import streamlit as st

from ray_backend.client import Backend
from ray_backend.domain.model import Person
from ray_backend.domain.requests import SheetQuery
from ray_backend.domain.worktime.stories import PunchStory
from streamlit_app import correction_words as words
from streamlit_app import presenters
from streamlit_app.corrections.asking import correct_punch, missing_punch
from streamlit_app.corrections.who import People, choose_person
from streamlit_app.i18n import N_, _
from streamlit_app.reports.report_words import source_words, status_words

_WIDTHS = [1, 1, 1.8, 1.4, 4, 2.2]
_TITLES = (N_("Time"), N_("As made"), N_("How"), N_("Counts as"), N_("Who and why"), "")


def render(backend: Backend) -> None:
    """First whose day, and which."""
    who, when = st.columns([2, 1], vertical_alignment="top")
    with who:
        person = choose_person(backend, _("Whose day?"), "day")
    if person is None:
        st.caption(_("Type a name or an employee id, then choose the person."))
        return
    zone = People(backend).zone_of(person.department)
    today = datetime.now(zone).date()
    day = when.date_input(_("Day"), value=today, key="day-date", format="YYYY-MM-DD")
    _punches(backend, person, day, zone)
    _result(backend, person, day)


def _punches(backend: Backend, person: Person, day: date, zone: ZoneInfo) -> None:
    told = backend.punch_trails.stories(person.person_id, day, day)
    if told:
        table = st.container(key="correction-day", gap="xsmall")
        for cell, title in zip(table.columns(_WIDTHS, gap="xsmall"), _TITLES, strict=True):
            cell.caption(_(title))
        for number, story in enumerate(told):
            _row(backend, person, story, zone, table, number)
    else:
        st.info(_("There is no punch on this day."), icon=":material/event_busy:")
    if st.button(_("Add a missing punch"), icon=":material/add:", key="day-add"):
        missing_punch(backend, person, day, zone)


def _row(backend: Backend, person: Person, story: PunchStory, zone: ZoneInfo, table, number: int) -> None:
    at, was, how, counts, why, button = table.columns(_WIDTHS, vertical_alignment="center", gap="xsmall")
    at.text(f"{story.at.astimezone(zone):%H:%M}")
    was.text(words.recorded(story))
    made = (source_words(story.was.source), story.was.kiosk) if story.was else (source_words("manual"),)
    how.text(", ".join(filter(None, made)))
    counts.text(words.counts(story))
    for one in story.corrections:
        why.caption(presenters.plain(words.step(one, zone)))
    own = story.was is not None and all(one.to_person_id != person.person_id for one in story.corrections)
    if own and button.button(_("Correct"), key=f"correct-{number}", width="stretch"):
        correct_punch(backend, person, story.was, zone)


def _result(backend: Backend, person: Person, day: date) -> None:
    """What the day came to, turn by turn."""
    sheet = backend.timesheets.sheet(SheetQuery(day, day, people=(person.person_id,)))
    for row in sheet.days.itertuples():
        st.caption(
            _(
                "This day: {status}. Worked {worked}, breaks {pause}.",
                status=status_words(row.status),
                worked=_hours(row.worked),
                pause=_hours(row.pause),
            )
        )


def _hours(minutes: int) -> str:
    return f"{minutes // 60}:{minutes % 60:02}"
