"""Corrections in words. Knows no Streamlit."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from ray_backend.domain.model import Direction, Liveness, Punch
from ray_backend.domain.worktime.corrections import Correction, CorrectionKind, CorrectionState
from ray_backend.domain.worktime.stories import PunchStory
from streamlit_app.i18n import N_, _, message

_KINDS = {
    CorrectionKind.ADD: N_("A punch is missing: {direction} at {time}."),
    CorrectionKind.VOID: N_("The punch at {time} should not count."),
    CorrectionKind.DIRECTION: N_("The punch at {time} was: {direction}."),
    CorrectionKind.PERSON: N_("The punch at {time} is not this person's."),
}
SHORT_KINDS = {
    CorrectionKind.ADD: N_("Missing punch"),
    CorrectionKind.VOID: N_("Does not count"),
    CorrectionKind.DIRECTION: N_("Other direction"),
    CorrectionKind.PERSON: N_("Another person's"),
}
STATES = {
    CorrectionState.REQUESTED: N_("Open"),
    CorrectionState.APPROVED: N_("Approved"),
    CorrectionState.REFUSED: N_("Refused"),
    CorrectionState.WITHDRAWN: N_("Taken back"),
}
DIRECTIONS = {Direction.IN: N_("In"), Direction.OUT: N_("Out")}
_LIVENESS = {
    Liveness.LIVE: N_("a real face"),
    Liveness.SPOOF: N_("a picture of a face"),
    Liveness.NOT_CHECKED: N_("not checked"),
    Liveness.UNSURE: N_("not certain"),
}


def moment(at: datetime, zone: ZoneInfo) -> str:
    """Such as `2026-03-02 08:00`, at the site."""
    return f"{at.astimezone(zone):%Y-%m-%d %H:%M}"


def wish(correction: Correction, zone: ZoneInfo) -> str:
    """What is asked for, in a sentence."""
    direction = _(DIRECTIONS[correction.direction]) if correction.direction else ""
    return _(_KINDS[correction.kind], time=moment(correction.at, zone), direction=direction)


def reason(correction: Correction) -> str:
    """Why, in the words of who asked; a kiosk's in the reader's language."""
    return message(correction.reason) if correction.source == "kiosk" else correction.reason


def receipt(punch: Punch) -> list[tuple[str, str]]:
    """What a kiosk went by when it made this punch, each with its name; empty where it kept nothing."""
    facts = punch.receipt
    if facts is None:
        return []
    rows = [
        (_("Similarity"), f"{facts.similarity:.2f}"),
        (_("Needed"), f"{facts.threshold:.2f}"),
        (_("Pictures"), str(facts.frames)),
        (_("Check for a real face"), _(_LIVENESS[facts.liveness_outcome])),
        (_("Face recognition"), facts.pack_id),
    ]
    if facts.runner_up_similarity is not None:
        rows.insert(1, (_("The next person's similarity"), f"{facts.runner_up_similarity:.2f}"))
    return rows


def recorded(story: PunchStory) -> str:
    """A punch as it was made."""
    if story.was is None:
        return _("Nothing")
    return _(DIRECTIONS[story.was.direction])


def counts(story: PunchStory) -> str:
    """A punch as it counts now."""
    if story.counts is None:
        return _("Does not count")
    if story.was is not None and story.counts.person_id != story.was.person_id:
        return _("{direction}, given over by another person", direction=_(DIRECTIONS[story.counts.direction]))
    return _(DIRECTIONS[story.counts.direction])


def step(correction: Correction, zone: ZoneInfo) -> str:
    """Who asked for what and why, and what became of it, as one line of a punch's story."""
    values = {
        "what": _(SHORT_KINDS[correction.kind]),
        "who": correction.requested_by,
        "reason": reason(correction),
        "decider": correction.decided_by,
        "time": moment(correction.decided_at, zone) if correction.decided_at else "",
        "note": correction.decision_note,
    }
    if correction.state is CorrectionState.REQUESTED:
        return _("{what}, asked for by {who}: {reason} Not decided yet.", **_ended(values))
    if correction.state is CorrectionState.APPROVED:
        return _(
            "{what}, asked for by {who}: {reason} Approved by {decider}, {time}. {note}", **_ended(values)
        )
    if correction.state is CorrectionState.REFUSED:
        return _(
            "{what}, asked for by {who}: {reason} Refused by {decider}, {time}. {note}", **_ended(values)
        )
    return _("{what}, asked for by {who}: {reason} Taken back by {decider}, {time}.", **_ended(values))


def _ended(values: dict[str, str]) -> dict[str, str]:
    """With a full stop behind what somebody typed without one."""
    typed = values["reason"].strip()
    return values | {"reason": typed if typed.endswith((".", "!", "?")) else f"{typed}."}
