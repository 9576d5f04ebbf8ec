"""The one filter of all reports: the bar, and the page's address that says the same."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import streamlit as st

from ray_backend.client import Backend
from ray_backend.domain.reporting.filters import ReportFilter
from ray_backend.domain.reporting.periods import Days, days_of
from ray_backend.domain.requests import SheetQuery
from ray_backend.domain.worktime.days import Status
from ray_backend.domain.worktime.schedule import Site
from streamlit_app.i18n import _
from streamlit_app.reports import ranges
from streamlit_app.reports.report_words import status_words

DAYS, SITE, DEPARTMENT, PERSON, STATUS = "days", "site", "department", "person", "status"
ALL = frozenset({DAYS, SITE, DEPARTMENT, PERSON, STATUS})
# The address has these names, `report` besides.
FROM, TO = "from", "to"
_NAMES = ("report", FROM, TO, SITE, DEPARTMENT, PERSON, STATUS)
_ADDRESS = "reports_address"
# No department or site has a control character in its name.
_ANY = "\x00"
# Shows itself in a place of the bar, and says whether the filter is to be saved.
Menu = Callable[[Any], bool]


@dataclass(frozen=True, slots=True)
class Filter:
    """What the bar says. `days` has one date only while the second one is being chosen; None means any,
    an empty department people without one, no statuses all."""

    days: tuple[date, ...]
    site: str | None = None
    department: str | None = None
    person: str = ""
    statuses: tuple[str, ...] = ()

    @property
    def kept(self) -> ReportFilter:
        """The same in the form that is saved under a name."""
        start, end = self.days if len(self.days) == 2 else (None, None)
        return ReportFilter(None, start, end, self.site, self.department, self.person, self.statuses)

    @property
    def query(self) -> SheetQuery:
        """The working days of everybody who passes, of every status: `sheets` sorts those out."""
        start, end = self.days
        return SheetQuery(start, end, department=self.department, text=self.person, site=self.site)


def key(name: str) -> str:
    """Under which the bar keeps a part of the filter, or the page its report."""
    return f"reports_{name}"


def follow_address(reports: Sequence[str], today: date) -> None:
    """Takes over what the address says, if it says something new, or what this tab had the last time."""
    known = st.session_state.get(_ADDRESS)
    now = {name: st.query_params[name] for name in _NAMES if name in st.query_params}
    wanted = now or known or {}
    complete = all(key(name) in st.session_state for name in ("report", *sorted(ALL)))
    if wanted == known and complete:
        return
    report = wanted.get("report")
    st.session_state[key("report")] = report if report in reports else reports[0]
    st.session_state[key(DAYS)] = _days(wanted) or ranges.usual(today)
    st.session_state[key(SITE)] = wanted.get(SITE, _ANY)
    st.session_state[key(DEPARTMENT)] = wanted.get(DEPARTMENT, _ANY)
    st.session_state[key(PERSON)] = wanted.get(PERSON, "")
    words = wanted.get(STATUS, "").split(",")
    st.session_state[key(STATUS)] = [status.value for status in Status if status.value in words]


def tell_address(report: str, chosen: Filter) -> None:
    """Puts the report and the filter into the address, so that it can be passed on."""
    address = {"report": report} | _told(chosen)
    st.session_state[_ADDRESS] = address
    if st.query_params.to_dict() != address:
        st.query_params.from_dict(address)


def bar(
    backend: Backend, sites: Sequence[Site], today: date, used: frozenset[str], menu: Menu
) -> tuple[Filter, bool]:
    """Shows the bar and what it says. What is not of `used` does nothing in this report, and is shown so.

    `menu` is put beside the quick choices; whatever it returns is returned, too.
    """
    with st.container(key="reports-filter"):
        wanted = menu(_quick_choices(today, DAYS in used))
        row = st.container(horizontal=True, gap="small")
        days = row.date_input(
            _("From and to"), key=key(DAYS), format="YYYY-MM-DD", disabled=DAYS not in used, width=225
        )
        site = _site(row, sites, SITE in used)
        department = _department(row, backend, DEPARTMENT in used)
        person = row.text_input(
            _("Person"), key=key(PERSON), placeholder=_("Name or employee id"), disabled=PERSON not in used,
            width=160,
        )  # fmt: skip
        statuses = row.multiselect(
            _("Status"), [status.value for status in Status], key=key(STATUS), format_func=status_words,
            placeholder=_("Any"), disabled=STATUS not in used, width=136,
        )  # fmt: skip
    return Filter(tuple(days), site, department, person.strip(), tuple(statuses)), wanted


def choose_person(employee_id: str) -> None:
    """From the next run on, the reports are about this person."""
    st.session_state[key(PERSON)] = employee_id


def use(kept: ReportFilter, today: date) -> None:
    """From the next run on, the bar says what was saved."""
    _choose_days(kept.days(today))
    st.session_state[key(SITE)] = _ANY if kept.site is None else kept.site
    st.session_state[key(DEPARTMENT)] = _ANY if kept.department is None else kept.department
    st.session_state[key(PERSON)] = kept.person
    st.session_state[key(STATUS)] = list(kept.statuses)


def _quick_choices(today: date, used: bool):
    """The row of them, which has room for more."""
    row = st.container(horizontal=True, gap="small")
    for period in ranges.QUICK:
        row.button(
            ranges.words(period), key=f"reports-{period.value}", disabled=not used,
            on_click=_choose_days, args=(days_of(period, today),),
        )  # fmt: skip
    return row


def _choose_days(days: Days) -> None:
    st.session_state[key(DAYS)] = days


def _department(place, backend: Backend, used: bool) -> str | None:
    names = [_ANY, *backend.people.departments(), ""]
    return _selectbox(place, _("Department"), DEPARTMENT, names, _department_words, used)


def _department_words(name: str) -> str:
    if name == _ANY:
        return _("All departments")
    return name or _("No department")


def _site(place, sites: Sequence[Site], used: bool) -> str | None:
    if len(sites) < 2:
        st.session_state[key(SITE)] = _ANY
        return None
    names = {_ANY: _("All sites")} | {site.site_id: site.name for site in sites}
    return _selectbox(place, _("Site"), SITE, list(names), lambda one: names[one], used)


def _selectbox(place, label: str, name: str, options: list[str], shown, used: bool) -> str | None:
    if st.session_state[key(name)] not in options:
        # Of a link that somebody with other departments made, or one that is gone by now.
        st.session_state[key(name)] = _ANY
    chosen = place.selectbox(label, options, key=key(name), format_func=shown, disabled=not used, width=150)
    return None if chosen == _ANY else chosen


def _days(address: Mapping[str, str]) -> Days | None:
    try:
        start, end = date.fromisoformat(address.get(FROM, "")), date.fromisoformat(address.get(TO, ""))
    except ValueError:
        return None
    return (start, end) if start <= end else None


def _told(chosen: Filter) -> dict[str, str]:
    told = dict(zip((FROM, TO), map(str, chosen.days), strict=False))
    if chosen.site is not None:
        told[SITE] = chosen.site
    if chosen.department is not None:
        told[DEPARTMENT] = chosen.department
    if chosen.person:
        told[PERSON] = chosen.person
    if chosen.statuses:
        told[STATUS] = ",".join(chosen.statuses)
    return told
