"""The third step: photos, guided by the camera or one by one."""

from __future__ import annotations

import streamlit as st

from ray_backend.client import Backend, Photo
from streamlit_app import enrol_words
from streamlit_app.camera.desk import desk_camera
from streamlit_app.camera.desks import GuideDesk, OpenDesk, desks, open_desk
from streamlit_app.i18n import N_, _
from streamlit_app.photo_tray import judged_photos, photo_inputs, put_in_tray, tray_of
from streamlit_app.registration.draft import Draft, Step, go

GUIDED, SINGLE = N_("Guided by the camera"), N_("Single photos or files")


def photos_step(backend: Backend, draft: Draft) -> None:
    """The camera that takes photos by itself, fields for others, and what becomes of each photo."""
    way = st.segmented_control(
        _("How"),
        [GUIDED, SINGLE],
        default=GUIDED,
        format_func=_,
        key=f"{draft.key}-way",
        label_visibility="collapsed",
    )
    if way == SINGLE:
        close_desk(draft)
        photo_inputs(draft.key)
    else:
        _guided(backend, draft)
    judged_photos(backend, draft.key)
    row = st.container(horizontal=True)
    if row.button(_("Back"), key="register-back", icon=":material/arrow_back:"):
        close_desk(draft)
        go(draft, Step.WHO)
    if row.button(_("Continue"), type="primary", key="register-next", icon=":material/arrow_forward:"):
        _continue(draft)


def close_desk(draft: Draft) -> None:
    """Ends the camera; what it took goes into the tray."""
    opened: OpenDesk[GuideDesk] | None = st.session_state.pop(_name(draft), None)
    if opened is None:
        return
    desks.close(opened.permit)
    photos = [Photo(_(enrol_words.TARGETS[shot.target][0]), shot.image) for shot in opened.desk.photos()]
    put_in_tray(draft.key, photos, "camera")


def _name(draft: Draft) -> str:
    return f"{draft.key}-desk"


def _guided(backend: Backend, draft: Draft) -> None:
    done = f"{draft.key}-guided"
    if st.session_state.get(done):
        st.success(_("The guided photos are taken."), icon=":material/check_circle:")
        if st.button(_("Take guided photos again"), key="register-again", icon=":material/replay:"):
            st.session_state[done] = False
            st.rerun()
        return
    opened: OpenDesk[GuideDesk] | None = st.session_state.get(_name(draft))
    if opened is not None and opened.desk.finished:
        close_desk(draft)
        st.session_state[done] = True
        st.rerun()
    if opened is None or desks.get(opened.permit) is None:
        opened = _open(backend, draft)
    refused = desk_camera(opened.permit, key=f"{draft.key}-camera-desk", guided=True)
    st.caption(
        _(
            "Each photo is taken by itself. Without a camera here, choose single photos or files above. "
            "*Continue* goes on with the photos taken so far."
        )
    )
    if refused:
        st.warning(
            _("The camera's connection does not get through here. Choose single photos or files above."),
            icon=":material/videocam_off:",
        )


def _open(backend: Backend, draft: Draft) -> OpenDesk[GuideDesk]:
    close_desk(draft)
    opened = open_desk(GuideDesk(backend.guided_enrolment()))
    st.session_state[_name(draft)] = opened
    return opened


def _continue(draft: Draft) -> None:
    opened: OpenDesk[GuideDesk] | None = st.session_state.get(_name(draft))
    if opened is not None and opened.desk.photos():
        close_desk(draft)
        st.session_state[f"{draft.key}-guided"] = True
    if not tray_of(draft.key).photos:
        st.error(_("Take or choose at least one photo."), icon=":material/error:")
        return
    close_desk(draft)
    go(draft, Step.CHECK)
