"""A table on paper: landscape A4, the headings on each page, numbered pages."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pandas as pd
from font_roboto import Roboto, RobotoBold
from fpdf import FPDF

from ray_backend.services.plain_text import one_line
from ray_backend.services.table_cells import printed
from ray_backend.services.tables import Column, Kind, Table

_PIECE_ROWS = 500
_SAMPLE_ROWS = 300
_MARGIN_MM, _CELL_GAP_MM = 10, 0.6
_LARGEST_PT, _SMALLEST_PT = 8.0, 4.5
_MM_A_POINT = 0.3528
_RIGHT = (Kind.MINUTES, Kind.NUMBER)


def make_pdf(table: Table, progress: Callable[[int, int], None]) -> bytes:
    """The document. Columns without any entry are left out; what is too long for its column is cut with
    an ellipsis."""
    columns = tuple(column for column in table.columns if _has_entries(column, table.frame))
    paper = _Paper(_footer(table))
    layout = _layout(paper, columns, table.frame)
    paper.begin(table, columns, layout)
    for start in range(0, len(table), _PIECE_ROWS):
        part = table.frame.iloc[start : start + _PIECE_ROWS]
        for row in zip(*_cells(columns, part), strict=True):
            paper.row(row)
        progress(start + len(part), len(table))
    return bytes(paper.output())


@dataclass(frozen=True, slots=True)
class _Layout:
    """`size_pt` of the letters, `widths` of the columns in millimetres."""

    size_pt: float
    widths: tuple[float, ...]

    @property
    def height(self) -> float:
        return self.size_pt * _MM_A_POINT * 1.5


class _Paper(FPDF):
    """The pages; the headings are repeated by `header`, which FPDF calls on each new one."""

    def __init__(self, footer: str) -> None:
        super().__init__(orientation="landscape", format="A4")
        self._words = footer
        self._columns: tuple[Column, ...] = ()
        self._layout = _Layout(_LARGEST_PT, ())
        self.add_font("Roboto", "", Roboto)
        self.add_font("Roboto", "B", RobotoBold)
        self.set_margins(_MARGIN_MM, _MARGIN_MM)
        self.set_auto_page_break(auto=True, margin=_MARGIN_MM + 4)
        self.set_line_width(0.1)
        self.set_draw_color(190, 198, 207)
        self.c_margin = _CELL_GAP_MM

    def begin(self, table: Table, columns: tuple[Column, ...], layout: _Layout) -> None:
        """The first page with title and what the table is about, and the headings."""
        self.add_page()
        self.set_font("Roboto", "B", 14)
        self.cell(0, 8, one_line(table.title), new_x="LMARGIN", new_y="NEXT")
        self.set_font("Roboto", "", 8)
        for label, text in table.about:
            self.multi_cell(0, 4, f"{label}: {one_line(text)}", new_x="LMARGIN", new_y="NEXT")
        self.ln(2)
        self._columns, self._layout = columns, layout
        self._headings()
        if table.frame.empty:
            self.cell(0, 6, "There are no rows.", new_x="LMARGIN", new_y="NEXT")

    def header(self) -> None:
        """FPDF calls it at the top of each page."""
        if self._columns:
            self._headings()

    def footer(self) -> None:
        """FPDF calls it at the bottom of each page."""
        self.set_y(-_MARGIN_MM)
        self.set_font("Roboto", "", 7)
        self.cell(0, 4, self._words)
        self.set_x(_MARGIN_MM)
        self.cell(0, 4, f"Page {self.page_no()} of {{nb}}", align="R")
        self.set_font("Roboto", "", self._layout.size_pt)

    def _headings(self) -> None:
        self.set_font("Roboto", "B", self._layout.size_pt)
        self.set_fill_color(232, 236, 241)
        for column, width in zip(self._columns, self._layout.widths, strict=True):
            words = self._cut(_heading(column), width)
            self.cell(width, self._layout.height * 1.2, words, border="B", align=_align(column), fill=True)
        self.ln()
        self.set_font("Roboto", "", self._layout.size_pt)

    def row(self, cells: Sequence[str]) -> None:
        """One row; a new page where there is no room for it."""
        for column, width, text in zip(self._columns, self._layout.widths, cells, strict=True):
            self.cell(width, self._layout.height, self._cut(text, width), border="B", align=_align(column))
        self.ln()

    def _cut(self, text: str, width: float) -> str:
        # Columns are exactly as wide as their longest text, up to rounding.
        room = width - 2 * self.c_margin + 0.05
        if not text or self.get_string_width(text) <= room:
            return text
        while text and self.get_string_width(f"{text}…") > room:
            text = text[:-1]
        return f"{text}…"


def _has_entries(column: Column, rows: pd.DataFrame) -> bool:
    if rows.empty or column.kind not in (Kind.TEXT, Kind.WORD) or not isinstance(column.key, str):
        return True
    return bool((rows[column.key].fillna("") != "").any())


def _cells(columns: Sequence[Column], rows: pd.DataFrame) -> list[list[str]]:
    days = rows["date"] if "date" in rows.columns else None
    return [printed(column, rows[column.key], days) for column in columns]


def _layout(paper: _Paper, columns: Sequence[Column], rows: pd.DataFrame) -> _Layout:
    """The largest letters with which the columns fit; with the smallest the widest columns are cut."""
    sample = _cells(columns, rows.head(_SAMPLE_ROWS))
    paper.set_font("Roboto", "B", _LARGEST_PT)
    gap = 2 * paper.c_margin
    letters = [
        max(map(paper.get_string_width, (_heading(column), *set(cells))))
        for column, cells in zip(columns, sample, strict=True)
    ]
    room = paper.epw
    fitting = _LARGEST_PT * (room - gap * len(letters)) / max(sum(letters), 1)
    size = min(_LARGEST_PT, max(_SMALLEST_PT, fitting))
    natural = [width * size / _LARGEST_PT + gap for width in letters]
    return _Layout(size, tuple(_shared(natural, room)))


def _shared(widths: list[float], room: float) -> list[float]:
    """Narrow columns keep their width; the others share what is left evenly."""
    left, given = room, {}
    for count, place in enumerate(sorted(range(len(widths)), key=widths.__getitem__)):
        given[place] = min(widths[place], left / (len(widths) - count))
        left -= given[place]
    return [given[place] for place in range(len(widths))]


def _heading(column: Column) -> str:
    words = column.short or column.heading
    return f"{words} (h:mm)" if column.kind is Kind.MINUTES else words


def _align(column: Column) -> str:
    return "R" if column.kind in _RIGHT else "L"


def _footer(table: Table) -> str:
    said = dict(table.about)
    return "; ".join(filter(None, [table.title, said.get("Generated at", "")]))
