"""One export: what it is, what it did last, and what can be done with it."""

from __future__ import annotations

from collections.abc import Mapping
from zoneinfo import ZoneInfo

import streamlit as st

from ray_backend.client import Backend
from ray_backend.domain.errors import RollcallError
from ray_backend.domain.reporting.exports import Run, RunState, ScheduledExport, Ways
from streamlit_app.dialogs import dialog
from streamlit_app.exports import export_words as words
from streamlit_app.exports.form import change_export
from streamlit_app.i18n import N_, _, message
from streamlit_app.notes import attempt
from streamlit_app.presenters import plain
from streamlit_app.session import ACTOR

LOOK_AGAIN_S = 1.0
_SHOWN_RUNS = 10
_ICONS = {
    RunState.DONE: ":material/check_circle:",
    RunState.FAILED: ":material/error:",
    RunState.WAITING: ":material/hourglass_top:",
    RunState.RUNNING: ":material/hourglass_top:",
}


def show(
    backend: Backend, export: ScheduledExport, ways: Ways, sites: Mapping[str, str], zone: ZoneInfo
) -> None:
    """The card, with its progress while a report is being made."""
    runs = backend.exports.runs(export.export_id, limit=_SHOWN_RUNS)
    with st.container(border=True, key=f"export-{export.export_id}"):
        head = st.container(gap=None)
        head.markdown(f"**{plain(export.wanted.name)}**")
        head.text(words.what(export.wanted, sites))
        head.text(f"{words.when(export.wanted.timing)} · {words.where(export.wanted)}")
        if export.off:
            st.warning(_("Not made any more. {reason}", reason=message(export.off)), icon=":material/pause:")
        else:
            st.caption(plain(words.next_time(export, zone)))
        _buttons(backend, export, ways, sites)
        _progress(backend, export, runs)
        _last(runs, zone, export.off)


def _buttons(backend: Backend, export: ScheduledExport, ways: Ways, sites: Mapping[str, str]) -> None:
    exports, one = backend.exports, export.export_id
    row = st.container(horizontal=True)
    if row.button(_("Send now"), icon=":material/send:", key=f"now-{one}"):
        attempt(_("It has begun. Its progress is below."), lambda: exports.send_now(one, actor=ACTOR))
    if row.button(_("Change"), icon=":material/edit:", key=f"change-{one}"):
        change_export(backend, export, ways, sites)
    if export.off:
        if row.button(_("Switch on"), icon=":material/play_arrow:", key=f"on-{one}"):
            done = _("It is made again, with your rights.")
            attempt(done, lambda: exports.switch_on(one, actor=ACTOR))
    elif row.button(_("Switch off"), icon=":material/pause:", key=f"off-{one}"):
        attempt(_("It is not made any more."), lambda: exports.switch_off(one, actor=ACTOR))
    if row.button(_("Remove"), icon=":material/delete:", key=f"remove-{one}"):
        remove_export(backend, export)


@dialog(N_("Remove an export"))
def remove_export(backend: Backend, export: ScheduledExport) -> None:
    """Asks once more."""
    st.write(
        _(
            "**{name}** is not made any more. Files and messages that went out stay where they are.",
            name=plain(export.wanted.name),
        )
    )
    if st.button(_("Remove"), type="primary", key="export_remove"):
        attempt(_("The export is removed."), lambda: backend.exports.remove(export.export_id, actor=ACTOR))


def _progress(backend: Backend, export: ScheduledExport, runs: list[Run]) -> None:
    under_way = next((run for run in runs if not run.settled), None)
    if under_way is not None:
        _follow(backend, export.export_id, under_way.run_id)


@st.fragment(run_every=LOOK_AGAIN_S)
def _follow(backend: Backend, export_id: str, run_id: str) -> None:
    """Says how far a run has got, until it is over: then the whole page is shown anew."""
    try:
        runs = backend.exports.runs(export_id, limit=_SHOWN_RUNS)
    except RollcallError as error:
        st.info(message(error), icon=":material/hourglass_top:")
        return
    run = next((one for one in runs if one.run_id == run_id), None)
    if run is None or run.settled:
        st.rerun()
    st.info(words.progress(run), icon=":material/hourglass_top:")


def _last(runs: list[Run], zone: ZoneInfo, off: str) -> None:
    """`off` is said above already."""
    settled = [run for run in runs if run.settled]
    if not settled:
        return
    newest = settled[0]
    said = f"{words.time_of(newest, zone)}: {words.outcome(newest)}"
    if newest.state is RunState.FAILED and newest.said != off:
        st.error(said, icon=_ICONS[newest.state])
    else:
        st.caption(f"{_ICONS[newest.state]} {plain(said)}")
    if len(settled) > 1:
        with st.expander(_("The last times")):
            for run in settled:
                st.markdown(
                    f"{_ICONS[run.state]} **{words.time_of(run, zone)}** · {plain(words.outcome(run))}"
                )
