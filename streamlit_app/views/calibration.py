"""How well faces are told apart here, measured on the site's own people."""

from __future__ import annotations

import altair as alt
import pandas as pd
import streamlit as st

from ray_backend.client import Backend
from ray_backend.services.calibration import MOST_LISTED, CalibrationState, SiteAccuracy
from streamlit_app import calibration_words as words
from streamlit_app import deps, links
from streamlit_app.i18n import _, message
from streamlit_app.session import guarded
from streamlit_app.settings_words import at_threshold, threshold_in_force

_COLOURS = ["#0072b2", "#d55e00"]  # told apart by colour-blind people, too
_EVERY_S = 1.0


@guarded("calibration")
def render(backend: Backend) -> None:
    """Measures on demand; changes no setting."""
    st.title(_("Calibration"))
    st.write(_("How well faces are told apart here, measured on the photos of your own people."))
    state = backend.calibration.state()
    if state.running:
        _progress(backend)
        return
    if state.problem:
        st.error(message(state.problem), icon=":material/error:")
    if state.result is not None:
        in_force = threshold_in_force(backend.site.current(), backend.overview().pack)
        _result(at_threshold(state.result, in_force))
    elif backend.overview().people < 2:
        _nobody()
        return
    _start(backend, state)


def _nobody() -> None:
    with st.container(border=True):
        st.subheader(_("Nothing to measure yet"))
        st.write(_("Register two people at least, with two photos each. Then measure here."))
        links.link("register", _("Register a face"), ":material/person_add:")


def _start(backend: Backend, state: CalibrationState) -> None:
    again = state.result is not None
    if st.button(_("Measure again") if again else _("Measure now"), type="secondary" if again else "primary"):
        backend.calibration.start()
        st.rerun()
    if not again:
        st.caption(_("It takes seconds, at a large site up to a minute. People can check in meanwhile."))


@st.fragment(run_every=_EVERY_S)
def _progress(backend: Backend) -> None:
    state = backend.calibration.state()
    if not state.running:
        st.rerun()
    st.progress(state.share, _("Comparing the photos of your people…"))


def _result(result: SiteAccuracy) -> None:
    with st.container(border=True):
        st.markdown(f"#### {words.headline(result)}")
        st.write(words.wrong_sentence(result))
        st.write(words.refused_sentence(result))
        st.caption(_basis(result))
    _choose(result)
    _charts(result)
    _lists(result)
    _explain(result)


def _basis(result: SiteAccuracy) -> str:
    at = result.measured_at.astimezone(deps.site().zone)
    return _(
        "Measured {at} on {templates:,} photos of {people:,} people. The setting in force is "
        "{setting}. “Between” holds in 19 of 20 such measurements.",
        at=f"{at:%Y-%m-%d %H:%M}",
        templates=result.templates,
        people=result.people,
        setting=words.setting_words(result.threshold),
    )


def _choose(result: SiteAccuracy) -> None:
    st.subheader(_("What would another setting do?"))
    number = st.select_slider(
        _("One wrong match in how many attempts by strangers is acceptable?"),
        words.ACCEPTABLE,
        value=words.acceptable(result),
        format_func=lambda number: _("1 in {number:,}", number=number),
    )
    choice = result.threshold_for(1 / number)
    st.write(words.choice_sentence(result, number, choice))
    if choice is not None:
        st.caption(_("Nothing is changed here."))
        links.link("settings", _("Set it under Settings"), ":material/settings:", section=_("Recognition"))


def _charts(result: SiteAccuracy) -> None:
    alike, errors = st.columns(2)
    alike.subheader(_("How similar the photos are"))
    alike.altair_chart(_bars(words.bars(result), result.threshold), width="stretch")
    alike.caption(_("The further the two hills stand apart, the better. The line is the setting in force."))
    errors.subheader(_("What each setting costs"))
    errors.altair_chart(_lines(words.lines(result), result.threshold), width="stretch")
    errors.caption(_("Further right, fewer strangers get in, and more of your own people are refused."))


def _bars(rows: pd.DataFrame, threshold: float) -> alt.LayerChart:
    hills = (
        alt.Chart(rows)
        .mark_bar(opacity=0.55, binSpacing=0)
        .encode(
            x=alt.X("start:Q", bin="binned", title=_("Similarity")),
            x2="end:Q",
            y=alt.Y("share:Q", title=_("Percent of comparisons"), stack=None),
            color=_colour([_(words.SAME), _(words.DIFFERENT)]),
            tooltip=[
                alt.Tooltip("kind:N", title=_("Photos")),
                alt.Tooltip("start:Q", title=_("Similarity from"), format=".3f"),
                alt.Tooltip("share:Q", title=_("Percent"), format=".2f"),
            ],
        )
    )
    return _with_threshold(hills, threshold)


