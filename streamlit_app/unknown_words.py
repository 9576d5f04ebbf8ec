"""Unknown faces in words. Knows no Streamlit."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from ray_backend.domain.unknown import Assigned, Likeness, UnknownCard
from streamlit_app.people_words import last_seen_words

LIKENESS = {
    Likeness.SAME: "very much alike",
    Likeness.MAYBE: "somewhat alike",
    Likeness.HARDLY: "hardly alike",
}
OFF = (
    "Faces that nobody matched are not kept: neither here nor anywhere else. If they were, one small picture "
    "of each visit of somebody unknown would be stored for some hours, so that you could see who was not "
    "recognised, add the picture to the right person, or register somebody new. Ask whoever is responsible "
    "for privacy first."
)
HOW_TO = "Choose cards to handle several at once, or click a name to compare."
NO_PUNCH = (
    "This writes no attendance record: the times when this person was not recognised have to be corrected "
    "by hand."
)


def privacy_words(hours: int) -> str:
    """For how long faces stay."""
    if hours == 1:
        return "Each face goes by itself an hour after it was seen."
    if hours % 24 == 0 and hours > 24:
        return f"Each face goes by itself {hours // 24} days after it was seen."
    return f"Each face goes by itself {hours} hours after it was seen."


def seen_words(card: UnknownCard) -> str:
    """How often somebody came."""
    return "Seen once" if card.seen == 1 else f"Seen {card.seen} times"


def when_words(card: UnknownCard, now: datetime, zone: ZoneInfo) -> str:
    """When somebody came first and last."""
    last = last_seen_words(card.last_at, now, zone)
    if card.faces == 1:
        return f"Last: {last}"
    return f"First: {last_seen_words(card.first_at, now, zone)}, last: {last}"


def quality_words(card: UnknownCard) -> str:
    """Whether the pictures would do for a registration."""
    if card.enrollable == 0:
        return "No picture is good enough to be added."
    if card.enrollable == 1:
        return "1 picture is good enough to be added."
    return f"{card.enrollable} pictures are good enough to be added."


def groups_words(number: int) -> str:
    """`1 unknown person`, `3 unknown people`."""
    return "1 unknown person" if number == 1 else f"{number} unknown people"


def assigned_words(answer: Assigned) -> str:
    """What became of faces that were given to somebody, each kind in a sentence of its own."""
    name = answer.person.name
    sentences = [
        _one_or_many(answer.added, "1 picture was added to {name}.", "{n} pictures were added to {name}."),
        _one_or_many(
            answer.poor,
            "1 picture was too poor to be added and is removed.",
            "{n} pictures were too poor to be added and are removed.",
        ),
        _one_or_many(
            answer.nearer,
            "1 picture looks more like somebody else and stays here.",
            "{n} pictures look more like somebody else and stay here.",
        ),
        _one_or_many(
            answer.unlike,
            "1 picture does not look like {name} and stays here.",
            "{n} pictures do not look like {name} and stay here.",
        ),
    ]
    return " ".join(sentence.format(name=name) for sentence in sentences if sentence)


def _one_or_many(number: int, one: str, many: str) -> str:
    if number == 0:
        return ""
    return one if number == 1 else many.replace("{n}", str(number))
