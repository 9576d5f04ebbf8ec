"""Webhooks in words."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from ray_backend.domain.webhooks import Delivery, Event
from streamlit_app.i18n import N_, _, message, n_

EVENTS = {
    Event.PUNCH: N_("Punches"),
    Event.REQUESTED: N_("Corrections that are asked for"),
    Event.APPROVED: N_("Corrections that are approved"),
    Event.REFUSED: N_("Corrections that are refused"),
    Event.WITHDRAWN: N_("Corrections that are withdrawn"),
    Event.ADDED: N_("Punches that are added by hand"),
    Event.TEST: N_("Tests"),
}


def event(which: Event) -> str:
    """What a webhook is told of."""
    return _(EVENTS[which])


def why(delivery: Delivery, zone: ZoneInfo) -> str:
    """When a message was given up, after how much, and why."""
    at = local(delivery.due_at, zone)
    tried = n_("Tried once.", "Tried {number} times.", delivery.attempts)
    return _("Given up on {at}. {tried} {reason}", at=at, tried=tried, reason=message(delivery.error))


def local(at: datetime, zone: ZoneInfo) -> str:
    """A moment on the site's clocks."""
    return f"{at.astimezone(zone):%Y-%m-%d %H:%M:%S}"
