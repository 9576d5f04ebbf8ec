"""Plots, each with a sentence for who cannot see it and the same numbers as a table."""

from __future__ import annotations

import altair as alt
import pandas as pd
import streamlit as st

from ray_backend.services import timesheet_views
from streamlit_app.i18n import _, day_words
from streamlit_app.reports import report_words

_HEIGHT = 220
_QUARTERS = pd.timedelta_range("0min", "23h45min", freq="15min")


def arrivals(days: pd.DataFrame) -> None:
    """How many came in each quarter hour, from the first to the last one."""
    found = timesheet_views.arrivals(days)
    if found.empty:
        return
    every = [f"{at.components.hours:02}:{at.components.minutes:02}" for at in _QUARTERS]
    every = every[every.index(found["time"].iloc[0]) : every.index(found["time"].iloc[-1]) + 1]
    filled = found.set_index("time").reindex(every, fill_value=0).reset_index()
    bars = (
        alt.Chart(filled)
        .mark_bar(cornerRadiusTopLeft=2, cornerRadiusTopRight=2)
        .encode(
            x=alt.X("time:O", title=_("Arrival"), sort=None, axis=alt.Axis(labelAngle=0, labelOverlap=True)),
            y=_people_axis("people"),
            tooltip=[alt.Tooltip("time:O", title=_("From")), alt.Tooltip("people:Q", title=_("People"))],
        )
    )
    table = found.rename(columns={"time": _("Quarter hour from"), "people": _("People")})
    _show(_("Arrivals"), bars, report_words.arrivals_words(found), table)


def weeks(days: pd.DataFrame) -> None:
    """The part of all planned turns that somebody came to, week by week; nothing for a single week."""
    found = timesheet_views.attendance_by_week(days)
    if len(found) < 2:
        return
    shown = found.assign(week=[day.isoformat() for day in found["week"]])
    line = (
        alt.Chart(shown)
        .mark_line(point=alt.OverlayMarkDef(size=60), strokeWidth=2)
        .encode(
            x=alt.X("week:O", title=_("Week from"), axis=alt.Axis(labelAngle=0, labelOverlap=True)),
            y=alt.Y(
                "rate:Q",
                title=_("Attendance rate"),
                axis=alt.Axis(format="%"),
                scale=alt.Scale(domain=[0, 1]),
            ),
            tooltip=[
                alt.Tooltip("week:O", title=_("Week from")),
                alt.Tooltip("rate:Q", title=_("Attendance rate"), format=".1%"),
                alt.Tooltip("came:Q", title=_("Came")),
                alt.Tooltip("due:Q", title=_("Expected")),
            ],
        )
    )
    titles = {"week": _("Week from"), "due": _("Expected"), "came": _("Came"), "rate": _("Attendance rate")}
    table = shown.assign(rate=[f"{rate:.1%}" for rate in shown["rate"]]).rename(columns=titles)
    _show(_("Attendance by week"), line, report_words.weeks_words(found), table)


def heat(days: pd.DataFrame) -> None:
    """How many people came on each day, weeks under one another."""
    found = timesheet_views.hours_by_day(days)
    if found.empty:
        return
    at = pd.to_datetime(found["date"])
    monday = at - pd.to_timedelta(at.dt.weekday, unit="D")
    shown = found.assign(
        week=monday.dt.strftime("%Y-%m-%d"),
        weekday=at.dt.weekday,
        day=[day.isoformat() for day in found["date"]],
        hours=(found["worked"] / 60).round(1),
    )
    names = [day_words(day.date(), "EEE") for day in pd.date_range("2024-01-01", periods=7)]
    shown["name"] = [names[number] for number in shown["weekday"]]
    base = alt.Chart(shown).encode(
        x=alt.X("name:O", title=None, sort=names, scale=alt.Scale(domain=names), axis=alt.Axis(labelAngle=0)),
        y=alt.Y("week:O", title=_("Week from")),
        tooltip=[
            alt.Tooltip("day:O", title=_("Day")),
            alt.Tooltip("people:Q", title=_("People")),
            alt.Tooltip("hours:Q", title=_("Hours")),
        ],
    )
    middle = (shown["people"].min() + shown["people"].max()) / 2
    tiles = base.mark_rect(cornerRadius=3).encode(
        color=alt.Color("people:Q", title=_("People"), scale=alt.Scale(scheme="viridis"), legend=None)
    )
    numbers = base.mark_text(fontSize=13).encode(
        text="people:Q",
        color=alt.condition(alt.datum.people > middle, alt.value("#111111"), alt.value("#ffffff")),
    )
    titles = {"date": _("Day"), "people": _("People"), "worked": _("Hours")}
    table = found.assign(worked=(found["worked"] / 60).round(1)).rename(columns=titles)
    height = 46 * shown["week"].nunique() + 40
    _show(
        _("People who came on each day"),
        (tiles + numbers),
        report_words.heat_words(found),
        table,
        height=height,
    )


def decision_times(times: pd.DataFrame) -> None:
    """How long decisions by face took."""
    if not times["decisions"].sum():
        return
    last = times["from_s"].max()
    labels = [f"{at:g}" if at < last else f"≥ {at:g}" for at in times["from_s"]]
    bars = (
        alt.Chart(times.assign(label=labels))
        .mark_bar(cornerRadiusTopLeft=2, cornerRadiusTopRight=2)
        .encode(
            x=alt.X("label:O", title=_("Seconds, from"), sort=None, axis=alt.Axis(labelAngle=0)),
            y=alt.Y("decisions:Q", title=_("Decisions"), axis=alt.Axis(tickMinStep=1, format="d")),
            tooltip=[
                alt.Tooltip("label:O", title=_("Seconds, from")),
                alt.Tooltip("decisions:Q", title=_("Decisions")),
            ],
        )
    )
    table = pd.DataFrame({_("Seconds, from"): labels, _("Decisions"): times["decisions"]})
    _show(_("Time to a decision"), bars, report_words.times_words(times), table)


def _people_axis(field: str) -> alt.Y:
    return alt.Y(f"{field}:Q", title=_("People"), axis=alt.Axis(tickMinStep=1, format="d"))


def _show(title: str, chart: alt.Chart, words: str, table: pd.DataFrame, height: int = _HEIGHT) -> None:
    st.subheader(title)
    st.altair_chart(chart.properties(height=height), width="stretch", alt=words)
    st.caption(words)
    with st.expander(_("The same numbers as a table")):
        st.dataframe(table, hide_index=True, width="stretch", alt=title)
