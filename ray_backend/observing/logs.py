"""Logs: one line an event, as text for people or as JSON for programs, with the id of the request.

No line holds names, employee ids, pictures or secrets.
"""

from __future__ import annotations

import logging
import sys
import traceback

from pythonjsonlogger.json import JsonFormatter

from ray_backend.observing import origin

_OURS = ("ray_backend", "streamlit_app")
_TEXT = "%(asctime)s %(levelname)s %(process_name)s %(request_id)s %(message)s"
_JSON = ["levelname", "name", "process_name", "request_id", "message"]
_RENAMED = {"levelname": "level", "name": "logger", "process_name": "process"}


def set_up(log_format: str, process: str) -> None:
    """Everything that this process logs goes to its standard error. `log_format`: `text` or `json`.

    Ours from INFO on, of libraries warnings only. `process` is what the process is called in each line.
    """
    # Serve puts something of its own in the place of `sys.stderr`, which keeps warnings only.
    handler = _Own(sys.__stderr__)
    handler.setFormatter(_json() if log_format == "json" else _TextLines(_TEXT))
    handler.addFilter(_Marks(process))
    root = logging.getLogger()
    root.handlers[:] = [*(other for other in root.handlers if not isinstance(other, _Own)), handler]
    root.setLevel(logging.WARNING)
    for name in _OURS:
        logging.getLogger(name).setLevel(logging.INFO)


def _json() -> JsonFormatter:
    return _JsonLines(_JSON, rename_fields=_RENAMED, timestamp="at")


def _where(error: BaseException | None) -> str:
    """The kinds of an error and of those that led to it, each with the lines that it came through.

    Their words are left out: a database's own tell which value was in the way, and that may be somebody's.
    """
    parts: list[str] = []
    while error is not None:
        stack = "".join(traceback.format_tb(error.__traceback__))
        parts.insert(0, f"{stack}{type(error).__module__}.{type(error).__qualname__}")
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return "\n\nled to\n\n".join(parts)


class _TextLines(logging.Formatter):
    """For people."""

    def formatException(self, ei) -> str:
        return _where(ei[1])


class _JsonLines(JsonFormatter):
    """For programs."""

    def formatException(self, ei) -> str:
        return _where(ei[1])


class _Own(logging.StreamHandler):
    """The handler that `set_up` made."""


class _Marks(logging.Filter):
    """Says of each line which process and which request it belongs to."""

    def __init__(self, process: str) -> None:
        super().__init__()
        self._process = process

    def filter(self, record: logging.LogRecord) -> bool:
        record.process_name = self._process
        record.request_id = origin.request_id()
        record.exc_text = None  # another handler may have left a fault's words there
        return True
