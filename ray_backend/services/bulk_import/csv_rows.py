"""The rows of a CSV file: encoding and delimiter found out, one row in memory at a time."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterator
from contextlib import suppress
from typing import BinaryIO

from charset_normalizer import from_bytes

from ray_backend.domain.errors import InvalidInput
from ray_backend.services.bulk_import.columns import recognised

_DELIMITERS = ",;\t|"
_LONGEST_LINE = 1_000_000  # characters
_SAMPLE_BYTES = 64_000
# What spreadsheets in Europe and America write when it is not UTF-8.
_LIKELY = ["cp1252", "cp1250", "cp850", "mac_roman"]
# A row's number, with its cells or with what is wrong with it.
Row = tuple[int, list[str] | str]


def csv_rows(file: BinaryIO) -> Iterator[Row]:
    """All rows, headings first. `file` is read twice. Raises InvalidInput."""
    encoding = _encoding(file)
    file.seek(0)
    text = io.TextIOWrapper(file, encoding, errors="replace", newline="")
    try:
        first = text.readline(_LONGEST_LINE)
        delimiter = _delimiter(first)
        text.seek(0)
        yield from _rows(csv.reader(_lines(text), delimiter=delimiter))
    finally:
        # The file may be closed by now, and is not this function's to close.
        with suppress(ValueError):
            text.detach()


def _rows(reader) -> Iterator[Row]:
    while True:
        number = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield number, str(error)
            continue
        if any(cell.strip() for cell in cells):
            yield number, cells


def _lines(text: io.TextIOWrapper) -> Iterator[str]:
    """The lines. Raises InvalidInput for one that no table has: it would fill the memory."""
    while line := text.readline(_LONGEST_LINE):
        if len(line) >= _LONGEST_LINE:
            raise InvalidInput("The table has a line of more than a million characters. Is it a CSV file?")
        yield line


def _delimiter(first_line: str) -> str:
    """The one that makes most sense of the headings."""

    def sense(delimiter: str) -> tuple[int, int]:
        cells = next(csv.reader([first_line], delimiter=delimiter), [])
        return len(recognised(cells)), len(cells)

    return max(_DELIMITERS, key=sense)


def _encoding(file: BinaryIO) -> str:
    file.seek(0)
    start = file.read(4)
    if start.startswith(codecs.BOM_UTF8):
        return "utf-8-sig"
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    file.seek(0)
    return "utf-8" if _is_utf8(file) else _guessed(file)


def _is_utf8(file: BinaryIO) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        while chunk := file.read(1 << 20):
            decoder.decode(chunk)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _guessed(file: BinaryIO) -> str:
    """The encoding of the text that is not plain ASCII."""
    file.seek(0)
    sample = bytearray()
    while len(sample) < _SAMPLE_BYTES and (line := file.readline(_LONGEST_LINE)):
        if not line.isascii():
            sample += line
    best = from_bytes(bytes(sample), cp_isolation=_LIKELY).best()
    return best.encoding if best else "cp1252"
