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
from streamlit_app.i18n import N_, _

LANGUAGES = {"en": "English", "de": "Deutsch"}
NAMINGS = {
    "full": N_("By their full name"),
    "first": N_("By their first name"),
    "initials": N_("By their initials"),
    "none": N_("Not at all"),
}
LIVENESS = {
    "off": (N_("Nothing"), N_("It is not looked for.")),
    "observe": (N_("It is noted"), N_("The punch counts, and carries what was found.")),
    "require": (
        N_("It is refused"),
        N_("Only a living face is recorded; the code is always left as the other way."),
    ),
}
WAYS = {
    "passive": (N_("The picture is looked at"), N_("Nobody has to do anything. Needs models on the server.")),
    "active": (
        N_("People are asked to move"),
        N_("A turn of the head or a step closer, a few seconds longer."),
    ),
}
NO_MODELS = N_(
    "This Rollcall was started without models that look at the picture. To have them, name their folder in "
    "ROLLCALL_LIVENESS_MODELS on the server and start it again."
)
PUNCHES = {"keep": N_("Stay, without a name"), "remove": N_("Are removed, too")}
LABELS = {
    "site_name": N_("Name of the site"),
    "time_zone": N_("Time zone"),
    "threshold": N_("Similarity of a match"),
    "cooldown_s": N_("Same visit within"),
    "kiosk_name": N_("Names at the kiosks"),
    "liveness": N_("Pictures held up"),
    "liveness_way": N_("How they are found"),
    "consent_text": N_("Consent text"),
    "keep_unknown_hours": N_("Strangers' faces are kept for"),
    "keep_decisions_days": N_("Decisions are kept for"),
    "people_unseen_months": N_("People not seen are erased after"),
    "unseen_punches": N_("Their attendance records"),
    "language": N_("Language"),
}
NOT_MEASURED = N_(
    "What this means at your site is not known yet: it has not been measured on your own people since "
    "Rollcall was started."
)
OWN_WORDS = N_("As it comes with the models")
RATE_WORDS = N_("By how many wrong matches are acceptable here")
NUMBER_WORDS = N_("By a number of your own")
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
    return _(
        "Measured {at} on {templates:,} photos of {people:,} people: {trials:,.0f} trials of strangers. "
        "“Between” holds in 19 of 20 such measurements.",
        at=f"{result.measured_at.astimezone(zone):%Y-%m-%d %H:%M}",
        templates=result.templates,
        people=result.people,
        trials=result.trials,
    )


def own_threshold(pack: Pack) -> str:
    """What the pack brings along."""
    return _("Similarity of {similarity} or more.", similarity=setting_words(pack.threshold))


def gallery_words(people: int, templates: int) -> str:
    """How much the models know."""
    return _(
        "People registered: {people:,}. Photos that are compared: {templates:,}.",
        people=people,
        templates=templates,
    )


def liveness_problem(site: SiteSettings, models: bool) -> str:
    """What is wrong with the check in force; empty when it works, or is off."""
    if site.liveness == "off" or site.liveness_way == "active" or models:
        return ""
    if site.liveness == "require":
        return _(
            "Nobody can be recorded by camera: pictures are to be looked at, but this Rollcall was started "
            "without the models for it. Ask people to move instead, or switch it off."
        )
    return _(
        "Nothing is checked at present: pictures are to be looked at, but this Rollcall was started without "
        "the models for it. Ask people to move instead, or add the models."
    )


def value_words(name: str, value: Any) -> str:
    """A setting's value in a few words."""
    choices = {
        "kiosk_name": NAMINGS,
        "language": LANGUAGES,
        "unseen_punches": PUNCHES,
        "liveness": {key: label for key, (label, _caption) in LIVENESS.items()},
        "liveness_way": {key: label for key, (label, _caption) in WAYS.items()},
    }
    if name in choices:
        return _(choices[name][value])
    if name == "threshold":
        return _(OWN_WORDS) if value is None else setting_words(value)
    if name == "cooldown_s":
        return f"{value:g} s"
    text = str(value)
    return text if len(text) <= _SHORT else text[: _SHORT - 1] + "…"


def due_words(due: Due) -> list[str]:
    """What the next sweep removes, a sentence for each kind."""
    found = [
        _("Decisions of kiosks: {decisions:,}.", decisions=due.decisions),
        _("Faces of strangers: {unknown_faces:,}.", unknown_faces=due.unknown_faces),
        _("People: {number:,} of {registered:,}.", number=len(due.people), registered=due.registered),
    ]
    return found if due.registered else found[:2]


def held_back_words(due: Due) -> str:
    """Why nobody is erased at present."""
    return _(
        "{number:,} of {registered:,} people are due at once, and no more than {most:,} go by "
        "themselves. Nobody is erased until an admin agrees. Check the number of months, and the "
        "time of the server.",
        number=len(due.people),
        registered=due.registered,
        most=due.most,
    )


def sweep_words(sweep: Sweep, zone: ZoneInfo) -> str:
    """What the last sweep did."""
    words = _(
        "Last removed {at}: {decisions:,} decisions, {unknown:,} faces of strangers, {people:,} people.",
        at=f"{sweep.at.astimezone(zone):%Y-%m-%d %H:%M}",
        decisions=sweep.decisions,
        unknown=sweep.unknown_faces,
        people=sweep.people,
    )
    if sweep.failed:
        words += " " + _("People who could not be erased yet: {failed:,}.", failed=sweep.failed)
    return words


def due_rows(people: Sequence[DuePerson], zone: ZoneInfo) -> pd.DataFrame:
    """Who is due."""
    return pd.DataFrame(
        {
            _("Name"): [one.person.name for one in people],
            _("Employee id"): [one.person.employee_id for one in people],
            _("Department"): [one.person.department for one in people],
            _("Last seen"): [
                f"{one.last_seen.astimezone(zone):%Y-%m-%d}" if one.last_seen else _("never")
                for one in people
            ],
            _("Registered"): [f"{one.person.created_at.astimezone(zone):%Y-%m-%d}" for one in people],
        }
    )
