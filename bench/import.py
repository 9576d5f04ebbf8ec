"""Throughput of a bulk import, beside its bound and beside enrolling one photo after the other.

    python -m bench.import [--pack FOLDER_OR_NAME] [--faces FOLDER] [--people 120] [--photos 2] [--rounds 3]
                           [--json PATH]

The bound is decode, detect, align and embed in bare loops, one thread a core, with nothing around them. The
import does everything: reading the zip, thumbnails, measuring, looking for the same face, storing in SQLite.
The naive way calls `Backend.enrol` for one person after the other. All take the same photos (blends of real
faces, see `bench.blends`, each on a picture of 640 x 480) and take turns within a round; ratios are made
within a round, and the median of the rounds counts. On a machine that others use, `cpu_of_bound` tells more
than `of_bound`: the processor time of a photo in the bare loops divided by that in the import.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
import zipfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from statistics import median

from bench.blends import blends, different_faces
from bench.common import write_report
from bench.faces import frames
from bench.own_system import others_load
from ray_backend.client import Backend, Photo, local_backend
from ray_backend.domain.errors import RollcallError
from ray_backend.domain.requests import PersonDraft
from ray_backend.jobs.people_import import import_people
from ray_backend.ports import FaceEngine
from ray_backend.settings import Settings
from ray_backend.vision.images import PillowCodec
from ray_backend.vision.packs import load_engine

Person = Sequence[bytes]
Way = Callable[[Backend], int]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--pack", default="dlib-resnet")
    parser.add_argument("--faces", type=Path)
    parser.add_argument("--people", type=int, default=120)
    parser.add_argument("--photos", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    load = others_load()
    engine = load_engine(Settings(pack=options.pack))
    crops = different_faces(engine, options.faces)
    people = [frames(jpeg, options.photos, seed) for seed, jpeg in enumerate(blends(crops, options.people))]
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        source = _zipped(root / "people.zip", people)
        ways: dict[str, Way] = {
            "bound": lambda backend: _bare_loops(engine, people),
            "import": lambda backend: _import(backend, source),
            "one at a time": lambda backend: _one_at_a_time(backend, people),
        }
        rows = _measured(ways, root, options)
    write_report("import", rows, options.json, pack=engine.pack.pack_id, others_load=load)


def _measured(ways: dict[str, Way], root: Path, options: argparse.Namespace) -> list[dict[str, object]]:
    photos = options.people * options.photos
    rates: dict[str, list[float]] = {name: [] for name in ways}
    cpu_ms: dict[str, list[float]] = {name: [] for name in ways}
    stored: dict[str, int] = {}
    for turn in range(options.rounds):
        for name, work in ways.items():
            # Loading the models is not part of an import.
            site = Settings(data_dir=root / f"{name}-{turn}", pack=options.pack)
            with closing(local_backend(site)) as backend:
                began, cpu = time.perf_counter(), time.process_time()
                stored[name] = work(backend)
                rates[name].append(photos / (time.perf_counter() - began))
                cpu_ms[name].append(1000 * (time.process_time() - cpu) / photos)
    return [
        {
            "way": name,
            "images_s": round(median(rates[name]), 1),
            "of_bound": round(_ratio(rates, name, "bound"), 2),
            "times_one_at_a_time": round(_ratio(rates, name, "one at a time"), 2),
            "cpu_ms": round(median(cpu_ms[name]), 1),
            "cpu_of_bound": round(_ratio(cpu_ms, "bound", name), 2),
            "people_stored": stored[name],
        }
        for name in ways
    ]


def _ratio(rates: dict[str, list[float]], name: str, other: str) -> float:
    return median(mine / theirs for mine, theirs in zip(rates[name], rates[other], strict=True))


def _zipped(path: Path, people: Sequence[Person]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for number, photos in enumerate(people):
            for place, jpeg in enumerate(photos):
                archive.writestr(f"E{number:05d}_Person {number}/{place}.jpg", jpeg)
    return path


def _bare_loops(engine: FaceEngine, people: Sequence[Person]) -> int:
    codec = PillowCodec(max_bytes=12_000_000, max_pixels=50_000_000)

    def look(jpeg: bytes) -> None:
        picture = codec.decode(jpeg)
        engine.embed([engine.align(picture, face) for face in engine.detect(picture)[:1]])

    with ThreadPoolExecutor(os.cpu_count()) as threads:
        list(threads.map(look, [jpeg for photos in people for jpeg in photos]))
    return 0


def _import(backend: Backend, source: Path) -> int:
    return import_people(backend, source, consent=True).tally().counts.created


def _one_at_a_time(backend: Backend, people: Sequence[Person]) -> int:
    stored = 0
    for number, photos in enumerate(people):
        draft = PersonDraft(f"E{number:05d}", f"Person {number}", consent=True)
        files = [Photo(f"{place}.jpg", data) for place, data in enumerate(photos)]
        try:
            backend.enrol(draft, files, source="bench", actor="bench")
            stored += 1
        except RollcallError:
            continue
    return stored


if __name__ == "__main__":
    main()
