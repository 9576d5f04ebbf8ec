"""A program for the kill -9 tests: imports a folder, and prints each employee id it may count on."""

from __future__ import annotations

import sys
from pathlib import Path

from ray_backend.client import local_backend
from ray_backend.jobs.people_import import import_people
from ray_backend.settings import Settings
from tests.coded import CodedEngine


def main(source: str, data_dir: str, url: str) -> None:
    """Ends with a line of how many faces it looked at."""
    engine = CodedEngine()
    backend = local_backend(Settings(data_dir=Path(data_dir), store=url), engine=engine)

    def told(run, outcome) -> None:
        if outcome is not None:
            print(outcome.employee_id, flush=True)

    import_people(backend, Path(source), consent=True, told=told)
    print(f"embedded {engine.embedded}", flush=True)
    backend.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
