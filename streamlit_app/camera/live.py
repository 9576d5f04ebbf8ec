"""The live camera as a Streamlit component: mounts `live.js` and listens to the little it says."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from ray_backend.domain.site import SiteSettings
from streamlit_app import texts
from streamlit_app.camera.modes import Mode
from streamlit_app.i18n import _, language

HERE = Path(__file__).parent
# One module: a name that a file uses stands in it or in one before it.
SCRIPTS = ("tones.js", "camera.js", "link.js", "keypad.js", "screen.js", "front.js", "live.js")
_mount = st.components.v2.component(
    "rollcall_live_camera",
    html=(HERE / "live.html").read_text(encoding="utf-8"),
    css=(HERE / "live.css").read_text(encoding="utf-8"),
    js="\n".join((HERE / name).read_text(encoding="utf-8") for name in SCRIPTS),
)


def live_camera(token: str, site: SiteSettings) -> bool:
    """Shows the camera over the whole screen. Returns whether the person wants the photo page instead.

    The component runs the page again, too, when the server refuses its connection: the page then looks
    at the token anew.
    """
    result = _mount(
        key="live_camera",
        data=kiosk_data(token, site),
        on_photo_change=lambda: None,
        on_refused_change=lambda: None,
    )
    return bool(result.photo)


def kiosk_data(token: str, site: SiteSettings) -> dict:
    """What the component is told: where to connect, and all its words."""
    return {"socket": "cam", "token": token} | screen_data(site, Mode.WEBSOCKET)


def screen_data(site: SiteSettings, mode: Mode, why: str = "") -> dict:
    """What the screen is told in every mode; `why` says in words why this one runs, or is empty."""
    return {
        "site": site.site_name,
        "zone": site.time_zone,
        "mode": mode.value,
        "language": language(),
        "why": why,
        "texts": {key: _(text) for key, text in (texts.KIOSK | texts.KIOSK_BY_MODE[mode.value]).items()},
        "problems": texts.camera_problems(),
    }
