"""Schedules: who works which shifts, from which day on."""

from __future__ import annotations

from datetime import date

import pandas as pd
import streamlit as st

from ray_backend.client import Backend
from ray_backend.domain.errors import InvalidInput
from ray_backend.domain.worktime.schedule import Assignment, Level, Rulebook
from streamlit_app import presenters
from streamlit_app import rule_words as words
from streamlit_app.corrections.who import People, choose_person
from streamlit_app.i18n import _
from streamlit_app.rules import draft

MOST_WEEKS = 8
_WEEKS, _TURNS = "weeks", "turns"


def render(backend: Backend, book: Rulebook) -> None:
    """Those that there are, and a new one."""
    people = People(backend)
    for number, one in enumerate(book.assignments):
        _row(backend, book, people, number, one)
    if not book.assignments:
        st.caption(_("Nobody has a schedule yet: whoever comes is present, and nobody is late or absent."))
    st.subheader(_("New schedule"))
    if book.shifts:
        _new(backend, book)
    else:
        st.info(_("Make a shift first."), icon=":material/schedule:")


def _row(backend: Backend, book: Rulebook, people: People, number: int, one: Assignment) -> None:
    with st.container(border=True):
        head, button = st.columns([5, 1], vertical_alignment="center")
        since = _("from {day} on", day=f"{one.start:%Y-%m-%d}")
        if one.end is not None:
            since = _("from {day} to {end}", day=f"{one.start:%Y-%m-%d}", end=f"{one.end:%Y-%m-%d}")
        head.markdown(f"**{presenters.plain(_who(people, one))}**, {since}")
        st.dataframe(words.pattern_words(one, book.shifts), hide_index=True, key=f"pattern-{number}")
        if button.button(_("Remove"), key=f"schedule-remove-{number}", icon=":material/delete:"):
            left = tuple(other for other in book.assignments if other is not one)
            draft.put(
                backend, _("The schedule is taken out of the draft."),
                lambda now: draft.with_parts(now, assignments=left),
            )  # fmt: skip


def _who(people: People, one: Assignment) -> str:
    if one.level is Level.PERSON:
        return people.name(one.subject)
    return one.subject if one.level is Level.DEPARTMENT else _("Everybody")


def _new(backend: Backend, book: Rulebook) -> None:
    level = st.radio(
        _("Who"), list(words.LEVELS), horizontal=True, key="schedule-level",
        format_func=lambda one: _(words.LEVELS[one]),
    )  # fmt: skip
    subject = _subject(backend, level)
    left, middle, right = st.columns(3)
    start = left.date_input(_("From"), key="schedule-start", format="YYYY-MM-DD")
    end = middle.date_input(_("To (may stay empty)"), value=None, key="schedule-end", format="YYYY-MM-DD")
    way = right.radio(
        _("Pattern"), [_WEEKS, _TURNS], key="schedule-way",
        format_func=lambda one: _("Weeks") if one == _WEEKS else _("Days in turn, such as 4 on, 2 off"),
    )  # fmt: skip
    pattern = _weeks(book, start) if way == _WEEKS else _turns(book)
    if st.button(_("Take over"), type="primary", key="schedule-take", disabled=subject is None):
        made = Assignment(level, subject or "", start, pattern, end)
        draft.put(
            backend, _("The schedule is in the draft. Save the rules when all is as it should be."),
            lambda now: draft.with_parts(now, assignments=(*now.assignments, _some_work(made))),
        )  # fmt: skip


def _subject(backend: Backend, level: Level) -> str | None:
    if level is Level.EVERYBODY:
        return ""
    if level is Level.DEPARTMENT:
        return st.selectbox(
            _("Department"), backend.people.departments(), index=None, key="schedule-department",
            accept_new_options=True,
        )  # fmt: skip
    person = choose_person(backend, _("Person"), "schedule")
    return person.person_id if person else None


def _weeks(book: Rulebook, start: date) -> tuple[tuple[str, ...], ...]:
    """Weeks from Monday on; the first is the one in which the schedule begins."""
    count = st.number_input(
        _("How many weeks until it begins anew"), 1, MOST_WEEKS, 1, key="schedule-weeks",
        help=_("1 is the same every week, 2 alternates between two."),
    )  # fmt: skip
    days, ids = words.weekdays(), _ids(book)
    first = next(iter(ids))
    table = pd.DataFrame([{day: [first] if number < 5 else [] for number, day in enumerate(days)}] * count)
    edited = st.data_editor(
        table, hide_index=True, key=f"schedule-table-{count}-{first}",
        column_config={day: st.column_config.MultiselectColumn(day, options=list(ids)) for day in days},
    )  # fmt: skip
    weeks = [[[ids[name] for name in _cell(row[day])] for day in days] for row in edited.to_dict("records")]
    return words.from_weeks(weeks, start)


def _turns(book: Rulebook) -> tuple[tuple[str, ...], ...]:
    """Days in turn from the first one on."""
    ids = _ids(book)
    name = _("Shifts of the day")
    first = next(iter(ids))
    edited = st.data_editor(
        pd.DataFrame({name: [[first], [first], [first], [first], [], []]}), num_rows="dynamic",
        key=f"schedule-turns-{first}",
        column_config={name: st.column_config.MultiselectColumn(name, options=list(ids))},
    )  # fmt: skip
    return tuple(tuple(ids[one] for one in _cell(row[name])) for row in edited.to_dict("records"))


def _cell(value: object) -> list[str]:
    return [] if value is None or isinstance(value, float) else list(value)


def _ids(book: Rulebook) -> dict[str, str]:
    """The shifts' ids by their names, with a number where two have the same."""
    ids: dict[str, str] = {}
    for shift_id, shift in book.shifts.items():
        name = shift.name if shift.name not in ids else f"{shift.name} ({len(ids) + 1})"
        ids[name] = shift_id
    return ids


def _some_work(made: Assignment) -> Assignment:
    if not any(made.pattern):
        raise InvalidInput("Choose a shift for one day at least.")
    return made
