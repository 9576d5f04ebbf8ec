"""How long an erasure takes in a large sqlite file, and how long punches wait meanwhile.

    python -m bench.erasure [--people 50000] [--punches 2000000] [--store FILE] [--json PATH]

`--store` keeps the file for the next run, which begins with it.
"""

from __future__ import annotations

import argparse
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from bench.common import write_report
from ray_backend.clock import SystemClock
from ray_backend.domain.model import Direction, Person, Punch, Receipt, Template, new_id
from ray_backend.domain.queries import PeopleQuery
from ray_backend.services.punch_log import PunchLog
from ray_backend.services.reach import Reach
from ray_backend.storage import records
from ray_backend.storage.journal import FileJournal
from ray_backend.storage.sqlite import SqliteStore
from ray_backend.storage.sqlite_rows import insert, row_of

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
RECEIPT = Receipt("bench", 0.5, 0.8, 0.1, 3, 0.9, 41.5)
DIMENSION, THUMBNAIL_BYTES, TEMPLATES_EACH = 512, 3000, 2
_PIECE, _PUNCH_EVERY_S = 10_000, 0.02


def main() -> None:
    """Fills the file if need be, then erases a few people and wipes, while punches come in."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--people", type=int, default=50_000)
    parser.add_argument("--punches", type=int, default=2_000_000)
    parser.add_argument("--erasures", type=int, default=3)
    parser.add_argument("--store", type=Path)
    parser.add_argument("--json", type=Path, default=Path("bench/results/erasure.json"))
    options = parser.parse_args()
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="rollcall-bench-"))
        path = options.store or Path(folder) / "store.sqlite3"
        is_new = not path.exists()
        store = SqliteStore(path, timeout_s=5)
        stack.callback(store.close)
        if is_new:
            fill(store, options.people, options.punches)
        people = list(store.list_people(PeopleQuery(limit=options.erasures + 1)).items)
        clerk = people.pop()
        rows = [erased(store, person, clerk) for person in people] + [wiped(store, clerk)]
        size_mb = path.stat().st_size // 1_000_000
    settings = {"people": options.people, "punches": options.punches, "file_mb": size_mb}
    write_report("erasure", rows, options.json, **settings)


def fill(store: SqliteStore, people: int, punches: int) -> None:
    """Everybody with two templates, and punches of everybody by turns, one a second."""
    random = np.random.default_rng(7)
    known = []
    with store._file.writing() as db:  # one transaction: 50,000 of them would take some minutes
        for number in range(people):
            person = Person(f"E{number:06}", f"Person {number}", BEGIN, f"Department {number % 40}")
            known.append(person.person_id)
            insert(db, "people", row_of(records.person_record(person)))
            for template in (_template(person, random) for _ in range(TEMPLATES_EACH)):
                insert(db, "templates", row_of(records.template_record(template)))
    for start in range(0, punches, _PIECE):
        store.add_punches([_punch(known[n % people], n) for n in range(start, min(punches, start + _PIECE))])


def erased(store: SqliteStore, person: Person, clerk: Person) -> dict:
    """Erases the person, while a kiosk goes on."""
    with punching(store, clerk) as waits:
        started = time.perf_counter()
        store.erase_person(person.person_id, keep_punches=False)
        took_s = time.perf_counter() - started
    return row("erasing one person", took_s, waits)


def wiped(store: SqliteStore, clerk: Person) -> dict:
    """Overwrites what is left of all of them, while a kiosk goes on."""
    with punching(store, clerk) as waits:
        started = time.perf_counter()
        store.wipe()
        took_s = time.perf_counter() - started
    return row("overwriting what is left", took_s, waits)


@contextmanager
def punching(store: SqliteStore, clerk: Person) -> Iterator[list[float]]:
    """The seconds that each punch waits, of a kiosk that takes them as fast as it may."""
    waits: list[float] = []
    over = threading.Event()
    with tempfile.TemporaryDirectory() as folder:
        log = PunchLog(store, FileJournal(Path(folder)), SystemClock(), Reach(store))

        def work() -> None:
            while not over.wait(_PUNCH_EVERY_S):
                started = time.perf_counter()
                log.add(_punch(clerk.person_id, time.time_ns()))
                waits.append(time.perf_counter() - started)

        kiosk = threading.Thread(target=work)
        kiosk.start()
        time.sleep(0.5)
        yield waits
        time.sleep(0.5)
        over.set()
        kiosk.join()
        end = time.monotonic() + 60
        while len(log) and time.monotonic() < end:
            time.sleep(0.1)
        assert not len(log), "the punches of the journal did not arrive"
        log.close()


def row(what: str, took_s: float, waits: list[float]) -> dict:
    """One line of the report."""
    return {
        "what": what,
        "took s": round(took_s, 2),
        "punches meanwhile": len(waits),
        "longest wait of a punch in s": round(max(waits), 3),
    }


def _template(person: Person, random: np.random.Generator) -> Template:
    vector = random.standard_normal(DIMENSION).astype(np.float32)
    return Template(
        person.person_id, "bench", vector / np.linalg.norm(vector), 0.8, "import", BEGIN,
        photo_sha256=random.bytes(32).hex(), thumbnail=random.bytes(THUMBNAIL_BYTES),
    )  # fmt: skip


def _punch(person_id: str, number: int) -> Punch:
    key = f"{person_id}/{number}"
    way = Direction.IN if number % 2 else Direction.OUT
    at = BEGIN + timedelta(seconds=number % 100_000_000)
    return Punch(person_id, at, way, "door", "face", key, (f"{key}/a", f"{key}/b"), RECEIPT, new_id())


if __name__ == "__main__":
    main()
