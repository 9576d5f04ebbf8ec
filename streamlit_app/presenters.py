"""From the domain to words and rows for people. Knows nothing of Streamlit."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

import pandas as pd

from ray_backend.domain.answers import Erasure, PhotoReview
from ray_backend.domain.model import Box, Pack, PhotoProblem, QualityIssue, Template
from streamlit_app.i18n import N_, _, day_words, message, n_

BUILT_IN_PACK = "dlib-resnet"
RelativeBox = tuple[float, float, float, float]
_MARKDOWN = frozenset("\\`*_{}[]()<>#+-.!|~$:^")
_PHOTO_REASONS = {
    QualityIssue.TOO_SMALL: N_("The face is too small. Come closer or crop the photo."),
    QualityIssue.CUT_OFF: N_("The face is cut off. Move it to the middle."),
    QualityIssue.TURNED_AWAY: N_("The face is turned away. Look straight at the camera."),
    QualityIssue.TOO_DARK: N_("The face is too dark. Turn on a light in front of it."),
    QualityIssue.TOO_BRIGHT: N_("The face is too bright. Turn away from the lamp or the sun."),
    QualityIssue.BLURRED: N_("The face is blurred. Hold still and take it again."),
    PhotoProblem.NO_FACE: N_("No face was found. Look straight at the camera."),
    PhotoProblem.SEVERAL_FACES: N_("Several faces are in the photo. Take one of this person alone."),
    PhotoProblem.ANOTHER_PERSON: N_("This face is already registered for somebody else."),
    PhotoProblem.NOT_THE_SAME_PERSON: N_("This is not the person of the other photos."),
    PhotoProblem.ALREADY_STORED: N_("This photo is there already."),
}
_QUALITIES = ((0.75, N_("Very good")), (0.5, N_("Good")), (0.25, N_("Fair")), (0.0, N_("Poor")))
_SOURCES = {"camera": N_("Camera"), "upload": N_("File"), "import": N_("Import"), "kiosk": N_("Kiosk")}


def relative_box(box: Box | None, size: tuple[int, int] | None) -> RelativeBox | None:
    """The box in shares of the picture, 0 to 1, cut at its edges; None when there is none."""
    if box is None or size is None:
        return None
    width, height = size
    shares = (box[0] / width, box[1] / height, box[2] / width, box[3] / height)
    return tuple(round(min(1.0, max(0.0, share)), 4) for share in shares)


def photo_reason(review: PhotoReview) -> str:
    """Why a photo was refused, and what to do; empty for an accepted one."""
    if review.reason is None:
        return ""
    if review.reason is PhotoProblem.UNREADABLE:
        return message(review.detail)
    return _(_PHOTO_REASONS[review.reason])


def photos_summary(reviews: Iterable[PhotoReview]) -> str:
    """How many photos will be used."""
    reviews = list(reviews)
    accepted = sum(review.accepted for review in reviews)
    if accepted == len(reviews):
        return n_("{number} photo will be used.", "{number} photos will be used.", accepted)
    return n_(
        "{accepted} of {number} photo will be used.",
        "{accepted} of {number} photos will be used.",
        len(reviews),
        accepted=accepted,
    )


def quality_words(quality: float) -> str:
    """A template's quality, 0 to 1, in a word."""
    return _(next(word for limit, word in _QUALITIES if quality >= limit))


def source_words(template: Template) -> str:
    """Where a template came from."""
    known = _SOURCES.get(template.source)
    return _(known) if known else template.source.capitalize() or _("Unknown")


def erasure_words(erasure: Erasure) -> str:
    """What an erasure took away."""
    photos = n_("{number} photo", "{number} photos", erasure.templates)
    if erasure.punches_removed:
        records = n_("{number} attendance record", "{number} attendance records", erasure.punches_removed)
        words = _("Erased the person with {photos} and {records}.", photos=photos, records=records)
    else:
        words = _("Erased the person with {photos}.", photos=photos)
    if erasure.punches_kept:
        words += " " + n_(
            "{number} attendance record stays without a name.",
            "{number} attendance records stay without a name.",
            erasure.punches_kept,
        )
    return words


def pack_words(pack: Pack) -> str:
    """The running pack in plain words."""
    if pack.pack_id == BUILT_IN_PACK:
        return _("Built-in face recognition")
    return _("Face recognition {pack_id}", pack_id=pack.pack_id)


def pack_warning(pack: Pack) -> str:
    """What an admin should know when the built-in pack runs because a better one was not to be had."""
    if pack.pack_id != BUILT_IN_PACK or "instead of" not in pack.origin:
        return ""
    return _(
        "The simpler built-in face recognition is running: it needs faces closer to the camera and looking "
        "straight ahead. Changing it later means registering all photos again."
    )


def day_rows(days: pd.DataFrame) -> pd.DataFrame:
    """The days of a timesheet (`ray_backend.services.timesheet.COLUMNS`) as the first page shows them."""
    hours = zip(days["worked"], days["last_out"].notna(), strict=True)
    return pd.DataFrame(
        {
            _("Name"): days["name"].to_list(),
            _("Employee id"): days["employee_id"].to_list(),
            _("Department"): days["department"].to_list(),
            _("First in"): [_clock(value) for value in days["first_in"]],
            _("Last out"): [_clock(value) for value in days["last_out"]],
            _("Hours"): [f"{worked / 60:.2f}" if left else "" for worked, left in hours],
            _("Records"): days["punches"].to_list(),
        }
    )


def plain(text: str) -> str:
    """Text that somebody typed in, safe where Markdown is read: its signs mean nothing."""
    return "".join(f"\\{sign}" if sign in _MARKDOWN else sign for sign in text)


def _clock(value) -> str:
    return "" if pd.isna(value) else f"{value:%H:%M}"


def paging_words(first: int, shown: int, total: int) -> str:
    """Which part of a long list of people is on the screen; `first` counts from 1."""
    if shown >= total:
        return n_("{number} person", "{number} people", total)
    return _("{first} to {last} of {total} people", first=first, last=first + shown - 1, total=total)


def long_day(day: date) -> str:
    """The day with its weekday and month in words."""
    return day_words(day, _("EEEE, dd MMMM y"))
