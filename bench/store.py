"""How fast the stores are, each beside its bound: the same rows through the bare driver.

    python -m bench.store [--seconds 1.0] [--punches 10000] [--json PATH]

The mongo row needs a server: ROLLCALL_TEST_MONGODB_URI, `mongod` on the PATH, or the PyPI package
nx-27017, which is a test server; its figures say nothing about MongoDB.
"""

from __future__ import annotations

import argparse
import itertools
import sqlite3
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Any
from uuid import uuid4

from pymongo import MongoClient, WriteConcern
from pymongo.database import Database

from bench.common import write_report
from ray_backend.domain.model import Direction, Person, Punch, Receipt, new_id
from ray_backend.domain.queries import PeopleQuery, PunchQuery
from ray_backend.ports import Store
from ray_backend.settings import Settings
from ray_backend.storage import mongo_documents, open_store_url, records
from ray_backend.storage.sqlite_schema import MIGRATIONS
from tests.mongo_server import external_url, running_server

PEOPLE = 1000
TURNS = 5
MONTH = datetime(2026, 3, 1, tzinfo=UTC)
RECEIPT = Receipt("bench", 0.5, 0.8, 0.1, 3, 0.9, 41.5)
Insert = Callable[[Punch], None]


def main() -> None:
    """Runs everything in one go, so that stores and bounds see the same machine."""
    options = parsed()
    rows: list[dict[str, Any]] = []
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="rollcall-bench-")))
        settings = Settings(data_dir=folder)
        server, kind = stack.enter_context(mongo_server(folder / "server"))
        database = f"rollcall_bench_{uuid4().hex}"
        urls = {
            "memory": "memory",
            "sqlite": f"sqlite://{folder}/store.sqlite3",
            "mongo": f"{server}/{database}",
        }
        client = stack.enter_context(MongoClient(server))
        stack.callback(client.drop_database, database)
        bounds = {
            "sqlite": lambda: sqlite_bound(folder),
            "mongo": lambda: mongo_bound(client.get_database(database)),
        }
        for adapter, url in urls.items():
            store = open_store_url(url, settings)
            rows += write_rows(adapter, store, bounds.get(adapter), options.seconds)
            rows += read_rows(adapter, store, options)
            store.close()
    write_report("store", rows, options.json, mongo_server=kind, people=PEOPLE, punches=options.punches)


def parsed() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=1.0, help="length of each measurement")
    parser.add_argument("--punches", type=int, default=10_000, help="punches of the month that is read")
    parser.add_argument("--json", type=Path, default=Path("bench/results/store.json"))
    return parser.parse_args()


@contextmanager
def mongo_server(folder: Path) -> Iterator[tuple[str, str]]:
    """Address and kind of the server to measure."""
    if url := external_url():
        yield url, "external"
        return
    with running_server(folder) as server:
        yield server.url, server.kind


def write_rows(
    adapter: str, store: Store, bound: Callable[[], Insert] | None, seconds: float
) -> Iterator[dict[str, Any]]:
    """Durable single inserts per second, by one thread and by eight, and what the bare driver does."""
    for threads in (1, 8):
        # In turns, so that whatever else the machine does meets the store and its bound alike.
        turns = [
            (
                inserts_per_s(lambda: store.add_punch, threads, seconds / TURNS),
                inserts_per_s(bound, threads, seconds / TURNS) if bound else None,
            )
            for _ in range(TURNS)
        ]
        yield {
            "store": adapter,
            "what": f"add_punch, {threads} thread{'s' if threads > 1 else ''}",
            "per s": median(rate for rate, _ in turns),
            "bound per s": median(limit for _, limit in turns) if bound else None,
            "of bound": median(rate / limit for rate, limit in turns) if bound else None,
        }


