"""Check-ins through the API and through the app, and the ledger of what was acknowledged."""

from __future__ import annotations

import json
import random
import struct
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from uuid import uuid4

import httpx
from websockets.exceptions import InvalidStatus
from websockets.sync.client import ClientConnection, connect

from scripts.compose_smoke.people import Somebody

_GIVE_UP_S = 180.0
_ASK_AGAIN_S = 0.5
_MOST_FRAMES = 40
_RECORDED = ("in", "out", "already")


@dataclass
class Ledger:
    """What was acknowledged. Safe to use from several threads."""

    punches: dict[str, str] = field(default_factory=dict)  # punch id → employee id
    outcomes: Counter = field(default_factory=Counter)
    slowest_s: float = 0.0
    faults: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, expected: str, answer: dict, seconds: float) -> None:
        """One answer of the API to a picture of `expected`."""
        with self.lock:
            self.slowest_s = max(self.slowest_s, seconds)
            self.outcomes[answer["decision"]] += 1
            if answer["decision"] != "match":
                return
            if answer["person"]["employee_id"] != expected:
                self.faults.append(f"{expected} was taken for {answer['person']['employee_id']}")
            self.outcomes["repeated" if answer["repeated"] else "recorded"] += 1
            self.punches[answer["punch"]["punch_id"]] = answer["person"]["employee_id"]


class Door:
    """A client of the API's /check_in: sends again, with the same key, until somebody answers."""

    def __init__(self, api: str, token: str, ledger: Ledger) -> None:
        self._client = httpx.Client(base_url=api, headers={"Authorization": f"Bearer {token}"}, timeout=30)
        self._ledger = ledger

    def check_in(self, somebody: Somebody) -> dict:
        """The answer. Raises TimeoutError when there is none for minutes."""
        began, headers = time.monotonic(), {"Idempotency-Key": uuid4().hex, "Content-Type": "image/jpeg"}
        while time.monotonic() - began < _GIVE_UP_S:
            try:
                answer = self._client.post("/check_in", content=somebody.at_the_door, headers=headers)
                if answer.status_code == 200:
                    found = answer.json()
                    self._ledger.note(somebody.employee_id, found, time.monotonic() - began)
                    return found
                problem = f"HTTP {answer.status_code}"
            except httpx.HTTPError as error:
                problem = type(error).__name__
            with self._ledger.lock:
                self._ledger.outcomes[f"sent again ({problem})"] += 1
            time.sleep(_ASK_AGAIN_S)
        raise TimeoutError(f"No answer to a check-in for {_GIVE_UP_S:.0f} seconds; the last was {problem}")


class Crowd:
    """People who come to some doors, one after the other at each, until the block ends."""

    def __init__(self, api: str, token: str, people: list[Somebody], ledger: Ledger, doors: int) -> None:
        self._stop = threading.Event()
        self._ledger = ledger
        self._threads = [
            threading.Thread(target=self._come, args=(Door(api, token, ledger), people, number), daemon=True)
            for number in range(doors)
        ]

    def __enter__(self) -> Crowd:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(_GIVE_UP_S + 60)

    def _come(self, door: Door, people: list[Somebody], number: int) -> None:
        chosen = random.Random(number)
        while not self._stop.wait(chosen.uniform(0.3, 0.9)):
            try:
                door.check_in(chosen.choice(people))
            except TimeoutError as error:
                with self._ledger.lock:
                    self._ledger.faults.append(str(error))
                return


def at_the_kiosk(app: str, token: str, somebody: Somebody) -> dict:
    """What the kiosk's screen of the web app shows after some frames of one person. Raises TimeoutError."""
    answer: dict = {}
    with _kiosk_socket(app, token) as socket:
        for number in range(_MOST_FRAMES):
            socket.send(struct.pack(">I", number) + somebody.at_the_door)
            answer = json.loads(socket.recv(timeout=30))
            while answer.get("type") == "screen":
                answer = json.loads(socket.recv(timeout=30))
            if answer.get("state") in _RECORDED:
                return answer
            time.sleep(0.2)
    raise TimeoutError(f"The kiosk did not recognise {somebody.employee_id}; it last said {answer}")


def _kiosk_socket(app: str, token: str) -> ClientConnection:
    """As the kiosk's page does, tries again until the app has found its cluster."""
    address = f"{app.replace('http', 'ws')}/cam?token={token}&session={uuid4().hex}"
    deadline = time.monotonic() + _GIVE_UP_S
    while True:
        try:
            return connect(address, origin=app, open_timeout=30)
        except (InvalidStatus, OSError) as error:
            if time.monotonic() > deadline:
                raise TimeoutError(f"The app lets no kiosk in: {error}") from error
            time.sleep(_ASK_AGAIN_S)
