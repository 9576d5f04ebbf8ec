"""Punches of other terminals from a file: which column is which, a dry run, and the import."""

from __future__ import annotations

import io
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

import streamlit as st

from ray_backend.client import Backend
from ray_backend.domain.errors import RollcallError
from ray_backend.services.punch_files import DateOrder, PunchColumn, PunchLayout, is_whole, punch_layout
from ray_backend.services.punch_import import PunchOutcome
from streamlit_app import deps, help
from streamlit_app.i18n import _, message, n_
from streamlit_app.punches import run
from streamlit_app.punches.run import Plan, Result
from streamlit_app.session import ACTOR, guarded

MEGABYTES = 100  # server.maxUploadSize in .streamlit/config.toml
_DONE = "punches_done"
_NONE = -1


@guarded("import_punches")
def render(backend: Backend) -> None:
    """The file, how to read it, what would come of it, and what came of it."""
    help.title(_("Import punches"), "punches")
    st.markdown(
        _(
            "Takes over what other terminals recorded: a **.csv** file with a row for each punch, or a "
            "terminal's own **attlog.dat**. The same file may be imported again, whole or in part: what is "
            "there already stays one."
        )
    )
    file = st.file_uploader(
        _("File"), type=["csv", "txt", "tsv", "dat"], max_upload_size=MEGABYTES, key="punches-file"
    )
    if file is None:
        return
    try:
        layout = punch_layout(io.BytesIO(file.getvalue()))
    except RollcallError as error:
        st.error(message(error), icon=":material/error:")
        return
    plan = _plan(layout)
    if not is_whole(plan.places):
        st.info(
            _("Say which column holds the employee id, and which the date and time."),
            icon=":material/view_column:",
        )
        return
    _run(backend, file.file_id, file.getvalue(), plan)


def _plan(layout: PunchLayout) -> Plan:
    places = layout.places
    if layout.headings:
        with st.expander(_("Columns"), expanded=not is_whole(places), icon=":material/view_column:"):
            places = _columns(layout)
    else:
        st.caption(_("This is a terminal's own file: its columns are known."))
    left, right = st.columns(2)
    here = deps.site().time_zone
    zones = [here, *(name for name in _zones() if name != here)]
    zone = left.selectbox(
        _("Time zone of the terminal"), zones, key="punches-zone",
        help=_("For times that do not say it themselves."),
    )  # fmt: skip
    order = right.selectbox(
        _("Dates such as 03/02/2026"), list(run.ORDERS), key="punches-order",
        format_func=lambda way: _(run.ORDERS[way]),
    )  # fmt: skip
    return Plan(places, ZoneInfo(zone), DateOrder(order) if order else None)


def _columns(layout: PunchLayout) -> dict[PunchColumn, int]:
    """What the reader says that the columns hold; at first what was recognised."""
    names = {_NONE: _("Not in the file")} | dict(enumerate(layout.headings))
    places: dict[PunchColumn, int] = {}
    row = st.columns(3)
    for number, (column, label) in enumerate(run.COLUMNS.items()):
        known = layout.places.get(column, _NONE)
        chosen = row[number % len(row)].selectbox(
            _(label), list(names), index=list(names).index(known), key=f"punches-{column}",
            format_func=names.__getitem__,
        )  # fmt: skip
        if chosen != _NONE:
            places[column] = chosen
    st.caption(_("Without a direction it is worked out as at a kiosk."))
    return places


@cache
def _zones() -> list[str]:
    return sorted(available_timezones())


def _run(backend: Backend, file_id: str, data: bytes, plan: Plan) -> None:
    """A dry run first; the import once nothing was changed since."""
    asked = (file_id, tuple(plan.places.items()), plan.zone.key, plan.order)
    known = st.session_state.get(_DONE)
    dry_run, result = known[1:] if known and known[0] == asked else (True, None)
    row = st.container(horizontal=True)
    again = row.button(
        _("Start the dry run"), icon=":material/fact_check:", key="punches-dry-run",
        type="secondary" if result else "primary",
        help=_("Says what would become of every row. Nothing is recorded."),
    )  # fmt: skip
    if again:
        _start(backend, data, plan, asked, dry_run=True)
    new = result.counts[PunchOutcome.ADDED] if result and dry_run else 0
    if new and row.button(
        n_("Record {number:,} punch", "Record {number:,} punches", new),
        type="primary", icon=":material/done_all:", key="punches-import",
    ):  # fmt: skip
        _start(backend, data, plan, asked, dry_run=False)
    if result is not None:
        _show(result, dry_run)


def _start(backend: Backend, data: bytes, plan: Plan, asked: tuple, *, dry_run: bool) -> None:
    total = run.rows_of(data)
    bar = st.progress(0.0, text=_("Reading"))
    if not dry_run:
        st.caption(_("Leave this page open. If it is closed, import the same file again: it goes on."))

    def told(rows: int) -> None:
        text = _("{rows:,} of about {total:,} rows", rows=rows, total=max(rows, total))
        bar.progress(min(1.0, rows / total), text=text)

    try:
        result = run.take(backend, data, plan, dry_run=dry_run, actor=ACTOR, told=told)
    except RollcallError as error:
        st.error(message(error), icon=":material/error:")
        st.stop()
    st.session_state[_DONE] = (asked, dry_run, result)
    st.rerun()


def _show(result: Result, dry_run: bool) -> None:
    new = result.counts[PunchOutcome.ADDED]
    if dry_run:
        said = n_("{number:,} punch would be recorded.", "{number:,} punches would be recorded.", new)
        st.info(said, icon=":material/fact_check:")
    else:
        said = n_("{number:,} punch was recorded.", "{number:,} punches were recorded.", new)
        st.success(said, icon=":material/check_circle:")
    row = st.container(horizontal=True)
    for outcome, label in run.OUTCOMES.items():
        row.metric(_(label), result.counts[outcome], border=True, format="localized")
    if not result.left:
        return
    st.subheader(_("Not recorded"))
    st.dataframe(run.table(result), hide_index=True, width="stretch", key="punches-left")
    if len(result.left) > run.MOST_SHOWN:
        st.caption(
            _("Only the first {number:,} are shown. The download has them all.", number=run.MOST_SHOWN)
        )
    st.download_button(
        _("Download these rows"), run.left_file(result), "not-recorded.csv", "text/csv",
        icon=":material/download:", on_click="ignore",
    )  # fmt: skip
