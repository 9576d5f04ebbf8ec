"""Scheduled exports in words."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from ray_backend.domain.reporting.exports import ExportDraft, Report, Run, RunState, ScheduledExport, Step
from ray_backend.domain.reporting.timing import Rhythm, Timing
from streamlit_app.i18n import N_, _, day_words, message, n_
from streamlit_app.reports import saved

REPORTS = {
    Report.DAYS: N_("Day sheet"),
    Report.GRID: N_("Month grid"),
    Report.BALANCES: N_("Everybody's balance"),
    Report.LATE: N_("Late and early"),
    Report.ABSENCES: N_("Absences"),
    Report.OVERTIME: N_("Overtime"),
    Report.KIOSKS: N_("Kiosk statistics"),
}
FORMATS = {"csv": "CSV", "xlsx": "Excel", "pdf": "PDF", "json": "JSON"}
RHYTHMS = {
    Rhythm.DAILY: N_("Every day"),
    Rhythm.WEEKLY: N_("Every week"),
    Rhythm.MONTHLY: N_("Every month"),
}
_STEPS = {
    Step.NONE: N_("It is about to begin."),
    Step.MAKING: N_("The report is being made."),
    Step.WRITING: N_("The file is being written."),
    Step.SENDING: N_("The e-mail is being sent."),
}
# Any Monday: names of weekdays are taken from it.
_MONDAY = date(2026, 1, 5)


def weekday(number: int) -> str:
    """Monday for 0, in the reader's language."""
    return day_words(_MONDAY + timedelta(days=number), "EEEE")


def what(wanted: ExportDraft, sites: Mapping[str, str]) -> str:
    """Which report, of whom and as which kind of file."""
    return (
        f"{_(REPORTS[wanted.report])} · {saved.words(wanted.filter, sites)} · {FORMATS[wanted.file_format]}"
    )


def when(timing: Timing) -> str:
    """The rhythm in a sentence."""
    at = f"{timing.at:%H:%M}"
    if timing.rhythm is Rhythm.WEEKLY:
        return _("Every week on {weekday} at {time}", weekday=weekday(timing.weekday), time=at)
    if timing.rhythm is Rhythm.MONTHLY and timing.day > 28:
        return _("Every month on day {day}, or on its last day, at {time}", day=timing.day, time=at)
    if timing.rhythm is Rhythm.MONTHLY:
        return _("Every month on day {day} at {time}", day=timing.day, time=at)
    return _("Every day at {time}", time=at)


def where(wanted: ExportDraft) -> str:
    """The folder, the addresses, or both."""
    parts = []
    if wanted.folder is not None:
        parts.append(_("Folder {name}", name=wanted.folder) if wanted.folder else _("Folder for exports"))
    if wanted.recipients:
        parts.append(_("E-mail to {addresses}", addresses=", ".join(wanted.recipients)))
    return " · ".join(parts)


def next_time(export: ScheduledExport, zone: ZoneInfo) -> str:
    """When it is made next, and with whose rights."""
    return _("Next on {at}, with the rights of {owner}", at=local(export.due_at, zone), owner=export.owner)


def progress(run: Run) -> str:
    """Where a run has got to that is not over."""
    if run.state is RunState.WAITING and run.attempts:
        return _("It failed and is tried again. {reason}", reason=message(run.said))
    return _(_STEPS[run.step])


def outcome(run: Run) -> str:
    """What became of a run, without its time."""
    if run.state is RunState.FAILED:
        return _("Failed. {reason}", reason=message(run.said))
    if run.state is not RunState.DONE:
        return progress(run)
    parts = [n_("Done, {number} row.", "Done, {number} rows.", run.rows or 0)]
    if run.file:
        parts.append(_("File {name}.", name=run.file))
    if run.mailed:
        parts.append(_("E-mail sent."))
    if run.said:
        parts.append(message(run.said))
    if run.missed:
        parts.append(
            n_(
                "{number} time before it was missed while Rollcall was not running.",
                "{number} times before it were missed while Rollcall was not running.",
                run.missed,
            )
        )
    return " ".join(parts)


def time_of(run: Run, zone: ZoneInfo) -> str:
    """When a run was due, or that somebody asked for it."""
    at = local(run.due_at, zone)
    return _("{at}, by hand", at=at) if run.by_hand else at


def local(at: datetime, zone: ZoneInfo) -> str:
    """A moment on the site's clocks."""
    return f"{at.astimezone(zone):%Y-%m-%d %H:%M}"
