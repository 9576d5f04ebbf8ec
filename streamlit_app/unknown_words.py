"""Unknown faces in words. Knows no Streamlit."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from ray_backend.domain.unknown import Assigned, Likeness, UnknownCard
from streamlit_app.i18n import N_, _, n_
from streamlit_app.people_words import last_seen_words

LIKENESS = {
    Likeness.SAME: N_("very much alike"),
    Likeness.MAYBE: N_("somewhat alike"),
    Likeness.HARDLY: N_("hardly alike"),
}
OFF = N_(
    "Faces that nobody matched are not kept: neither here nor anywhere else. If they were, one small picture "
    "of each visit of somebody unknown would be stored for some hours, so that you could see who was not "
    "recognised, add the picture to the right person, or register somebody new. Ask whoever is responsible "
    "for privacy first."
)
HOW_TO = N_("Choose cards to handle several at once, or click a name to compare.")
NO_PUNCH = N_(
    "This writes no attendance record: the times when this person was not recognised have to be corrected "
    "by hand."
)


def privacy_words(hours: int) -> str:
    """For how long faces stay."""
    if hours == 1:
        return _("Each face goes by itself an hour after it was seen.")
    if hours % 24 == 0 and hours > 24:
        return _("Each face goes by itself {days} days after it was seen.", days=hours // 24)
    return _("Each face goes by itself {hours} hours after it was seen.", hours=hours)


def seen_words(card: UnknownCard) -> str:
    """How often somebody came."""
    return n_("Seen once", "Seen {number} times", card.seen)


def when_words(card: UnknownCard, now: datetime, zone: ZoneInfo) -> str:
    """When somebody came first and last."""
    last = last_seen_words(card.last_at, now, zone)
    if card.faces == 1:
        return _("Last: {last}", last=last)
    return _("First: {first}, last: {last}", first=last_seen_words(card.first_at, now, zone), last=last)


def quality_words(card: UnknownCard) -> str:
    """Whether the pictures would do for a registration."""
    if card.enrollable == 0:
        return _("No picture is good enough to be added.")
    return n_(
        "{number} picture is good enough to be added.",
        "{number} pictures are good enough to be added.",
        card.enrollable,
    )


def paging_words(first: int, shown: int, total: int) -> str:
    """Which part of a long list is on the screen; `first` counts from 1."""
    if shown >= total:
        return n_("{number} unknown person", "{number} unknown people", total)
    return _("{first} to {last} of {total} unknown people", first=first, last=first + shown - 1, total=total)


def assigned_words(answer: Assigned) -> str:
    """What became of faces that were given to somebody, each kind in a sentence of its own."""
    name = answer.person.name
    sentences = (
        (answer.added, n_("{number} picture was added to {name}.", "{number} pictures were added to {name}.",
                          answer.added, name=name)),
        (answer.poor, n_("{number} picture was too poor to be added and is removed.",
                         "{number} pictures were too poor to be added and are removed.", answer.poor)),
        (answer.nearer, n_("{number} picture looks more like somebody else and stays here.",
                           "{number} pictures look more like somebody else and stay here.", answer.nearer)),
        (answer.unlike, n_("{number} picture does not look like {name} and stays here.",
                           "{number} pictures do not look like {name} and stay here.",
                           answer.unlike, name=name)),
    )  # fmt: skip
    return " ".join(sentence for number, sentence in sentences if number)
