"""People in words: when somebody was seen last, how photos go together, what a merge moves. Knows no
Streamlit."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from ray_backend.domain.answers import Likeness, MergePreview, PersonFile
from ray_backend.domain.model import Direction, Punch
from ray_backend.domain.nearness import Fit, Nearness

NEVER = "never"
_AGO = (
    (365, "1 year ago", "{n} years ago"),
    (30, "1 month ago", "{n} months ago"),
    (7, "1 week ago", "{n} weeks ago"),
    (1, "1 day ago", "{n} days ago"),
)
_FITS = {
    Fit.ONLY_ONE: "The only photo: there is nothing to compare it with.",
    Fit.NOT_COMPARABLE: "Made for another face recognition, so it is not compared.",
    Fit.FITS: "Looks like the other photos.",
    Fit.DIFFERS: "Differs a little from the other photos.",
    Fit.SOMEBODY_ELSE: "Does this photo show somebody else?",
}
_SOURCES = {
    "face": "Face", "pin": "Code", "group": "Group photo", "manual": "By hand", "api": "Program",
    "import": "Import",
}  # fmt: skip
_DIRECTIONS = {Direction.IN: "In", Direction.OUT: "Out"}


def last_seen_words(at: datetime | None, now: datetime, zone: ZoneInfo) -> str:
    """`today 08:01`, `yesterday 17:30`, `3 weeks ago`, or `never`."""
    if at is None:
        return NEVER
    local = at.astimezone(zone)
    days = (now.astimezone(zone).date() - local.date()).days
    if days <= 0:
        return f"today {local:%H:%M}"
    if days == 1:
        return f"yesterday {local:%H:%M}"
    length, one, many = next(step for step in _AGO if days >= step[0])
    number = days // length
    return one if number == 1 else many.format(n=number)


def photos_words(number: int) -> str:
    """`no photo`, `1 photo`, `3 photos`."""
    if number == 0:
        return "no photo"
    return "1 photo" if number == 1 else f"{number} photos"


def fit_words(nearness: Nearness, photos: int) -> str:
    """How a photo goes with the `photos - 1` others, in a sentence."""
    if nearness.fit is Fit.SOMEBODY_ELSE and photos == 2:
        return "The two photos do not look like one person."
    return _FITS[nearness.fit]


def bar_of(similarity: float | None, threshold: float) -> float:
    """A similarity as a bar of 0 to 1 that is half full at the threshold."""
    if similarity is None:
        return 0.0
    return min(1.0, max(0.0, 0.5 + 0.5 * (similarity - threshold) / max(1e-6, 1 - threshold)))


def likeness_words(file: PersonFile, has_code: bool) -> str:
    """Whom a camera may take this person for, and what the kiosk does about it."""
    if not file.others:
        return "There is nobody else to compare with yet."
    alike = [one for one in file.others if one.alike]
    if not alike:
        return f"Nobody else looks much alike. The nearest is {_who(file.others[0])}."
    names = ", ".join(_who(one) for one in alike)
    if has_code:
        return f"Looks much like {names}: the kiosk asks for the code to tell them apart."
    return (
        f"Looks much like {names}: the kiosk asks for the code to tell them apart. "
        "This person has no code yet: set one below."
    )


def merge_words(preview: MergePreview) -> str:
    """What moves with a merge, in a sentence."""
    records = "1 attendance record" if preview.punches == 1 else f"{preview.punches} attendance records"
    return "{photos} and {records} of {source} will count for {target}.".format(
        photos=photos_words(preview.templates),
        records=records if preview.punches else "no attendance record",
        source=preview.source.name,
        target=preview.target.name,
    )


def punch_rows(punches: tuple[Punch, ...], zone: ZoneInfo) -> list[dict[str, str]]:
    """Punches as they are shown, one row each."""
    return [
        {
            "Time": f"{punch.at.astimezone(zone):%Y-%m-%d %H:%M}",
            "Direction": _DIRECTIONS[punch.direction],
            "Kiosk": punch.kiosk,
            "How": _SOURCES.get(punch.source, punch.source),
        }
        for punch in punches
    ]


def _who(one: Likeness) -> str:
    return f"{one.person.name} ({one.person.employee_id})"
