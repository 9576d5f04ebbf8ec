"""People in words: when somebody was seen last, how photos go together, what a merge moves. Knows no
Streamlit."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from ray_backend.domain.answers import Likeness, MergePreview, PersonFile, ShiftsToday
from ray_backend.domain.model import Direction, Punch
from ray_backend.domain.nearness import Fit, Nearness
from streamlit_app.i18n import N_, _, n_

_FITS = {
    Fit.ONLY_ONE: N_("The only photo: there is nothing to compare it with."),
    Fit.NOT_COMPARABLE: N_("Made for another face recognition, so it is not compared."),
    Fit.FITS: N_("Looks like the other photos."),
    Fit.DIFFERS: N_("Differs a little from the other photos."),
    Fit.SOMEBODY_ELSE: N_("Does this photo show somebody else?"),
}
_SOURCES = {
    "face": N_("Face"), "pin": N_("Code"), "group": N_("Group photo"), "manual": N_("By hand"),
    "api": N_("Program"), "import": N_("Import"),
}  # fmt: skip
_DIRECTIONS = {Direction.IN: N_("In"), Direction.OUT: N_("Out")}


def last_seen_words(at: datetime | None, now: datetime, zone: ZoneInfo) -> str:
    """`today 08:01`, `yesterday 17:30`, `3 weeks ago`, or `never`."""
    if at is None:
        return _("never")
    local = at.astimezone(zone)
    days = (now.astimezone(zone).date() - local.date()).days
    if days <= 0:
        return _("today {clock}", clock=f"{local:%H:%M}")
    if days == 1:
        return _("yesterday {clock}", clock=f"{local:%H:%M}")
    return _ago(days)


def today_words(today: ShiftsToday | None) -> str:
    """Today's shifts: `Early 06:00–14:00`, `Free`, what is instead of them, or a dash without a schedule."""
    if today is None:
        return "–"
    if today.on_leave:
        return _("On leave")
    if not today.turns:
        return today.holiday or _("Free")
    return ", ".join(
        f"{name} {start:%H:%M}–{end:%H:%M}" if start is not None and end is not None else name
        for name, start, end in today.turns
    )


def photos_words(number: int) -> str:
    """`no photo`, `1 photo`, `3 photos`."""
    if number == 0:
        return _("no photo")
    return n_("{number} photo", "{number} photos", number)


def fit_words(nearness: Nearness, photos: int) -> str:
    """How a photo goes with the `photos - 1` others, in a sentence."""
    if nearness.fit is Fit.SOMEBODY_ELSE and photos == 2:
        return _("The two photos do not look like one person.")
    return _(_FITS[nearness.fit])


def bar_of(similarity: float | None, threshold: float) -> float:
    """A similarity as a bar of 0 to 1 that is half full at the threshold."""
    if similarity is None:
        return 0.0
    return min(1.0, max(0.0, 0.5 + 0.5 * (similarity - threshold) / max(1e-6, 1 - threshold)))


def likeness_words(file: PersonFile, has_code: bool) -> str:
    """Whom a camera may take this person for, and what the kiosk does about it."""
    if not file.others:
        return _("There is nobody else to compare with yet.")
    alike = [one for one in file.others if one.alike]
    if not alike:
        return _("Nobody else looks much alike. The nearest is {who}.", who=_who(file.others[0]))
    names = ", ".join(_who(one) for one in alike)
    if has_code:
        return _("Looks much like {names}: the kiosk asks for the code to tell them apart.", names=names)
    return _(
        "Looks much like {names}: the kiosk asks for the code to tell them apart. "
        "This person has no code yet: set one below.",
        names=names,
    )


def merge_words(preview: MergePreview) -> str:
    """What moves with a merge, in a sentence."""
    return _(
        "{photos} and {records} of {source} will count for {target}.",
        photos=photos_words(preview.templates),
        records=_records(preview.punches),
        source=preview.source.name,
        target=preview.target.name,
    )


def punch_rows(punches: tuple[Punch, ...], zone: ZoneInfo) -> list[dict[str, str]]:
    """Punches as they are shown, one row each."""
    return [
        {
            _("Time"): f"{punch.at.astimezone(zone):%Y-%m-%d %H:%M}",
            _("Direction"): _(_DIRECTIONS[punch.direction]),
            _("Kiosk"): punch.kiosk,
            _("How"): _(_SOURCES.get(punch.source, punch.source)),
        }
        for punch in punches
    ]


def _ago(days: int) -> str:
    if days >= 365:
        return n_("{number} year ago", "{number} years ago", days // 365)
    if days >= 30:
        return n_("{number} month ago", "{number} months ago", days // 30)
    if days >= 7:
        return n_("{number} week ago", "{number} weeks ago", days // 7)
    return n_("{number} day ago", "{number} days ago", days)


def _records(number: int) -> str:
    if number == 0:
        return _("no attendance record")
    return n_("{number} attendance record", "{number} attendance records", number)


def _who(one: Likeness) -> str:
    return f"{one.person.name} ({one.person.employee_id})"
