"""Importing many people at once: what to import, a dry run, the import itself, and what came of it."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from ray_backend.client import Backend
from ray_backend.domain.errors import RollcallError
from ray_backend.services.bulk_import.desk import Desk
from ray_backend.services.bulk_import.report import rows
from ray_backend.services.bulk_import.runs import Plan, Run, State, Tally
from ray_backend.services.bulk_import.words import Fate
from streamlit_app import deps, import_words, presenters
from streamlit_app.i18n import N_, _, message
from streamlit_app.session import ACTOR, guarded

MEGABYTES = 100  # server.maxUploadSize in .streamlit/config.toml
_UPLOAD, _SERVER = N_("Upload a file"), N_("Take it from the import folder on the server")
_ANOTHER, _TALLY = "import_another", "import_tally"


@guarded("import")
def render(backend: Backend) -> None:
    """The import that runs or ran last, or the form for a new one."""
    st.title(_("Import people"))
    desk = backend.import_desk()
    run = desk.newest()
    state = desk.runs.state_of(run) if run else State.DONE
    if run is not None and state is State.RUNNING:
        _running(desk, run)
    elif run is not None and st.session_state.get(_ANOTHER) != run.run_id:
        _ended(desk, run, state)
    else:
        _form(desk)


def _form(desk: Desk) -> None:
    st.markdown(_(import_words.HOW))
    on_the_server = desk.on_the_server()
    way = _UPLOAD
    if desk.folder is not None:
        way = st.radio(_("Where is it?"), [_UPLOAD, _SERVER], format_func=_, key="import_way")
    upload = name = None
    if way == _UPLOAD:
        upload = st.file_uploader(
            _("File to import"), type=["zip", "csv", "xlsx"], max_upload_size=MEGABYTES, key="import_file",
            help=_("Photos that a table names have to be in the same .zip."),
        )  # fmt: skip
        words = import_words.LARGER if desk.folder else import_words.NO_FOLDER
        st.caption(_(words, megabytes=MEGABYTES))
    elif on_the_server:
        name = st.selectbox(_("Folder or file"), on_the_server, index=None, key="import_name")
    else:
        st.info(_("The import folder on the server is empty."), icon=":material/folder_open:")
    consent = _consent()
    if st.button(
        _("Start the dry run"), type="primary", icon=":material/fact_check:", disabled=not (upload or name),
        help=_("Looks at every photo and says what would become of it. Nothing is stored."),
    ):  # fmt: skip
        _start_dry_run(desk, upload, name, consent)


def _consent() -> bool:
    consent = st.checkbox(_(import_words.CONSENT), key="import_consent")
    st.caption(_(import_words.NO_CONSENT))
    with st.expander(_("Consent text of this site")):
        st.text(deps.site().consent_text)
    return consent


def _start_dry_run(desk: Desk, upload, name: str | None, consent: bool) -> None:
    try:
        path = desk.keep_upload(upload, upload.name) if upload else desk.path_on_the_server(name)
        plan = Plan(
            str(path),
            ACTOR,
            title=upload.name if upload else name,
            dry_run=True,
            consent=consent,
            upload=upload is not None,
            context=desk.context,
        )
        _start(desk, plan)
    except RollcallError as error:
        st.error(message(error), icon=":material/error:")


def _start(desk: Desk, plan: Plan) -> None:
    """Raises RollcallError where it cannot begin."""
    desk.start(plan)
    st.session_state.pop(_ANOTHER, None)
    st.rerun()


def _running(desk: Desk, run: Run) -> None:
    st.subheader(_heading(run))
    _progress(desk, run.folder)
    st.caption(_("You can close this page: it goes on, and you find it here again."))
    if st.button(_("Stop"), icon=":material/stop_circle:", disabled=run.stop_asked, key="import_stop"):
        run.stop()
        st.rerun()


@st.fragment(run_every=1.0)
def _progress(desk: Desk, folder: Path) -> None:
    run = Run(folder)
    counts = _tally(run).counts
    total = run.standing.total
    st.progress(
        import_words.progress(counts.people, total), text=import_words.total_words(counts.people, total)
    )
    _tiles(run)
    if run.stop_asked:
        st.caption(_("It stops after the photos that are being looked at."))
    if desk.runs.state_of(run) is not State.RUNNING:
        st.rerun()


def _ended(desk: Desk, run: Run, state: State) -> None:
    st.subheader(_heading(run))
    finished = state is State.DONE
    show = st.success if finished else st.warning
    show(
        import_words.result_words(run, state),
        icon=":material/check_circle:" if finished else ":material/warning:",
    )
    if run.standing.problem:
        st.error(message(run.standing.problem), icon=":material/error:")
    _next_steps(desk, run, finished)
    _tiles(run)
    if run.standing.skipped:
        st.caption(_("Hidden files that were skipped: {number:,}", number=run.standing.skipped))
    _results(run)


def _next_steps(desk: Desk, run: Run, finished: bool) -> None:
    row = st.container(horizontal=True)
    if finished and run.plan.dry_run:
        label, plan = _("Import now"), _for_real(run.plan)
    elif finished:
        label, plan = "", run.plan
    else:
        label, plan = (_("Start the dry run again") if run.plan.dry_run else _("Go on")), run.plan
    possible = Path(plan.source).exists()
    if label and row.button(label, type="primary", icon=":material/play_arrow:", disabled=not possible):
        try:
            _start(desk, plan)
        except RollcallError as error:
            st.error(message(error), icon=":material/error:")
    if row.button(_("Import something else"), icon=":material/upload_file:"):
        run.drop_upload()
        st.session_state[_ANOTHER] = run.run_id
        st.rerun()


def _for_real(plan: Plan) -> Plan:
    return Plan(
        plan.source, ACTOR, plan.title, consent=plan.consent, upload=plan.upload, context=plan.context
    )


def _tiles(run: Run) -> None:
    row = st.container(horizontal=True)
    for label, number in import_words.tiles(_tally(run).counts).items():
        row.metric(label, number, border=True, format="localized")


def _results(run: Run) -> None:
    names = import_words.fates(rehearsed=run.plan.dry_run)
    chosen = st.pills(
        _("Show"), list(Fate), selection_mode="multi", format_func=names.__getitem__, key="import_fates"
    )
    text = st.text_input(_("Find"), placeholder=_("File, employee id or name"), key="import_find")
    found = rows(run.outcomes(), chosen or tuple(Fate))
    table = import_words.table(found, text.strip(), rehearsed=run.plan.dry_run)
    if table.empty:
        st.info(_("No file matches."), icon=":material/search_off:")
    else:
        st.dataframe(table, hide_index=True, width="stretch")
    if len(table) == import_words.MOST_ROWS:
        st.caption(
            _(
                "Only the first {number:,} are shown. Choose fewer, or download them.",
                number=import_words.MOST_ROWS,
            )
        )
    counts = _tally(run).counts
    if counts.refused or counts.duplicates:
        st.download_button(
            _("Download what was not taken"), import_words.refused_file(run), "not-imported.csv",
            "text/csv", icon=":material/download:", on_click="ignore",
        )  # fmt: skip


def _heading(run: Run) -> str:
    title = presenters.plain(run.plan.title or Path(run.plan.source).name)
    return _("Dry run of {title}", title=title) if run.plan.dry_run else _("Import of {title}", title=title)


def _tally(run: Run) -> Tally:
    """The run's counts; what was counted before in this tab is not read again."""
    known = st.session_state.get(_TALLY)
    tally = run.tally(known[1] if known and known[0] == run.run_id else None)
    st.session_state[_TALLY] = (run.run_id, tally)
    return tally
