"""Shifts: what a working day of a kind asks for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import time
from typing import Any

import pandas as pd
import streamlit as st

from ray_backend.client import Backend
from ray_backend.domain.errors import InvalidInput
from ray_backend.domain.model import new_id
from ray_backend.domain.worktime.schedule import Rulebook
from ray_backend.domain.worktime.shifts import DAY_MINUTES, Shift, ShiftKind
from streamlit_app import rule_words as words
from streamlit_app.i18n import _
from streamlit_app.rules import draft

_NEW = ""


def render(backend: Backend, book: Rulebook) -> None:
    """Which shift, and its rules."""
    chosen = st.selectbox(
        _("Shift"), [_NEW, *book.shifts], key="shift-chosen",
        format_func=lambda one: words.shift_words(book.shifts[one]) if one else _("A new shift"),
    )  # fmt: skip
    shift = book.shifts.get(chosen) or Shift(_NEW, "", pauses=())
    key = f"{shift.shift_id or 'new'}-{len(book.shifts)}"
    with st.form(f"shift-{key}"):
        typed = _times(shift, key) | _limits(shift, key)
        tables = _tables(shift, key)
        if st.form_submit_button(_("Take over"), type="primary", key=f"shift-take-{key}"):
            _take(backend, shift, typed, tables)
    if chosen and st.button(_("Remove this shift"), icon=":material/delete:", key=f"shift-remove-{key}"):
        draft.put(backend, _("The shift is taken out of the draft."), lambda now: _without(now, chosen))


def _times(shift: Shift, key: str) -> dict[str, Any]:
    name = st.text_input(_("Name"), shift.name, key=f"shift-name-{key}")
    kind = st.radio(
        _("Kind"), list(words.KINDS), index=list(words.KINDS).index(shift.kind),
        format_func=lambda one: _(words.KINDS[one]), key=f"shift-kind-{key}",
    )  # fmt: skip
    start, end, target = st.columns(3)
    return {
        "name": name,
        "kind": kind,
        "start": start.time_input(_("Start"), shift.start, step=300, key=f"shift-start-{key}"),
        "end": end.time_input(
            _("End"), shift.end, step=300, key=f"shift-end-{key}",
            help=_("An end at or before the start lies on the next day."),
        ),
        "target": target.number_input(
            _("Working minutes asked for"), 0, DAY_MINUTES, shift.target, key=f"shift-target-{key}",
            help=_("Empty: the length of the shift less its breaks. A flexible shift needs a number."),
        ),
    }  # fmt: skip


def _limits(shift: Shift, key: str) -> dict[str, Any]:
    def minutes(place, name: str, label: str, tip: str = "") -> int:
        value = getattr(shift, name)
        return place.number_input(
            label, 0, DAY_MINUTES, value, key=f"shift-{name}-{key}", help=tip or None
        )  # fmt: skip

    first, second, third, fourth = st.columns(4, vertical_alignment="bottom")
    limits: dict[str, Any] = {
        "grace_in": minutes(first, "grace_in", _("Not late within (minutes)")),
        "grace_out": minutes(second, "grace_out", _("Not early within (minutes)")),
        "half_below": minutes(third, "half_below", _("Half a day below (minutes)")),
        "absent_below": minutes(fourth, "absent_below", _("Absent below (minutes)")),
    }
    mode = st.radio(
        _("How punches become times of work"), list(words.MODES),
        index=list(words.MODES).index(shift.directions),
        format_func=lambda one: _(words.MODES[one]), key=f"shift-mode-{key}",
    )  # fmt: skip
    with st.expander(_("More")):
        left, right = st.columns(2)
        limits |= {
            "core_start": left.time_input(
                _("Core time from (flexible)"), shift.core_start, key=f"core-a-{key}"
            ),
            "core_end": right.time_input(_("Core time to (flexible)"), shift.core_end, key=f"core-b-{key}"),
            "opens": minutes(left, "opens", _("Punches belong to it from (minutes before)")),
            "closes": minutes(right, "closes", _("Punches belong to it until (minutes after)")),
            "longest": minutes(left, "longest", _("Longest time of an open shift (minutes)")),
            "early_counts": st.checkbox(
                _("Work before the start counts"), shift.early_counts, key=f"early-{key}"
            ),
            "works_on_holidays": st.checkbox(
                _("Also on public holidays"), shift.works_on_holidays, key=f"holidays-{key}"
            ),
        }
    return limits | {"directions": mode}


def _tables(shift: Shift, key: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    pauses = [
        {
            "start": f"{one.start:%H:%M}" if one.start else "",
            "end": f"{one.end:%H:%M}" if one.end else "",
            "minutes": one.minutes,
            "after_minutes": one.after_minutes,
        }
        for one in shift.pauses
    ]
    steps = [{"after_minutes": one.after_minutes, "percent": one.percent} for one in shift.overtime]
    number, text = st.column_config.NumberColumn, st.column_config.TextColumn
    left, right = st.columns([3, 2])
    left.caption(_("Unpaid breaks: from a time to a time, or so many minutes for whoever works longer"))
    right.caption(_("Overtime: beyond the working time"))
    return (
        left.data_editor(
            pd.DataFrame(pauses, columns=["start", "end", "minutes", "after_minutes"]).astype(
                {"start": str, "end": str, "minutes": "Int64", "after_minutes": "Int64"}
            ),
            num_rows="dynamic", hide_index=True, key=f"pauses-{key}",
            column_config={
                "start": text(_("From"), help="12:30"),
                "end": text(_("To"), help="13:00"),
                "minutes": number(_("Minutes"), min_value=0, max_value=DAY_MINUTES),
                "after_minutes": number(_("After minutes"), min_value=0, max_value=DAY_MINUTES),
            },
        ),
        right.data_editor(
            pd.DataFrame(steps, columns=["after_minutes", "percent"]).astype("Int64"),
            num_rows="dynamic", hide_index=True, key=f"steps-{key}",
            column_config={
                "after_minutes": number(_("From minute"), min_value=0, max_value=DAY_MINUTES),
                "percent": number(_("Percent of the pay"), min_value=1, max_value=1000),
            },
        ),
    )  # fmt: skip


def _take(backend: Backend, shift: Shift, typed: Mapping[str, Any], tables: tuple) -> None:
    def changed(book: Rulebook) -> Rulebook:
        start, end = typed["start"] or time(8), typed["end"] or time(17)
        parts = dict(typed) | {"name": typed["name"].strip(), "start": start, "end": end}
        if parts["kind"] is not ShiftKind.FLEXIBLE:
            parts |= {"core_start": None, "core_end": None}
        pauses, steps = (_records(table) for table in tables)
        made = replace(
            shift,
            shift_id=shift.shift_id or new_id(),
            pauses=words.pauses_of(pauses),
            overtime=words.steps_of(steps),
            **parts,
        )
        return draft.with_parts(book, shifts={**book.shifts, made.shift_id: made.checked()})

    draft.put(backend, _("The shift is in the draft. Save the rules when all is as it should be."), changed)


def _records(table: pd.DataFrame) -> list[dict[str, Any]]:
    return [
        {name: None if pd.isna(value) else value for name, value in row.items()}
        for row in table.to_dict("records")
    ]


def _without(book: Rulebook, shift_id: str) -> Rulebook:
    if any(shift_id in day for one in book.assignments for day in one.pattern):
        raise InvalidInput("Schedules use this shift. Change or remove those first.")
    return draft.with_parts(book, shifts={key: one for key, one in book.shifts.items() if key != shift_id})
