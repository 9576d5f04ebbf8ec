"""A dry run's own memory: the site as it would be, over the site as it is, which is only read.

The same enrolment runs over these as over the real ones, so its outcomes are the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ray_backend.domain.errors import DuplicateEmployeeId
from ray_backend.domain.model import AuditEntry, Candidate, Person, Template
from ray_backend.ports import GalleryIndex, Store
from ray_backend.services.enrol import EnrolService


class RehearsedStore:
    """As much of `Store` as an enrolment uses. What is added is kept here and nowhere else."""

    def __init__(self, real: Store) -> None:
        self._real = real
        self._people: dict[str, Person] = {}
        self._ids: dict[str, str] = {}
        self._templates: dict[str, list[Template]] = {}

    def find_person(self, employee_id: str) -> Person | None:
        """See `Store`."""
        person_id = self._ids.get(employee_id)
        return self._people[person_id] if person_id else self._real.find_person(employee_id)

    def get_person(self, person_id: str) -> Person:
        """See `Store`."""
        return self._people.get(person_id) or self._real.get_person(person_id)

    def templates_of(self, person_id: str) -> list[Template]:
        """See `Store`."""
        known = [] if person_id in self._people else self._real.templates_of(person_id)
        return known + self._templates.get(person_id, [])

    def add_person(self, person: Person, templates: Sequence[Template] = ()) -> None:
        """See `Store`."""
        if self.find_person(person.employee_id) is not None:
            raise DuplicateEmployeeId(f"Employee id {person.employee_id} is taken.")
        self._people[person.person_id] = person
        self._ids[person.employee_id] = person.person_id
        self.add_templates(templates)

    def add_templates(self, templates: Sequence[Template]) -> None:
        """See `Store`."""
        for template in templates:
            self._templates.setdefault(template.person_id, []).append(template)

    def pin_setting(self, key: str, value: Any) -> Any:
        """See `Store`."""
        real = self._real.get_setting(key)
        return value if real is None else real

    def add_audit(self, entry: AuditEntry) -> None:
        """Nothing happened."""


class RehearsedGallery:
    """A real gallery with another one of the dry run's own before it. Implements what an enrolment uses."""

    def __init__(self, real: GalleryIndex, own: GalleryIndex) -> None:
        self._real = real
        self._own = own

    def add(self, templates: Sequence[Template]) -> None:
        """See `GalleryIndex`."""
        self._own.add(templates)

    def remove_person(self, person_id: str) -> None:
        """See `GalleryIndex`."""
        self._real.remove_person(person_id)

    def search(
        self, embeddings: np.ndarray, limit: int = 2, only: frozenset[str] | None = None
    ) -> list[list[Candidate]]:
        """See `GalleryIndex`."""
        rows = zip(
            self._real.search(embeddings, limit, only), self._own.search(embeddings, limit, only), strict=True
        )
        return [list(_best(real + own, limit)) for real, own in rows]


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """An enrolment over the site as it would be, and the store that it reads."""

    store: Any
    enrolments: EnrolService


class Nobody:
    """Stands for a roster and for look-alikes: a dry run has nothing to tell them."""

    def put(self, person: Person) -> None:
        """Nothing happened."""

    def note(self, templates: Sequence[Template]) -> None:
        """Nothing happened."""


def rehearsal(
    store: Store, gallery: GalleryIndex, own: GalleryIndex, enrol_with: Callable[..., EnrolService]
) -> Rehearsal:
    """A dry run over a site. `own` is an empty gallery, `enrol_with` makes an `EnrolService` of the rest."""
    rehearsed = RehearsedStore(store)
    enrolments = enrol_with(rehearsed, RehearsedGallery(gallery, own), roster=Nobody(), look_alikes=Nobody())
    return Rehearsal(rehearsed, enrolments)


def _best(candidates: list[Candidate], limit: int) -> Iterator[Candidate]:
    """The best of each person, best first."""
    seen: set[str] = set()
    for candidate in sorted(candidates, key=lambda candidate: -candidate.similarity):
        if len(seen) < limit and candidate.person_id not in seen:
            seen.add(candidate.person_id)
            yield candidate
