"""What the server keeps for each open kiosk page, so that a lost connection loses nobody's answer."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

from ray_backend.client import Backend
from ray_backend.domain.answers import CheckIn, KioskAnswer
from ray_backend.domain.errors import (
    ImageRejected,
    NotFound,
    TooManyAttempts,
    Unavailable,
    WrongCredentials,
)
from ray_backend.domain.kiosk.words import Phase
from ray_backend.domain.model import DecisionKind, new_id
from ray_backend.observing import origin
from streamlit_app import kiosk_words
from streamlit_app.camera.protocol import Code, Frame, NotMe
from streamlit_app.kiosk_words import Answer, Naming, in_words

log = logging.getLogger(__name__)

KEEP_S = 60.0
MOST_PAGES = 64
_NOT_ME_S = 30.0  # the button is there for ten; slow networks get some more
_CODE_COUNTS_S = 15.0
_SHOWN = 8  # of the page's random name in logs: enough to tell pages apart, not enough to be one


class Kiosk(Protocol):
    """What a page needs of `ray_backend.services.kiosk.KioskSession`, which says more."""

    def frame(self, image: bytes) -> KioskAnswer: ...

    def code(self, digits: str, request_id: str) -> KioskAnswer: ...

    def not_me(self, punch_id: str) -> None: ...


class PageSession:
    """One page's conversation. Safe to call from several threads: a lost connection may still be busy."""

    def __init__(self, naming: Callable[[], Naming], visit: str) -> None:
        """`naming` is how the site shows people's names, asked for each answer.

        `visit` is the page's own random name: what it asks has the same name after a restart, too."""
        self._naming = naming
        self._visit = visit
        self._lock = threading.Lock()
        self._kiosk: Kiosk | None = None
        self._last: dict[type, tuple[Frame | Code, dict]] = {}
        self._result: tuple[CheckIn | None, str] = (None, "")
        self._disputable: dict[str, float] = {}
        self._coded_at: float | None = None

    def answer(self, backend: Backend, kiosk: str, asked: Frame | Code | NotMe) -> dict:
        """The message for one request. What is sent again gets the same message again."""
        with self._lock, origin.of(self._origin_of(asked), f"kiosk {type(asked).__name__}"):
            last, message = self._last.get(type(asked), (None, {}))
            if asked == last:
                return message
            try:
                self._kiosk = self._kiosk or backend.kiosk_session(kiosk)
                if isinstance(asked, NotMe):
                    return _message(asked, self._not_me(asked.punch_id))
                shown = self._ask(asked)
            except Unavailable:
                # Not kept: asking again is right.
                return away(asked)
            message = _message(asked, shown)
            self._last[type(asked)] = (asked, message)
            return message

    def _origin_of(self, asked: Frame | Code | NotMe) -> str:
        """The page's name, of which the browser knows the rest, and the number of a frame."""
        part = asked.seq if isinstance(asked, Frame) else type(asked).__name__
        return f"{self._visit[:_SHOWN]}-{part}"

    def _ask(self, asked: Frame | Code) -> Answer:
        try:
            if isinstance(asked, Code):
                return self._show(self._coded(asked), coded=True)
            return self._show(self._kiosk.frame(asked.image))
        except ImageRejected:
            return in_words(kiosk_words.UNREADABLE)
        except TooManyAttempts as error:
            return kiosk_words.too_many_codes(error)
        except WrongCredentials:
            return in_words(kiosk_words.WRONG_CODE)

    def _coded(self, asked: Code) -> KioskAnswer:
        answer = self._kiosk.code(asked.digits, f"{self._visit}/{asked.request_id}")
        self._coded_at = time.monotonic()
        return answer

    def _show(self, answer: KioskAnswer, *, coded: bool = False) -> Answer:
        if not coded and self._served_by_code(answer):
            return Answer("idle")
        shown = replace(kiosk_words.kiosk_answer(answer, self._naming()), result=self._name(answer.check_in))
        return replace(shown, punch_id=self._disputable_of(shown))

    def disputable(self, shown: Answer) -> str:
        """The punch that "This is not me" may be said to after this answer, which the page shows now; may
        be empty."""
        with self._lock:
            return self._disputable_of(shown)

    def _disputable_of(self, shown: Answer) -> str:
        if not (shown.punch_id and shown.name):
            return ""
        self._may_dispute(shown.punch_id)
        return shown.punch_id

    def _served_by_code(self, answer: KioskAnswer) -> bool:
        """Whether this would send somebody to type a code who has just done so."""
        left = answer.scene.phase is Phase.IDLE and not answer.scene.locked
        if left or (self._coded_at is not None and time.monotonic() - self._coded_at > _CODE_COUNTS_S):
            self._coded_at = None
        got = answer.check_in
        refused = answer.scene.locked if got is None else got.decision.kind is not DecisionKind.MATCH
        return self._coded_at is not None and refused

    def _name(self, check_in: CheckIn | None) -> str:
        """A name for this result, the same for as long as the person stays."""
        if check_in is None:
            self._result = (None, "")
        elif self._result[0] is None or not _same(check_in, self._result[0]):
            self._result = (check_in, new_id())
            log.info("a kiosk decided: %s", check_in.decision.kind.value)
        return self._result[1]

    def _may_dispute(self, punch_id: str) -> None:
        now = time.monotonic()
        self._disputable = {one: at for one, at in self._disputable.items() if now - at < _NOT_ME_S}
        self._disputable.setdefault(punch_id, now)

    def _not_me(self, punch_id: str) -> Answer:
        """Only what this page has just shown can be disputed from it."""
        if self._kiosk is None or punch_id not in self._disputable:
            return in_words(kiosk_words.TELL_THE_OFFICE)
        try:
            self._kiosk.not_me(punch_id)
        except (Unavailable, NotFound):
            return in_words(kiosk_words.TELL_THE_OFFICE)
        return in_words(kiosk_words.THANKS)


