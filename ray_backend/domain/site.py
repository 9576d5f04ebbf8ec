"""What an admin may set in the app, checked: the site's rules and words."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from math import isfinite
from typing import Any, Literal, get_args
from zoneinfo import ZoneInfo

from ray_backend.domain.consent import CONSENT_TEXTS, Language
from ray_backend.domain.errors import InvalidInput

KioskName = Literal["full", "first", "initials", "none"]
LivenessSetting = Literal["off", "observe", "require"]
LivenessWay = Literal["passive", "active"]
UnseenPunches = Literal["keep", "remove"]

LONGEST_COOLDOWN_S = 24 * 3600
LONGEST_KEEP_HOURS = 30 * 24
LONGEST_KEEP_DAYS = 3650
LONGEST_UNSEEN_MONTHS = 120


@dataclass(frozen=True, slots=True)
class SiteSettings:
    """The rules in force. They apply at once to whoever asks.

    `threshold` is cosine, -1 to 1; None: the pack's own. `cooldown_s` 0 to 86,400 seconds. A stranger's
    face is kept for `keep_unknown_hours`, 0: never kept. A kiosk's decisions are kept for
    `keep_decisions_days`. Whoever did not punch for `people_unseen_months` is erased, 0: nobody is, and
    `unseen_punches` says what becomes of their punches: kept without a name, or removed.
    """

    site_name: str
    time_zone: str
    threshold: float | None = None
    cooldown_s: float = 60.0
    kiosk_name: KioskName = "full"
    liveness: LivenessSetting = "observe"
    liveness_way: LivenessWay = "passive"
    consent_text: str = CONSENT_TEXTS["en"]
    keep_unknown_hours: int = 0
    keep_decisions_days: int = 90
    people_unseen_months: int = 0
    unseen_punches: UnseenPunches = "keep"
    language: Language = "en"

    @property
    def zone(self) -> ZoneInfo:
        """The site's time zone."""
        return ZoneInfo(self.time_zone)

    @property
    def consent_version(self) -> str:
        """Names this text: the first 12 hexadecimal digits of its SHA-256."""
        return consent_version(self.consent_text)


FIELDS = tuple(field.name for field in fields(SiteSettings))


def consent_version(text: str) -> str:
    """The version that a consent text has; another text has another one."""
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def from_environment(settings: Any) -> SiteSettings:
    """The defaults of this process: what its `Settings` say, and our own where they say nothing."""
    return SiteSettings(**{name: getattr(settings, name) for name in FIELDS if hasattr(settings, name)})


def with_changes(before: SiteSettings, changes: Mapping[str, Any]) -> SiteSettings:
    """The settings after these changes, texts without outer spaces.

    A site without a consent text of its own has the default one of its language. Raises InvalidInput that
    names the setting to mend.
    """
    for name in changes:
        if name not in _CHECKS:
            raise InvalidInput(f"There is no setting {name}.")
    after = replace(before, **{name: _CHECKS[name](value) for name, value in changes.items()})
    if "consent_text" in changes or before.consent_text != CONSENT_TEXTS[before.language]:
        return after
    return replace(after, consent_text=CONSENT_TEXTS[after.language])


def _text(value: Any, what: str, longest: int, *, lines: bool = False) -> str:
    text = value.replace("\r\n", "\n").strip() if isinstance(value, str) else ""
    if not text:
        raise InvalidInput(f"The {what} is missing.")
    if len(text) > longest:
        raise InvalidInput(f"The {what} is too long: at most {longest:,} characters.")
    if not (text.replace("\n", "") if lines else text).isprintable():
        raise InvalidInput(f"The {what} contains a control character. Type it in again.")
    return text


def _zone(value: Any) -> str:
    try:
        return ZoneInfo(value).key
    except (KeyError, ValueError, OSError, TypeError) as error:
        raise InvalidInput("This is no time zone. Use a name such as Europe/Berlin.") from error


def _threshold(value: Any) -> float | None:
    if value is None:
        return None
    number = _number(value, "similarity of a match")
    if not -1 <= number <= 1:
        raise InvalidInput("The similarity of a match lies between -1 and 1.")
    return number


def _cooldown(value: Any) -> float:
    number = _number(value, "time between two punches")
    if not 0 <= number <= LONGEST_COOLDOWN_S:
        raise InvalidInput("The time between two punches of one person is 0 seconds to 24 hours.")
    return number


def _number(value: Any, what: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value):
        raise InvalidInput(f"The {what} is no number.")
    return float(value)


def _whole(what: str, least: int, most: int) -> Callable[[Any], int]:
    def check(value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise InvalidInput(f"The number of {what} is a whole number from {least} to {most:,}.")
        return value

    return check


def _one_of(what: str, allowed: Any) -> Callable[[Any], str]:
    def check(value: Any) -> str:
        if value not in get_args(allowed):
            raise InvalidInput(f"The {what} is one of: {', '.join(get_args(allowed))}.")
        return value

    return check


_CHECKS = {
    "site_name": lambda value: _text(value, "name of the site", 80),
    "time_zone": _zone,
    "threshold": _threshold,
    "cooldown_s": _cooldown,
    "kiosk_name": _one_of("way that a kiosk shows names", KioskName),
    "liveness": _one_of("check for pictures held up", LivenessSetting),
    "liveness_way": _one_of("way of that check", LivenessWay),
    "consent_text": lambda value: _text(value, "consent text", 5000, lines=True),
    "keep_unknown_hours": _whole("hours to keep strangers' faces", 0, LONGEST_KEEP_HOURS),
    "keep_decisions_days": _whole("days to keep decisions", 1, LONGEST_KEEP_DAYS),
    "people_unseen_months": _whole(
        "months after which people who were not seen go", 0, LONGEST_UNSEEN_MONTHS
    ),
    "unseen_punches": _one_of("fate of the punches of people who were not seen", UnseenPunches),
    "language": _one_of("language", Language),
}
