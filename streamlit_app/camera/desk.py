"""The camera on the admin's pages as a Streamlit component: mounts `desk.js` and hears when it is done."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from streamlit_app import enrol_words, texts

HERE = Path(__file__).parent
# One module: a name that a file uses stands in it or in one before it.
SCRIPTS = ("tones.js", "camera.js", "link.js", "outline.js", "desk.js")
_mount = st.components.v2.component(
    "rollcall_desk_camera",
    html=(HERE / "desk.html").read_text(encoding="utf-8"),
    css=(HERE / "desk.css").read_text(encoding="utf-8"),
    js="\n".join((HERE / name).read_text(encoding="utf-8") for name in SCRIPTS),
)


def desk_camera(permit: str, *, key: str, guided: bool) -> bool:
    """Shows the camera of a desk (see `desks`). Returns whether it cannot reach the server.

    The page runs again, too, when a guided enrolment has come to its end.
    """
    result = _mount(
        key=key,
        data=desk_data(permit, guided=guided),
        on_finished_change=lambda: None,
        on_refused_change=lambda: None,
    )
    return bool(result.refused)


def desk_data(permit: str, *, guided: bool) -> dict:
    """What the component is told: where to connect, and its own words."""
    return {
        "socket": "desk",
        "token": permit,
        "guided": guided,
        "texts": enrol_words.desk_texts(),
        "problems": texts.camera_problems(),
    }
