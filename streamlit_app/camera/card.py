"""The kiosk's screen on pages that Streamlit draws: the same one as the live camera's.

The page writes its answers with `answer_html`, as often as it likes; typed codes and "This is not me" come
back from `kiosk_card`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from typing import Any, Literal

import streamlit as st

from ray_backend.domain.site import SiteSettings
from streamlit_app.camera.live import HERE, screen_data
from streamlit_app.camera.modes import Mode
from streamlit_app.kiosk_words import Answer

# One module: a name that a file uses stands in it or in one before it.
SCRIPTS = ("tones.js", "link.js", "keypad.js", "screen.js", "front.js", "card.js")
_mount = st.components.v2.component(
    "rollcall_kiosk_card",
    html=(HERE / "live.html").read_text(encoding="utf-8"),
    css=(HERE / "live.css").read_text(encoding="utf-8"),
    js="\n".join((HERE / name).read_text(encoding="utf-8") for name in SCRIPTS),
)


@dataclass(frozen=True, slots=True)
class Heard:
    """What somebody did on the screen since the last run: `asked` is a request as in `protocol`."""

    asked: Mapping[str, Any] | None = None
    photo: bool = False


def kiosk_card(
    site: SiteSettings, mode: Mode, why: str, *, layout: Literal["full", "inline"], reply: dict | None
) -> Heard:
    """Shows the screen: over everything, or as a part of the page. `reply` answers the last request."""
    result = _mount(
        key="kiosk_card",
        data=screen_data(site, mode, why) | {"layout": layout, "reply": reply},
        on_asked_change=lambda: None,
        on_photo_change=lambda: None,
    )
    return Heard(result.asked, bool(result.photo))


def answer_html(answer: Answer, *, camera: str = "", beat: str = "") -> str:
    """What the screen shows now, as safe HTML that nobody sees.

    `camera` is `starting`, or the name of what is wrong with it as in `texts.CAMERA_PROBLEMS`. A page that
    goes on answering says so with a new `beat` each time: the screen tells people when there is none.
    """
    values = {"answer": json.dumps(answer.message()), "camera": camera, "beat": beat}
    attributes = " ".join(f'data-{name}="{escape(value)}"' for name, value in values.items())
    return f'<div class="rc-answer" hidden {attributes}></div>'
