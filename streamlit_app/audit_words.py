"""Entries of the audit log as rows of a table."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pandas as pd

from ray_backend.domain.model import AuditEntry
from ray_backend.domain.queries import AuditQuery
from streamlit_app.i18n import N_, _

COLUMNS = (N_("Time"), N_("Who"), N_("Action"), N_("Subject"), N_("Before"), N_("After"), N_("Details"))


def rows(entries: Sequence[AuditEntry], zone: ZoneInfo) -> pd.DataFrame:
    """One row for each entry, in order, with times of the site."""
    return pd.DataFrame([_row(entry, zone) for entry in entries], columns=[_(title) for title in COLUMNS])


def _row(entry: AuditEntry, zone: ZoneInfo) -> tuple[str, ...]:
    detail = dict(entry.detail)
    before, after = detail.pop("before", None), detail.pop("after", None)
    told = ("" if part is None else _short(part) for part in (before, after, detail or None))
    return (f"{entry.at.astimezone(zone):%Y-%m-%d %H:%M:%S}", entry.actor, entry.action, entry.subject, *told)


def _short(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name}: {_short(part)}" for name, part in value.items())
    if value is None:
        return "–"
    if isinstance(value, list):
        return ", ".join(map(_short, value)) or "–"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def days(start: date | None, end: date | None, zone: ZoneInfo) -> AuditQuery:
    """From the first to the last day of the site, both included; None means no bound."""
    return AuditQuery(
        start=None if start is None else datetime.combine(start, time.min, zone),
        end=None if end is None else datetime.combine(end + timedelta(days=1), time.min, zone),
    )
