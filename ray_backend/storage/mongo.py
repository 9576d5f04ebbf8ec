"""The deployed store: MongoDB, or a server that speaks its protocol. `mongo_database` has the connection.

No transactions, so that a single server will do: the order of the writes and the unique indexes keep
the data right when a process dies between two of them. MongoDB keeps deleted documents in its journal
and its snapshots for a while; that `erase_person` leaves no bytes there is up to whoever runs the server.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from pymongo import ASCENDING, DESCENDING, InsertOne
from pymongo.database import Database
from pymongo.errors import BulkWriteError, DuplicateKeyError

from ray_backend.domain.answers import Erasure
from ray_backend.domain.errors import (
    DuplicateEmployeeId,
    DuplicatePunch,
    PersonNotFound,
    TemplateNotFound,
)
from ray_backend.domain.model import Person, Punch, Template
from ray_backend.domain.queries import Page, PeopleQuery, PunchQuery
from ray_backend.storage import messages, records
from ray_backend.storage import mongo_documents as documents
from ray_backend.storage.mongo_database import MongoDatabase, count
from ray_backend.storage.mongo_documents import Document
from ray_backend.storage.mongo_entries import MongoEntries
from ray_backend.storage.mongo_notes import MongoNotes
from ray_backend.storage.mongo_unknown import MongoUnknown

T = TypeVar("T")

BATCH = 500
DUPLICATE_KEY = 11000
ORPHAN_AGE = timedelta(hours=1)
PUNCHES_OLDEST_FIRST = [("at_us", ASCENDING), ("punch_id", ASCENDING)]
PUNCHES_NEWEST_FIRST = [("at_us", DESCENDING), ("punch_id", DESCENDING)]


class MongoStore(MongoNotes, MongoEntries, MongoUnknown):
    """`ray_backend.ports.Store` in one MongoDB database."""

    def __init__(self, url: str, *, timeout_s: float) -> None:
        """Connects with the first call, not here. Raises InvalidInput for an address that cannot be one."""
        self._database = MongoDatabase(url, timeout_s=timeout_s)
        self._run, self._insert = self._database.run, self._database.insert

    def add_person(self, person: Person, templates: Sequence[Template] = ()) -> None:
        """Templates go first: a person is there with all of them or not at all."""
        document = documents.to_document(records.person_record(person), "person_id")
        faces = [_template_document(template) for template in templates]
        taken = {"$or": [{"_id": person.person_id}, {"employee_id": person.employee_id}]}
        if self._run(lambda db: db.people.find_one(taken)) is not None:
            raise DuplicateEmployeeId(messages.DUPLICATE_EMPLOYEE_ID)
        self._put_templates(faces)
        try:
            self._insert("people", document)
        except DuplicateKeyError as error:
            self._run(lambda db: db.templates.delete_many({"_id": {"$in": [t["_id"] for t in faces]}}))
            raise DuplicateEmployeeId(messages.DUPLICATE_EMPLOYEE_ID) from error

    def update_person(self, person: Person) -> None:
        document = documents.to_document(records.person_record(person), "person_id")
        other = self.find_person(person.employee_id)
        if other is not None and other.person_id != person.person_id:
            raise DuplicateEmployeeId(messages.DUPLICATE_EMPLOYEE_ID)
        try:
            result = self._run(lambda db: db.people.replace_one({"_id": person.person_id}, document))
        except DuplicateKeyError as error:
            raise DuplicateEmployeeId(messages.DUPLICATE_EMPLOYEE_ID) from error
        if not result.matched_count:
            raise PersonNotFound(messages.PERSON_NOT_FOUND)

    def get_person(self, person_id: str) -> Person:
        document = self._run(lambda db: db.people.find_one({"_id": person_id}))
        if document is None:
            raise PersonNotFound(messages.PERSON_NOT_FOUND)
        return _person(document)

    def people_of_many(self, person_ids: Sequence[str]) -> list[Person]:
        wanted = {"_id": documents.among(person_ids)}
        return [_person(document) for document in self._run(lambda db: list(db.people.find(wanted)))]

    def find_person(self, employee_id: str) -> Person | None:
        document = self._run(lambda db: db.people.find_one({"employee_id": employee_id}))
        return None if document is None else _person(document)

    def list_people(self, query: PeopleQuery) -> Page[Person]:
        wanted, after = documents.people_filter(query), documents.people_after(query.cursor)
        if query.without_photos:
            wanted["_id"] = {"$nin": sorted(self._photographed())}
        order = [("employee_id", ASCENDING)]
        return self._database.page("people", wanted, after, order, query.limit, _person, messages.person_key)

    def _photographed(self) -> set[str]:
        """Everybody who has a template, or had somebody merged into them who has one."""
        owners = set(self._run(lambda db: db.templates.distinct("person_id")))
        return owners | {person.merged_into for person in self.merged_people() if person.person_id in owners}

    def merged_people(self, into: Sequence[str] | None = None) -> list[Person]:
        wanted = {"merged_into": {"$gt": ""} if into is None else {"$in": sorted(set(into) - {""})}}
        found = self._run(lambda db: list(db.people.find(wanted).sort("employee_id")))
        return [_person(document) for document in found]

    def departments(self) -> list[str]:
        own = {"merged_into": ""}
        return sorted(set(self._run(lambda db: db.people.distinct("department", own))) - {""})

    def erase_person(self, person_id: str, *, keep_punches: bool) -> Erasure:
        """The person goes last, so that an erasure which broke off can be repeated."""
        self.get_person(person_id)
        his = {"person_id": person_id}
        templates = self._run(lambda db: db.templates.delete_many(his)).deleted_count
        removed = 0 if keep_punches else self._run(lambda db: db.punches.delete_many(his)).deleted_count
        kept = self._run(lambda db: count(db, "punches", his)) if keep_punches else 0
        if not keep_punches:
            self._run(lambda db: db.entries.delete_many({"subject": person_id}))
        self._sweep_orphans()
        self._run(lambda db: db.people.delete_one({"_id": person_id}))
        return Erasure(templates=templates, punches_removed=removed, punches_kept=kept)

    def add_templates(self, templates: Sequence[Template]) -> None:
        faces = [_template_document(template) for template in templates]
        owners = {template.person_id for template in templates}
        if self._existing(owners) != owners:
            raise PersonNotFound(messages.PERSON_NOT_FOUND)
        self._put_templates(faces)

    def remove_template(self, template_id: str) -> Template:
        document = self._run(lambda db: db.templates.find_one({"_id": template_id}))
        if document is None:
            raise TemplateNotFound(messages.TEMPLATE_NOT_FOUND)
        self._run(lambda db: db.templates.delete_one({"_id": template_id}))
        return _template(document)

    def templates_of(self, person_id: str) -> list[Template]:
        return self.templates_of_many([person_id])

    def templates_of_many(self, person_ids: Sequence[str]) -> list[Template]:
        wanted = {"person_id": documents.among(person_ids)}
        found = self._run(lambda db: list(db.templates.find(wanted)))
        owners = self._existing({document["person_id"] for document in found})
        templates = [_template(document) for document in found if document["person_id"] in owners]
        return sorted(templates, key=messages.template_key)

    def templates(self, pack_id: str | None = None) -> Iterator[Template]:
        wanted = {} if pack_id is None else {"pack_id": pack_id}
        for batch in self._template_batches(wanted, fields=None):
            owners = self._existing({document["person_id"] for document in batch})
            yield from (_template(document) for document in batch if document["person_id"] in owners)

    def count_templates(self) -> dict[str, int]:
        counts: Counter[str] = Counter()
        for batch in self._template_batches({}, fields=["person_id", "pack_id"]):
            owners = self._existing({document["person_id"] for document in batch})
            counts.update(document["pack_id"] for document in batch if document["person_id"] in owners)
        return dict(counts)

    def add_punch(self, punch: Punch) -> None:
        try:
            self._insert("punches", _punch_document(punch))
        except DuplicateKeyError as error:
            raise DuplicatePunch(messages.DUPLICATE_PUNCH) from error

    def add_punches(self, punches: Sequence[Punch]) -> None:
        inserts = [InsertOne(_punch_document(punch)) for punch in punches]
        if not inserts:
            return
        try:
            self._run(lambda db: db.punches.bulk_write(inserts, ordered=False))
        except BulkWriteError as error:
            failures = error.details["writeErrors"]
            if any(failure["code"] != DUPLICATE_KEY for failure in failures):
                raise
            self._check_same([_punch_document(punches[failure["index"]]) for failure in failures])

    def find_punch(self, idempotency_key: str) -> Punch | None:
        document = self._run(lambda db: db.punches.find_one({"idempotency_key": idempotency_key}))
        return None if document is None else _punch(document)

    def last_punch(self, person_id: str) -> Punch | None:
        document = self._run(
            lambda db: db.punches.find_one({"person_id": person_id}, sort=PUNCHES_NEWEST_FIRST)
        )
        return None if document is None else _punch(document)

    def last_seen(self, person_ids: Sequence[str]) -> dict[str, datetime]:
        """One look-up by index for each person: to find the latest of all in one, a server would read
        every punch of them, or aggregate."""
        seen = {}
        for person_id in person_ids:
            latest = self._run(
                lambda db, his=person_id: db.punches.find_one(
                    {"person_id": his}, {"at_us": 1}, sort=PUNCHES_NEWEST_FIRST
                )
            )
            if latest is not None:
                seen[person_id] = records.from_micros(latest["at_us"])
        return seen

    def list_punches(self, query: PunchQuery) -> Page[Punch]:
        wanted, after = (
            documents.punches_filter(query),
            documents.timed_after(query.cursor, "$gt", "punch_id"),
        )
        return self._database.page(
            "punches", wanted, after, PUNCHES_OLDEST_FIRST, query.limit, _punch, messages.punch_key
        )

    def wipes_due(self) -> bool:
        return False

    def wipe(self) -> None:
        """The server's files are its own."""

    def ping(self) -> None:
        self._run(lambda db: db.command("ping"))

    def close(self) -> None:
        self._database.close()

    def _put_templates(self, faces: Sequence[Document]) -> None:
        def put(db: Database[Document]) -> None:
            db.templates.delete_many({"_id": {"$in": [face["_id"] for face in faces]}})
            db.templates.insert_many(faces, ordered=False)

        if faces:
            self._run(put)

    def _existing(self, person_ids: set[str]) -> set[str]:
        if not person_ids:
            return set()
        wanted: Document = {"_id": {"$in": sorted(person_ids)}}
        return {found["_id"] for found in self._run(lambda db: list(db.people.find(wanted, {"_id": 1})))}

    def _template_batches(self, wanted: Document, fields: list[str] | None) -> Iterator[list[Document]]:
        """By key rather than with one cursor, which the server would drop if the reader took its time."""
        last: Document = {}
        while True:
            chosen = documents.all_of(wanted, last)
            batch = self._run(
                lambda db, c=chosen: list(db.templates.find(c, fields).sort("_id").limit(BATCH))
            )
            if batch:
                yield batch
            if len(batch) < BATCH:
                return
            last = {"_id": {"$gt": batch[-1]["_id"]}}

    def _sweep_orphans(self) -> None:
        """Removes faces that an enrolment left behind which broke off before its person was written."""
        owners = set(self._run(lambda db: db.templates.distinct("person_id")))
        orphans = sorted(owners - self._existing(owners))
        if orphans:
            old = {"person_id": {"$in": orphans}, "stored_at": {"$lt": datetime.now(UTC) - ORPHAN_AGE}}
            self._run(lambda db: db.templates.delete_many(old))

    def _check_same(self, punches: Sequence[Document]) -> None:
        """Raises DuplicatePunch unless exactly these punches are stored already."""
        ids = [punch["_id"] for punch in punches]
        stored = self._run(lambda db: list(db.punches.find({"_id": {"$in": ids}})))
        there = {document["_id"]: _punch(document) for document in stored}
        if any(there.get(punch["_id"]) != _punch(punch) for punch in punches):
            raise DuplicatePunch(messages.DUPLICATE_PUNCH)


def _template_document(template: Template) -> Document:
    return {
        **documents.to_document(records.template_record(template), "template_id"),
        "stored_at": datetime.now(UTC),
    }


def _punch_document(punch: Punch) -> Document:
    return documents.to_document(records.punch_record(punch), "punch_id")


def _person(document: Document) -> Person:
    return records.person_of(documents.to_record(document))


def _template(document: Document) -> Template:
    return records.template_of(documents.to_record(document))


def _punch(document: Document) -> Punch:
    return records.punch_of(documents.to_record(document))
