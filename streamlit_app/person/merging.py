"""Two records of one person made one: found, previewed, confirmed, and undone."""

from __future__ import annotations

import streamlit as st

from ray_backend.client import Backend
from ray_backend.domain.answers import MergePreview, PersonDetails, PersonRow
from ray_backend.domain.errors import PersonNotFound, RollcallError
from ray_backend.domain.model import Person
from ray_backend.domain.queries import PeopleQuery
from streamlit_app import deps, people_words, presenters
from streamlit_app.dialogs import dialog
from streamlit_app.faces import face_html
from streamlit_app.i18n import N_, _, message
from streamlit_app.notes import attempt, say
from streamlit_app.session import ACTOR

_MOST_FOUND = 5
_OTHER = "merge_other"
_STAYS_HERE, _STAYS_OTHER = "this", "other"


def merging_card(backend: Backend, details: PersonDetails) -> None:
    """What was merged into the person, with the way back, and the button that begins a merge."""
    with st.container(border=True, key="merging"):
        st.subheader(_("Same person, two records"))
        if details.merged:
            st.write(_("These records were merged into this one:"))
        else:
            st.write(_("Somebody who was registered twice can be made one person. That can be undone."))
        for record in details.merged:
            _merged(backend, record)
        if st.button(_("Merge with another record"), icon=":material/merge:", key="merge", width="stretch"):
            st.session_state.pop(_OTHER, None)
            merge_dialog(backend, details.person)


def _merged(backend: Backend, record: Person) -> None:
    row = st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute")
    row.markdown(_who(record), width="content")
    if row.button(_("Undo"), key=f"undo-{record.person_id}", icon=":material/undo:"):
        attempt(_("The merge is undone."), lambda: backend.merges.undo(record.person_id, actor=ACTOR))


@dialog(N_("Merge with another record"), width="medium")
def merge_dialog(backend: Backend, person: Person) -> None:
    """Search, preview, confirm."""
    merge(backend, person)


def merge(backend: Backend, person: Person) -> None:
    """What stands in the dialog."""
    other_id = st.session_state.get(_OTHER)
    if other_id is None:
        _search(backend, person)
        return
    try:
        other = backend.people.details(other_id).person
    except PersonNotFound as error:
        st.error(message(error), icon=":material/error:")
        _choose_another()
        return
    stays = st.radio(
        _("Which record stays?"), [_STAYS_HERE, _STAYS_OTHER], key="merge-stays", horizontal=True,
        format_func=lambda which: _who(person if which == _STAYS_HERE else other),
    )  # fmt: skip
    ids = (other_id, person.person_id) if stays == _STAYS_HERE else (person.person_id, other_id)
    try:
        preview = backend.merges.preview(*ids)
    except RollcallError as error:
        st.error(message(error), icon=":material/error:")
        return
    _faces(backend, preview)
    _confirm(backend, preview)


def _search(backend: Backend, person: Person) -> None:
    text = st.text_input(
        _("The other record"), placeholder=_("Name or employee id"), key="merge-text"
    ).strip()
    if not text:
        st.caption(_("Type a name or an employee id, then choose the record."))
        return
    found = backend.people.find_rows(PeopleQuery(text=text, limit=_MOST_FOUND + 1)).items
    rows = [row for row in found if row.person.person_id != person.person_id]
    if not rows:
        st.info(_("No other record matches. Try a part of the name, or the employee id."))
    for row in rows[:_MOST_FOUND]:
        _choice(row)
    if len(rows) > _MOST_FOUND:
        st.caption(_("There are more. Type more of the name."))


def _choice(row: PersonRow) -> None:
    line = st.container(horizontal=True, vertical_alignment="center", key=f"merge-row-{row.person.person_id}")
    line.html(face_html(row.thumbnail, 44), width="content")
    chosen = line.button(
        _who(row.person), key=f"merge-choose-{row.person.person_id}", type="tertiary",
        on_click=st.session_state.update, args=({_OTHER: row.person.person_id},),
    )  # fmt: skip
    line.caption(people_words.photos_words(row.templates), width="content")
    if chosen:
        st.rerun(scope="fragment")


def _faces(backend: Backend, preview: MergePreview) -> None:
    """Both side by side: the one that goes, and the one that stays."""
    sides = st.columns(2, border=True)
    for side, person, role in zip(
        sides, (preview.source, preview.target), (_("Goes into the other"), _("Stays")), strict=True
    ):
        with side:
            st.caption(role)
            thumbnails = [t.thumbnail for t in backend.people.details(person.person_id).templates]
            st.html("".join(face_html(thumbnail, 72) for thumbnail in thumbnails[:4]) or face_html(b"", 72))
            st.markdown(f"**{presenters.plain(person.name)}**")
            st.text(f"{person.employee_id}  {person.department}")


def _confirm(backend: Backend, preview: MergePreview) -> None:
    if preview.refused:
        st.error(message(preview.refused), icon=":material/error:")
        _choose_another()
        return
    st.write(presenters.plain(people_words.merge_words(preview)))
    if preview.first_punch and preview.last_punch:
        zone = deps.site().zone
        first, last = (at.astimezone(zone) for at in (preview.first_punch, preview.last_punch))
        st.caption(
            _(
                "Attendance from {first} to {last}",
                first=f"{first:%Y-%m-%d %H:%M}",
                last=f"{last:%Y-%m-%d %H:%M}",
            )
        )
    sure = True
    if preview.looks_different:
        st.warning(
            _("The faces of the two records do not look alike. Look at the photos: is it really one person?"),
            icon=":material/warning:",
        )
        sure = st.checkbox(_("Yes, both are the same person"), key="merge-sure")
    st.caption(_("Nothing is lost: the merge can be undone on the page of the record that stays."))
    if st.button(_("Merge"), type="primary", key="merge-yes", icon=":material/merge:", disabled=not sure):
        _merge(backend, preview)
    _choose_another()


def _merge(backend: Backend, preview: MergePreview) -> None:
    try:
        backend.merges.merge(preview.source.person_id, preview.target.person_id, actor=ACTOR)
    except RollcallError as error:
        st.error(message(error), icon=":material/error:")
        return
    st.session_state.pop(_OTHER, None)
    st.query_params["person"] = preview.target.person_id
    say(_("The two records are one person now."))
    st.rerun()


def _who(person: Person) -> str:
    return f"{presenters.plain(person.name)} ({presenters.plain(person.employee_id)})"


def _choose_another() -> None:
    st.button(_("Choose another record"), type="tertiary", key="merge-again", icon=":material/arrow_back:",
              on_click=st.session_state.pop, args=(_OTHER, None))  # fmt: skip
