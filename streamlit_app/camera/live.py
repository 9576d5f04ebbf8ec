"""The live camera as a Streamlit component: mounts `live.js` and listens to the little it says."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from ray_backend.settings import Settings
from streamlit_app import texts

_HERE = Path(__file__).parent
_mount = st.components.v2.component(
    "rollcall_live_camera",
    html=(_HERE / "live.html").read_text(encoding="utf-8"),
    css=(_HERE / "live.css").read_text(encoding="utf-8"),
    js="\n".join((_HERE / name).read_text(encoding="utf-8") for name in ("screen.js", "live.js")),
)


def live_camera(token: str, settings: Settings) -> bool:
    """Shows the camera over the whole screen. Returns whether the person wants the photo page instead.

    The component runs the page again, too, when the server refuses its connection: the page then looks
    at the token anew.
    """
    result = _mount(
        key="live_camera",
        data={
            "socket": "cam",
            "token": token,
            "site": settings.site_name,
            "zone": settings.time_zone,
            "texts": texts.KIOSK,
            "problems": {name: list(words) for name, words in texts.CAMERA_PROBLEMS.items()},
        },
        on_photo_change=lambda: None,
        on_refused_change=lambda: None,
    )
    return bool(result.photo)
