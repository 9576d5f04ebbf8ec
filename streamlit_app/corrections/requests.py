"""Open requests: what is asked for, what it rests on, and the decision."""

from __future__ import annotations

import streamlit as st

from ray_backend.client import Backend
from ray_backend.domain.worktime.corrections import Correction, CorrectionKind, CorrectionState
from streamlit_app import correction_words as words
from streamlit_app import presenters
from streamlit_app.corrections.who import People, choose_person, plain_name
from streamlit_app.i18n import _, n_
from streamlit_app.notes import attempt
from streamlit_app.reports.report_words import source_words
from streamlit_app.session import ACTOR

PAGE_SIZE = 10
_CURSORS = "correction_cursors"


def render(backend: Backend) -> None:
    """The open requests, those of the earliest punches first."""
    cursors = st.session_state.setdefault(_CURSORS, [None])
    page = backend.corrections.find(
        states=(CorrectionState.REQUESTED.value,), cursor=cursors[-1], limit=PAGE_SIZE
    )
    if not page.items and len(cursors) > 1:
        del cursors[1:]
        st.rerun()
    if not page.items:
        _nothing()
        return
    st.caption(n_("{number} open request", "{number} open requests", page.total))
    people = People(backend)
    for one in page.items:
        _request(backend, people, one)
    row = st.container(horizontal=True)
    if len(cursors) > 1:
        row.button(_("Previous"), icon=":material/chevron_left:", on_click=cursors.pop)
    if page.next_cursor is not None:
        row.button(
            _("Next"), icon=":material/chevron_right:", on_click=cursors.append, args=(page.next_cursor,)
        )


def _nothing() -> None:
    with st.container(border=True):
        st.subheader(_("Nothing is waiting for a decision"))
        st.write(
            _(
                "Requests appear here when somebody asks for a correction, or touches *This is not me* at a "
                "kiosk."
            )
        )


def _request(backend: Backend, people: People, asked: Correction) -> None:
    zone = people.zone(asked.person_id)
    with st.container(border=True, key=f"request-{asked.correction_id}"):
        st.markdown(f"**{presenters.plain(people.name(asked.person_id))}**")
        st.write(words.wish(asked, zone))
        if asked.to_person_id:
            st.write(_("It is said to be {name}'s.", name=presenters.plain(people.name(asked.to_person_id))))
        st.write(_("Reason: {reason}", reason=presenters.plain(words.reason(asked))))
        st.caption(
            _(
                "Asked for by {who}, {time}",
                who=presenters.plain(asked.requested_by),
                time=words.moment(asked.requested_at, zone),
            )
        )
        if asked.attachment:
            attached(backend, asked)
        if asked.kind is not CorrectionKind.ADD:
            _facts(backend, people, asked)
        _decision(backend, asked)


def attached(backend: Backend, asked: Correction) -> None:
    """A button that fetches the request's file."""
    st.download_button(
        _("Open the file"), lambda: backend.corrections.attachment(asked.correction_id).data,
        file_name=asked.attachment, mime="application/octet-stream",
        key=f"file-{asked.correction_id}", icon=":material/attach_file:", on_click="ignore",
    )  # fmt: skip


def _facts(backend: Backend, people: People, asked: Correction) -> None:
    punch = backend.corrections.punch(asked.correction_id)
    if punch is None:
        st.warning(_("The punch itself is not kept any more."), icon=":material/warning:")
        return
    with st.expander(_("The punch, and what the kiosk went by")):
        rows = [
            (_("Time"), words.moment(punch.at, people.zone(asked.person_id))),
            (_("Direction"), _(words.DIRECTIONS[punch.direction])),
            (_("Kiosk"), punch.kiosk),
            (_("How"), source_words(punch.source)),
            *words.receipt(punch),
        ]
        st.table(
            [{_("What"): name, _("Value"): presenters.plain(value)} for name, value in rows],
            border="horizontal", hide_index=True, hide_header=True,
        )  # fmt: skip


def _decision(backend: Backend, asked: Correction) -> None:
    key = asked.correction_id
    to_person = None
    if asked.kind is CorrectionKind.PERSON and not asked.to_person_id:
        to_person = choose_person(backend, _("Whose punch is it? Leave it empty if nobody knows."), key)
        st.caption(
            _("Without a name the punch counts for nobody. It is kept as it was made.")
            if to_person is None
            else _("It will count for {name}.", name=plain_name(to_person))
        )
    note = st.text_input(_("Note"), key=f"note-{key}", placeholder=_("For whoever asked"))
    row = st.container(horizontal=True)
    if row.button(_("Approve"), type="primary", icon=":material/check:", key=f"approve-{key}"):
        attempt(_("The request is approved. The punch itself stays as it was."),
                lambda: backend.corrections.decide(
                    key, approve=True, note=note, actor=ACTOR,
                    to_person_id=to_person.person_id if to_person else None))  # fmt: skip
    if row.button(_("Refuse"), icon=":material/close:", key=f"refuse-{key}"):
        attempt(
            _("The request is refused."),
            lambda: backend.corrections.decide(key, approve=False, note=note, actor=ACTOR),
        )
