"""Plots of the last quarter of an hour, each with a sentence for who cannot see it."""

from __future__ import annotations

from collections.abc import Sequence
from zoneinfo import ZoneInfo

import altair as alt
import pandas as pd
import streamlit as st

from ray_backend.domain.figures import Moment
from streamlit_app import cluster_words
from streamlit_app.i18n import _

_HEIGHT = 200


def show(moments: Sequence[Moment], zone: ZoneInfo) -> None:
    """Pictures a second and answer times beside each other, decisions below."""
    at = [moment.at.astimezone(zone).replace(tzinfo=None) for moment in moments]
    left, right = st.columns(2)
    with left:
        pictures = pd.DataFrame({"at": at, "line": _("Pictures"), "value": [m.pictures for m in moments]})
        refused = pd.DataFrame({"at": at, "line": _("Refused"), "value": [m.refused for m in moments]})
        _plot(_("Pictures a second"), [pictures, refused], cluster_words.throughput(moments))
    with right:
        half = pd.DataFrame({"at": at, "line": _("Half of all"), "value": [m.p50_s for m in moments]})
        most = pd.DataFrame({"at": at, "line": _("95 of 100"), "value": [m.p95_s for m in moments]})
        _plot(_("Seconds to an answer"), [half, most], cluster_words.latency(moments))
    kinds = sorted({kind for moment in moments for kind in moment.decisions})
    lines = [
        pd.DataFrame(
            {
                "at": at,
                "line": cluster_words.decision(kind),
                "value": [moment.decisions.get(kind, 0.0) for moment in moments],
            }
        )
        for kind in kinds
    ]
    _plot(_("Decisions a second"), lines, cluster_words.decisions(moments))


def _plot(title: str, lines: list[pd.DataFrame], words: str) -> None:
    st.subheader(title)
    if lines:
        chart = (
            alt.Chart(pd.concat(lines))
            .mark_line(strokeWidth=2)
            .encode(
                x=alt.X("at:T", title=None, axis=alt.Axis(format="%H:%M", labelAngle=0)),
                y=alt.Y("value:Q", title=None, scale=alt.Scale(domainMin=0)),
                color=alt.Color("line:N", title=None, legend=alt.Legend(orient="top")),
                tooltip=[
                    alt.Tooltip("at:T", title=_("Time"), format="%H:%M:%S"),
                    alt.Tooltip("line:N", title=title),
                    alt.Tooltip("value:Q", title=_("Value"), format=".2f"),
                ],
            )
        )
        st.altair_chart(chart.properties(height=_HEIGHT), width="stretch", alt=words)
    st.caption(words)
