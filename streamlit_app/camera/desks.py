"""The cameras of the admin's pages: who may open one, and what its frames are for.

A page opens a desk, keeps it, and hands its permit to its own script, which opens the WebSocket with it. The
permit lets in one browser page, as often as it loses its connection, and ends with the page that keeps the
desk. A kiosk's token opens no desk, and a permit no kiosk. Answers are in the language that the page was in.
"""

from __future__ import annotations

import base64
import secrets
import threading
import time
import weakref
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from ray_backend.client import Backend
from ray_backend.domain.answers import GuideAnswer, GuidedShot
from ray_backend.domain.enrolment.words import Target
from ray_backend.domain.errors import ImageRejected, Unavailable
from ray_backend.domain.model import Person
from ray_backend.services.guided import GuidedEnrolment
from streamlit_app import enrol_words
from streamlit_app.i18n import _, in_language, language

OPEN_S = 1800.0
MOST_DESKS = 64


@dataclass(frozen=True, slots=True)
class Wish:
    """A button beside the camera: `skip`, `restart`, or `retake` with its target."""

    kind: str
    target: Target | None = None


class Desk(Protocol):
    """What becomes of the frames of one page's camera. Safe to call from several threads.

    It speaks `language`: the threads that ask it know of no page.
    """

    language: str

    def entered(self) -> None:
        """A page connected, perhaps anew: it knows nothing yet."""

    def frame(self, image: bytes) -> dict:
        """The answer to one frame, as JSON has it. Raises Unavailable and ImageRejected."""

    def wish(self, asked: Wish) -> None:
        """Somebody pressed a button."""


AnyDesk = TypeVar("AnyDesk", bound=Desk)


class GuideDesk:
    """Leads through the photos of a new person."""

    def __init__(self, guided: GuidedEnrolment) -> None:
        self.language = language()
        self._guided = guided
        self._told: dict[Target, bytes] = {}

    def entered(self) -> None:
        self._told = {}

    def frame(self, image: bytes) -> dict:
        answer = self._guided.frame(image)
        headline, hint = enrol_words.guide_words(answer)
        state = answer.state
        return {
            "state": "finished" if state.target is None else "guide",
            "target": state.target,
            "fix": state.fix,
            "progress": round(state.progress, 3),
            "captured": state.captured,
            "may_skip": state.may_skip,
            "headline": headline,
            "hint": hint,
            "targets": _targets(answer),
            "thumbnails": self._new_thumbnails(answer.shots),
        }

    def wish(self, asked: Wish) -> None:
        if asked.kind == "skip":
            self._guided.skip()
        elif asked.kind == "restart":
            self._guided.restart()
        elif asked.target is not None:
            self._guided.retake(asked.target)

    def photos(self) -> tuple[GuidedShot, ...]:
        """What was taken so far."""
        return self._guided.photos()

    @property
    def finished(self) -> bool:
        """Whether nothing is left to take."""
        return self._guided.finished

    def _new_thumbnails(self, shots: tuple[GuidedShot, ...]) -> dict[str, str]:
        """Those that the page has not got yet: they would be most of every answer."""
        new = {shot.target: shot.thumbnail for shot in shots}
        fresh = {target: data for target, data in new.items() if self._told.get(target) != data}
        self._told = new
        return {target: _data_url(data) for target, data in fresh.items()}


class TryDesk:
    """Says whether somebody is recognised now. Records nothing."""

    def __init__(self, backend: Backend, person: Person) -> None:
        self.language = language()
        self._backend = backend
        self._person = person

    def entered(self) -> None:
        """Nothing to begin."""

    def frame(self, image: bytes) -> dict:
        recognition = self._backend.recognise(image)
        look, headline, hint = enrol_words.try_words(recognition, self._person)
        return {"state": "try", "look": look, "headline": headline, "hint": hint}

    def wish(self, asked: Wish) -> None:
        """There is no button."""


class Desks:
    """The open desks, by their permits. Holds none of them alive."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open: weakref.WeakValueDictionary[str, Desk] = weakref.WeakValueDictionary()
        self._until: dict[str, float] = {}
        self._pages: dict[str, str] = {}

    def open(self, desk: Desk) -> str:
        """A permit for this desk, for as long as the caller keeps the desk, and half an hour at most."""
        permit = secrets.token_urlsafe(32)
        with self._lock:
            self._forget_old()
            self._open[permit] = desk
            self._until[permit] = time.monotonic() + OPEN_S
        return permit

    def close(self, permit: str) -> None:
        """The permit is worth nothing any more."""
        with self._lock:
            self._drop(permit)

    def enter(self, permit: str, page: str) -> Desk | None:
        """The desk, for the first page that comes with its permit and for nobody else."""
        with self._lock:
            desk = self._find(permit)
            if desk is None or self._pages.setdefault(permit, page) != page:
                return None
            return desk

    def get(self, permit: str) -> Desk | None:
        """The desk while its permit is good."""
        with self._lock:
            return self._find(permit)

    def __len__(self) -> int:
        with self._lock:
            self._forget_old()
            return len(self._until)

    def _find(self, permit: str) -> Desk | None:
        if self._until.get(permit, 0.0) < time.monotonic():
            self._drop(permit)
        return self._open.get(permit)

    def _forget_old(self) -> None:
        for permit in list(self._until):
            if self._find(permit) is None:
                self._drop(permit)
        while len(self._until) >= MOST_DESKS:
            self._drop(min(self._until, key=self._until.get))

    def _drop(self, permit: str) -> None:
        self._open.pop(permit, None)
        self._until.pop(permit, None)
        self._pages.pop(permit, None)


# One process serves the pages and their cameras.
desks = Desks()


@dataclass(frozen=True)
class OpenDesk(Generic[AnyDesk]):
    """A desk with its permit: kept by the page, which so keeps the desk open."""

    desk: AnyDesk
    permit: str


def open_desk(desk: AnyDesk) -> OpenDesk[AnyDesk]:
    """Opens a desk of this process."""
    return OpenDesk(desk, desks.open(desk))


def answer(desk: Desk, image: bytes) -> dict:
    """The desk's answer to a frame, also while something is away or the picture is broken."""
    with in_language(desk.language):
        try:
            return desk.frame(image)
        except Unavailable:
            return _trouble("away", enrol_words.AWAY)
        except ImageRejected:
            return _trouble("unreadable", enrol_words.UNREADABLE)


def _trouble(state: str, words: tuple[str, str]) -> dict:
    headline, hint = enrol_words.translated(words)
    return {"state": state, "headline": headline, "hint": hint}


def _targets(answer: GuideAnswer) -> list[dict]:
    taken = {shot.target for shot in answer.shots}

    def state_of(target: Target) -> str:
        if target in taken:
            return "taken"
        if target in answer.skipped:
            return "skipped"
        return "now" if target is answer.state.target else "open"

    return [
        {"name": target, "label": _(label), "state": state_of(target)}
        for target, (label, _asked) in enrol_words.TARGETS.items()
    ]


def _data_url(jpeg: bytes) -> str:
    return "data:image/jpeg;base64," + base64.b64encode(jpeg).decode() if jpeg else ""
