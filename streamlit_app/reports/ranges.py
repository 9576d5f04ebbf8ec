"""The quick choices of days, and what periods are called. None of them reaches beyond today."""

from __future__ import annotations

from datetime import date

from ray_backend.domain.reporting.periods import Days, Period, days_of
from streamlit_app.i18n import N_, _

PERIODS = {
    Period.TODAY: N_("Today"),
    Period.YESTERDAY: N_("Yesterday"),
    Period.LAST_7_DAYS: N_("The last 7 days"),
    Period.THIS_WEEK: N_("This week"),
    Period.LAST_WEEK: N_("Last week"),
    Period.THIS_MONTH: N_("This month"),
    Period.LAST_MONTH: N_("Last month"),
}
QUICK = (Period.TODAY, Period.THIS_WEEK, Period.THIS_MONTH, Period.LAST_MONTH)


def words(period: Period) -> str:
    """What a period is called."""
    return _(PERIODS[period])


def usual(today: date) -> Days:
    """What a report shows before anybody has chosen: the last seven days."""
    return days_of(Period.LAST_7_DAYS, today)


def period_of(days: tuple[date, ...], today: date) -> Period | None:
    """The period that these days are today, the quick choices first."""
    return next((one for one in (*QUICK, *PERIODS) if days_of(one, today) == days), None)
