"""What every report is given, and what several of them say alike."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import streamlit as st

from ray_backend.client import Backend
from ray_backend.domain.worktime.schedule import Rulebook
from ray_backend.services import tables
from ray_backend.services.timesheet import Sheet
from streamlit_app import links
from streamlit_app.i18n import _
from streamlit_app.page_roles import PAGES
from streamlit_app.reports import report_words, sheets
from streamlit_app.reports.filters import Filter

# The page on which shifts and schedules are made.
RULES_PAGE = "rules"


@dataclass(frozen=True, slots=True)
class Context:
    """`backend` acts as who is signed in; `rules` are those in force."""

    backend: Backend
    chosen: Filter
    rules: Rulebook

    @property
    def has_schedules(self) -> bool:
        """Whether anybody is expected at any time; without that nobody is late or absent."""
        return bool(self.rules.assignments)

    @property
    def sites(self) -> Mapping[str, str]:
        """Names of sites by their ids."""
        return {site.site_id: site.name for site in self.rules.sites}

    def sheet(self) -> Sheet:
        """The days of the filter; see `sheets`. Raises InvalidInput."""
        return sheets.sheet_for(self.backend, self.chosen)

    def about(self, sheet: Sheet) -> tuple[tuple[str, str], ...]:
        """What a file made of this sheet states."""
        return tables.about(sheet, self.sites)

    def file_name(self, report: str) -> str:
        """The beginning of the names of a report's files."""
        return "_".join([report, *map(str, self.chosen.days)])


def foot(sheet: Sheet) -> None:
    """When and how the sheet was worked out, and a button to do it anew."""
    row = st.container(horizontal=True, vertical_alignment="center")
    row.caption(report_words.as_of(sheet.generated_at, sheet.zone, sheet.rule_version))
    row.button(_("Refresh"), icon=":material/refresh:", type="tertiary", on_click=sheets.forget)


def nothing(title: str, text: str) -> None:
    """An empty report, and what to do next."""
    with st.container(border=True):
        st.subheader(title)
        st.write(text)


def needs_schedules(context: Context, what: str) -> bool:
    """Says that a report needs schedules where there are none, and whether it had to."""
    if context.has_schedules:
        return False
    with st.container(border=True):
        st.subheader(_("Nobody has a schedule yet"))
        st.write(what)
        if context.backend.may("rules.change") and RULES_PAGE in PAGES:
            links.link(RULES_PAGE, _("Set up shifts and schedules"), ":material/calendar_month:")
        else:
            st.caption(_("An administrator can set up shifts and schedules."))
    return True