@dataclass
class _Kept:
    page: PageSession
    used_at: float
    connections: int = 0


class PageSessions:
    """All pages' sessions, by the page's random name. Bounded: the longest unused one goes first."""

    def __init__(self, naming: Callable[[], Naming]) -> None:
        """`naming` as in `PageSession`."""
        self._naming = naming
        self._lock = threading.Lock()
        self._kept: dict[tuple[str, str], _Kept] = {}

    def enter(self, kiosk: str, name: str) -> PageSession:
        """The page's session; `leave` ends its use."""
        with self._lock:
            self._forget_old()
            kept = self._kept.get((kiosk, name))
            if kept is None:
                self._make_room()
                page = PageSession(self._naming, name)
                kept = self._kept[kiosk, name] = _Kept(page, time.monotonic())
            kept.connections += 1
            return kept.page

    def leave(self, kiosk: str, name: str) -> None:
        """The page's connection is gone; its session stays for KEEP_S."""
        with self._lock:
            kept = self._kept.get((kiosk, name))
            if kept is not None:
                kept.used_at = time.monotonic()
                kept.connections -= 1

    def __len__(self) -> int:
        return len(self._kept)

    def _forget_old(self) -> None:
        long_ago = time.monotonic() - KEEP_S
        self._kept = {
            key: kept for key, kept in self._kept.items() if kept.connections or kept.used_at > long_ago
        }

    def _make_room(self) -> None:
        if len(self._kept) >= MOST_PAGES:
            oldest = min(
                self._kept, key=lambda key: (self._kept[key].connections > 0, self._kept[key].used_at)
            )
            del self._kept[oldest]


def _same(one: CheckIn, other: CheckIn) -> bool:
    if one.punch is None or other.punch is None:
        return one.punch is other.punch and one.decision.kind is other.decision.kind
    return one.punch.punch_id == other.punch.punch_id and one.repeated == other.repeated


def away(asked: Frame | Code | NotMe) -> dict:
    """The message while the backend does not answer."""
    shown = {Frame: kiosk_words.AWAY, Code: kiosk_words.CODE_AWAY, NotMe: kiosk_words.TELL_THE_OFFICE}
    return _message(asked, in_words(shown[type(asked)]))


def _message(asked: Frame | Code | NotMe, shown: Answer) -> dict:
    match asked:
        case Frame(seq=seq):
            return {"type": "frame", "seq": seq} | shown.message()
        case Code(request_id=request_id):
            return {"type": "code", "request_id": request_id} | shown.message()
        case NotMe(punch_id=punch_id):
            return {"type": "not_me", **shown.message(), "punch_id": punch_id}
