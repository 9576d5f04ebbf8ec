"""Erasing a person for good: noted before it begins, repeated until it is done, and certified.

What is to go is noted first, without a name. A process that dies in the middle leaves the note, and the
next start goes on from there. Everything that is done may be done again.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from typing import Any
from uuid import NAMESPACE_OID, uuid5

from ray_backend.domain.answers import Erasure, SignedCertificate
from ray_backend.domain.errors import Conflict, InvalidInput, PersonNotFound, Unavailable
from ray_backend.domain.model import AuditEntry, Template, new_id
from ray_backend.ports import Clock, Store
from ray_backend.services import certificates
from ray_backend.services.traces import BEGUN, Check, Traces

log = logging.getLogger(__name__)

# What says when somebody was there: the admin chooses whether it stays.
_WITHOUT_A_NAME = ("punches", "entries")
_TYPE_IT = "Type the employee id exactly as shown to confirm the erasure."
_MERGED = (
    "This record was merged into another person. Erase that person, which erases this record too, or undo "
    "the merge first."
)


@dataclass(frozen=True, slots=True)
class Begun:
    """An erasure that has begun: `people` are all records of one human being, the main one last.

    `person` is the employee id as a certificate has it, `counts` what there was at the beginning.
    """

    certificate_id: str
    people: tuple[str, ...]
    keep_punches: bool
    by: str
    begun_at: str
    person: dict[str, Any]
    counts: dict[str, int]
    interrupted: bool = False

    @property
    def key(self) -> str:
        """The setting that it is noted in."""
        return BEGUN + self.people[-1]


@dataclass(frozen=True, slots=True)
class Place:
    """Where this site keeps its data, for the certificate: `site` and `pack` in force, the kind of
    `database`, and whether it overwrites what it deletes."""

    site: Callable[[], str]
    pack_id: str
    database: str
    overwrites: bool


class Eraser:
    """Erases one person at a time. Safe to call from several threads."""

    def __init__(self, store: Store, clock: Clock, traces: Traces, place: Place) -> None:
        self._store = store
        self._clock = clock
        self._traces = traces
        self._place = place
        self._key = certificates.SiteKey(store)
        self._one_at_a_time = threading.Lock()

    def erase(self, person_id: str, *, typed_employee_id: str, keep_punches: bool, actor: str) -> Erasure:
        """Removes the person with everything that was merged into them; see `PeopleService.erase`."""
        with self._one_at_a_time:
            try:
                begun = self._begin(person_id, typed_employee_id, keep_punches, actor)
            except PersonNotFound:
                begun = self._broken_off(person_id, typed_employee_id)
            return self._carry_out(begun)

    def finish(self) -> None:
        """Goes on with what an earlier process began. What cannot be done now is tried at the next start."""
        for note in self._store.settings(BEGUN).values():
            with self._one_at_a_time:
                begun = _from_note(note)
                try:
                    self._carry_out(replace(begun, interrupted=True))
                except Unavailable as error:
                    log.warning("an erasure that was broken off cannot be finished yet: %s", error.message)

    def _begin(self, person_id: str, typed_employee_id: str, keep_punches: bool, actor: str) -> Begun:
        person = self._store.get_person(person_id)
        if typed_employee_id.strip() != person.employee_id:
            raise InvalidInput(_TYPE_IT)
        if person.merged_into:
            raise Conflict(_MERGED)
        earlier = self._store.get_setting(BEGUN + person_id)
        return Begun(
            certificate_id=earlier["certificate_id"] if earlier else new_id(),
            people=self._records_of(person_id),
            keep_punches=keep_punches,
            by=actor,
            begun_at=earlier["begun_at"] if earlier else self._now(),
            person=certificates.pseudonym(person.employee_id),
            counts=earlier["counts"] if earlier else {},
            interrupted=earlier is not None,
        )

    def _broken_off(self, person_id: str, typed_employee_id: str) -> Begun:
        """The person's record is gone, but not everything else may be. Raises PersonNotFound."""
        note = self._store.get_setting(BEGUN + person_id)
        if note is None:
            self._store.get_person(person_id)
        begun = replace(_from_note(note), interrupted=True)
        if not certificates.is_about(begun.person, typed_employee_id):
            raise InvalidInput(_TYPE_IT)
        return begun

    def _records_of(self, person_id: str) -> tuple[str, ...]:
        """With all that were merged into the person, and into those before, the deepest first."""
        found, layer = [person_id], [person_id]
        while layer := [person.person_id for person in self._store.merged_people(layer)]:
            found = [*layer, *found]
        return tuple(found)

    def _carry_out(self, begun: Begun) -> Erasure:
        ids = begun.people
        self._traces.settle(ids)
        templates = self._store.templates_of_many(ids)
        begun = replace(begun, counts=_larger(begun.counts, self._traces.count(ids, templates)))
        self._store.put_setting(begun.key, asdict(begun))
        self._traces.remove(ids, templates, begun.keep_punches)
        for person_id in ids:
            with suppress(PersonNotFound):  # an earlier attempt came that far
                self._store.erase_person(person_id, keep_punches=begun.keep_punches)
        self._traces.forget(ids)
        certificate = self._certify(begun, templates)
        self._end(begun, certificate)
        punches = begun.counts["punches"]
        return Erasure(
            templates=begun.counts["templates"],
            punches_removed=0 if begun.keep_punches else punches,
            punches_kept=punches if begun.keep_punches else 0,
            certificate=certificate,
        )

    def _certify(self, begun: Begun, templates: Sequence[Template]) -> SignedCertificate:
        checks = self._traces.checks(begun.people, templates, begun.keep_punches)
        return self._key.sign(self._content(begun, checks))

    def _content(self, begun: Begun, checks: list[Check]) -> dict[str, Any]:
        """What is signed. `removed` and what is kept are counts; `checks` say where was searched for what
        after the removal, how many times, and how much was found: nothing, if the erasure is `verified`."""
        removed = dict(begun.counts)
        timed = {what: removed.pop(what) for what in _WITHOUT_A_NAME}
        none = dict.fromkeys(timed, 0)
        return {
            "kind": certificates.KIND,
            "version": 1,
            "certificate_id": begun.certificate_id,
            "site": self._place.site(),
            "pack": self._place.pack_id,
            "person": begun.person,
            "by": begun.by,
            "begun_at": begun.begun_at,
            "finished_at": self._now(),
            "interrupted": begun.interrupted,
            "removed": removed | (none if begun.keep_punches else timed),
            "kept_without_a_name": timed if begun.keep_punches else none,
            "where": {
                "database": self._place.database,
                "database_overwrites": self._place.overwrites,
                # Copies in unused space of a large file are overwritten in the night.
                "overwritten_at_night": self._store.wipes_due(),
                "gallery": self._traces.places(),
                "files": self._traces.files,
                "memory": ["people", "punches", "codes", "look_alike_notes", "calibration"],
                # Reports are made for each download and kept nowhere.
                "exports_kept": 0,
            },
            "checks": checks,
            "verified": all(check["found"] == 0 for check in checks),
        }

    def _end(self, begun: Begun, certificate: SignedCertificate) -> None:
        """Keeps the certificate, and the note of what was begun unless nothing was found any more: the
        next start tries again then."""
        certificate_id, verified = certificate.certificate_id, certificate.verified
        self._store.put_setting(certificates.PREFIX + certificate_id, certificates.to_record(certificate))
        content = certificate.content
        detail = {
            "templates": content["removed"]["templates"],
            "punches_removed": content["removed"]["punches"],
            "punches_kept": content["kept_without_a_name"]["punches"],
            "certificate": certificate_id,
            "verified": verified,
        }
        entry_id = uuid5(NAMESPACE_OID, f"person.erased/{certificate_id}").hex
        self._store.add_audit(
            AuditEntry(self._clock.now(), begun.by, "person.erased", begun.people[-1], detail, entry_id)
        )
        if verified:
            self._store.put_setting(begun.key, None)
            return
        found = [f"{check['where']}: {check['what']}" for check in certificate.content["checks"]
                 if check["found"]]  # fmt: skip
        log.error("after the erasure %s something was found: %s", certificate_id, ", ".join(found))
        self._store.put_setting(begun.key, asdict(replace(begun, certificate_id=new_id())))

    def _now(self) -> str:
        return self._clock.now().isoformat()


def _from_note(note: dict[str, Any]) -> Begun:
    return Begun(**note | {"people": tuple(note["people"])})


def _larger(before: dict[str, int], now: dict[str, int]) -> dict[str, int]:
    """An attempt that was broken off took some of it away already."""
    return {what: max(number, before.get(what, 0)) for what, number in now.items()}
