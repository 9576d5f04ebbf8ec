"""Days that are told by a word, such as last month: another range each time they are asked for."""

from __future__ import annotations

from datetime import date, timedelta
from enum import StrEnum

Days = tuple[date, date]


class Period(StrEnum):
    """None of them reaches beyond today. Weeks begin on Monday."""

    TODAY = "today"
    YESTERDAY = "yesterday"
    LAST_7_DAYS = "last_7_days"
    THIS_WEEK = "this_week"
    LAST_WEEK = "last_week"
    THIS_MONTH = "this_month"
    LAST_MONTH = "last_month"


def days_of(period: Period, today: date) -> Days:
    """The first and the last day."""
    monday, first = today - timedelta(days=today.weekday()), today.replace(day=1)
    yesterday, end_of_month = today - timedelta(days=1), first - timedelta(days=1)
    return {
        Period.TODAY: (today, today),
        Period.YESTERDAY: (yesterday, yesterday),
        Period.LAST_7_DAYS: (today - timedelta(days=6), today),
        Period.THIS_WEEK: (monday, today),
        Period.LAST_WEEK: (monday - timedelta(days=7), monday - timedelta(days=1)),
        Period.THIS_MONTH: (first, today),
        Period.LAST_MONTH: (end_of_month.replace(day=1), end_of_month),
    }[period]
