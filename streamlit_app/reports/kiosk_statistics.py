"""What kiosks decided, and how long it took."""

from __future__ import annotations

import altair as alt
import pandas as pd
import streamlit as st

from ray_backend.domain.model import DecisionKind
from ray_backend.services import report_tables
from ray_backend.services.kiosk_figures import KINDS, KioskFigures
from ray_backend.services.tables import Table
from streamlit_app import links
from streamlit_app.i18n import N_, _
from streamlit_app.reports import plots
from streamlit_app.reports.context import Context
from streamlit_app.reports.report_words import kind_words
from streamlit_app.reports.tables import show

# What `services/report_tables.py` writes above its columns.
HEADINGS = (N_("Kiosk"), N_("Decisions"), N_("Seconds, median"), N_("Seconds, 95 of 100"))
# Okabe and Ito's, which colour-blind eyes tell apart; in the order of KINDS.
_COLOURS = ["#009e73", "#e69f00", "#cc79a7", "#56b4e9", "#d55e00", "#999999"]


def render(context: Context) -> None:
    """Of all kiosks: decisions hold nobody's name, so only the days of the filter count.

    Raises InvalidInput.
    """
    start, end = context.chosen.days
    with st.spinner(_("The decisions of the kiosks are being counted."), show_time=True):
        figures = context.backend.kiosk_figures.figures(start, end)
    if figures.kiosks.empty:
        _nothing()
        return
    _totals(figures)
    _kinds(figures.kiosks)
    show(context.backend, table(figures), context.file_name("kiosks"))
    plots.decision_times(figures.times)
    st.caption(_("Decisions hold nobody's name, so only the days of the filter count here."))


def table(figures: KioskFigures) -> Table:
    """The figures by kiosk, with the kinds that came up, in the reader's language."""
    return report_tables.of_kiosks(figures, _("Kiosk statistics"), _)


def _totals(figures: KioskFigures) -> None:
    kiosks = figures.kiosks
    total = int(kiosks["decisions"].sum())
    recognised = int(kiosks[DecisionKind.MATCH.value].sum())
    decisions, part, turned_away = st.columns(3)
    decisions.metric(_("Decisions"), total, border=True)
    part.metric(_("Recognised"), f"{recognised / total:.1%}", border=True)
    turned_away.metric(_("Not a living face"), int(kiosks[DecisionKind.SPOOF.value].sum()), border=True)


def _kinds(kiosks: pd.DataFrame) -> None:
    long = kiosks[["kiosk", *KINDS]].melt("kiosk", var_name="kind", value_name="decisions")
    long = long[long["decisions"] > 0].assign(words=lambda rows: [kind_words(kind) for kind in rows["kind"]])
    bars = (
        alt.Chart(long)
        .mark_bar()
        .encode(
            x=alt.X("decisions:Q", title=_("Decisions"), axis=alt.Axis(tickMinStep=1, format="d")),
            y=alt.Y("kiosk:N", title=None),
            color=alt.Color(
                "words:N",
                title=None,
                legend=alt.Legend(orient="bottom", columns=3),
                scale=alt.Scale(domain=[kind_words(kind) for kind in KINDS], range=_COLOURS),
            ),
            tooltip=[
                alt.Tooltip("kiosk:N", title=_("Kiosk")),
                alt.Tooltip("words:N", title=_("Decision")),
                alt.Tooltip("decisions:Q", title=_("Decisions")),
            ],
        )
        .properties(height=48 * len(kiosks) + 150)
    )
    st.subheader(_("Decisions of each kiosk"))
    words = _("Decisions of each kiosk by kind. The table below has the same numbers.")
    st.altair_chart(bars, width="stretch", alt=words)


def _nothing() -> None:
    with st.container(border=True):
        st.subheader(_("No kiosk decided anything in this range"))
        st.write(_("Choose a longer range. Decisions come from a kiosk page; see *Start*."))
        links.link("home", _("Set up a kiosk"), ":material/videocam:")
