"""A month of many people: seconds and peak memory of the day sheet, the grid and the workbook.

    python -m bench.report [--stores sqlite,mongo] [--people 10000] [--sample 200] [--json PATH]

Beside each stands the naive way: for each person and day, a query for punches, one for corrections and one
for leave through the same `Store`, the same rules on what they give, and pandas' own workbook by the quicker
of its two writers. It is measured on `--sample` people and scaled to all of them; the minutes of those people
have to be the same both ways. The punches lie in the order of time, as they come in. Every measurement has a
process of its own.

Processor time is that of the measuring process alone: it says more than seconds do where other work runs
beside, and with sqlite it holds the database's work, too.

The mongo rows need a server: ROLLCALL_TEST_MONGODB_URI, `mongod` on the PATH, or the PyPI package
nx-27017, which is a test server; its figures say nothing about MongoDB.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd

from bench.common import write_report
from bench.store import mongo_server
from ray_backend.domain.model import Direction, Person, Punch
from ray_backend.domain.queries import PeopleQuery, PunchQuery
from ray_backend.domain.requests import SheetQuery
from ray_backend.domain.worktime.days import derive
from ray_backend.domain.worktime.fitting import Mark
from ray_backend.domain.worktime.schedule import Assignment, Level, Planner, Rulebook
from ray_backend.domain.worktime.shifts import OvertimeStep, Pause, Shift
from ray_backend.ports import Store
from ray_backend.services import timesheet_views
from ray_backend.services.corrections import CorrectionService
from ray_backend.services.leave import LeaveService
from ray_backend.services.report import pages
from ray_backend.services.report_records import collect_rarely
from ray_backend.services.rules import RuleService
from ray_backend.services.table_files import pieces
from ray_backend.services.tables import day_sheet
from ray_backend.services.timesheet import TimesheetService
from ray_backend.settings import Settings
from ray_backend.storage import open_store_url

BERLIN = ZoneInfo("Europe/Berlin")
FIRST, LAST = date(2026, 3, 1), date(2026, 3, 30)
DAYS = 30
NOW = datetime(2026, 4, 5, tzinfo=UTC)
TASKS = ("day sheet", "grid", "xlsx")
# So many punches are a second's work for nx-27017, and its driver waits a few.
_MONGO_BATCH = 600
_BATCH = 30_000
_OFFICE = Shift(
    "office", "Office", pauses=(Pause(30, 360),), grace_in=5, overtime=(OvertimeStep(0, 125),),
    works_on_holidays=True,
)  # fmt: skip
_CLOCK = SimpleNamespace(now=lambda: NOW)


def main() -> None:
    """Fills each store once, then measures every task in a process of its own."""
    options = parsed()
    if options.measure:
        print(json.dumps(measured(*options.measure)))
        return
    rows: list[dict[str, Any]] = []
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="rollcall-bench-")))
        for adapter in options.stores.split(","):
            kind, url = "sqlite", f"sqlite://{folder}/report.sqlite3"
            if adapter == "mongo":
                server, kind = stack.enter_context(mongo_server(folder / "server"))
                url = f"{server}/rollcall_bench_report"
            people = options.mongo_people if adapter == "mongo" else options.people
            seconds = filled(url, people, _MONGO_BATCH if adapter == "mongo" else _BATCH)
            print(f"{adapter}: {people * DAYS * 2:,} punches written in {seconds:.0f} s", flush=True)
            rows += [{"store": kind} | row for row in compared(url, people, min(people, options.sample))]
    write_report("report", rows, options.json, sample=options.sample, days=DAYS)


def parsed() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--stores", default="sqlite,mongo")
    parser.add_argument("--people", type=int, default=10_000)
    parser.add_argument("--mongo-people", type=int, default=500, help="nx-27017 is slow to fill")
    parser.add_argument("--sample", type=int, default=200, help="people of the naive way")
    parser.add_argument("--json", type=Path, default=Path("bench/results/report.json"))
    parser.add_argument("--measure", nargs=3, metavar=("URL", "TASK", "SAMPLE"), help="one task, as JSON")
    return parser.parse_args()


def filled(url: str, people: int, batch: int) -> float:
    """Everybody comes at eight and goes at five, more or less, every day; the seconds it took to write."""
    store = open_store_url(url, Settings())
    week = Assignment(Level.EVERYBODY, "", date(2026, 1, 5), (("office",),) * 5 + ((), ()))
    book = Rulebook(shifts={"office": _OFFICE}, assignments=(week,))
    RuleService(store, _CLOCK).change(book, actor="bench")
    chance = random.Random(7)
    everybody = [
        Person(f"E{number:05}", f"Name {number:05}", NOW, department=f"D{number % 20}")
        for number in range(people)
    ]
    began, punches = time.perf_counter(), []
    for person in everybody:
        store.add_person(person)
    for day in range(DAYS):
        punches += [punch for person in everybody for punch in day_of(person, day, chance)]
        while len(punches) >= batch or (punches and day == DAYS - 1):
            store.add_punches(punches[:batch])
            del punches[:batch]
    store.close()
    return time.perf_counter() - began


def day_of(person: Person, day: int, chance: random.Random) -> Iterator[Punch]:
    """Two punches within a quarter hour of the shift's ends."""
    for hour, way in ((8, Direction.IN), (17, Direction.OUT)):
        clock = datetime(2026, 3, FIRST.day + day, hour, tzinfo=BERLIN)
        at = clock.astimezone(UTC) + timedelta(seconds=chance.randint(-900, 900))
        key = f"{person.employee_id}/{day}/{hour}"
        yield Punch(person.person_id, at, way, "door", "face", key, (f"{key}/a", f"{key}/b"))


