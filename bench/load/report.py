"""The report of a load test: three plots over time, as a PNG and as a page that needs no network."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from html import escape
from pathlib import Path

import altair as alt
import pandas as pd

from bench.load.timeline import BUSY, Timeline

PERCENTILES = (50, 95, 99)
_BIN_S = 2
_WIDTH, _HEIGHT = 860, 200
_PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Rollcall under load</title>
<style>body {{ font: 16px system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem }}
td, th {{ padding: .2rem .8rem; text-align: right }} td:first-child, th:first-child {{ text-align: left }}
img {{ max-width: 100% }} .passed {{ color: #176b2c }} .missed {{ color: #a4161a }}</style>
<h1>Rollcall under load</h1>
<p>{described}</p>
<p class="{state}"><strong>{verdict}</strong></p>
{table}
<img alt="Throughput, latency and decisions over time" src="data:image/png;base64,{png}">
</html>
"""


def write(
    prefix: Path,
    timeline: Timeline,
    table: Sequence[dict[str, object]],
    misses: Sequence[str],
    described: str,
) -> list[Path]:
    """Writes `<prefix>.png` and `<prefix>.html`; returns what was written."""
    prefix.parent.mkdir(parents=True, exist_ok=True)
    picture, page = (prefix.with_name(prefix.name + ending) for ending in (".png", ".html"))
    frame = timeline.frame()
    if frame.empty:
        return []
    plots(frame).save(str(picture), format="png", scale_factor=2)
    page.write_text(
        _PAGE.format(
            described=escape(described),
            state="missed" if misses else "passed",
            verdict=escape("Missed: " + "; ".join(misses) if misses else "All limits were kept."),
            table=_html(table),
            png=base64.b64encode(picture.read_bytes()).decode(),
        ),
        encoding="utf-8",
    )
    return [picture, page]


def _html(table: Sequence[dict[str, object]]) -> str:
    return pd.DataFrame(table).to_html(index=False, border=0, na_rep="-", escape=True)


def plots(frame: pd.DataFrame) -> alt.VConcatChart:
    """Requests a second, latency and decisions, one below the other with one time axis."""
    binned = frame.assign(second=frame["second"] // _BIN_S * _BIN_S)
    return (
        alt.vconcat(_throughput(binned), _latency(binned), _decisions(binned))
        .resolve_scale(color="independent", x="shared")
        .configure_view(stroke=None)
        .configure_axis(grid=True, gridColor="#eeeeee")
    )


def _base(data: pd.DataFrame, title: str) -> alt.Chart:
    return alt.Chart(data, title=title, width=_WIDTH, height=_HEIGHT).encode(
        x=alt.X("second:Q", title="seconds since the start", scale=alt.Scale(domainMin=0, nice=False))
    )


def throughput(binned: pd.DataFrame) -> pd.DataFrame:
    """Requests a second that were answered, and that were turned away."""
    kind = binned["decision"].eq(BUSY).map({True: BUSY, False: "answered"})
    counts = binned.groupby(["second", kind.rename("kind")]).size() / _BIN_S
    return counts.unstack(fill_value=0.0).stack().rename("rate").reset_index()


def _throughput(binned: pd.DataFrame) -> alt.Chart:
    colours = alt.Scale(domain=["answered", BUSY], range=["#2a6f97", "#e09f3e"])
    return (
        _base(throughput(binned), "Requests a second")
        .mark_line()
        .encode(y=alt.Y("rate:Q", title="1/s"), color=alt.Color("kind:N", title=None, scale=colours))
    )


def latency(binned: pd.DataFrame) -> pd.DataFrame:
    """Percentiles of what somebody waited for and what was not turned away."""
    waited = binned[binned["awaited"] & binned["decision"].ne(BUSY)]
    parts = [
        waited.groupby("second")["latency_ms"].quantile(percent / 100).rename("ms").reset_index()
        for percent in PERCENTILES
    ]
    names = [f"p{percent}" for percent in PERCENTILES]
    return pd.concat(parts, keys=names, names=["percentile"]).reset_index(level=0)


def _latency(binned: pd.DataFrame) -> alt.Chart:
    return (
        _base(latency(binned), "Latency of check-ins and recognitions")
        .mark_line()
        .encode(y=alt.Y("ms:Q", title="ms"), color=alt.Color("percentile:N", title=None))
    )


def decisions(binned: pd.DataFrame) -> pd.DataFrame:
    """How often each decision, or fault, came in each span of time."""
    waited = binned[binned["awaited"]]
    return waited.groupby(["second", "decision"]).size().rename("number").reset_index()


def _decisions(binned: pd.DataFrame) -> alt.Chart:
    return (
        _base(decisions(binned), f"Decisions in {_BIN_S} seconds")
        .transform_calculate(until=f"datum.second + {_BIN_S}")
        .mark_bar()
        .encode(
            x2="until:Q", y=alt.Y("number:Q", title="requests"), color=alt.Color("decision:N", title=None)
        )
    )
