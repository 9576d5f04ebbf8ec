"""Files of long tables: made where reports are made, with a bar that says how far they are."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from ray_backend.client import Backend
from ray_backend.domain.errors import InvalidInput, NotFound, Unavailable
from ray_backend.services.table_files import MEDIA_TYPES, MOST_PRINTED_ROWS
from ray_backend.services.tables import Table
from streamlit_app.i18n import N_, _, message

# The file of a shorter one is there at once.
LONG_ROWS = 20_000
LOOK_AGAIN_S = 0.5
_MAKING = "reports_long_file"
_FORMATS = {
    "csv": (N_("Make CSV"), ":material/download:"),
    "xlsx": (N_("Make Excel"), ":material/table_view:"),
    "pdf": (N_("Make PDF"), ":material/picture_as_pdf:"),
    "json": (N_("Make JSON"), ":material/data_object:"),
}


@dataclass(slots=True)
class _Making:
    """`table` tells which one, `job` is the file's id, `data` the file once it is there."""

    table: tuple
    file_name: str
    file_format: str
    job: str
    data: bytes | None = None


def show(backend: Backend, table: Table, name: str) -> None:
    """A button for each kind of file, then how far it is, then the button that saves it."""
    key = (name, table.about, len(table))
    row = st.container(horizontal=True, key=f"{name}-downloads")
    for file_format, (label, icon) in _FORMATS.items():
        too_long = file_format == "pdf" and len(table) > MOST_PRINTED_ROWS
        if row.button(_(label), icon=icon, key=f"{name}-make-{file_format}", disabled=too_long):
            _begin(backend, table, key, f"{name}.{file_format}", file_format)
    making: _Making | None = st.session_state.get(_MAKING)
    if making is None or making.table != key:
        return
    if making.data is None:
        _progress(backend, making)
    if making.data is not None:
        st.container(key=f"{name}-saved").download_button(
            _("Save {file}", file=making.file_name),
            making.data,
            making.file_name,
            MEDIA_TYPES[making.file_format],
            icon=":material/save:",
            type="primary",
            on_click="ignore",
            key=f"{name}-save",
        )


def _begin(backend: Backend, table: Table, key: tuple, file_name: str, file_format: str) -> None:
    try:
        job = backend.report_files.begin(table, file_format, actor=backend.caller.name)
    except InvalidInput as error:
        st.error(message(error), icon=":material/error:")
        return
    st.session_state[_MAKING] = _Making(key, file_name, file_format, job)


@st.fragment(run_every=LOOK_AGAIN_S)
def _progress(backend: Backend, making: _Making) -> None:
    if making.data is not None:
        return
    who = {"actor": backend.caller.name}
    try:
        state = backend.report_files.state(making.job, **who)
        if state.finished:
            making.data = backend.report_files.take(making.job, **who)
    except NotFound as error:
        st.session_state.pop(_MAKING, None)
        st.error(message(error), icon=":material/error:")
        return
    except Unavailable as error:
        st.warning(message(error), icon=":material/warning:")
        return
    words = _("{done} of {total} rows are written", done=f"{state.done:,}", total=f"{state.total:,}")
    st.progress(state.done / max(1, state.total), text=words)
    if making.data is not None:
        st.rerun()
