"""Brings the people of the load test into the system under test, by its API, and looks after them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import requests
from urllib3 import encode_multipart_formdata

from bench.faces import ENROLMENT_PHOTOS, Face, folder_people, frames, newcomer, package_people, stranger

FRAMES_A_PERSON = 18
_TIMEOUT_S = 60.0


class NotReady(Exception):
    """The system under test does not take the people of the load test; the message says why."""


@dataclass(frozen=True)
class Actor:
    """Somebody who walks up to the cameras. `employee_id` is how the system knows this face; None for a
    stranger."""

    employee_id: str | None
    photo: bytes
    frames: tuple[bytes, ...]


@dataclass(frozen=True)
class Cast:
    """Everybody who appears."""

    faces: tuple[Face, ...]
    people: tuple[Actor, ...]
    stranger: Actor
    newcomer: Face

    def known_as(self, employee_ids: Sequence[str]) -> Cast:
        """The same people under the ids by which the system knows them."""
        people = zip(self.people, employee_ids, strict=True)
        return replace(self, people=tuple(replace(actor, employee_id=who) for actor, who in people))


def draw(folder: str | None) -> Cast:
    """Makes the pictures of everybody who appears: the people of the folder, else those of the installed
    packages. Takes a second or two. Raises InvalidInput when the folder holds nobody."""
    faces = folder_people(Path(folder)) if folder else package_people()
    people = tuple(_actor(face, face.employee_id, seed) for seed, face in enumerate(faces))
    return Cast(tuple(faces), people, _actor(stranger(), None, len(people)), newcomer())


def _actor(face: Face, employee_id: str | None, seed: int) -> Actor:
    each = -(-FRAMES_A_PERSON // len(face.photos))
    series = [frames(photo, each, seed) for photo in face.photos]
    return Actor(employee_id, face.photos[0], tuple(frame for some in series for frame in some))


def form(photos: Sequence[bytes], field: str, **fields: str) -> tuple[bytes, str]:
    """The body and the content type of a multipart form with pictures."""
    files = [(field, (f"{number}.jpg", photo, "image/jpeg")) for number, photo in enumerate(photos)]
    return encode_multipart_formdata([*fields.items(), *files])


def registration(face: Face, employee_id: str) -> tuple[bytes, str]:
    """The form that registers a face under an id."""
    return form(
        face.photos[:ENROLMENT_PHOTOS], "photos", employee_id=employee_id, name=face.name, consent="true"
    )


class SiteClient:
    """The few calls that prepare a test and that look at its traces afterwards."""

    def __init__(self, url: str, token: str) -> None:
        self._url = url.rstrip("/")
        self._session = requests.Session()
        self._session.headers["Authorization"] = f"Bearer {token}"
        # No proxy of the environment gets to see faces.
        self._session.trust_env = False
        self._enrolled_here: list[str] = []

    def enrol(self, faces: Sequence[Face]) -> list[str]:
        """The employee ids under which the system knows these faces; who is not there yet is enrolled.

        Raises NotReady.
        """
        ids = [self._enrolled(face) for face in faces]
        if len(set(ids)) < len(ids):
            raise NotReady("The system takes two of the people of the load test for one.")
        self._erase(newcomer().employee_id)
        return ids

    def _enrolled(self, face: Face) -> str:
        """The employee id under which the system knows this face from now on."""
        body, kind = registration(face, face.employee_id)
        answer = self._ask("POST", "/register", data=body, headers={"Content-Type": kind})
        if answer.status_code == 201:
            self._enrolled_here.append(face.employee_id)
            return face.employee_id
        problem = _document(answer)
        if problem.get("type", "").endswith(":face-belongs-to-another"):
            return problem["person"]["employee_id"]
        if problem.get("type", "").endswith(":duplicate-employee-id"):
            return face.employee_id
        raise NotReady(f"{face.name} cannot be registered: {answer.status_code} {problem.get('detail')}")

    def _erase(self, employee_id: str) -> None:
        """Removes what an earlier test left behind, if it did."""
        self._ask(
            "DELETE", f"/people/{employee_id}", params={"keep_punches": "false", "confirm": employee_id}
        )

    def erase_whom_we_enrolled(self) -> None:
        """Those who were there before the test stay."""
        for employee_id in self._enrolled_here:
            self._erase(employee_id)

    def missing_punches(self, punch_ids: set[str], since: str) -> int:
        """How many of these the system does not list exactly once."""
        listed: list[str] = []
        parameters: dict[str, Any] = {"since": since, "limit": 1000}
        while True:
            page = _document(self._ask("GET", "/attendance", params=parameters))
            listed += [punch["punch_id"] for punch in page.get("punches", [])]
            if not page.get("next_cursor"):
                return sum(listed.count(punch_id) != 1 for punch_id in punch_ids)
            parameters["cursor"] = page["next_cursor"]

    def _ask(self, method: str, path: str, **request: Any) -> requests.Response:
        try:
            answer = self._session.request(method, self._url + path, timeout=_TIMEOUT_S, **request)
        except requests.RequestException as error:
            raise NotReady(f"Nothing answers at {self._url}. Start it with `make run`.") from error
        if answer.status_code in (401, 403):
            raise NotReady(
                "The token is not an admin's. Make one with `rollcall token create load --role admin` and "
                "set ROLLCALL_LOAD_TOKEN."
            )
        return answer


def _document(answer: requests.Response) -> dict[str, Any]:
    try:
        document = answer.json()
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}
