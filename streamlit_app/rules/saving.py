"""Before rules are saved: what they would change in past days."""

from __future__ import annotations

from datetime import datetime, timedelta

import streamlit as st

from ray_backend.client import Backend
from ray_backend.domain.errors import RollcallError
from ray_backend.domain.worktime.schedule import Rulebook
from ray_backend.services.rule_trial import MOST_ROWS, Trial
from streamlit_app import deps
from streamlit_app.i18n import _, message, n_
from streamlit_app.notes import attempt
from streamlit_app.reports.report_words import status_words
from streamlit_app.rules import draft
from streamlit_app.session import ACTOR

DAYS = 31
_TRIED = "rules_tried"


def render(backend: Backend, book: Rulebook) -> None:
    """Nothing while nothing is changed."""
    if not draft.changed():
        return
    with st.container(border=True, key="rules-saving"):
        st.markdown(_("**The rules are changed, but not saved yet.**"))
        row = st.container(horizontal=True)
        if row.button(_("See what changes"), type="primary", icon=":material/preview:", key="rules-try"):
            _try(backend, book)
        if row.button(_("Drop the changes"), icon=":material/undo:", key="rules-drop"):
            draft.drop()
            st.rerun()
        tried = st.session_state.get(_TRIED)
        # Whoever changes anything else has to look again.
        if tried is not None and tried[0] == book:
            _told(tried[1])
            if st.button(_("Save these rules"), type="primary", icon=":material/save:", key="rules-save"):
                attempt(
                    _("The rules are saved. They count for all days, past ones too."),
                    lambda: backend.rules.change(book, actor=ACTOR),
                    draft.drop,
                )


def _try(backend: Backend, book: Rulebook) -> None:
    today = datetime.now(deps.site().zone).date()
    try:
        with st.spinner(_("Working out the last month's days …")):
            trial = backend.rule_trials.changes(book, today - timedelta(days=DAYS - 1), today)
    except RollcallError as error:
        st.error(message(error), icon=":material/error:")
        return
    st.session_state[_TRIED] = (book, trial)


def _told(trial: Trial) -> None:
    if not trial.days:
        st.info(_("No day of the last month comes out otherwise."), icon=":material/check:")
        return
    people = n_("{number} person", "{number} people", trial.people)
    st.warning(
        n_(
            "{number} day of {people} comes out otherwise in the last month.",
            "{number} days of {people} come out otherwise in the last month.",
            trial.days,
            people=people,
        ),
        icon=":material/change_circle:",
    )
    if len(trial.rows) == MOST_ROWS:
        st.caption(_("The first {number} of them:", number=MOST_ROWS))
    st.dataframe([_row(one) for one in trial.rows.to_dict("records")], hide_index=True, key="rules-changes")


def _row(one: dict) -> dict[str, str]:
    return {
        _("Date"): str(one["date"]),
        _("Name"): one["name"],
        _("Employee id"): one["employee_id"],
        _("Before"): _side(one, "before"),
        _("After"): _side(one, "after"),
    }


def _side(one: dict, side: str) -> str:
    status = one[f"status_{side}"]
    if not isinstance(status, str):
        return "–"
    return _(
        "{status}, worked {worked} of {target}, late {late}, early {early}, overtime {overtime} {shift}",
        status=status_words(status),
        shift=f"({one[f'shift_{side}']})" if one[f"shift_{side}"] else "",
        **{name: _hours(one[f"{name}_{side}"]) for name in ("worked", "target", "late", "early", "overtime")},
    )


def _hours(minutes: float) -> str:
    return f"{int(minutes) // 60}:{int(minutes) % 60:02}"
