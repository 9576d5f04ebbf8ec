"""Importing people from a folder, a zip archive or a table; see `services/bulk_import/`."""

from __future__ import annotations

from pathlib import Path

from ray_backend.client import Backend
from ray_backend.services.bulk_import.desk import Told
from ray_backend.services.bulk_import.runs import Plan, Run

ACTOR = "command line"


def import_people(
    backend: Backend,
    source: Path,
    *,
    consent: bool,
    dry_run: bool = False,
    told: Told = lambda run, outcome: None,
) -> Run:
    """Imports everybody in it, and returns the run with what became of each file.

    One that broke off goes on where it was. `consent` says that everybody agreed of whom a table says
    nothing; without it such people are stored, and no consent is noted for them. See `Desk.carry_out` for
    what it raises.
    """
    desk = backend.import_desk()
    plan = Plan(
        source=str(source.absolute()),
        actor=ACTOR,
        title=source.name,
        dry_run=dry_run,
        consent=consent,
        without_consent=True,
        context=desk.context,
    )
    return desk.carry_out(plan, told)
