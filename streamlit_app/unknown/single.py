"""The pictures of one card, each with what can be done with it alone."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from ray_backend.client import Backend
from ray_backend.domain.model import UnknownFace
from ray_backend.domain.unknown import is_enrollable
from streamlit_app import deps, presenters
from streamlit_app.dialogs import dialog
from streamlit_app.i18n import N_, _, n_
from streamlit_app.notes import attempt
from streamlit_app.session import ACTOR
from streamlit_app.unknown.assigning import assign, begin_anew
from streamlit_app.unknown.crops import crops_html

MOST_SHOWN = 24
_COLUMNS = 4
_ASSIGNED = "unknown_single_assigned"


def open_pictures(backend: Backend, group_id: str) -> None:
    """Opens the dialog, with nothing chosen."""
    st.session_state.pop(_ASSIGNED, None)
    pictures_dialog(backend, group_id)


@dialog(N_("Single pictures"), width="large")
def pictures_dialog(backend: Backend, group_id: str) -> None:
    """Choose some, then delete them or say whose they are."""
    pictures(backend, group_id)


def pictures(backend: Backend, group_id: str) -> None:
    """What stands in the dialog."""
    given = st.session_state.get(_ASSIGNED)
    if given:
        assign(backend, (group_id,), given)
        return
    faces = backend.unknown.faces([group_id])
    if not faces:
        st.info(_("These pictures are gone."), icon=":material/person_off:")
        return
    st.write(_("For a picture that does not belong to the others. The best come first."))
    if len(faces) > MOST_SHOWN:
        st.caption(_("Only the best {number} are shown.", number=MOST_SHOWN))
    _grid(faces[:MOST_SHOWN])
    chosen = tuple(face.face_id for face in faces if st.session_state.get(_key(face.face_id)))
    row = st.container(horizontal=True)
    row.button(
        _("Add to a person"), icon=":material/person_search:", disabled=not chosen, key="unknown-single-give",
        on_click=_give, args=(chosen,),
    )  # fmt: skip
    label = n_("Delete {number} picture", "Delete {number} pictures", len(chosen)) if chosen else _("Delete")
    if row.button(label, icon=":material/delete:", disabled=not chosen, key="unknown-single-delete"):
        attempt(
            _("The chosen pictures are gone for good."),
            lambda: backend.unknown.delete([], list(chosen), actor=ACTOR),
        )


def _grid(faces: Sequence[UnknownFace]) -> None:
    zone = deps.site().zone
    for start in range(0, len(faces), _COLUMNS):
        shown = faces[start : start + _COLUMNS]
        for number, (column, face) in enumerate(zip(st.columns(_COLUMNS), shown, strict=False), start + 1):
            with column:
                st.html(crops_html([face.thumbnail]))
                st.caption(f"{face.at.astimezone(zone):%Y-%m-%d %H:%M}  \n{presenters.plain(face.kiosk)}")
                st.caption(_("Can become a photo") if is_enrollable(face) else _("Too poor for a photo"))
                st.checkbox(_("Choose picture {number}", number=number), key=_key(face.face_id))


def _give(face_ids: tuple[str, ...]) -> None:
    st.session_state[_ASSIGNED] = face_ids
    begin_anew()


def _key(face_id: str) -> str:
    return f"unknown-face-{face_id}"
