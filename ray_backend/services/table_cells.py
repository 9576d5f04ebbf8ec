"""The cells of a table as texts and numbers, column by column, safe to open in a spreadsheet."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from ray_backend.services.plain_text import one_line, plain_cell
from ray_backend.services.tables import Column, Kind

# Spreadsheets count days from here.
_FIRST_DAY = np.datetime64("1899-12-30", "us")
_DAY = np.timedelta64(1, "D").astype("timedelta64[us]")


def texts(column: Column, values: pd.Series, safe: Callable[[str], str] = plain_cell) -> list[str]:
    """Each cell as a CSV file has it; a missing one is empty. Lengths are hours, times ISO 8601 without
    offset. `safe` is applied to texts that somebody typed."""
    return {
        Kind.TEXT: lambda: _each(values, lambda text: safe(str(text))),
        Kind.WORD: lambda: _each(values, words),
        Kind.DATE: lambda: _each(values, str),
        Kind.TIME: lambda: _times(values, "%Y-%m-%dT%H:%M:%S"),
        Kind.MINUTES: lambda: _each(values, lambda minutes: f"{minutes / 60:.4f}".rstrip("0").rstrip(".")),
        Kind.NUMBER: lambda: _each(values, number),
        Kind.FLAG: lambda: _each(values, lambda flag: "yes" if flag else "no"),
    }[column.kind]()


def printed(column: Column, values: pd.Series, days: pd.Series | None = None) -> list[str]:
    """Each cell as it is shown on paper: lengths as H:MM, nothing for what is not so.

    `days` are the dates of the rows: then times are without a date, `06:00 +1` is one of the next day.
    """
    if column.kind is Kind.MINUTES:
        return _each(values, clock)
    if column.kind is Kind.FLAG:
        return _each(values, lambda flag: "yes" if flag else "")
    if column.kind is not Kind.TIME:
        return texts(column, values, one_line)
    if days is None:
        return _times(values, "%Y-%m-%d %H:%M")
    later = (pd.to_datetime(values).dt.normalize() - pd.to_datetime(days)).dt.days.fillna(0).astype(int)
    shown = zip(_times(values, "%H:%M"), later, strict=True)
    return [f"{text} {days_on:+}" if days_on else text for text, days_on in shown]


def serials(column: Column, values: pd.Series) -> list[float | None]:
    """Dates, times, hours and numbers as a spreadsheet counts them; a missing one is None."""
    if column.kind in (Kind.DATE, Kind.TIME):
        moments = pd.to_datetime(values).to_numpy(dtype="datetime64[us]")
        floats = (moments - _FIRST_DAY) / _DAY
    else:
        floats = pd.to_numeric(values, errors="coerce").to_numpy(dtype=float, na_value=np.nan)
        floats = floats / 60 if column.kind is Kind.MINUTES else floats
    return [None if number != number else number for number in floats.tolist()]


def heading(column: Column) -> str:
    """With the unit in which CSV and XLSX have lengths."""
    return f"{column.heading} (hours)" if column.kind is Kind.MINUTES else column.heading


def words(word: str) -> str:
    """`left_early` as `Left early`."""
    return word.replace("_", " ").capitalize()


def clock(minutes: float) -> str:
    """`7:05`, or `-0:30`."""
    whole = round(minutes)
    return f"{'-' if whole < 0 else ''}{abs(whole) // 60}:{abs(whole) % 60:02}"


def number(value: float) -> str:
    """Without needless zeros."""
    return str(int(value)) if value == int(value) else f"{value:.4f}".rstrip("0")


def _each(values: pd.Series, shown: Callable) -> list[str]:
    """Most columns hold few different values, so each is put into words once."""
    cells = values.astype(object).tolist()
    known = {value: "" if pd.isna(value) else shown(value) for value in set(cells)}
    return [known[value] for value in cells]


def _times(values: pd.Series, form: str) -> list[str]:
    return [text if isinstance(text, str) else "" for text in pd.to_datetime(values).dt.strftime(form)]
