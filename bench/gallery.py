"""How fast faces are searched, added and erased, and how often the right person is found.

    python -m bench.gallery [--sizes 10000 100000 1000000] [--dimension 512] [--json PATH]

Beside the exact and the approximate gallery: numpy's product with all rows and the largest of each
(the bound of a full scan), a Python loop over the templates (measured on 5,000 of them and multiplied),
and the graph of another library, usearch. Every search runs on one thread, as it does beside inference;
the graph is built with all cores, which takes some twenty minutes for a million (--graph-up-to leaves it
out). 5,000,000 x 512 need some 35 GB.

The faces are made up: four pictures a person, see tests/unit/gallery/samples.py. "start" is filling the
gallery anew from an iterator of templates, and, for the approximate one in files, filling it with the
files of an earlier run there. Reading the templates from a database is not in it.
"""

from __future__ import annotations

import argparse
import gc
import importlib.util
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

import numpy as np
import psutil
from threadpoolctl import threadpool_limits

from bench.common import write_report
from ray_backend.domain.model import Template
from ray_backend.gallery.approximate import ApproximateGallery
from ray_backend.gallery.exact import ExactGallery
from ray_backend.gallery.files import FileBlocks
from ray_backend.ports import GalleryIndex
from tests.unit.gallery.samples import Faces, template

PICTURES = 4  # of each person
QUESTIONS = 304
LOOPED = 5000  # templates that the Python loop goes over
ROUNDS = 5
ROUND_S = 0.4
CHANGES = 200


@dataclass
class Data:
    """`rows`: (T, D) float32 templates, the picture n being of person n // PICTURES."""

    faces: Faces
    rows: np.ndarray
    questions: np.ndarray
    best: np.ndarray = field(init=False)  # the person that a full scan finds for each question

    def __post_init__(self) -> None:
        self.best = np.concatenate(
            [(self.questions[i : i + 8] @ self.rows.T).argmax(axis=1) for i in range(0, QUESTIONS, 8)]
        )
        self.best //= PICTURES

    def templates(self) -> Iterator[Template]:
        for number, row in enumerate(self.rows):
            yield template(f"p{number // PICTURES}", f"t{number}", row)


@dataclass
class Entrant:
    """One way to search: `search` gives the number of the person found for each of (N, D) questions."""

    name: str
    search: Callable[[np.ndarray], np.ndarray]
    facts: dict[str, Any] = field(default_factory=dict)
    gallery: GalleryIndex | None = None
    scale: float = 1.0  # by what its times are multiplied


def main() -> None:
    """Measures all sizes and writes the report."""
    options = parsed()
    threadpool_limits(1, user_api="blas")
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory(prefix="rollcall-bench-") as folder:
        for size in options.sizes:
            rows += measured(size, options.dimension, Path(folder, str(size)), options.graph_up_to)
    notes = {"dimension": options.dimension, "pictures_a_person": PICTURES, "questions": QUESTIONS}
    write_report("gallery", rows, options.json, **notes, loop_measured_on=LOOPED, other_library="usearch")


def parsed() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--dimension", type=int, default=512)
    parser.add_argument("--graph-up-to", type=int, default=1_000_000, help="largest size for usearch")
    parser.add_argument("--json", type=Path, default=Path("bench/results/gallery.json"))
    return parser.parse_args()


def measured(size: int, dimension: int, folder: Path, graph_up_to: int) -> list[dict[str, Any]]:
    """One row for each way to search this many templates."""
    data = made_up(size, dimension)
    entrants = [brute_force(data), loop(data), exact(data), approximate(data, folder)]
    if size <= graph_up_to and importlib.util.find_spec("usearch"):
        entrants.append(graph(data))
    times = in_turns(entrants, data.questions)
    found = {entrant.name: recall(entrant, data) for entrant in entrants if entrant.scale == 1.0}
    base = median(times[entrants[0].name, 1])
    result = []
    for entrant in entrants:
        one, eight = (median(times[entrant.name, count]) for count in (1, 8))
        result.append(
            {
                "templates": size,
                "search": entrant.name,
                "ms, 1 query": one,
                "ms a query, 8": eight,
                "of numpy's speed": base / one,
                "recall@1": found.get(entrant.name),
                **entrant.facts,
                **(changes(entrant.gallery, data) if entrant.gallery else {}),
            }
        )
    return result


