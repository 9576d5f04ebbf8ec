"""The ways in which a kiosk's pictures come in, and which one is taken when one fails.

Knows nothing of Streamlit. A mode is a function that shows itself for a `Kiosk` and says how it ended.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from ray_backend.client import Backend
from ray_backend.settings import Settings
from streamlit_app.i18n import N_, _


class Mode(StrEnum):
    """How pictures come in; the best one first."""

    WEBSOCKET = "websocket"
    WEBRTC = "webrtc"
    PHOTO = "photo"


class Ended(StrEnum):
    """What a mode's run of the page came to."""

    STAYS = "stays"
    FAILED = "failed"
    PHOTO_WANTED = "photo_wanted"


@dataclass(frozen=True)
class Kiosk:
    """One kiosk that was let in. `why` says in words why this mode runs, or is empty."""

    backend: Backend
    name: str
    token: str
    settings: Settings
    why: str = ""


CameraMode = Callable[[Kiosk], Ended]

_NAMES = {
    Mode.WEBSOCKET: N_("the live camera over a direct connection"),
    Mode.WEBRTC: N_("the live camera as a video stream (WebRTC)"),
    Mode.PHOTO: N_("single photos"),
}
_FAILURES = {
    Mode.WEBSOCKET: N_("the direct connection (WebSocket) cannot be opened"),
    Mode.WEBRTC: N_("neither a direct connection nor a video stream gets through"),
}
# A browser that never could connect tells the page about every second, one whose connection broke every ten
# seconds. Once may be a hiccup.
_REFUSALS = 2
_REFUSALS_WITHIN_S = 60.0


def first_mode(settings: Settings) -> Mode:
    """The mode that the settings name, or the best one."""
    return Mode.WEBSOCKET if settings.camera == "auto" else Mode(settings.camera)


def next_mode(settings: Settings, failed: Mode) -> Mode | None:
    """What to try after this one; None where the settings name one mode, or after the last."""
    if settings.camera != "auto":
        return None
    modes = list(Mode)
    place = modes.index(failed) + 1
    return modes[place] if place < len(modes) else None


def runs_words(mode: Mode, why: str) -> str:
    """Which mode runs, and why, in plain words. `why` is `failure_words` or empty."""
    if why:
        return _("This kiosk uses {mode}, because {why}.", mode=_(_NAMES[mode]), why=why)
    return _("This kiosk uses {mode}.", mode=_(_NAMES[mode]))


def failure_words(failed: Mode) -> str:
    """Why the next mode runs."""
    return _(_FAILURES[failed])


class Refusals:
    """Counts how often a page was told that its WebSocket cannot be opened."""

    def __init__(self) -> None:
        self._times: list[float] = []

    def note(self, now_s: float) -> bool:
        """Whether it is time to give the WebSocket up. `now_s` are seconds of a monotonic clock."""
        self._times = [at for at in self._times if now_s - at < _REFUSALS_WITHIN_S]
        self._times.append(now_s)
        return len(self._times) >= _REFUSALS
