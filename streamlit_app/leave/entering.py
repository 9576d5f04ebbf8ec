"""Leave of one person: entered, listed, removed."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import streamlit as st

from ray_backend.client import Backend
from ray_backend.domain.model import Person
from ray_backend.domain.worktime.schedule import Leave, LeavePart
from ray_backend.services.leave_import import of_person
from streamlit_app import deps, presenters
from streamlit_app.corrections.who import People, choose_person
from streamlit_app.i18n import N_, _
from streamlit_app.notes import attempt
from streamlit_app.session import ACTOR

MOST_ROWS = 100
PARTS = {
    LeavePart.WHOLE: N_("Whole days"),
    LeavePart.FIRST_HALF: N_("First half of the day"),
    LeavePart.SECOND_HALF: N_("Second half of the day"),
}
KINDS = (N_("Vacation"), N_("Sick"), N_("Training"), N_("Special leave"))
_BEFORE, _AFTER = timedelta(days=31), timedelta(days=92)


def enter(backend: Backend) -> None:
    """Who, when, why."""
    person = choose_person(backend, _("Person"), "leave")
    if person is None:
        st.caption(_("Type a name or an employee id, then choose the person."))
        return
    span = st.date_input(_("First and last day"), value=(_today(), _today()), key="leave-days",
                         format="YYYY-MM-DD")  # fmt: skip
    kind = st.selectbox(
        _("Kind"), [_(one) for one in KINDS], index=None, accept_new_options=True, key="leave-kind",
        help=_("Choose one, or type a word of your own. It may be about health, so keep it short."),
    )  # fmt: skip
    part = st.radio(
        _("Part"), list(PARTS), format_func=lambda one: _(PARTS[one]), horizontal=True, key="leave-part"
    )
    note = st.text_input(_("Note"), key="leave-note")
    if st.button(_("Enter"), type="primary", key="leave-enter", disabled=len(span) < 2 or not kind):
        wanted = of_person(Leave("", "", span[0], span[1], kind, part, note), person.person_id)
        attempt(
            _("The leave is entered. The days are worked out anew."),
            lambda: backend.leave.add([wanted], actor=ACTOR),
        )
    _of_person(backend, person)


def _of_person(backend: Backend, person: Person) -> None:
    today = _today()
    own = backend.leave.between(today - timedelta(days=366), today + timedelta(days=366), (person.person_id,))
    if own:
        st.subheader(_("Leave of this person"))
    for one in sorted(own, key=lambda one: one.first, reverse=True):
        _row(backend, one, "")


def listed(backend: Backend) -> None:
    """Leave of everybody in some days."""
    today = _today()
    span = st.date_input(
        _("Days"), value=(today - _BEFORE, today + _AFTER), key="leave-span", format="YYYY-MM-DD"
    )
    if len(span) < 2:
        st.info(_("Choose the last day of the range, too."), icon=":material/date_range:")
        return
    found = sorted(backend.leave.between(span[0], span[1]), key=lambda one: (one.first, one.person_id))
    if not found:
        st.info(_("Nobody is on leave on these days."), icon=":material/event_available:")
        return
    if len(found) > MOST_ROWS:
        st.caption(_("Only the first {number} are shown. Choose fewer days.", number=MOST_ROWS))
    people = People(backend)
    for one in found[:MOST_ROWS]:
        _row(backend, one, people.name(one.person_id))


def _row(backend: Backend, one: Leave, name: str) -> None:
    words, button = st.columns([5, 1], vertical_alignment="center")
    days = _day(one.first) if one.first == one.last else f"{_day(one.first)} – {_day(one.last)}"
    told = [name, days, one.kind, "" if one.part is LeavePart.WHOLE else _(PARTS[one.part]), one.note]
    words.markdown(presenters.plain(", ".join(filter(None, told))))
    if button.button(_("Remove"), key=f"leave-remove-{one.leave_id}", icon=":material/delete:"):
        attempt(_("The leave is removed."), lambda: backend.leave.remove(one.leave_id, actor=ACTOR))


def _day(day: date) -> str:
    return f"{day:%Y-%m-%d}"


def _today() -> date:
    return datetime.now(deps.site().zone).date()
