"""Text that somebody typed, safe to put into a file that a spreadsheet opens."""

from __future__ import annotations

import re

# A cell that begins with one of these, or their full-width forms, is run as a formula by spreadsheets
# (OWASP: CSV injection). So is what follows a line break that the CSV does not quote.
_FORMULA_STARTS = ("=", "+", "-", "@", "＝", "＋", "－", "＠")
_CONTROL = re.compile(r"[\x00-\x20\x7f]+")


def plain_cell(text: str) -> str:
    """Text on one line that no spreadsheet runs."""
    text = one_line(text)
    return f"'{text}" if text.startswith(_FORMULA_STARTS) else text


def one_line(text: str) -> str:
    """Text without control characters and line breaks."""
    return _CONTROL.sub(" ", text).strip()
