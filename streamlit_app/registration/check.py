"""The fourth step: a last look before anything is stored, and who looks alike."""

from __future__ import annotations

import streamlit as st

from ray_backend.client import Backend
from ray_backend.domain.answers import EnrolmentCheck
from ray_backend.domain.errors import Conflict, InvalidInput, PhotosRefused, RollcallError
from streamlit_app import presenters
from streamlit_app.i18n import _, message
from streamlit_app.photo_tray import Tray, forget_reviews, judged_photos, tray_of
from streamlit_app.registration import similar
from streamlit_app.registration.codes import code_fields
from streamlit_app.registration.draft import Draft, Step, go
from streamlit_app.session import ACTOR


def check_step(backend: Backend, draft: Draft) -> None:
    """Who, look-alikes, photos, code, and the button that stores it all."""
    _summary(draft)
    tray = tray_of(draft.key)
    check = _check(backend, draft, tray)
    same = [one for one in check.similar if one.same]
    ready = not same and any(review.accepted for review in check.reviews)
    if same:
        similar.same_person(backend, draft, tray, same)
    elif ready:
        similar.look_alikes(backend, draft, check.similar)
    else:
        st.error(_("None of these photos can be used. Go back and take others."), icon=":material/error:")
    judged_photos(backend, draft.key)
    if ready:
        code_fields(draft, asked_for=bool(check.similar))
    row = st.container(horizontal=True)
    if row.button(_("Back"), key="register-back", icon=":material/arrow_back:"):
        go(draft, Step.PHOTOS)
    if ready and row.button(
        _("Save this person"), type="primary", icon=":material/save:", key="register-save"
    ):
        _save(backend, draft, tray)


def _summary(draft: Draft) -> None:
    rows = {
        _("Employee id"): draft.employee_id.strip(),
        _("Name"): draft.name.strip(),
        _("Department"): draft.department,
        _("E-mail"): draft.email.strip(),
    }
    with st.container(border=True):
        columns = st.columns(len(rows))
        for column, (label, value) in zip(columns, rows.items(), strict=True):
            column.caption(label)
            column.markdown(f"**{presenters.plain(value)}**" if value else "–")


def _check(backend: Backend, draft: Draft, tray: Tray) -> EnrolmentCheck:
    """Asked once for each set of photos."""
    key = f"{draft.key}-check"
    photos = tuple(photo.data for photo in tray.photos)
    known = st.session_state.get(key)
    if known is None or known[0] != photos:
        with st.spinner(_("Looking for the same face under another name")):
            known = (photos, backend.check_photos(tray.photos) if photos else EnrolmentCheck((), ()))
        st.session_state[key] = known
    return known[1]


def _save(backend: Backend, draft: Draft, tray: Tray) -> None:
    """Everything that can be refused is refused before the person is stored, except a code that is taken."""
    try:
        enrolment = backend.enrol(draft.as_request(), tray.photos, source=tray.source, actor=ACTOR)
    except (InvalidInput, Conflict) as error:
        # The photos were judged before somebody else was stored.
        forget_reviews(draft.key)
        st.session_state.pop(f"{draft.key}-check", None)
        st.error(message(error), icon=":material/error:")
        if isinstance(error, PhotosRefused):
            st.caption(_("Go back and take other photos."))
        return
    draft.person = enrolment.person
    draft.photos = sum(review.accepted for review in enrolment.reviews)
    draft.problem = _set_code(backend, draft)
    go(draft, Step.TRY)


def _set_code(backend: Backend, draft: Draft) -> str:
    """What stands in the way of the code, or nothing. The person is stored by now."""
    code = draft.wanted_code()
    if not code:
        return ""
    try:
        backend.people.set_code(draft.person.person_id, code, actor=ACTOR)
    except RollcallError as error:
        return error.message
    return ""
