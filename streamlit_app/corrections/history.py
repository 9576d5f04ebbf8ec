"""What was corrected: requests with what became of them."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

import streamlit as st

from ray_backend.client import Backend
from ray_backend.domain.worktime.corrections import Correction, CorrectionState
from streamlit_app import correction_words as words
from streamlit_app import deps
from streamlit_app.corrections.who import People
from streamlit_app.i18n import _

MOST_ROWS = 300
_SPAN = timedelta(days=30)


def render(backend: Backend) -> None:
    """Those of some days, the latest punch first."""
    zone = deps.site().zone
    today = datetime.now(zone).date()
    left, right = st.columns(2)
    span = left.date_input(
        _("Days of the punches"), value=(today - _SPAN, today), key="history-days", format="YYYY-MM-DD"
    )
    state = right.selectbox(
        _("Decision"), ["", *words.STATES], key="history-state",
        format_func=lambda name: _(words.STATES[name]) if name else _("All"),
    )  # fmt: skip
    if len(span) < 2:
        st.info(_("Choose the last day of the range, too."), icon=":material/date_range:")
        return
    found = _find(backend, span[0], span[1], state)
    if not found:
        st.info(_("Nothing was corrected on these days."), icon=":material/history:")
        return
    people = People(backend)
    if len(found) > MOST_ROWS:
        st.caption(_("Only the latest {number} are shown. Choose fewer days.", number=MOST_ROWS))
    st.dataframe([_row(people, one) for one in found[:MOST_ROWS]], hide_index=True, key="history-rows")


def _find(backend: Backend, first: date, last: date, state: CorrectionState | str) -> list[Correction]:
    zone = deps.site().zone
    start = datetime.combine(first, time(), zone)
    end = datetime.combine(last + timedelta(days=1), time(), zone)
    found: list[Correction] = []
    cursor = None
    while True:
        page = backend.corrections.find(
            states=(str(state),) if state else None, start=start, end=end, cursor=cursor, limit=1000
        )
        found += page.items
        cursor = page.next_cursor
        if cursor is None:
            return found[::-1]


def _row(people: People, one: Correction) -> dict[str, str]:
    zone = people.zone(one.person_id)
    return {
        _("Punch"): words.moment(one.at, zone),
        _("Person"): people.name(one.person_id),
        _("What"): _(words.SHORT_KINDS[one.kind]),
        _("Direction"): _(words.DIRECTIONS[one.direction]) if one.direction else "",
        _("Given to"): people.name(one.to_person_id) if one.to_person_id else "",
        _("Decision"): _(words.STATES[one.state]),
        _("Asked for by"): one.requested_by,
        _("Reason"): words.reason(one),
        _("Decided by"): one.decided_by,
        _("Decided at"): words.moment(one.decided_at, zone) if one.decided_at else "",
        _("Note"): one.decision_note,
    }
