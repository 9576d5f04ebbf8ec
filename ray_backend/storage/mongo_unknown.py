"""Unknown faces in a MongoDB database."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from pymongo import DESCENDING
from pymongo.database import Database

from ray_backend.domain.model import UnknownFace, UnknownGroup
from ray_backend.storage import mongo_documents as documents
from ray_backend.storage import records
from ray_backend.storage.mongo_database import MongoDatabase
from ray_backend.storage.mongo_documents import Document

NEWEST_FIRST = [("at_us", DESCENDING), ("face_id", DESCENDING)]


class MongoUnknown:
    """That part of `ray_backend.ports.Store`."""

    _database: MongoDatabase

    def add_unknown_face(self, face: UnknownFace) -> None:
        document = documents.to_document(records.unknown_face_record(face), "face_id")

        def put(db: Database[Document]) -> None:
            # Not replaced in place: nx-27017 does so only with documents that hold no bytes.
            db.unknown_faces.delete_one({"_id": face.face_id})
            db.unknown_faces.insert_one(document)

        self._database.run(put)

    def unknown_faces(self, group_id: str | None = None) -> list[UnknownFace]:
        wanted = {} if group_id is None else {"group_id": group_id}
        found = self._database.run(lambda db: list(db.unknown_faces.find(wanted).sort(NEWEST_FIRST)))
        return [records.unknown_face_of(documents.to_record(document)) for document in found]

    def move_unknown_faces(self, face_ids: Sequence[str], group_id: str) -> None:
        wanted, change = {"_id": {"$in": list(face_ids)}}, {"$set": {"group_id": group_id}}
        self._database.run(lambda db: db.unknown_faces.update_many(wanted, change))

    def remove_unknown_faces(self, face_ids: Sequence[str]) -> int:
        return self._remove_faces({"_id": {"$in": list(face_ids)}})

    def remove_unknown_before(self, before: datetime) -> int:
        removed = self._remove_faces({"at_us": {"$lt": records.to_micros(before)}})
        inhabited = set(self._database.run(lambda db: db.unknown_faces.distinct("group_id")))
        empty = [g.group_id for g in self.unknown_groups() if g.group_id not in inhabited]
        if empty:
            self._database.run(lambda db: db.unknown_groups.delete_many({"_id": {"$in": empty}}))
        return removed

    def put_unknown_group(self, group: UnknownGroup) -> None:
        document = documents.to_document(records.unknown_group_record(group), "group_id")
        his = {"_id": group.group_id}
        self._database.run(lambda db: db.unknown_groups.replace_one(his, document, upsert=True))

    def unknown_groups(self) -> list[UnknownGroup]:
        found = self._database.run(lambda db: list(db.unknown_groups.find().sort("_id")))
        return [records.unknown_group_of(documents.to_record(document)) for document in found]

    def remove_unknown_group(self, group_id: str) -> int:
        """Its faces go first, so that a removal which broke off can be repeated."""
        removed = self._remove_faces({"group_id": group_id})
        self._database.run(lambda db: db.unknown_groups.delete_one({"_id": group_id}))
        return removed

    def _remove_faces(self, wanted: Document) -> int:
        return self._database.run(lambda db: db.unknown_faces.delete_many(wanted)).deleted_count
