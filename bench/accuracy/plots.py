"""Similarity histograms and error curves as pictures."""

from __future__ import annotations

from pathlib import Path

import altair as alt
import numpy as np
import pandas as pd

from bench.accuracy.pairs import Pairs
from ray_backend.domain.accuracy import THRESHOLDS, Counts, curve

SAME, DIFFERENT = "one person", "two people"
_BARS = 80
_COLOURS = ["#0072b2", "#d55e00"]  # told apart by colour-blind people, too


def draw(pairs: Pairs, pack_id: str, threshold: float, folder: Path) -> list[Path]:
    """Writes a histogram and a curve, each as PNG and HTML, and returns their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    charts = {
        "histogram": _histogram(pairs, pack_id, threshold),
        "curve": _curve(pairs, pack_id, threshold),
    }
    written = []
    for name, chart in charts.items():
        path = folder / f"accuracy-{pack_id}-{name}"
        chart.save(f"{path}.png", scale_factor=2)
        chart.save(f"{path}.html", inline=True)
        written += [Path(f"{path}.png"), Path(f"{path}.html")]
    return written


def _histogram(pairs: Pairs, pack_id: str, threshold: float) -> alt.LayerChart:
    edges = np.linspace(*_range(pairs), _BARS + 1)
    rows = pd.concat([_shares(SAME, pairs.genuine, edges), _shares(DIFFERENT, pairs.impostor, edges)])
    bars = (
        alt.Chart(rows)
        .mark_bar(opacity=0.55, binSpacing=0)
        .encode(
            x=alt.X("start:Q", bin="binned", title="cosine similarity"),
            x2="end:Q",
            y=alt.Y("percent:Q", title="percent of pairs", stack=None),
            color=_colour("photos of", [SAME, DIFFERENT]),
        )
    )
    title = (
        f"{pack_id}: {pairs.genuine_comparisons:,} pairs of {pairs.people} people, "
        f"{pairs.impostor_comparisons:,} of {pairs.people_pairs:,} pairs of different people"
    )
    return _finished(bars, title, threshold)


def _curve(pairs: Pairs, pack_id: str, threshold: float) -> alt.LayerChart:
    rates = curve(pairs.genuine, pairs.impostor)
    low, high = _range(pairs)
    shown = (rates.thresholds >= low) & (rates.thresholds <= high)
    rows = pd.concat(
        pd.DataFrame({"threshold": rates.thresholds[shown], "kind": kind, "percent": 100 * values[shown]})
        for kind, values in (("FNMR", rates.fnmr), ("FMR", rates.fmr))
    )
    lines = (
        alt.Chart(rows)
        .mark_line(interpolate="step-before")
        .encode(
            x=alt.X("threshold:Q", title="threshold", scale=alt.Scale(zero=False)),
            y=alt.Y(
                "percent:Q",
                title="percent",
                scale=alt.Scale(type="symlog", constant=0.1),
                axis=alt.Axis(values=[0, 0.1, 1, 10, 100], format="~g"),
            ),
            color=_colour("error", ["FNMR", "FMR"]),
        )
    )
    return _finished(lines, f"{pack_id}: errors by threshold", threshold)


def _finished(chart: alt.Chart, title: str, threshold: float) -> alt.LayerChart:
    line = alt.Chart(pd.DataFrame({"at": [threshold]})).mark_rule(strokeDash=[4, 3]).encode(x="at:Q")
    return (chart + line).properties(width=640, height=320, title=f"{title}; threshold {threshold:g}")


def _colour(title: str, kinds: list[str]) -> alt.Color:
    return alt.Color("kind:N", title=title, scale=alt.Scale(domain=kinds, range=_COLOURS))


def _shares(kind: str, counts: Counts, edges: np.ndarray) -> pd.DataFrame:
    shares, _ = np.histogram(THRESHOLDS, edges, weights=counts.weights)
    percent = 100 * shares / max(1e-9, counts.total)
    return pd.DataFrame({"kind": kind, "start": edges[:-1], "end": edges[1:], "percent": percent})


def _range(pairs: Pairs) -> tuple[float, float]:
    """Of the similarities that occur."""
    occurring = THRESHOLDS[(pairs.genuine.weights + pairs.impostor.weights) > 0]
    return float(occurring[0]), min(1.0, float(occurring[-1]) + 0.01)
