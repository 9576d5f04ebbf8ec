"""Decisions, settings and the audit log in a MongoDB database."""

from __future__ import annotations

import json
import math
from collections import Counter
from contextlib import suppress
from datetime import datetime
from typing import Any

from pymongo import ASCENDING, DESCENDING
from pymongo.database import Database
from pymongo.errors import DuplicateKeyError, OperationFailure

from ray_backend.domain.model import AuditEntry, DecisionRecord
from ray_backend.domain.queries import AuditQuery, DecisionCount, DecisionQuery, Page
from ray_backend.storage import messages, records
from ray_backend.storage import mongo_documents as documents
from ray_backend.storage.mongo_database import MongoDatabase
from ray_backend.storage.mongo_documents import Document

DECISIONS_OLDEST_FIRST = [("at_us", ASCENDING), ("record_id", ASCENDING)]
AUDIT_NEWEST_FIRST = [("at_us", DESCENDING), ("entry_id", DESCENDING)]
# One text, because nx-27017 takes no document for a group. A kiosk's name may hold anything: it comes last.
_BETWEEN = "|"
_FRAMES = {"$toString": "$frames"}
_HUNDREDTHS = {"$toString": {"$floor": {"$multiply": ["$seconds", 100]}}}
_ALIKE = {
    "$concat": ["$kind", _BETWEEN, "$source", _BETWEEN, _FRAMES, _BETWEEN, _HUNDREDTHS, _BETWEEN, "$kiosk"]
}
_COUNTED = {"kind": 1, "source": 1, "frames": 1, "seconds": 1, "kiosk": 1}
_NOT_IMPLEMENTED = 238  # MongoDB's own number of that error


class MongoNotes:
    """That part of `ray_backend.ports.Store`."""

    _database: MongoDatabase

    def add_decision(self, record: DecisionRecord) -> None:
        document = documents.to_document(records.decision_record(record), "record_id")
        with suppress(DuplicateKeyError):  # the id is random, so it is this very decision
            self._database.insert("decisions", document)

    def list_decisions(self, query: DecisionQuery) -> Page[DecisionRecord]:
        wanted = documents.decisions_filter(query)
        after = documents.timed_after(query.cursor, "$gt", "record_id")
        order, key = DECISIONS_OLDEST_FIRST, messages.decision_key
        return self._database.page("decisions", wanted, after, order, query.limit, _decision, key)

    def count_decisions(self, query: DecisionQuery) -> list[DecisionCount]:
        wanted = documents.decisions_filter(query)
        try:
            found = self._database.run(lambda db: _counted(db, wanted))
        except OperationFailure as error:
            if error.code != _NOT_IMPLEMENTED:
                raise
            # FerretDB 1.24 cannot join texts, so they come here to be counted.
            found = self._database.run(lambda db: Counter(map(_alike, db.decisions.find(wanted, _COUNTED))))
        counts: Counter[tuple[str, str, bool, int]] = Counter()
        for text, number in found.items():
            kind, source, frames, hundredths, kiosk = text.split(_BETWEEN, 4)
            by_face = source == "face" and int(frames) > 0
            counts[kiosk, kind, by_face, int(float(hundredths)) if by_face else 0] += number
        return [DecisionCount(*alike, number) for alike, number in counts.items()]

    def remove_decisions(self, before: datetime) -> int:
        old = {"at_us": {"$lt": records.to_micros(before)}}
        return self._database.run(lambda db: db.decisions.delete_many(old)).deleted_count

    def get_setting(self, key: str) -> Any:
        document = self._database.run(lambda db: db.settings.find_one({"_id": key}))
        return None if document is None else json.loads(document["value"])

    def put_setting(self, key: str, value: Any) -> None:
        document = {"_id": key, "value": records.to_json(value)}
        if value is None:
            self._database.run(lambda db: db.settings.delete_one({"_id": key}))
        else:
            self._database.run(lambda db: db.settings.replace_one({"_id": key}, document, upsert=True))

    def pin_setting(self, key: str, value: Any) -> Any:
        document = {"_id": key, "value": records.to_json(value)}
        if value is not None:
            with suppress(DuplicateKeyError):  # somebody was first: theirs is in force
                self._database.insert("settings", document)
        return self.get_setting(key)

    def settings(self, prefix: str = "") -> dict[str, Any]:
        found = self._database.run(
            lambda db: list(db.settings.find(documents.starts_with(prefix)).sort("_id"))
        )
        return {document["_id"]: json.loads(document["value"]) for document in found}

    def add_audit(self, entry: AuditEntry) -> None:
        document = documents.to_document(records.audit_record(entry), "entry_id")
        with suppress(DuplicateKeyError):  # the id is random, so it is this very entry
            self._database.insert("audit", document)

    def list_audit(self, query: AuditQuery) -> Page[AuditEntry]:
        wanted = documents.audit_filter(query)
        after = documents.timed_after(query.cursor, "$lt", "entry_id")
        order, key = AUDIT_NEWEST_FIRST, messages.audit_key
        return self._database.page("audit", wanted, after, order, query.limit, _audit, key)


def _decision(document: Document) -> DecisionRecord:
    return records.decision_of(documents.to_record(document))


def _audit(document: Document) -> AuditEntry:
    return records.audit_of(documents.to_record(document))


def _counted(db: Database[Document], wanted: Document) -> dict[str, int]:
    """How many of the decisions share each text of `_ALIKE`."""
    steps = [{"$match": wanted}, {"$group": {"_id": _ALIKE, "number": {"$sum": 1}}}]
    return {one["_id"]: one["number"] for one in db.decisions.aggregate(steps)}


def _alike(one: Document) -> str:
    """The text that `_ALIKE` makes."""
    hundredths = math.floor(one["seconds"] * 100)
    return _BETWEEN.join((one["kind"], one["source"], str(one["frames"]), str(hundredths), one["kiosk"]))
