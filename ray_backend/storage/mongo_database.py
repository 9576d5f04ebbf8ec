"""One MongoDB database: how it is reached, indexed, and what its errors become."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC
from typing import TypeVar

from pymongo import ASCENDING, IndexModel, MongoClient, WriteConcern
from pymongo.database import Database
from pymongo.errors import (
    AutoReconnect,
    ConfigurationError,
    ConnectionFailure,
    DuplicateKeyError,
    ExecutionTimeout,
    InvalidName,
    InvalidOperation,
    InvalidURI,
    NetworkTimeout,
    OperationFailure,
    ServerSelectionTimeoutError,
    WTimeoutError,
)

from ray_backend.domain.errors import InvalidInput, StoreUnavailable
from ray_backend.domain.queries import Page
from ray_backend.storage import mongo_documents as documents
from ray_backend.storage.mongo_documents import Document
from ray_backend.storage.paging import checked_limit, page_of

T = TypeVar("T")

DEFAULT_DATABASE = "rollcall"
SIGN_IN_FAILURES = (13, 18, 8000)  # Unauthorized, AuthenticationFailed, Atlas' own
INDEXES = {
    "people": [
        IndexModel("employee_id", unique=True),
        IndexModel([("merged_into", ASCENDING), ("employee_id", ASCENDING)]),
    ],
    "templates": [IndexModel("person_id"), IndexModel("pack_id")],
    "punches": [
        IndexModel("idempotency_key", unique=True),
        IndexModel("cooldown_slot_a", unique=True),
        IndexModel("cooldown_slot_b", unique=True),
        IndexModel([("at_us", ASCENDING), ("punch_id", ASCENDING)]),
        IndexModel([("person_id", ASCENDING), ("at_us", ASCENDING), ("punch_id", ASCENDING)]),
    ],
    "decisions": [
        IndexModel([("at_us", ASCENDING), ("record_id", ASCENDING)]),
        IndexModel([("kiosk", ASCENDING), ("at_us", ASCENDING), ("record_id", ASCENDING)]),
    ],
    "entries": [
        IndexModel([("kind", ASCENDING), ("at_us", ASCENDING), ("entry_id", ASCENDING)]),
        IndexModel([("kind", ASCENDING), ("subject", ASCENDING), ("at_us", ASCENDING)]),
        IndexModel([("kind", ASCENDING), ("state", ASCENDING), ("at_us", ASCENDING)]),
        IndexModel("subject"),
    ],
    "audit": [
        IndexModel([("at_us", ASCENDING), ("entry_id", ASCENDING)]),
        IndexModel([("subject", ASCENDING), ("at_us", ASCENDING), ("entry_id", ASCENDING)]),
        IndexModel([("actor", ASCENDING), ("at_us", ASCENDING), ("entry_id", ASCENDING)]),
    ],
    "unknown_faces": [
        IndexModel([("at_us", ASCENDING), ("face_id", ASCENDING)]),
        IndexModel([("group_id", ASCENDING), ("at_us", ASCENDING), ("face_id", ASCENDING)]),
    ],
}
# Fields that documents of earlier versions lack, with what they mean there.
ADDED_FIELDS = {"people": {"merged_into": "", "consent_version": ""}}


class MongoDatabase:
    """Runs actions on the database, which gets its indexes before the first of them."""

    def __init__(self, url: str, *, timeout_s: float) -> None:
        """Connects with the first call, not here. Raises InvalidInput for an address that cannot be one."""
        self._server = url.partition("://")[2].rpartition("@")[2].partition("/")[0]
        self._indexed = False
        self._closed = False
        timeout_ms = max(1, round(timeout_s * 1000))
        try:
            self._client: MongoClient[Document] = MongoClient(
                url,
                connect=False,
                appname="rollcall",
                tz_aware=True,
                tzinfo=UTC,
                serverSelectionTimeoutMS=timeout_ms,
                connectTimeoutMS=timeout_ms,
                socketTimeoutMS=timeout_ms,
            )
            self._db = self._client.get_default_database(
                DEFAULT_DATABASE, write_concern=WriteConcern("majority", j=True)
            )
        except (InvalidURI, ConfigurationError, InvalidName, ValueError):
            # From None: the driver's message may quote a piece of the password.
            raise InvalidInput(
                "The MongoDB address cannot be read. Write it as mongodb://user:password@host:port/database, "
                "with special characters of the password percent-encoded."
            ) from None

    def run(self, action: Callable[[Database[Document]], T]) -> T:
        """Runs the action, and once more if the connection broke: every action here may be repeated.

        A server that is silent is not asked again, so that a call ends after about one timeout.
        """
        with self._translated():
            try:
                return action(self._indexed_database())
            except (NetworkTimeout, ServerSelectionTimeoutError):
                raise
            except AutoReconnect:
                return action(self._indexed_database())

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except (ConnectionFailure, ExecutionTimeout, WTimeoutError, ConfigurationError) as error:
            raise StoreUnavailable(self._away()) from error
        except OperationFailure as error:
            if error.code not in SIGN_IN_FAILURES:
                raise
            raise StoreUnavailable(
                f"The database at {self._server} refuses the user. Check name, password and rights."
            ) from error
        except InvalidOperation as error:
            if not self._closed:
                raise
            raise StoreUnavailable("The database is closed.") from error

    def _indexed_database(self) -> Database[Document]:
        """Brought up to date. Without its unique indexes the database could not keep a punch from being
        written twice."""
        if not self._indexed:
            for name, indexes in INDEXES.items():
                for index in indexes:  # FerretDB drops the connection when several are there already
                    self._db[name].create_indexes([index])
            for name, fields in ADDED_FIELDS.items():
                for field, value in fields.items():
                    self._db[name].update_many({field: {"$exists": False}}, {"$set": {field: value}})
            self._indexed = True
        return self._db

    def _away(self) -> str:
        return f"The database at {self._server} does not answer. Check that it runs and can be reached."

    def insert(self, name: str, document: Document) -> None:
        """Raises DuplicateKeyError, but not for what an attempt whose answer was lost has written."""
        attempts = 0

        def insert(db: Database[Document]) -> None:
            nonlocal attempts
            attempts += 1
            try:
                db[name].insert_one(document)
            except DuplicateKeyError:
                if attempts == 1 or db[name].find_one({"_id": document["_id"]}, {"_id": 1}) is None:
                    raise

        self.run(insert)

    def close(self) -> None:
        """Calling it twice is no error."""
        self._closed = True
        self._client.close()

    def page(
        self,
        name: str,
        wanted: Document,
        after: list[Document],
        order: list[tuple[str, int]],
        limit: int,
        build: Callable[[Document], T],
        key: Callable[[T], tuple[str | int, ...]],
    ) -> Page[T]:
        """One page of a collection in this order; `wanted` counts for the total, `after` is the cursor's."""
        rows, chosen = checked_limit(limit) + 1, documents.all_of(wanted, *after)
        found = self.run(lambda db: list(db[name].find(chosen).sort(order).limit(rows)))
        total = len(found)
        if len(found) == rows or after:
            total = self.run(lambda db: count(db, name, wanted))
        return page_of([build(document) for document in found], limit, total, key)


def count(db: Database[Document], name: str, wanted: Document) -> int:
    """How many documents a filter finds."""
    # The plain command: count_documents() is an aggregation, which some servers do document by document.
    return int(db.command("count", name, query=wanted)["n"])
