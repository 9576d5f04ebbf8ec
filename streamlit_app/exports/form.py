"""The form for an export: what, when, where to."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import time

import streamlit as st

from ray_backend.client import Backend
from ray_backend.domain.reporting.exports import FORMATS, ExportDraft, Report, ScheduledExport, Ways
from ray_backend.domain.reporting.filters import LONGEST_NAME, ReportFilter
from ray_backend.domain.reporting.periods import Period
from ray_backend.domain.reporting.timing import Rhythm, Timing
from streamlit_app.dialogs import dialog
from streamlit_app.exports import export_words as words
from streamlit_app.i18n import N_, _
from streamlit_app.notes import attempt
from streamlit_app.reports import ranges, saved
from streamlit_app.session import ACTOR

_BETWEEN = re.compile(r"[\s,;]+")
# What a new export begins with: last month, on the first, early in the morning.
_NEW = ExportDraft(
    "", Report.DAYS, ReportFilter(Period.LAST_MONTH), "xlsx", Timing(Rhythm.MONTHLY, time(6), day=1)
)


@dialog(N_("New export"), width="large")
def new_export(backend: Backend, ways: Ways, sites: Mapping[str, str]) -> None:
    """Asks for everything, and makes the export."""
    draft = replace(_NEW, folder="") if ways.folder else _NEW
    wanted = _fields(backend, ways, sites, draft, "new")
    if st.button(_("Set it up"), type="primary", key="export_add"):
        attempt(_("The export is set up."), lambda: backend.exports.add(wanted, actor=ACTOR))


@dialog(N_("Change an export"), width="large")
def change_export(backend: Backend, export: ScheduledExport, ways: Ways, sites: Mapping[str, str]) -> None:
    """The same with what is there. Whoever changes it is whose rights count from then on."""
    wanted = _fields(backend, ways, sites, export.wanted, export.export_id)
    st.caption(_("From now on it is made with your rights."))
    if st.button(_("Save"), type="primary", key="export_change"):
        change = backend.exports.change
        attempt(_("The export is changed."), lambda: change(export.export_id, wanted, actor=ACTOR))


def _fields(
    backend: Backend, ways: Ways, sites: Mapping[str, str], before: ExportDraft, key: str
) -> ExportDraft:
    name = st.text_input(_("Name"), before.name, key=f"export_name-{key}", max_chars=LONGEST_NAME)
    left, right = st.columns(2)
    report = left.selectbox(
        _("Report"), list(words.REPORTS), list(words.REPORTS).index(before.report),
        key=f"export_report-{key}", format_func=lambda one: _(words.REPORTS[one]),
    )  # fmt: skip
    file_format = right.selectbox(
        _("Kind of file"), FORMATS, FORMATS.index(before.file_format), key=f"export_format-{key}",
        format_func=words.FORMATS.get,
    )  # fmt: skip
    chosen = _filter(backend, sites, before.filter, key)
    timing = _timing(before.timing, key)
    folder, recipients = _ways(ways, before, key)
    return ExportDraft(name, report, chosen, file_format, timing, folder, recipients)


def _filter(backend: Backend, sites: Mapping[str, str], before: ReportFilter, key: str) -> ReportFilter:
    """A saved filter, or what is there already, for days that move along."""
    bare = replace(before, period=Period.TODAY, start=None, end=None)
    everybody = ReportFilter(Period.TODAY)
    choices = {"": (_("Everybody, without a filter"), everybody)}
    if bare != everybody:
        choices = {"as-is": (_("As it is: {filter}", filter=_whom(before, sites)), before)} | choices
    for one in backend.saved_filters.usable(actor=ACTOR):
        choices[one.filter_id] = (f"{one.name} ({_whom(one.filter, sites)})", one.filter)
    left, right = st.columns(2)
    which = left.selectbox(
        _("Saved filter"), list(choices), key=f"export_filter-{key}", format_func=lambda one: choices[one][0],
        help=_("Filters are saved on the page Reports. Later changes of a filter do not change the export."),
    )  # fmt: skip
    usual = (choices[which][1].period if which else before.period) or Period.LAST_MONTH
    period = right.selectbox(
        _("Days"), list(ranges.PERIODS), list(ranges.PERIODS).index(usual), format_func=ranges.words,
        key=f"export_days-{key}-{which}", help=_("Seen from the day on which the export is due."),
    )  # fmt: skip
    return replace(choices[which][1], period=period, start=None, end=None)


def _whom(chosen: ReportFilter, sites: Mapping[str, str]) -> str:
    """The filter without its days; everybody where it has nothing else."""
    said = saved.words(replace(chosen, period=Period.TODAY), sites)
    return said.partition(" · ")[2] or _("Everybody")


def _timing(before: Timing, key: str) -> Timing:
    left, middle, right = st.columns(3)
    rhythm = left.selectbox(
        _("How often"), list(words.RHYTHMS), list(words.RHYTHMS).index(before.rhythm),
        key=f"export_rhythm-{key}", format_func=lambda one: _(words.RHYTHMS[one]),
    )  # fmt: skip
    weekday, day = before.weekday, before.day
    if rhythm is Rhythm.WEEKLY:
        weekday = middle.selectbox(
            _("On"), range(7), weekday, key=f"export_weekday-{key}", format_func=words.weekday
        )
    elif rhythm is Rhythm.MONTHLY:
        day = middle.number_input(
            _("On day"), 1, 31, day, key=f"export_day-{key}",
            help=_("In a shorter month it is the last day."),
        )  # fmt: skip
    at = right.time_input(_("At"), before.at, step=900, key=f"export_at-{key}")
    return Timing(rhythm, at, weekday, int(day))


def _ways(ways: Ways, before: ExportDraft, key: str) -> tuple[str | None, tuple[str, ...]]:
    folder, recipients = None, ()
    if ways.folder and st.checkbox(
        _("Put the file into a folder on the server"),
        before.folder is not None,
        key=f"export_to_folder-{key}",
    ):
        folder = st.text_input(
            _("Folder"), before.folder or "", key=f"export_folder-{key}", placeholder="payroll/monthly",
            help=_("Below the server's folder for exports. Empty: that folder itself."),
        )  # fmt: skip
    if ways.mail:
        text = st.text_area(
            _("Send it by e-mail to"), "\n".join(before.recipients), key=f"export_recipients-{key}",
            placeholder="ada@example.org", help=_("One address in a line. Empty: no e-mail."), height=80,
        )  # fmt: skip
        recipients = tuple(filter(None, _BETWEEN.split(text)))
    return folder, recipients
