"""Imports thousands of people and kills the importer with SIGKILL: is anybody missing, or there twice?

    python -m bench.import_kill [--people 2000] [--kills 3] [--pack coded] [--faces FOLDER] [--json PATH]

`coded`: pictures with a code in them and an engine that reads it, so that there are as many different people
as one likes. With a pack's name or folder: blends of real faces (see `bench.blends`), of which the pack
refuses many as too similar to somebody who is there. They are imported twice, once in one go and once with
kills, and both sites have to end with the same people, each with one template, and each recognised.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from bench.blends import blends, different_faces
from bench.common import write_report
from ray_backend.client import local_backend
from ray_backend.domain.queries import PeopleQuery
from ray_backend.services.bulk_import.runs import Run, Runs
from ray_backend.settings import Settings
from ray_backend.storage import open_store
from ray_backend.vision.packs import load_engine
from tests.coded import coded_folder

CODED = "coded"


@dataclass(frozen=True)
class Site:
    """A data folder of its own, and how its importer is started."""

    folder: Path
    pack: str

    @property
    def settings(self) -> Settings:
        return Settings(data_dir=self.folder, pack="auto" if self.pack == CODED else self.pack)

    def start(self, source: Path) -> subprocess.Popen:
        """The importer in a process of its own."""
        clean = {name: value for name, value in os.environ.items() if not name.startswith("ROLLCALL_")}
        mine = {"ROLLCALL_DATA_DIR": str(self.folder), "ROLLCALL_PACK": self.pack}
        command = [sys.executable, "-m", "ray_backend.cli", "people", "import", str(source), "--consent"]
        if self.pack == CODED:
            command = [
                sys.executable,
                "-m",
                "tests.contract.importer",
                str(source),
                str(self.folder),
                "sqlite",
            ]
        return subprocess.Popen(command, env=clean | mine, stdout=subprocess.DEVNULL)

    def run(self) -> Run | None:
        """The newest import."""
        return next(iter(Runs(self.folder / "imports").all()), None)

    def stored(self) -> dict[str, int]:
        """Number of templates by employee id."""
        with closing(open_store(self.settings)) as store:
            counts = Counter(template.person_id for template in store.templates())
            found, query = {}, PeopleQuery(limit=1000)
            while query is not None:
                page = store.list_people(query)
                for person in page.items:
                    if person.employee_id in found:
                        raise AssertionError(f"{person.employee_id} is there twice")
                    found[person.employee_id] = counts[person.person_id]
                query = PeopleQuery(limit=1000, cursor=page.next_cursor) if page.next_cursor else None
            return found


def import_with_kills(site: Site, source: Path, people: int, kills: int) -> list[int]:
    """Imports, killing the importer after equal parts. Returns how many people were done at each kill."""
    done_at = []
    for number in range(1, kills + 1):
        process = site.start(source)
        wanted = people * number // (kills + 1)
        while process.poll() is None and _done(site) < wanted:
            time.sleep(0.02)
        process.kill()
        process.wait()
        done_at.append(_done(site))
    if site.start(source).wait() != 0:
        raise SystemExit("the last import did not end well")
    return done_at


def _done(site: Site) -> int:
    run = site.run()
    return run.tally().counts.people if run else 0


def recognised(site: Site, source: Path, ids: set[str]) -> int:
    """How many of these people's photos are taken for them."""
    with closing(local_backend(site.settings)) as backend:
        right = 0
        for folder in sorted(source.iterdir()):
            employee_id = folder.name.partition("_")[0]
            if employee_id in ids:
                (photo,) = folder.iterdir()
                faces = backend.recognise(photo.read_bytes()).faces
                person = faces[0].person if faces else None
                best = faces[0].decision.best if faces else None
                owner = backend.people.by_employee_id(employee_id)
                right += (person or owner) == owner and best is not None and best.person_id == owner.person_id
        return right


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--people", type=int, default=2000)
    parser.add_argument("--kills", type=int, default=3)
    parser.add_argument("--pack", default=CODED)
    parser.add_argument("--faces", type=Path)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        source, parents = _source(root, options)
        row = _compared(root, source, options)
        write_report("import, killed", [row], options.json, pack=options.pack, parents=parents)


def _source(root: Path, options: argparse.Namespace) -> tuple[Path, int]:
    """The folder to import, and how many real people the faces come from."""
    if options.pack == CODED:
        return coded_folder(root / "in", options.people), 0
    engine = load_engine(Settings(pack=options.pack))
    crops = different_faces(engine, options.faces)
    for number, jpeg in enumerate(islice(blends(crops, options.people), options.people)):
        person = root / "in" / f"E{number:05d}_Blend {number}"
        person.mkdir(parents=True)
        (person / "1.jpg").write_bytes(jpeg)
    return root / "in", len(crops)


def _compared(root: Path, source: Path, options: argparse.Namespace) -> dict:
    whole, killed = Site(root / "whole", options.pack), Site(root / "killed", options.pack)
    began = time.monotonic()
    import_with_kills(whole, source, options.people, 0)
    one_go_s = time.monotonic() - began
    began = time.monotonic()
    done_at = import_with_kills(killed, source, options.people, options.kills)
    killed_s = time.monotonic() - began
    reference, after = whole.stored(), killed.stored()
    counts = killed.run().tally().counts
    row = {
        "people": options.people,
        "one_go_s": round(one_go_s, 1),
        "killed_s": round(killed_s, 1),
        "killed_at": ", ".join(map(str, done_at)),
        "stored": len(after),
        "missing": len(reference.keys() - after.keys()),
        "too_many": len(after.keys() - reference.keys()),
        "templates_not_1": sum(number != 1 for number in after.values()),
        "too_similar": counts.duplicates,
        "refused_otherwise": counts.refused,
    }
    if options.pack != CODED:
        row["recognised"] = recognised(killed, source, set(after))
    return row


if __name__ == "__main__":
    main()
