"""What the browser says about its camera, as a small component; shows a stream that it has started."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from streamlit_app import texts

_CSS = """
video { display: block; margin: auto; max-width: 100%; height: 44vh; border-radius: 0.75rem;
  transform: scaleX(-1); }
video[hidden] { display: none; }
"""
_mount = st.components.v2.component(
    "rollcall_camera_starter",
    html='<video playsinline muted hidden aria-hidden="true"></video>',
    css=_CSS,
    js=(Path(__file__).parent / "starter.js").read_text(encoding="utf-8"),
)
_PROBLEMS = {"denied": "NotAllowedError", "none": "NotFoundError"}
_INSECURE = (
    "This address may not use the camera",
    "Browsers allow the camera only at https:// addresses and at http://localhost. Open this page with "
    "https, or on the computer that runs Rollcall. For a trial on a local network start Rollcall with "
    "`ROLLCALL_HTTPS=self-signed ROLLCALL_ADDRESS=0.0.0.0 make run` and open the address that it prints.",
)


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
    if state == "insecure":
        return _INSECURE
    name = _PROBLEMS.get(state)
    return texts.CAMERA_PROBLEMS[name] if name else None
