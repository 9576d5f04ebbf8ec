"""The quick choices of days. None of them reaches beyond today."""

from __future__ import annotations

from datetime import date, timedelta

from streamlit_app.i18n import N_

Days = tuple[date, date]

TODAY, THIS_WEEK, THIS_MONTH, LAST_MONTH = "today", "this_week", "this_month", "last_month"
QUICK = {
    TODAY: N_("Today"),
    THIS_WEEK: N_("This week"),
    THIS_MONTH: N_("This month"),
    LAST_MONTH: N_("Last month"),
}


def days_of(choice: str, today: date) -> Days:
    """The first and the last day of one of QUICK. Weeks begin on Monday."""
    if choice == THIS_WEEK:
        return today - timedelta(days=today.weekday()), today
    if choice == THIS_MONTH:
        return today.replace(day=1), today
    if choice == LAST_MONTH:
        end = today.replace(day=1) - timedelta(days=1)
        return end.replace(day=1), end
    return today, today


def usual(today: date) -> Days:
    """What a report shows before anybody has chosen: the last seven days."""
    return today - timedelta(days=6), today