def _lines(rows: pd.DataFrame, threshold: float) -> alt.LayerChart:
    curves = (
        alt.Chart(rows)
        .mark_line(interpolate="step-before")
        .encode(
            x=alt.X("threshold:Q", title=_("Setting"), scale=alt.Scale(zero=False)),
            y=alt.Y("percent:Q", title=_("Percent of attempts"), scale=alt.Scale(domain=[0, 100])),
            color=_colour([_(words.REFUSED), _(words.WRONG)]),
            strokeDash=alt.StrokeDash("kind:N", legend=None),
            tooltip=[
                alt.Tooltip("kind:N", title=_("Error")),
                alt.Tooltip("threshold:Q", title=_("Setting"), format=".4f"),
                alt.Tooltip("percent:Q", title=_("Percent"), format=".2f"),
            ],
        )
    )
    return _with_threshold(curves, threshold)


def _colour(kinds: list[str]) -> alt.Color:
    return alt.Color(
        "kind:N",
        title=None,
        scale=alt.Scale(domain=kinds, range=_COLOURS),
        legend=alt.Legend(orient="bottom", direction="vertical", labelLimit=300),
    )


def _with_threshold(chart: alt.Chart, threshold: float) -> alt.LayerChart:
    line = alt.Chart(pd.DataFrame({"at": [threshold]})).mark_rule(strokeDash=[4, 3], size=2).encode(x="at:Q")
    return (chart + line).properties(height=300)


def _lists(result: SiteAccuracy) -> None:
    st.subheader(_("What can be mended"))
    _table(
        _("People who look alike ({number})", number=len(result.look_alikes)),
        words.look_alike_rows(result),
        _("Nobody comes close to somebody else."),
        _(
            "The kiosk may have to ask these people for their PIN. Newer and sharper photos of both help. If "
            "they are one person, registered twice, erase one registration."
        ),
    )
    _table(
        _("People with a single photo ({number:,})", number=result.too_few_count),
        words.too_few_rows(result),
        _("Everybody has two photos or more."),
        _("Add a second photo under People: whoever has several is refused less often."),
    )
    _table(
        _("Photos of poor quality ({number})", number=len(result.poor)),
        words.poor_rows(result),
        _("All photos are good."),
        _("Replace them under People."),
    )


def _table(title: str, rows: pd.DataFrame, nothing: str, advice: str) -> None:
    with st.expander(title):
        if rows.empty:
            st.write(nothing)
            return
        st.write(advice)
        st.dataframe(rows, hide_index=True, width="stretch")
        if len(rows) == MOST_LISTED:
            st.caption(_("The first {number} are shown.", number=MOST_LISTED))


def _explain(result: SiteAccuracy) -> None:
    wrong = result.wrong_for_each_comparison(result.threshold)
    with st.expander(_("How this is measured, and what it cannot see")):
        st.markdown(
            _(
                "- Everybody is compared with all others as if they were a stranger at the door: "
                "{comparisons:,} pairs of people. For a gallery of N people the share of attempts that "
                "go wrong (false positive identification rate, FPIR) is about 1 − (1 − FMR)^N, where FMR, "
                "the false match rate, is the share of single comparisons that go wrong. Here the FMR is "
                "{rate:.2g} at the setting in force (95 % confidence: {low:.2g} to "
                "{high:.2g}, taking pairs of people for trials of their own).\n"
                "- Each photo of somebody is compared with the best of their other photos. The share that "
                "stays below the setting is the false non-match rate, FNMR. Each person counts as one trial, "
                "however many photos there are.\n"
                "- A pair of people is met twice when everybody is tried, so the {attempts:,} "
                "attempts count as {trials:,.0f} trials. Intervals are Clopper and Pearson's, with 95 % "
                "confidence.\n"
                "- Registration has already refused photos that looked like somebody else, and photos that "
                "did not look like their owner. So both figures may be better here than at the door, where "
                "light and angle differ too.\n"
                "- One look is judged here. The kiosk looks several times before it decides.",
                comparisons=result.comparisons,
                rate=wrong.rate,
                low=wrong.low,
                high=wrong.high,
                attempts=result.attempts.people,
                trials=result.trials,
            )
        )
