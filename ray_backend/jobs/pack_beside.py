"""Putting a second pack beside the site's own: everybody gets templates of it from the pictures that are
stored with those of the site's pack, so that nobody is photographed again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ray_backend.client import Backend
from ray_backend.domain.beside import Beside
from ray_backend.domain.errors import PersonNotFound
from ray_backend.domain.model import FrameAnalysis, Person
from ray_backend.services.faces import FaceService

# How many people are done, and of how many.
Told = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was made. `without` are the active people in whose pictures the second pack finds no face, or who
    have none stored."""

    beside: Beside
    templates: int
    without: tuple[Person, ...]


def put_beside(
    backend: Backend, faces: FaceService, spec: str, share: float, told: Told = lambda done, total: None
) -> Outcome:
    """Notes the pack that `faces` runs and `spec` finds, and makes templates for all who have none of it.

    May be repeated: it adds who is missing. Raises InvalidInput and Conflict; see `BesideService.put`.
    """
    beside = Beside(faces.pack, spec, share)
    backend.beside.put(beside, actor="command line")
    missing = backend.beside.missing()
    made, without = 0, []
    told(0, len(missing))
    for done, person in enumerate(missing, start=1):
        try:
            added = _add(backend, faces, person)
        except PersonNotFound:
            continue  # erased meanwhile
        made += added
        if not added:
            without.append(person)
        told(done, len(missing))
    return Outcome(beside, made, tuple(without))


def _add(backend: Backend, faces: FaceService, person: Person) -> int:
    sources = backend.beside.sources(person.person_id)
    answers = faces.analyse_many([source.thumbnail for source in sources])
    found = [pair for pair in zip(sources, answers, strict=True) if isinstance(pair[1], FrameAnalysis)]
    return backend.beside.add(found) if found else 0
