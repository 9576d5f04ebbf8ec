"""The words of the settings page. Knows nothing of Streamlit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd

from ray_backend.domain.model import Pack
from ray_backend.domain.retention import Due, DuePerson, Sweep
from ray_backend.domain.site import SiteSettings
from ray_backend.services.calibration import SiteAccuracy
from streamlit_app.calibration_words import setting_words

LANGUAGES = {"en": "English", "de": "Deutsch"}
NAMINGS = {
    "full": "By their full name",
    "first": "By their first name",
    "initials": "By their initials",
    "none": "Not at all",
}
LIVENESS = {
    "off": ("Nothing", "It is not looked for."),
    "observe": ("It is noted", "The punch counts, and carries what was found."),
    "require": ("It is refused", "Only a living face is recorded; the code is always left as the other way."),
}
WAYS = {
    "passive": ("The picture is looked at", "Nobody has to do anything. Needs models on the server."),
    "active": ("People are asked to move", "A turn of the head or a step closer, a few seconds longer."),
}
NO_MODELS = (
    "This Rollcall was started without models that look at the picture. To have them, name their folder in "
    "ROLLCALL_LIVENESS_MODELS on the server and start it again."
)
PUNCHES = {"keep": "Stay, without a name", "remove": "Are removed, too"}
LABELS = {
    "site_name": "Name of the site",
    "time_zone": "Time zone",
    "threshold": "Similarity of a match",
    "cooldown_s": "Same visit within",
    "kiosk_name": "Names at the kiosks",
    "liveness": "Pictures held up",
    "liveness_way": "How they are found",
    "consent_text": "Consent text",
    "keep_unknown_hours": "Strangers' faces are kept for",
    "keep_decisions_days": "Decisions are kept for",
    "people_unseen_months": "People not seen are erased after",
    "unseen_punches": "Their attendance records",
    "language": "Language",
}
NOT_MEASURED = (
    "What this means at your site is not known yet: it has not been measured on your own people since "
    "Rollcall was started."
)
OWN_WORDS = "As it comes with the models"
RATE_WORDS = "By how many wrong matches are acceptable here"
NUMBER_WORDS = "By a number of your own"
_SHORT = 60


def of_this_pack(result: SiteAccuracy | None, pack: Pack) -> SiteAccuracy | None:
    """The measurement, unless there is none or it was made with other models."""
    return result if result is not None and result.pack_id == pack.pack_id else None


def threshold_in_force(site: SiteSettings, pack: Pack) -> float:
    """The cosine similarity from which a face is somebody."""
    return pack.threshold if site.threshold is None else site.threshold


def at_threshold(result: SiteAccuracy, threshold: float) -> SiteAccuracy:
    """The same measurement, told for another threshold."""
    return replace(result, threshold=threshold)


def basis(result: SiteAccuracy, zone: ZoneInfo) -> str:
    """What a sentence about error rates rests on, and no more."""
    return (
        "Measured {at} on {templates:,} photos of {people:,} people: {trials:,.0f} trials of strangers. "
        "“Between” holds in 19 of 20 such measurements."
    ).format(
        at=f"{result.measured_at.astimezone(zone):%Y-%m-%d %H:%M}",
        templates=result.templates,
        people=result.people,
        trials=result.trials,
    )


def own_threshold(pack: Pack) -> str:
    """What the pack brings along."""
    return f"Similarity of {setting_words(pack.threshold)} or more."


def gallery_words(people: int, templates: int) -> str:
    """How much the models know."""
    return f"People registered: {people:,}. Photos that are compared: {templates:,}."


def liveness_problem(site: SiteSettings, models: bool) -> str:
    """What is wrong with the check in force; empty when it works, or is off."""
    if site.liveness == "off" or site.liveness_way == "active" or models:
        return ""
    if site.liveness == "require":
        return (
            "Nobody can be recorded by camera: pictures are to be looked at, but this Rollcall was started "
            "without the models for it. Ask people to move instead, or switch it off."
        )
    return (
        "Nothing is checked at present: pictures are to be looked at, but this Rollcall was started without "
        "the models for it. Ask people to move instead, or add the models."
    )


def value_words(name: str, value: Any) -> str:
    """A setting's value in a few words."""
    choices = {
        "kiosk_name": NAMINGS,
        "language": LANGUAGES,
        "unseen_punches": PUNCHES,
        "liveness": {key: label for key, (label, _) in LIVENESS.items()},
        "liveness_way": {key: label for key, (label, _) in WAYS.items()},
    }
    if name in choices:
        return choices[name][value]
    if name == "threshold":
        return OWN_WORDS if value is None else setting_words(value)
    if name == "cooldown_s":
        return f"{value:g} s"
    text = str(value)
    return text if len(text) <= _SHORT else text[: _SHORT - 1] + "…"


def due_words(due: Due) -> list[str]:
    """What the next sweep removes, a sentence for each kind."""
    found = [
        f"Decisions of kiosks: {due.decisions:,}.",
        f"Faces of strangers: {due.unknown_faces:,}.",
        f"People: {len(due.people):,} of {due.registered:,}.",
    ]
    return found if due.registered else found[:2]


def held_back_words(due: Due) -> str:
    """Why nobody is erased at present."""
    return (
        f"{len(due.people):,} of {due.registered:,} people are due at once, and no more than {due.most:,} go "
        "by themselves. Nobody is erased until an admin agrees. Check the number of months, and the time of "
        "the server."
    )


def sweep_words(sweep: Sweep, zone: ZoneInfo) -> str:
    """What the last sweep did."""
    words = (
        "Last removed {at}: {decisions:,} decisions, {unknown:,} faces of strangers, {people:,} people."
    ).format(
        at=f"{sweep.at.astimezone(zone):%Y-%m-%d %H:%M}",
        decisions=sweep.decisions,
        unknown=sweep.unknown_faces,
        people=sweep.people,
    )
    if sweep.failed:
        words += " " + f"People who could not be erased yet: {sweep.failed:,}."
    return words


def due_rows(people: Sequence[DuePerson], zone: ZoneInfo) -> pd.DataFrame:
    """Who is due."""
    return pd.DataFrame(
        {
            "Name": [one.person.name for one in people],
            "Employee id": [one.person.employee_id for one in people],
            "Department": [one.person.department for one in people],
            "Last seen": [
                f"{one.last_seen.astimezone(zone):%Y-%m-%d}" if one.last_seen else "never" for one in people
            ],
            "Registered": [f"{one.person.created_at.astimezone(zone):%Y-%m-%d}" for one in people],
        }
    )
