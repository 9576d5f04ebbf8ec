"""A table on the screen, a page at a time, and the same one as files."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import streamlit as st

from ray_backend.client import Backend
from ray_backend.services.table_cells import printed
from ray_backend.services.table_files import MEDIA_TYPES, MOST_PRINTED_ROWS
from ray_backend.services.tables import Kind, Table
from streamlit_app.i18n import N_, _
from streamlit_app.reports import long_files
from streamlit_app.reports.report_words import status_words

# Rows at once: the browser gets these only.
PAGE_ROWS = 1000
_FORMATS = {
    "csv": (N_("Download CSV"), ":material/download:"),
    "xlsx": (N_("Download Excel"), ":material/table_view:"),
    "pdf": (N_("Download PDF"), ":material/picture_as_pdf:"),
    "json": (N_("Download JSON"), ":material/data_object:"),
}


def show(backend: Backend, table: Table, name: str) -> None:
    """The table and the buttons for its files; `name` begins their names and keeps the page of the table."""
    first = _page(table, name)
    part = replace(table, frame=table.frame.iloc[first : first + PAGE_ROWS])
    st.dataframe(
        on_screen(part),
        hide_index=True,
        width="stretch",
        height="auto",
        alt=_(table.title),
        key=f"{name}-rows",
    )
    downloads(backend, table, name)


def on_screen(table: Table) -> pd.DataFrame:
    """Each cell as a text in the reader's language, under the headings of the files."""
    days = table.frame["date"] if "date" in table.frame.columns else None
    return pd.DataFrame(
        {
            _(column.heading): [status_words(word) for word in table.frame["status"]]
            if column.key == "status"
            else _plain(column.kind, printed(column, table.frame[column.key], days), table.frame[column.key])
            for column in table.columns
        }
    )


def downloads(backend: Backend, table: Table, name: str) -> None:
    """A button for each kind of file, which is made when it is pressed. `long_files` makes long ones."""
    if len(table) > long_files.LONG_ROWS:
        long_files.show(backend, table, name)
        return
    row = st.container(horizontal=True, key=f"{name}-downloads")
    for file_format, (label, icon) in _FORMATS.items():
        too_long = file_format == "pdf" and len(table) > MOST_PRINTED_ROWS
        row.download_button(
            _(label),
            lambda file_format=file_format: backend.export(table, file_format),
            f"{name}.{file_format}",
            MEDIA_TYPES[file_format],
            icon=icon,
            on_click="ignore",
            key=f"{name}-{file_format}",
            disabled=too_long,
            help=_("A PDF has room for {most} rows. Choose fewer days or people.", most=MOST_PRINTED_ROWS)
            if too_long
            else None,
        )


def _page(table: Table, name: str) -> int:
    """The first row of the page that is shown, from 0."""
    pages = -(-len(table) // PAGE_ROWS)
    if pages < 2:
        return 0
    row = st.container(horizontal=True, vertical_alignment="bottom")
    number = row.number_input(_("Page"), 1, pages, key=f"{name}-page-of-{pages}", width=140)
    first = (number - 1) * PAGE_ROWS
    row.caption(
        _(
            "Rows {first} to {last} of {total}. The files hold all of them.",
            first=first + 1,
            last=min(first + PAGE_ROWS, len(table)),
            total=len(table),
        )
    )
    return first


def _plain(kind: Kind, texts: list[str], values: pd.Series) -> list:
    """Whole numbers stay numbers, so that the browser sorts them as such."""
    if kind is Kind.NUMBER and pd.api.types.is_integer_dtype(values):
        return values.tolist()
    return texts
