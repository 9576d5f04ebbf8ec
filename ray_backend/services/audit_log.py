"""Reading the audit log: searching it, and taking it away as a file."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable

from ray_backend.domain.model import AuditEntry
from ray_backend.domain.queries import AuditQuery, Page
from ray_backend.ports import Store
from ray_backend.services.plain_text import plain_cell
from ray_backend.services.report import pages

MOST_EXPORTED = 100_000
_PAGE = 1000


class AuditLog:
    """The append-only log of who did what, when. There is no use case that changes or removes an entry."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def find(self, query: AuditQuery) -> Page[AuditEntry]:
        """Newest first."""
        return self._store.list_audit(query)

    def export(self, query: AuditQuery) -> bytes:
        """The newest 100,000 entries as CSV: UTF-8 with a byte order mark, times in UTC, no formulas."""
        entries = pages(self._store.list_audit, _first_page(query))
        return _csv(entry for entry, _ in zip(entries, range(MOST_EXPORTED), strict=False))


def _first_page(query: AuditQuery) -> AuditQuery:
    bounds = (query.start, query.end, query.actor, query.action, query.subject)
    return AuditQuery(*bounds, limit=_PAGE)


def _csv(entries: Iterable[AuditEntry]) -> bytes:
    text = io.StringIO()
    table = csv.writer(text)
    table.writerow(["Time (UTC)", "Who", "Action", "Subject", "Before", "After", "Details"])
    for entry in entries:
        detail = dict(entry.detail)
        before, after = detail.pop("before", None), detail.pop("after", None)
        cells = [entry.actor, entry.action, entry.subject, *map(_json, (before, after, detail or None))]
        table.writerow([entry.at.isoformat(timespec="seconds"), *map(plain_cell, cells)])
    return text.getvalue().encode("utf-8-sig")


def _json(value: object) -> str:
    return "" if value is None else json.dumps(value, ensure_ascii=False, sort_keys=True)
