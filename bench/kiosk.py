"""How long somebody stands before a kiosk, how many a kiosk can take, and what it costs.

    python -m bench.kiosk [--pack FOLDER_OR_NAME] [--kiosks 1,2,4] [--seconds 40] [--json PATH] [--check]

Each kiosk sends JPEGs of 640 x 480 over its WebSocket as the page does: one at a time, ten a second while
somebody stands there, one a second while nobody does. A queue of people steps up, each as soon as
the one before has an answer and left the picture. Measured: from the first frame with the face to the
result, punches a minute, frames analysed a second, and the processor's time of all of Rollcall, idle
(nobody comes) and active. Every result has to name the person who stood there.
"""

from __future__ import annotations

import argparse
import itertools
import json
import struct
import tempfile
import threading
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from websockets.sync.client import ClientConnection, connect

from bench.common import machine_facts, print_table
from bench.cpu import seconds_by_kind
from bench.faces import as_jpeg, frames, package_people, wall
from bench.own_system import Site, others_load, prepare, started

FRAMES_A_SECOND = 10.0
IDLE_EVERY_S = 1.0
EMPTY_FRAMES_BETWEEN = 5  # half a second in which nobody stands there
GIVE_UP_S = 10.0
ANSWER_S = 10.0
FRAMES_A_PERSON = 40
RESULTS = frozenset({"in", "out", "already"})
GOAL_P50_S, GOAL_P95_S = 1.5, 3.0


@dataclass(frozen=True)
class Stand:
    """What a kiosk's camera sees while one person stands there."""

    name: str
    jpegs: tuple[bytes, ...]


@dataclass
class Tally:
    """What one kiosk came to."""

    seconds: list[float] = field(default_factory=list)
    frames: int = 0
    wrong: int = 0
    missed: int = 0


class KioskPage:
    """One kiosk's connection: sends a frame, waits for its answer."""

    def __init__(self, url: str, origin: str) -> None:
        session = uuid.uuid4().hex
        self._socket: ClientConnection = connect(f"{url}&session={session}", origin=origin, legacy=True)
        self._seq = 0
        self._last_result = ""

    def is_news(self, answer: dict[str, Any]) -> bool:
        """Whether this result was not shown before: the last one stays until its person has gone."""
        new = answer["state"] in RESULTS and answer["result"] != self._last_result
        if new:
            self._last_result = answer["result"]
        return new

    def show(self, jpeg: bytes) -> dict[str, Any]:
        """The server's answer to this picture."""
        self._seq += 1
        self._socket.send(struct.pack(">I", self._seq) + jpeg)
        while True:
            answer = json.loads(self._socket.recv(timeout=ANSWER_S))
            if answer.get("seq") == self._seq:
                return answer

    def close(self) -> None:
        self._socket.close()


def serve_queue(page: KioskPage, queue: Iterator[Stand], empty: bytes, until: float, tally: Tally) -> None:
    """People step up one after the other until the time is over."""
    while time.monotonic() < until:
        person = next(queue)
        came = time.monotonic()
        answer = _until_result(page, person, tally)
        if answer is None:
            tally.missed += 1
        elif answer["name"] != person.name:
            tally.wrong += 1
        else:
            tally.seconds.append(time.monotonic() - came)
        for _ in range(EMPTY_FRAMES_BETWEEN):
            _paced(page, empty, tally)


def _until_result(page: KioskPage, person: Stand, tally: Tally) -> dict[str, Any] | None:
    began = time.monotonic()
    for jpeg in itertools.cycle(person.jpegs):
        answer = _paced(page, jpeg, tally)
        if page.is_news(answer):
            return answer
        if time.monotonic() - began > GIVE_UP_S:
            return None
    return None


def _paced(page: KioskPage, jpeg: bytes, tally: Tally) -> dict[str, Any]:
    began = time.monotonic()
    answer = page.show(jpeg)
    tally.frames += 1
    time.sleep(max(0.0, 1 / FRAMES_A_SECOND - (time.monotonic() - began)))
    return answer


def stands() -> list[Stand]:
    """Everybody who is enrolled, as a camera sees them: a head of a third of the picture."""
    return [
        Stand(face.name, tuple(frames(face.photos[0], FRAMES_A_PERSON, seed)))
        for seed, face in enumerate(package_people())
    ]


def empty_room() -> bytes:
    """A frame with nobody in it."""
    return as_jpeg(Image.fromarray(wall(120)), 85)


