"""Entries and columns of punches in a MongoDB database."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from operator import itemgetter

from pymongo import ASCENDING
from pymongo.cursor import Cursor
from pymongo.errors import DuplicateKeyError

from ray_backend.domain.entries import Entry, EntryQuery, PunchColumns
from ray_backend.domain.queries import Page, PunchQuery
from ray_backend.storage import messages, records
from ray_backend.storage import mongo_documents as documents
from ray_backend.storage.columns import columns_of
from ray_backend.storage.mongo_database import MongoDatabase
from ray_backend.storage.mongo_documents import Document

_COLUMNS = ("at_us", "person_id", "direction", "punch_id")
_OLDEST_FIRST = [("at_us", ASCENDING), ("entry_id", ASCENDING)]
_BATCH = 20_000


class MongoEntries:
    """That part of `ray_backend.ports.Store`. An entry's `_id` holds its kind and its id."""

    _database: MongoDatabase

    def punch_columns(self, query: PunchQuery) -> PunchColumns:
        fields = {"_id": 0, **dict.fromkeys(_COLUMNS, 1)}
        order = [("at_us", ASCENDING), ("punch_id", ASCENDING)]
        wanted = documents.punches_filter(query)
        return self._database.run(
            lambda db: columns_of(_batches(db.punches.find(wanted, fields).sort(order).batch_size(_BATCH)))
        )

    def add_entry(self, entry: Entry) -> bool:
        try:
            self._database.insert("entries", _document(entry))
        except DuplicateKeyError:
            return False
        return True

    def replace_entry(self, entry: Entry, *, state: str) -> bool:
        document = _document(entry)
        still = {"_id": document["_id"], "state": state}
        return bool(self._database.run(lambda db: db.entries.replace_one(still, document)).matched_count)

    def get_entry(self, kind: str, entry_id: str) -> Entry | None:
        document = self._database.run(lambda db: db.entries.find_one({"_id": _key(kind, entry_id)}))
        return None if document is None else _entry(document)

    def list_entries(self, query: EntryQuery) -> Page[Entry]:
        wanted = documents.entries_filter(query)
        after = documents.timed_after(query.cursor, "$gt", "entry_id")
        key = messages.entry_key
        return self._database.page("entries", wanted, after, _OLDEST_FIRST, query.limit, _entry, key)

    def remove_entries(self, kind: str, entry_ids: Sequence[str]) -> int:
        chosen = {"_id": {"$in": [_key(kind, one) for one in set(entry_ids)]}}
        return self._database.run(lambda db: db.entries.delete_many(chosen)).deleted_count


def _batches(found: Cursor[Document]) -> Iterator[list[tuple]]:
    rows = map(itemgetter(*_COLUMNS), found)
    while batch := list(islice(rows, _BATCH)):
        yield batch


def _key(kind: str, entry_id: str) -> str:
    return f"{kind}/{entry_id}"


def _document(entry: Entry) -> Document:
    return {
        **documents.to_document(records.entry_record(entry), "entry_id"),
        "_id": _key(entry.kind, entry.entry_id),
    }


def _entry(document: Document) -> Entry:
    return records.entry_of(documents.to_record(document))