def compared(url: str, people: int, sample: int) -> Iterator[dict[str, Any]]:
    """A row for each task. Raises ValueError where both ways differ about the sample."""
    of_sample = in_own_process(url, "day sheet", -sample)
    for task in TASKS:
        ours = in_own_process(url, task, 0)
        naive = in_own_process(url, task, sample)
        if naive["minutes"] != of_sample["minutes"]:
            raise ValueError(f"{naive['minutes']} minutes one way and {of_sample['minutes']} the other")
        naive_s, naive_cpu_s = (naive[name] * people / sample for name in ("seconds", "cpu_s"))
        yield {
            "people": people,
            "what": task,
            "rows": ours["rows"],
            "peak MB": ours["peak_mb"],
            "s": ours["seconds"],
            "naive s": naive_s,
            "times": naive_s / ours["seconds"],
            "cpu s": ours["cpu_s"],
            "naive cpu s": naive_cpu_s,
            "times (cpu)": naive_cpu_s / ours["cpu_s"],
        }


def in_own_process(url: str, task: str, sample: int) -> dict[str, Any]:
    """What `measured` gives in a fresh interpreter."""
    command = [sys.executable, "-m", "bench.report", "--measure", url, task, str(sample)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def measured(url: str, task: str, sample: str) -> dict[str, Any]:
    """`seconds`, `cpu_s`, `rows`, `minutes` of work, and `peak_mb` of this process with all that it imported.

    `sample` 0 is our way for everybody, a positive number the naive way for so many people, a negative
    one our way for those.
    """
    number = int(sample)
    store = open_store_url(url, Settings())
    people = list(pages(store.list_people, PeopleQuery(limit=1000)))[: abs(number) or None]
    chosen = tuple(person.person_id for person in people) if number else None
    began, began_cpu = time.perf_counter(), time.process_time()
    days = naive(store, people) if number > 0 else ours(store, chosen)
    rows = FINISHES["naive" if number > 0 else "ours", task](days)
    seconds, cpu = time.perf_counter() - began, time.process_time() - began_cpu
    frame = days if number > 0 else days.days
    store.close()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1 if sys.platform == "darwin" else 1024)
    minutes = int(frame["worked"].sum())
    return {"seconds": seconds, "cpu_s": cpu, "rows": rows, "minutes": minutes, "peak_mb": peak}


def ours(store: Store, people: tuple[str, ...] | None):
    """The sheet as pages, API and command line get it, in a process that is tuned as the ReportActor is."""
    collect_rarely()
    others = (CorrectionService(store, _CLOCK), LeaveService(store, _CLOCK))
    rules = RuleService(store, _CLOCK)
    sheets = TimesheetService(store, _CLOCK, SimpleNamespace(zone=BERLIN), rules, *others)
    return sheets.sheet(SheetQuery(FIRST, LAST, people=people))


def naive(store: Store, people: list[Person]) -> pd.DataFrame:
    """Asks for each person and day what a row of the sheet needs: punches, corrections and leave."""
    book = RuleService(store, _CLOCK).current()
    corrections, leave = CorrectionService(store, _CLOCK), LeaveService(store, _CLOCK)
    planner, rows = Planner(book), []
    for person in people:
        for number in range(DAYS):
            day = FIRST + timedelta(days=number)
            start = datetime.combine(day, datetime.min.time(), BERLIN)
            end, who = start + timedelta(days=1), (person.person_id,)
            found = store.list_punches(PunchQuery(start, end, who))
            if corrections.find(states=("approved",), people=who, start=start, end=end).items:
                raise ValueError("this bench has no corrections")
            marks = [Mark(int(one.at.timestamp()), one.direction, one.punch_id) for one in found.items]
            plan = planner.days(person.person_id, person.department, BERLIN, day, day)
            away = leave.between(day, day, who)
            for made in derive(book, BERLIN, plan, marks, away, now=int(NOW.timestamp())):
                rows.append(_row(person, made))
    return pd.DataFrame(rows)


def _row(person: Person, made) -> dict[str, Any]:
    names = ("status", "worked", "pause", "target", "balance", "late", "early", "missing", "holiday", "leave")
    times = {name: getattr(made, name) for name in ("first_in", "last_out")}
    local = {
        name: datetime.fromtimestamp(at, BERLIN).replace(tzinfo=None) if at else None
        for name, at in times.items()
    }
    who = {name: getattr(person, name) for name in ("employee_id", "name", "department")}
    shown = {name: getattr(made, name) for name in names}
    return who | {"date": made.day, "shift": made.shift_id} | local | shown | {"punches": len(made.refs)}


def _grid(days: pd.DataFrame) -> int:
    return len(timesheet_views.grid(days))


def _workbook(sheet) -> int:
    with tempfile.TemporaryFile() as file:
        file.writelines(pieces(day_sheet(sheet), "xlsx"))
    return len(sheet.days)


def _naive_workbook(days: pd.DataFrame) -> int:
    with tempfile.TemporaryFile() as file:
        days.to_excel(file, engine="xlsxwriter", index=False)
    return len(days)


FINISHES: dict[tuple[str, str], Callable[[Any], int]] = {
    ("ours", "day sheet"): lambda sheet: len(sheet.days),
    ("ours", "grid"): lambda sheet: _grid(sheet.days),
    ("ours", "xlsx"): _workbook,
    ("naive", "day sheet"): len,
    ("naive", "grid"): _grid,
    ("naive", "xlsx"): _naive_workbook,
}


if __name__ == "__main__":
    main()