def measure(site: Site, pid: int, kiosks: int, seconds: float, people: Sequence[Stand]) -> dict[str, Any]:
    """`kiosks` at once, each with its own queue."""
    empty, tallies = empty_room(), [Tally() for _ in range(kiosks)]
    until = time.monotonic() + seconds
    before = seconds_by_kind(pid)
    threads = []
    for number, tally in enumerate(tallies):
        page = KioskPage(*_address(site))
        # Everybody is somewhere else in each queue, so that nobody stands at two kiosks at once.
        turn = number * len(people) // kiosks
        queue = itertools.cycle([*people[turn:], *people[:turn]])
        threads.append(threading.Thread(target=serve_queue, args=(page, queue, empty, until, tally)))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    spent = sum((seconds_by_kind(pid) - before).values())
    times = np.array([second for tally in tallies for second in tally.seconds])
    return {
        "kiosks": kiosks,
        "people": len(times),
        "p50_s": _percentile(times, 50),
        "p95_s": _percentile(times, 95),
        "punches_a_minute_each": round(60 * len(times) / seconds / kiosks, 1),
        "frames_a_second": round(sum(tally.frames for tally in tallies) / seconds, 1),
        "cpu_percent_of_a_core": round(100 * spent / seconds, 1),
        "wrong": sum(tally.wrong for tally in tallies),
        "missed": sum(tally.missed for tally in tallies),
    }


def _percentile(times: np.ndarray, percent: float) -> float | None:
    return round(float(np.percentile(times, percent)), 3) if len(times) else None


def idle_percent(site: Site, pid: int, kiosks: int, seconds: float) -> float:
    """Processor time of all of Rollcall, in percent of a core, while nobody stands at the kiosks."""
    pages, empty = [KioskPage(*_address(site)) for _ in range(kiosks)], empty_room()
    before, began = seconds_by_kind(pid), time.monotonic()
    while time.monotonic() - began < seconds:
        for page in pages:
            page.show(empty)
        time.sleep(IDLE_EVERY_S)
    spent = sum((seconds_by_kind(pid) - before).values())
    for page in pages:
        page.close()
    return round(100 * spent / (time.monotonic() - began), 1)


def _address(site: Site) -> tuple[str, str]:
    token = (site.settings.data_dir / "kiosk-token").read_text().strip()
    host = f"localhost:{site.settings.port}"
    return f"ws://{host}/cam?token={token}", f"http://{host}"


def main() -> None:
    """Measures, prints, writes, and with --check fails when a goal is missed."""
    options = _options()
    load = others_load()
    people = stands()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="rollcall-bench-")))
        site = prepare(folder / "site", options.pack, options.templates, ROLLCALL_COOLDOWN_S="1")
        pid = stack.enter_context(started(site)).pid
        idle = {kiosks: idle_percent(site, pid, kiosks, options.seconds / 2) for kiosks in (0, 1)}
        rows = [measure(site, pid, kiosks, options.seconds, people) for kiosks in options.kiosks]
    report = {
        "pack": site.pack.pack_id,
        "machine": machine_facts(),
        "load_before": load,
        "cpu_percent_without_kiosk": idle[0],
        "cpu_percent_idle_kiosk": idle[1],
        "kiosks": rows,
    }
    print_table(f"kiosk, {site.pack.pack_id}", rows)
    print(f"processor, percent of a core: {idle[0]} without a kiosk, {idle[1]} with one where nobody stands")
    options.json.parent.mkdir(parents=True, exist_ok=True)
    options.json.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    missed = list(missed_goals(rows))
    for line in missed:
        print(f"missed: {line}")
    if options.check and missed:
        raise SystemExit(1)


def missed_goals(rows: Sequence[dict[str, Any]]) -> Iterator[str]:
    """Each goal that these rows miss, in words."""
    for row in rows:
        where = f"{row['kiosks']} kiosks"
        if row["wrong"] or row["missed"]:
            yield f"{where}: {row['wrong']} wrong, {row['missed']} without a result"
        if row["p50_s"] is None or row["p50_s"] > GOAL_P50_S or row["p95_s"] > GOAL_P95_S:
            yield f"{where}: p50 {row['p50_s']} s, p95 {row['p95_s']} s"


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--pack", default="dlib-resnet", help="pack by name or folder")
    parser.add_argument(
        "--kiosks", type=lambda text: [int(part) for part in text.split(",")], default=[1, 2, 4]
    )
    parser.add_argument("--seconds", type=float, default=40.0, help="length of each measurement")
    parser.add_argument("--templates", type=int, default=10_000)
    parser.add_argument("--json", type=Path, default=Path("bench/results/kiosk.json"))
    parser.add_argument("--check", action="store_true", help="exit code 1 when a goal is missed")
    return parser.parse_args()


if __name__ == "__main__":
    main()
