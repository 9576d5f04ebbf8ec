"""Brings the compose file up with podman, uses it, breaks parts of it under load, and looks what is left.

Everything is on the loopback address, and is taken down again at the end. Exit code 1 when a punch that was
acknowledged is not in the database exactly once, or when anything else did not go as it should.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

from scripts.compose_smoke import run
from scripts.compose_smoke.containers import Failed, build_image, new_project, podman, say


def main() -> int:
    """The whole run; returns the exit code."""
    options = _options()
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="rollcall-smoke-") as folder:
        try:
            if not options.no_build:
                build_image(say)
            project = new_project(Path(folder), say)
        except Failed as error:
            say(f"FAILED: {error}")
            return 1
        try:
            faults = run.everything(project, options.photos, options.seconds)
        except (Failed, TimeoutError) as error:
            faults = [str(error)]
        finally:
            if options.logs:
                _keep_logs(project, options.logs)
            project.down()
    for fault in faults:
        say(f"FAILED: {fault}")
    say(f"{'Failed' if faults else 'Passed'} after {time.monotonic() - began:.0f} s")
    return 1 if faults else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/compose-smoke", description=__doc__)
    parser.add_argument("--photos", type=Path, help="a folder with one folder of photos for each person")
    parser.add_argument("--seconds", type=float, default=20.0, help="load between two faults (20)")
    parser.add_argument("--no-build", action="store_true", help="use the image of the last run")
    parser.add_argument("--logs", type=Path, help="where to keep what the containers wrote")
    return parser.parse_args()


def _keep_logs(project, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for service in project.services:
        for name in project.containers(service):
            (folder / f"{name}.log").write_text(podman("logs", "--tail", "2000", name))


if __name__ == "__main__":
    sys.exit(main())