def read_rows(adapter: str, store: Store, options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Reads from a store with a thousand people and a month of punches."""
    people = [
        Person(f"E-{number:05}", f"Person {number}", MONTH, department=f"D{number % 9}")
        for number in range(PEOPLE)
    ]
    for person in people:
        store.add_person(person)
    step = timedelta(days=30) / options.punches
    punches = [a_punch(people[n % PEOPLE].person_id, MONTH + n * step) for n in range(options.punches)]
    for start in range(0, len(punches), 1000):
        store.add_punches(punches[start : start + 1000])
    turn = itertools.cycle(punches[:: max(1, len(punches) // 997)])
    reads: dict[str, Callable[[], Any]] = {
        "list_people, first 50": lambda: store.list_people(PeopleQuery(limit=50)),
        "list_people, search": lambda: store.list_people(PeopleQuery(text="person 99", limit=50)),
        "find_punch": lambda: store.find_punch(next(turn).idempotency_key),
        "last_punch": lambda: store.last_punch(next(turn).person_id),
        "list_punches, one person's month": lambda: list(month_of(store, next(turn).person_id)),
    }
    for what, read in reads.items():
        yield {"store": adapter, "what": what, "per s": calls_per_s(read, options.seconds)}
    started = time.perf_counter()
    count = sum(1 for _ in month_of(store, None))
    rate = count / (time.perf_counter() - started)
    yield {"store": adapter, "what": f"list_punches, a month of {options.punches:,}: rows", "per s": rate}


def month_of(store: Store, person_id: str | None) -> Iterator[Punch]:
    """The bench's month, page by page."""
    cursor = None
    while True:
        query = PunchQuery(MONTH, MONTH + timedelta(days=30), person_id and (person_id,), cursor)
        page = store.list_punches(query)
        yield from page.items
        cursor = page.next_cursor
        if cursor is None:
            return


def a_punch(person_id: str, at: datetime) -> Punch:
    """A punch whose keys nobody else has."""
    key = new_id()
    return Punch(person_id, at, Direction.IN, "bench", "face", key, (f"{key}/a", f"{key}/b"), RECEIPT)


def inserts_per_s(connect: Callable[[], Insert], threads: int, seconds: float) -> float:
    """Punches per second over all threads; each has an `Insert` of its own from `connect`."""
    ready = threading.Barrier(threads)

    def work(_: int) -> int:
        insert = connect()
        ready.wait()
        done, deadline = 0, time.perf_counter() + seconds
        while time.perf_counter() < deadline:
            # In 1970, so that the month that is read later holds none of these.
            insert(a_punch("somebody", records.EPOCH + timedelta(seconds=done)))
            done += 1
        return done

    with ThreadPoolExecutor(threads) as pool:
        started = time.perf_counter()
        total = sum(pool.map(work, range(threads)))
        return total / (time.perf_counter() - started)


def calls_per_s(call: Callable[[], Any], seconds: float) -> float:
    """Calls per second of one thread."""
    done, started = 0, time.perf_counter()
    while (elapsed := time.perf_counter() - started) < seconds:
        call()
        done += 1
    return done / elapsed


def sqlite_bound(folder: Path) -> Insert:
    """INSERT and commit with the store's schema and pragmas and nothing else."""
    path = folder / "bound.sqlite3"
    db = sqlite3.connect(path, timeout=30, isolation_level=None, check_same_thread=False)
    db.executescript("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA secure_delete = ON;")
    for statement in (line for script in MIGRATIONS for line in script):
        db.execute(
            statement.replace(" TABLE ", " TABLE IF NOT EXISTS ").replace(" INDEX ", " INDEX IF NOT EXISTS ")
        )

    def insert(punch: Punch) -> None:
        a, b = punch.cooldown_slots
        values = (punch.punch_id, "p", 0, "in", "bench", "face", punch.idempotency_key, a, b, "{}")
        db.execute("INSERT INTO punches VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", values)

    return insert


def mongo_bound(database: Database) -> Insert:
    """insert_one into a collection with the indexes and the write concern of the store."""
    target = database.get_collection("bound", write_concern=WriteConcern("majority", j=True))
    for name, index in database.punches.index_information().items():
        if name != "_id_":
            target.create_index(index["key"], unique=index.get("unique", False))

    def insert(punch: Punch) -> None:
        target.insert_one(mongo_documents.to_document(records.punch_record(punch), "punch_id"))

    return insert


if __name__ == "__main__":
    main()