def made_up(size: int, dimension: int) -> Data:
    """Templates and questions, made in pieces."""
    people = size // PICTURES
    faces = Faces(dimension, people)
    rows = np.empty((people * PICTURES, dimension), np.float32)
    for start in range(0, len(rows), 50_000):
        stop = min(len(rows), start + 50_000)
        rows[start:stop] = faces.pictures(np.arange(start, stop) // PICTURES)
    asked = np.random.default_rng(1).choice(people, QUESTIONS, replace=people < QUESTIONS)
    return Data(faces, rows, faces.pictures(asked))


def brute_force(data: Data) -> Entrant:
    """Numpy over all rows. It knows the person of a row by division, so that nothing else costs time."""
    return Entrant("numpy", lambda asked: (asked @ data.rows.T).argmax(axis=1) // PICTURES)


def loop(data: Data) -> Entrant:
    """One dot product after the other."""
    some = list(data.rows[:LOOPED])

    def search(asked: np.ndarray) -> np.ndarray:
        found = []
        for question in asked:
            best, person = -2.0, -1
            for number, row in enumerate(some):
                similarity = float(np.dot(question, row))
                if similarity > best:
                    best, person = similarity, number // PICTURES
            found.append(person)
        return np.array(found)

    return Entrant(f"loop, from {LOOPED:,}", search, scale=len(data.rows) / LOOPED)


def exact(data: Data) -> Entrant:
    """Our exact gallery."""
    gallery = ExactGallery(data.rows.shape[1])
    facts = cost(lambda: gallery.replace(data.templates()))
    return Entrant("exact", searcher(gallery), facts, gallery)


def approximate(data: Data, folder: Path) -> Entrant:
    """Our approximate gallery in files, after a start without and one with the files of the first."""
    dimension = data.rows.shape[1]

    def start() -> ApproximateGallery:
        files = FileBlocks(folder, dimension)
        gallery = ApproximateGallery(dimension, 0, files, codebook=files.codebook(), remember=files.remember)
        gallery.replace(data.templates())
        filled.append(perf_counter())
        gallery.settle()
        return gallery

    filled: list[float] = []
    began = perf_counter()
    first = start()
    built = perf_counter() - began
    facts = {"build s": built, "searchable after s": filled[-1] - began}
    first.close()
    first._rows._blocks.close()
    del first
    gc.collect()
    kept: list[ApproximateGallery] = []
    again = cost(lambda: kept.append(start()))
    facts |= {"memory MiB": again["memory MiB"], "start s": again["build s"]}
    return Entrant("approximate", searcher(kept[0]), facts, kept[0])


def graph(data: Data) -> Entrant:
    """usearch's HNSW over 8-bit numbers, with the library's own defaults but a wider search.

    Measured at 100,000: expansion 64 found 0.90, 256 found 0.99.
    """
    from usearch.index import Index

    count, dimension = data.rows.shape
    index = Index(ndim=dimension, metric="cos", dtype="i8", expansion_search=256)
    facts = cost(lambda: index.add(np.arange(count), data.rows, threads=psutil.cpu_count()))
    spare = iter(range(count, count + CHANGES))
    one = data.rows[:1]
    added = [timed(lambda: index.add(next(spare), one[0])) for _ in range(CHANGES)]
    erased = [timed(lambda key=count + n: index.remove(key)) for n in range(CHANGES)]
    facts |= {"add ms": median(added), "worst add": max(added)}
    facts |= {"erase ms": median(erased), "worst erase": max(erased)}

    def search(asked: np.ndarray) -> np.ndarray:
        keys = np.atleast_2d(index.search(asked, 8, threads=1).keys)
        return keys[:, 0].astype(np.int64) // PICTURES

    return Entrant("usearch", search, facts)


def searcher(gallery: GalleryIndex) -> Callable[[np.ndarray], np.ndarray]:
    return lambda asked: np.array([int(answer[0].person_id[1:]) for answer in gallery.search(asked)])


def cost(build: Callable[[], Any]) -> dict[str, float]:
    """Seconds and growth of the process's memory."""
    gc.collect()
    before, began = psutil.Process().memory_info().rss, perf_counter()
    build()
    seconds = perf_counter() - began
    gc.collect()
    return {"build s": seconds, "memory MiB": (psutil.Process().memory_info().rss - before) / 2**20}


def in_turns(entrants: list[Entrant], questions: np.ndarray) -> dict[tuple[str, int], list[float]]:
    """Milliseconds a query, asked one by one and eight at a time; whatever disturbs, disturbs all."""
    times: dict[tuple[str, int], list[float]] = {}
    for _ in range(ROUNDS):
        for entrant in entrants:
            for count in (1, 8):
                spent = a_round(entrant, questions, count) * entrant.scale
                times.setdefault((entrant.name, count), []).append(spent)
    return times


def a_round(entrant: Entrant, questions: np.ndarray, count: int) -> float:
    done, began = 0, perf_counter()
    while (elapsed := perf_counter() - began) < ROUND_S or not done:
        start = done % (QUESTIONS - count + 1)
        entrant.search(questions[start : start + count])
        done += count
    return elapsed / done * 1e3


def recall(entrant: Entrant, data: Data) -> float:
    """Share of the questions for which it finds whom the full scan finds."""
    found = np.concatenate([entrant.search(data.questions[i : i + 8]) for i in range(0, QUESTIONS, 8)])
    return float((found == data.best).mean())


def changes(gallery: GalleryIndex, data: Data) -> dict[str, float]:
    """Milliseconds to add one template and to erase one person; the median and the longest."""
    people = np.arange(CHANGES)
    fresh = [
        template(f"p{p}", f"new{p}", row) for p, row in zip(people, data.faces.pictures(people), strict=True)
    ]
    added = [timed(lambda one=one: gallery.add([one])) for one in fresh]
    erased = [timed(lambda p=p: gallery.remove_person(f"p{p}")) for p in people]
    return {
        "add ms": median(added),
        "worst add": max(added),
        "erase ms": median(erased),
        "worst erase": max(erased),
    }


def timed(work: Callable[[], Any]) -> float:
    began = perf_counter()
    work()
    return (perf_counter() - began) * 1e3


if __name__ == "__main__":
    main()
