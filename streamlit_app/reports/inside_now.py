"""Who is in now: a list for an evacuation, large and plain, that renews itself and prints."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from html import escape
from zoneinfo import ZoneInfo

import pandas as pd
import streamlit as st

from ray_backend.domain.errors import Unavailable, WrongCredentials
from ray_backend.services import tables, timesheet_views
from ray_backend.services.timesheet import Sheet
from streamlit_app.i18n import _, message, n_
from streamlit_app.reports.context import Context
from streamlit_app.reports.tables import downloads

EVERY_S = 20
# A shift of yesterday may go on; at another site it may be tomorrow already.
_AROUND = timedelta(days=1)
_LAST = "reports_inside"
_COLUMNS = ["name", "employee_id", "department", "site", "first_in"]
_STYLE = """<style>
.rc-inside { font-size: 1.15rem; } .rc-inside h2 { font-size: 2.6rem; margin: 0; padding: 0; }
.rc-inside p { margin: .2rem 0 1rem; }
.rc-inside table { border-collapse: collapse; width: 100%; }
.rc-inside th, .rc-inside td { text-align: left; padding: .35rem .8rem .35rem 0;
  border-bottom: 1px solid #8886; }
.rc-inside td:first-child { font-weight: 600; } .rc-inside td.box { width: 2.2rem; }
.rc-inside td.box i { display: inline-block; width: 1.2rem; height: 1.2rem; border: 2px solid currentColor; }
@media print {
  [data-testid=stSidebar], [data-testid=stHeader], [data-testid=stToolbar],
  [data-testid=stExpandSidebarButton], .st-key-inside-files,
  .st-key-reports-head, .st-key-reports-filter, .st-key-inside-screen { display: none !important; }
  html, body, #root, .stApp, .stApp *:has(.rc-inside) { height: auto !important; overflow: visible !important;
    position: static !important; max-height: none !important; }
  .stApp, .rc-inside { background: #fff !important; color: #000 !important; }
  .stMainBlockContainer { padding: 0 !important; max-width: none !important; }
  .rc-inside tr { break-inside: avoid; } .rc-inside thead { display: table-header-group; }
}
</style>"""
_PRINT = """<button id="rc-print" type="button">LABEL</button>
<style>#rc-print { font: inherit; padding: .4rem 1rem; border-radius: .5rem; border: 1px solid #8888;
  background: transparent; color: inherit; cursor: pointer; }</style>
<script>document.getElementById("rc-print").onclick = () => window.print();</script>"""


@dataclass(frozen=True, slots=True)
class _Seen:
    """What was shown last, for whom and what: it stays on the screen while the database is away."""

    key: tuple
    sheet: Sheet


def render(context: Context) -> None:
    """The list, looked up again every EVERY_S seconds."""
    st.html(_STYLE)
    with st.container(key="inside-screen"):
        st.html(
            _PRINT.replace("LABEL", escape(_("Print this list"))),
            unsafe_allow_javascript=True,
            width="content",
        )
        st.caption(_("This list looks again every {seconds} seconds.", seconds=EVERY_S))
    _list(context)


@st.fragment(run_every=EVERY_S)
def _list(context: Context) -> None:
    try:
        sheet = _look(context)
    except WrongCredentials:
        st.rerun()
    except Unavailable as error:
        sheet = _last(context)
        if sheet is None:
            st.error(message(error), icon=":material/error:")
            return
        st.error(_("This list is old: {why}", why=message(error)), icon=":material/warning:")
    people = timesheet_views.inside(sheet.days)
    st.html(html(people, sheet))
    table = tables.table(_("Who is in now"), people[_shown(people)], context.about(sheet))
    with st.container(key="inside-files"):
        downloads(context.backend, table, "who-is-in")


def html(people: pd.DataFrame, sheet: Sheet) -> str:
    """The list as it is shown and printed; `people` are rows of `timesheet_views.inside`."""
    at = sheet.generated_at.astimezone(ZoneInfo(sheet.zone))
    # Somebody with two turns stands there once.
    people = people.sort_values(["department", "name", "employee_id"]).drop_duplicates("person_id")
    count = n_("{number} person is in", "{number} people are in", len(people))
    stamp = _("As of {day}, {time} ({zone})", day=f"{at:%Y-%m-%d}", time=f"{at:%H:%M:%S}", zone=sheet.zone)
    head = f'<div class="rc-inside" role="status"><h2>{escape(count)}</h2><p>{escape(stamp)}</p>'
    if people.empty:
        return (
            head + f"<p>{escape(_('Nobody who matches the filter is in, as far as punches tell.'))}</p></div>"
        )
    titles = (_("Name"), _("Employee id"), _("Department"), _("Since"), _("Seen"))
    heads = "".join(f'<th scope="col">{escape(title)}</th>' for title in titles)
    return (
        f"{head}<table><thead><tr>{heads}</tr></thead><tbody>{_rows(people, at.date())}</tbody></table></div>"
    )


def _rows(people: pd.DataFrame, today) -> str:
    rows = []
    columns = people[["name", "employee_id", "department", "first_in"]].itertuples(index=False, name=None)
    for name, number, department, since in columns:
        when = (
            "" if pd.isna(since) else f"{since:%H:%M}" if since.date() == today else f"{since:%Y-%m-%d %H:%M}"
        )
        cells = "".join(f"<td>{escape(text)}</td>" for text in (name, number, department, when))
        rows.append(f'<tr>{cells}<td class="box"><i></i></td></tr>')
    return "".join(rows)


def _look(context: Context) -> Sheet:
    """Who is where by now; the days and statuses of the filter do not count."""
    today = context.backend.reports.today()
    query = replace(context.chosen.query, start=today - _AROUND, end=today + _AROUND)
    sheet = context.backend.timesheets.inside(query)
    st.session_state[_LAST] = _Seen(_key(context), sheet)
    return sheet


def _last(context: Context) -> Sheet | None:
    seen: _Seen | None = st.session_state.get(_LAST)
    return seen.sheet if seen is not None and seen.key == _key(context) else None


def _key(context: Context) -> tuple:
    caller, chosen = context.backend.caller, context.chosen
    return caller.name, caller.role, caller.departments, chosen.site, chosen.department, chosen.person


def _shown(people: pd.DataFrame) -> list[str]:
    return [name for name in _COLUMNS if name != "site" or people["site"].any()]
