"""From the domain to words and rows for people. Knows nothing of Streamlit."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta

import pandas as pd

from ray_backend.domain.answers import Erasure, PhotoReview
from ray_backend.domain.model import Box, Pack, PhotoProblem, QualityIssue, Template

BUILT_IN_PACK = "dlib-resnet"
RelativeBox = tuple[float, float, float, float]
_MARKDOWN = frozenset("\\`*_{}[]()<>#+-.!|~$:^")
_PHOTO_REASONS = {
    QualityIssue.TOO_SMALL: "The face is too small. Come closer or crop the photo.",
    QualityIssue.CUT_OFF: "The face is cut off. Move it to the middle.",
    QualityIssue.TURNED_AWAY: "The face is turned away. Look straight at the camera.",
    QualityIssue.TOO_DARK: "The face is too dark. Turn on a light in front of it.",
    QualityIssue.TOO_BRIGHT: "The face is too bright. Turn away from the lamp or the sun.",
    QualityIssue.BLURRED: "The face is blurred. Hold still and take it again.",
    PhotoProblem.NO_FACE: "No face was found. Look straight at the camera.",
    PhotoProblem.SEVERAL_FACES: "Several faces are in the photo. Take one of this person alone.",
    PhotoProblem.ANOTHER_PERSON: "This face is already registered for somebody else.",
    PhotoProblem.NOT_THE_SAME_PERSON: "This is not the person of the other photos.",
    PhotoProblem.ALREADY_STORED: "This photo is there already.",
}
_SOURCES = {"camera": "Camera", "upload": "File", "import": "Import", "kiosk": "Kiosk"}


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
        return review.detail
    return _PHOTO_REASONS[review.reason]


def photos_summary(reviews: Iterable[PhotoReview]) -> str:
    """How many photos will be used."""
    reviews = list(reviews)
    accepted = sum(review.accepted for review in reviews)
    if accepted == len(reviews):
        return f"{_count(accepted, 'photo')} will be used."
    return f"{accepted} of {_count(len(reviews), 'photo')} will be used."


def quality_words(quality: float) -> str:
    """A template's quality, 0 to 1, in a word."""
    return next(word for limit, word in ((0.75, "Very good"), (0.5, "Good"), (0.25, "Fair"), (0, "Poor"))
                if quality >= limit)  # fmt: skip


def source_words(template: Template) -> str:
    """Where a template came from."""
    return _SOURCES.get(template.source, template.source.capitalize() or "Unknown")


def erasure_words(erasure: Erasure) -> str:
    """What an erasure took away."""
    gone = [_count(erasure.templates, "photo")]
    if erasure.punches_removed:
        gone.append(_count(erasure.punches_removed, "attendance record"))
    words = f"Erased the person with {' and '.join(gone)}."
    if erasure.punches_kept:
        words += f" {_count(erasure.punches_kept, 'attendance record')} stay without a name."
    return words


def pack_words(pack: Pack) -> str:
    """The running pack in plain words."""
    if pack.pack_id == BUILT_IN_PACK:
        return "Built-in face recognition"
    return f"Face recognition {pack.pack_id}"


def pack_warning(pack: Pack) -> str:
    """What an admin should know when the built-in pack runs because a better one was not to be had."""
    if pack.pack_id != BUILT_IN_PACK or "instead of" not in pack.origin:
        return ""
    return (
        "The simpler built-in face recognition is running: it needs faces closer to the camera and looking "
        "straight ahead. Changing it later means registering all photos again."
    )


def day_rows(days: pd.DataFrame) -> pd.DataFrame:
    """A report's days (`ray_backend.services.report.DAY_COLUMNS`) as they are shown."""
    return pd.DataFrame(
        {
            "Date": [f"{day:%Y-%m-%d}" for day in days["date"]],
            "Name": days["name"].to_list(),
            "Employee id": days["employee_id"].to_list(),
            "Department": days["department"].to_list(),
            "First in": [_clock(value) for value in days["first_in"]],
            "Last out": [_clock(value) for value in days["last_out"]],
            "Hours": ["" if pd.isna(hours) else f"{hours:.2f}" for hours in days["hours"]],
            "Records": days["punches"].to_list(),
        }
    )


def present_per_day(days: pd.DataFrame, start: date, end: date) -> pd.DataFrame:
    """One row for each day from `start` to `end`: `day` as text, `people` a count."""
    counts = days.groupby("date")["employee_id"].nunique()
    every_day = [start + timedelta(days=number) for number in range((end - start).days + 1)]
    return pd.DataFrame(
        {
            "day": [f"{day:%a %d %b %Y}" for day in every_day],
            "people": [int(counts.get(day, 0)) for day in every_day],
        }
    )


def plain(text: str) -> str:
    """Text that somebody typed in, safe where Markdown is read: its signs mean nothing."""
    return "".join(f"\\{sign}" if sign in _MARKDOWN else sign for sign in text)


def _clock(value) -> str:
    return "" if pd.isna(value) else f"{value:%H:%M}"


def paging_words(first: int, shown: int, total: int, noun: str = "person", plural: str = "people") -> str:
    """Which part of a long list is on the screen; `first` counts from 1."""
    if shown >= total:
        return f"{total} {noun if total == 1 else plural}"
    return f"{first} to {first + shown - 1} of {total} {plural}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
