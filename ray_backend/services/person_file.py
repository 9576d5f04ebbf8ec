"""What a person's page shows besides the record: how the photos go together, who looks alike, the last
punches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import numpy as np

from ray_backend.domain.answers import Likeness, PersonFile
from ray_backend.domain.model import Punch, Template
from ray_backend.domain.nearness import compare
from ray_backend.domain.queries import PunchQuery
from ray_backend.ports import GalleryIndex, Store
from ray_backend.services.policy import Policy
from ray_backend.services.roster import Roster

LAST_PUNCHES = 10
_NEAREST = 3
# How far back it is looked for the last punches, one after the other: most people punch every day.
_STEPS = (timedelta(days=7), timedelta(days=90), None)
_PAGE = 1000


class PersonFileService:
    """Reads only. Everything counts that was merged into the person."""

    def __init__(self, store: Store, gallery: GalleryIndex, policy: Policy, roster: Roster) -> None:
        self._store = store
        self._gallery = gallery
        self._policy = policy
        self._roster = roster

    def read(self, person_id: str) -> PersonFile:
        """Raises PersonNotFound."""
        person = self._roster.get(person_id)
        ids = self._roster.ids_of(person.person_id)
        templates = self._store.templates_of_many(ids)
        rules = self._policy
        return PersonFile(
            person=person,
            photos=compare(templates, pack_id=rules.pack_id, threshold=rules.threshold, margin=rules.margin),
            threshold=rules.threshold,
            others=self._others(ids, templates),
            last_punches=self._last_punches(ids),
        )

    def _others(self, ids: Sequence[str], templates: Sequence[Template]) -> tuple[Likeness, ...]:
        """The nearest other people who are recognised, nearest first."""
        vectors = [template.embedding for template in templates if template.pack_id == self._policy.pack_id]
        if not vectors:
            return ()
        best: dict[str, float] = {}
        for row in self._gallery.search(np.stack(vectors), limit=_NEAREST + len(ids)):
            for found in row:
                if found.person_id not in ids:
                    best[found.person_id] = max(found.similarity, best.get(found.person_id, -1.0))
        nearest = sorted(best.items(), key=lambda item: -item[1])[:_NEAREST]
        return tuple(
            Likeness(self._roster.get(person_id), similarity, self._is_alike(similarity))
            for person_id, similarity in nearest
        )

    def _is_alike(self, similarity: float) -> bool:
        return similarity >= self._policy.threshold - self._policy.margin

    def _last_punches(self, ids: Sequence[str]) -> tuple[Punch, ...]:
        """The newest ones, newest first."""
        seen = self._store.last_seen(ids)
        if not seen:
            return ()
        last = max(seen.values())
        for step in _STEPS:
            start = None if step is None else last - step
            punches = self._newest(PunchQuery(start=start, people=tuple(ids), limit=_PAGE))
            if len(punches) >= LAST_PUNCHES:
                break
        return tuple(reversed(punches[-LAST_PUNCHES:]))

    def _newest(self, query: PunchQuery) -> list[Punch]:
        """The last ones of what is found, oldest first."""
        newest: list[Punch] = []
        while True:
            page = self._store.list_punches(query)
            newest = [*newest, *page.items][-LAST_PUNCHES:]
            if page.next_cursor is None:
                return newest
            query = replace(query, cursor=page.next_cursor)
