"""People by days: one coloured letter for each day, a page of people at a time."""

from __future__ import annotations

from datetime import date
from html import escape

import pandas as pd
import streamlit as st

from ray_backend.domain.reporting.exports import Report
from ray_backend.domain.worktime.days import Status
from ray_backend.services import report_tables
from ray_backend.services.timesheet_views import LETTERS, WHO
from streamlit_app.i18n import _, day_words
from streamlit_app.reports import plots
from streamlit_app.reports.context import Context, foot, nothing
from streamlit_app.reports.report_words import status_words
from streamlit_app.reports.tables import downloads

PAGE_PEOPLE = 50
# A month and a bit: more columns than that are not read any more.
MOST_DAYS = 62
_STATUS_OF = {letter: status for status, letter in LETTERS.items()}
# Okabe and Ito's colours, lightened: told apart by colour-blind eyes, and dark letters are read on each.
_COLOURS = {
    Status.PRESENT: "#c5e8dc",
    Status.LATE: "#f6dfa6",
    Status.LEFT_EARLY: "#f3cfe2",
    Status.HALF_DAY: "#fbf6b6",
    Status.ABSENT: "#f2b79a",
    Status.ON_LEAVE: "#bfe0f5",
    Status.HOLIDAY: "#d3d6f0",
    Status.INCOMPLETE: "#ffffff",
    Status.AT_WORK: "#dff3ee",
}
_STYLE = """<style>
.rc-grid { overflow-x: auto; } .rc-grid table { border-collapse: collapse; font-size: .85rem; }
.rc-grid th { font-weight: 600; padding: .15rem .1rem; text-align: center; }
.rc-grid th[scope=row] { position: sticky; left: 0; text-align: left; white-space: nowrap; max-width: 16rem;
  overflow: hidden; text-overflow: ellipsis; padding-right: .6rem; background: Canvas; }
.rc-grid th[scope=row] small { opacity: .75; font-weight: 400; }
.rc-grid td { min-width: 1.35rem; height: 1.6rem; padding: 0; text-align: center; border: 1px solid #8884; }
.rc-grid th.weekend { opacity: .65; }
.rc-key { display: flex; flex-wrap: wrap; gap: .3rem 1rem; margin: .6rem 0; font-size: .9rem; }
.rc-key span { display: flex; align-items: center; gap: .4rem; }
.rc-key b { display: inline-grid; place-items: center; width: 1.6rem; height: 1.6rem;
  border: 1px solid #8884; }
.rc-incomplete { outline: 2px dashed #b3261e; outline-offset: -3px; }
</style>"""


def render(context: Context) -> None:
    """The heat map, the grid and its legend. Raises InvalidInput."""
    sheet = context.sheet()
    days = sheet.days
    if days.empty:
        nothing(
            _("Nobody to show"), _("Nothing matches the filter. Choose a longer range or empty the filter.")
        )
        foot(sheet)
        return
    if days["date"].nunique() > MOST_DAYS:
        nothing(
            _("Too many days for a grid"),
            _("A grid shows at most {days} days. Choose fewer, such as a month.", days=MOST_DAYS),
        )
        return
    plots.heat(days)
    st.subheader(_("Each person's days"))
    table = report_tables.of_sheet(Report.GRID, sheet, _("Month grid"), context.sites)
    shown = _page_of(table.frame)
    st.html(_STYLE + legend(days["status"].unique()) + html(shown))
    downloads(context.backend, table, context.file_name("grid"))
    foot(sheet)


def legend(statuses: list[str]) -> str:
    """What the letters mean, of those that come up."""
    marks = [
        f'<span><b class="{_class(status)}" style="{_style(status)}">{escape(LETTERS[status])}</b>'
        f"{escape(status_words(status))}</span>"
        for status in Status
        if status in statuses and LETTERS[status]
    ]
    title = escape(_("What the letters mean"))
    return f'<div class="rc-key" role="note" aria-label="{title}">{"".join(marks)}</div>'


def html(grid: pd.DataFrame) -> str:
    """The grid as a table; every cell says its day and status when it is pointed at or read aloud."""
    days = [column for column in grid.columns if isinstance(column, date)]
    heads = "".join(_head(day) for day in days)
    cells = {(day, letter): _cell(day, letter) for day in days for letter in grid[day].unique()}
    rows = "".join(
        f'<tr><th scope="row">{escape(name)} <small>{escape(number)}</small></th>'
        + "".join(cells[day, letter] for day, letter in zip(days, letters, strict=True))
        + "</tr>"
        for number, name, _department, *letters in grid[[*WHO, *days]].itertuples(index=False, name=None)
    )
    heads = f'<th scope="col">{escape(_("Person"))}</th>{heads}'
    return (
        f'<div class="rc-grid" tabindex="0"><table><thead><tr>{heads}</tr></thead>'
        f"<tbody>{rows}</tbody></table></div>"
    )


def _page_of(grid: pd.DataFrame) -> pd.DataFrame:
    pages = -(-len(grid) // PAGE_PEOPLE)
    if pages < 2:
        return grid
    row = st.container(horizontal=True, vertical_alignment="bottom")
    number = row.number_input(_("Page"), 1, pages, key=f"grid-page-of-{pages}", width=140)
    first = (number - 1) * PAGE_PEOPLE
    last = min(first + PAGE_PEOPLE, len(grid))
    row.caption(_("People {first} to {last} of {total}.", first=first + 1, last=last, total=len(grid)))
    return grid.iloc[first:last]


def _head(day: date) -> str:
    weekend = ' class="weekend"' if day.weekday() > 4 else ""
    return f'<th scope="col"{weekend}>{escape(day_words(day, "EEEEEE"))}<br>{day.day}</th>'


def _cell(day: date, letter: str) -> str:
    if not letter:
        return "<td></td>"
    status = _STATUS_OF[letter]
    says = escape(f"{day_words(day, 'EEE d MMM')}: {status_words(status)}")
    return (
        f'<td class="{_class(status)}" style="{_style(status)}" title="{says}" aria-label="{says}">'
        f"{escape(letter)}</td>"
    )


def _class(status: str) -> str:
    return "rc-incomplete" if status == Status.INCOMPLETE else ""


def _style(status: str) -> str:
    colour = _COLOURS.get(status)
    return f"background:{colour};color:#1c2a30" if colour else ""
