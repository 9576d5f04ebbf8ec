"""Every working day of the filter: first in, last out, hours, and what they came to."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from ray_backend.domain.reporting.exports import Report
from ray_backend.domain.worktime.days import Status
from ray_backend.services import report_tables
from ray_backend.services.table_cells import clock
from streamlit_app import links
from streamlit_app.i18n import _
from streamlit_app.reports import plots
from streamlit_app.reports.context import Context, foot
from streamlit_app.reports.tables import show

# Four beside each other on a desk, two on a tablet.
_TOTAL_PX = 205


def render(context: Context) -> None:
    """Totals, arrivals and the rows. Raises InvalidInput."""
    sheet = context.sheet()
    if sheet.days.empty:
        _nothing(context)
    else:
        _totals(sheet.days)
        plots.arrivals(sheet.days)
        rows = report_tables.of_sheet(Report.DAYS, sheet, _("Attendance"), context.sites)
        show(context.backend, rows, context.file_name("attendance"))
    foot(sheet)


def _totals(days: pd.DataFrame) -> None:
    came = days[days["first_in"].notna() | days["last_out"].notna()]
    row = st.container(horizontal=True, gap="small")
    row.metric(_("People who came"), int(came["person_id"].nunique()), border=True, width=_TOTAL_PX)
    row.metric(_("Days with attendance"), len(came), border=True, width=_TOTAL_PX)
    row.metric(_("Hours worked"), clock(int(days["worked"].sum())), border=True, width=_TOTAL_PX)
    row.metric(
        _("Incomplete"), int((days["status"] == Status.INCOMPLETE).sum()), border=True, width=_TOTAL_PX,
        help=_("A punch is missing: somebody came and no leaving was recorded, or the other way round."),
    )  # fmt: skip


def _nothing(context: Context) -> None:
    chosen = context.chosen
    with st.container(border=True):
        st.subheader(_("No attendance in this range"))
        if chosen.department is not None or chosen.person or chosen.site or chosen.statuses:
            st.write(_("Nothing matches the filter. Choose a longer range or empty the filter."))
        else:
            st.write(_("Nobody was recorded on these days. Records come from a kiosk page; see *Start*."))
            links.link("home", _("Set up a kiosk"), ":material/videocam:")
