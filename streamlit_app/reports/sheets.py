"""The timesheet behind a report: worked out once for a filter and kept for this tab and account only."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

import streamlit as st

from ray_backend.client import Backend
from ray_backend.domain.permissions import Caller
from ray_backend.domain.requests import SheetQuery
from ray_backend.services.timesheet import Sheet
from streamlit_app.i18n import _
from streamlit_app.reports.filters import Filter

# So old may a report be that somebody looks at again. *Refresh* works it out anew at once.
KEEP_S = 120.0
_KEPT = "reports_sheet"


@dataclass(frozen=True, slots=True)
class _Kept:
    """`key` says for whom and what, `at` is a moment of the monotonic clock."""

    key: tuple
    at: float
    sheet: Sheet


def sheet_for(backend: Backend, chosen: Filter) -> Sheet:
    """The days of the filter. Raises InvalidInput."""
    found = _derived(backend, chosen.query)
    if not chosen.statuses:
        return found
    days = found.days[found.days["status"].isin(chosen.statuses)].reset_index(drop=True)
    return replace(found, query=replace(found.query, statuses=chosen.statuses), days=days)


def forget() -> None:
    """The next report is worked out anew."""
    st.session_state.pop(_KEPT, None)


def _derived(backend: Backend, query: SheetQuery) -> Sheet:
    wanted = (_who(backend.caller), query)
    kept: _Kept | None = st.session_state.get(_KEPT)
    if kept is not None and kept.key == wanted and time.monotonic() - kept.at < KEEP_S:
        return kept.sheet
    with st.spinner(_("The days are being worked out from punches, corrections and rules."), show_time=True):
        made = backend.timesheets.sheet(query)
    st.session_state[_KEPT] = _Kept(wanted, time.monotonic(), made)
    return made


def _who(caller: Caller) -> tuple:
    """What the gate narrows by: an account's departments may change while it is signed in."""
    return caller.name, caller.role, caller.departments
