"""Asking for a correction, and deciding it at once where who asks may do so."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, time
from zoneinfo import ZoneInfo

import streamlit as st

from ray_backend.client import Backend
from ray_backend.domain.model import Direction, Person, Punch
from ray_backend.domain.worktime.corrections import Correction, CorrectionKind
from ray_backend.services.attachments import Attachment
from streamlit_app import correction_words as words
from streamlit_app.corrections.who import choose_person, plain_name
from streamlit_app.dialogs import dialog
from streamlit_app.i18n import N_, _
from streamlit_app.notes import attempt
from streamlit_app.session import ACTOR

_WRONG = {
    CorrectionKind.DIRECTION: N_("It was the other direction"),
    CorrectionKind.PERSON: N_("It was another person"),
    CorrectionKind.VOID: N_("It should not count at all"),
}


@dialog(N_("Add a missing punch"))
def missing_punch(backend: Backend, person: Person, day: date, zone: ZoneInfo) -> None:
    """Time, direction, reason."""
    ask_for_missing(backend, person, day, zone)


@dialog(N_("Correct this punch"))
def correct_punch(backend: Backend, person: Person, punch: Punch, zone: ZoneInfo) -> None:
    """What was wrong, and why."""
    ask_for_change(backend, person, punch, zone)


def ask_for_missing(backend: Backend, person: Person, day: date, zone: ZoneInfo) -> None:
    """What stands in the dialog of a missing punch."""
    st.markdown(f"**{plain_name(person)}**")
    st.caption(f"{day:%Y-%m-%d}")
    at = st.time_input(_("Time"), value=time(8), step=60, key="ask-time")
    direction = st.radio(
        _("Direction"), list(words.DIRECTIONS), format_func=_direction, horizontal=True, key="ask-direction"
    )
    _submit(
        backend,
        lambda reason: Correction(
            CorrectionKind.ADD,
            person.person_id,
            reason,
            ACTOR,
            datetime.now(zone),
            datetime.combine(day, at, zone),
            direction=direction,
        ),
    )


def ask_for_change(backend: Backend, person: Person, punch: Punch, zone: ZoneInfo) -> None:
    """What stands in the dialog of a punch that is wrong."""
    st.markdown(f"**{plain_name(person)}**")
    st.caption(
        _(
            "{direction} at {time}. The punch stays as it was made; the correction is kept beside it.",
            direction=_direction(punch.direction),
            time=words.moment(punch.at, zone),
        )
    )
    kind = st.radio(
        _("What was wrong?"), list(_WRONG), format_func=lambda kind: _(_WRONG[kind]), key="ask-kind"
    )
    to_person = None
    if kind is CorrectionKind.PERSON:
        to_person = choose_person(backend, _("Whose punch is it? Leave it empty if nobody knows."), "ask-to")
    other = Direction.OUT if punch.direction is Direction.IN else Direction.IN
    _submit(
        backend,
        lambda reason: Correction(
            kind,
            person.person_id,
            reason,
            ACTOR,
            datetime.now(zone),
            punch.at,
            punch_id=punch.punch_id,
            direction=other if kind is CorrectionKind.DIRECTION else None,
            to_person_id=to_person.person_id if to_person else "",
        ),
    )


def _submit(backend: Backend, wanted: Callable[[str], Correction]) -> None:
    reason = st.text_input(_("Reason"), key="ask-reason", placeholder=_("What happened?"))
    file = st.file_uploader(
        _("File that explains it"), type=["pdf", "jpg", "jpeg", "png", "txt"], key="ask-file",
        max_upload_size=5,
        help=_("A PDF, a picture or a text of at most 5 MB. It goes when the person is erased."),
    )  # fmt: skip
    at_once = st.checkbox(
        _("Approve it at once"), key="ask-at-once",
        help=_("Otherwise it waits among the open requests for somebody else."),
    )  # fmt: skip
    if st.button(_("Ask for it"), type="primary", key="ask", icon=":material/send:"):
        attached = Attachment(file.name, file.type, file.getvalue()) if file else None
        done = _("The correction counts now.") if at_once else _("The request waits for a decision.")
        attempt(done, lambda: _ask(backend, wanted(reason.strip()), attached, at_once))


def _ask(backend: Backend, wanted: Correction, attached: Attachment | None, at_once: bool) -> None:
    asked = backend.corrections.request(wanted, attachment=attached, actor=ACTOR)
    if at_once:
        backend.corrections.decide(asked.correction_id, approve=True, actor=ACTOR)


def _direction(direction: Direction) -> str:
    return _(words.DIRECTIONS[direction])
