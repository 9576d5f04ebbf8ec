"""Merging two records of one human being, and undoing it.

A merge is one field, `Person.merged_into` of the record that is merged. Punches and templates stay as they
are and are read as the other person's (`services.identity`), so undoing brings everything back. What was
punched meanwhile was punched as the other person and stays so, whichever face or code it was.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ray_backend.domain.answers import MergePreview
from ray_backend.domain.errors import Conflict, PersonNotFound
from ray_backend.domain.model import Person, Template
from ray_backend.domain.queries import PunchQuery
from ray_backend.ports import Clock, GalleryIndex, Store
from ray_backend.services.audit import Auditor
from ray_backend.services.identity import as_of, ids_of, merged_records
from ray_backend.services.look_alikes import LookAlikes
from ray_backend.services.policy import Policy
from ray_backend.services.roster import Roster

_ITSELF = "A record cannot be merged with itself. Choose another person."
_SOURCE_IS_MERGED = "This record was merged into another person already. Undo that merge first."
_TARGET_IS_MERGED = "The chosen record was merged into another person itself. Choose that person instead."
_NOT_MERGED = "This record is not merged, so there is nothing to undo."
_CHANGED = "The chosen person was erased or merged a moment ago. Nothing was changed; choose again."


class MergeService:
    """One change at a time; the gallery follows at once."""

    def __init__(
        self,
        store: Store,
        gallery: GalleryIndex,
        clock: Clock,
        policy: Policy,
        *,
        roster: Roster,
        look_alikes: LookAlikes,
    ) -> None:
        self._store = store
        self._gallery = gallery
        self._policy = policy
        self._roster = roster
        self._look_alikes = look_alikes
        self._audit = Auditor(store, clock)
        self._one_at_a_time = threading.Lock()

    def preview(self, source_id: str, target_id: str) -> MergePreview:
        """What merging the one record into the other would move; changes nothing. Raises PersonNotFound."""
        source, target = self._store.get_person(source_id), self._store.get_person(target_id)
        ids = ids_of(self._store, source_id)
        first = self._store.list_punches(PunchQuery(people=ids, limit=1))
        similarity = self._similarity(ids, ids_of(self._store, target_id))
        return MergePreview(
            source,
            target,
            templates=len(self._store.templates_of_many(ids)),
            punches=first.total,
            first_punch=first.items[0].at if first.items else None,
            last_punch=max(self._store.last_seen(ids).values(), default=None),
            similarity=similarity,
            looks_different=similarity is not None and similarity < self._policy.threshold,
            refused=_refusal(source, target),
        )

    def merge(self, source_id: str, target_id: str, *, actor: str) -> Person:
        """From now on the one record counts for the other person, who is returned.

        Face and code of the one name the other at the kiosk, and punches, reports and lists show the other.
        Raises PersonNotFound, and Conflict in the words of the preview where it refuses.
        """
        with self._one_at_a_time:
            source, target = self._store.get_person(source_id), self._store.get_person(target_id)
            if refusal := _refusal(source, target):
                raise Conflict(refusal)
            merged = replace(source, merged_into=target_id)
            self._store.update_person(merged)
            self._refuse_changed(source, target_id)
            self._roster.put(merged)
            self._show(self._templates(source_id), target)
            self._audit.record(actor, "person.merged", source_id, into=target_id)
            return target

    def undo(self, source_id: str, *, actor: str) -> Person:
        """The record is a person of its own again, as before, and is returned.

        Raises PersonNotFound, and Conflict when it is not merged.
        """
        with self._one_at_a_time:
            merged = self._store.get_person(source_id)
            if not merged.merged_into:
                raise Conflict(_NOT_MERGED)
            source = replace(merged, merged_into="")
            self._store.update_person(source)
            self._roster.put(source)
            templates = self._templates(source_id)
            self._show(templates, source)
            if source.active:
                # Whoever registered meanwhile was compared with the two as one person.
                self._look_alikes.note([as_of(template, source) for template in templates])
            self._audit.record(actor, "person.merge_undone", source_id, was=merged.merged_into)
            return source

    def merged(self, target_id: str) -> tuple[Person, ...]:
        """The records that were merged into this person, at first or second hand, by employee id."""
        found = merged_records(self._store.merged_people, [target_id])
        return tuple(sorted(found, key=lambda person: person.employee_id))

    def _refuse_changed(self, source: Person, target_id: str) -> None:
        """Takes the merge back when another process merged or erased the target at the same moment."""
        try:
            changed = bool(self._store.get_person(target_id).merged_into)
        except PersonNotFound:
            changed = True
        if changed:
            self._store.update_person(source)
            raise Conflict(_CHANGED)

    def _templates(self, person_id: str) -> list[Template]:
        """Those made with the running pack, of the record and of all that were merged into it."""
        found = self._store.templates_of_many(ids_of(self._store, person_id))
        return [template for template in found if template.pack_id == self._policy.pack_id]

    def _show(self, templates: Sequence[Template], owner: Person) -> None:
        """From now on these faces are this person's, or nobody's while the person is deactivated."""
        if owner.active and templates:
            self._gallery.add([as_of(template, owner) for template in templates])
            return
        for template in templates:
            self._gallery.remove_template(template.template_id)

    def _similarity(self, ids: Sequence[str], others: Sequence[str]) -> float | None:
        one, other = (self._rows(owners) for owners in (ids, others))
        return float((one @ other.T).max()) if len(one) and len(other) else None

    def _rows(self, ids: Sequence[str]) -> np.ndarray:
        """(N, D) float32 of the running pack."""
        found = self._store.templates_of_many(ids)
        own = [template.embedding for template in found if template.pack_id == self._policy.pack_id]
        return np.stack(own) if own else np.empty((0, self._policy.dimension), np.float32)


def _refusal(source: Person, target: Person) -> str:
    """Why the two cannot be merged, or nothing. Only people of their own are merged, so that no circle can
    come about."""
    if source.person_id == target.person_id:
        return _ITSELF
    if source.merged_into:
        return _SOURCE_IS_MERGED
    return _TARGET_IS_MERGED if target.merged_into else ""
