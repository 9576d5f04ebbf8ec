"""What the browser says about its camera, as a small component that also starts a stream."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from streamlit_app import texts
from streamlit_app.i18n import _

_mount = st.components.v2.component(
    "rollcall_camera_starter",
    html="<div hidden></div>",
    js=(Path(__file__).parent / "starter.js").read_text(encoding="utf-8"),
)
# From the states of `starter.js` to the names of the browser's own errors.
PROBLEMS = {"denied": "NotAllowedError", "none": "NotFoundError", "insecure": "InsecureContext"}


def camera_state(press: str = "", nudge: bool = False) -> str:
    """How the browser's camera is doing: empty while unknown, or as `starter.js` lists it.

    Presses the button with this label in streamlit-webrtc's frame, whenever it is there. With
    `nudge` the browser runs the page once more, soon after this run.
    """
    result = _mount(
        key="camera_starter",
        data={"press": press, "nudge": nudge},
        on_camera_change=lambda: None,
        on_nudged_change=lambda: None,
    )
    return result.camera or ""


def camera_problem(state: str) -> tuple[str, str] | None:
    """A headline and what to do, or None where nothing stands in the camera's way."""
    name = PROBLEMS.get(state)
    if name is None:
        return None
    headline, hint = texts.CAMERA_PROBLEMS[name]
    return _(headline), _(hint)
