"""`rollcall people import`: many people at once."""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from ray_backend.client import connect
from ray_backend.jobs.people_import import import_people
from ray_backend.services.bulk_import.entries import PersonOutcome
from ray_backend.services.bulk_import.report import NOT_TAKEN, refused_csv, rows
from ray_backend.services.bulk_import.runs import Run
from ray_backend.settings import Settings

console = Console()
errors = Console(stderr=True)
_MOST_SHOWN = 100


def people_import(
    source: Annotated[Path, typer.Argument(help="A folder, a .zip, or a .csv or .xlsx beside its photos.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would happen; store nothing.")] = False,
    consent: Annotated[
        bool, typer.Option("--consent", help="Everybody in it agreed that their face is stored.")
    ] = False,
    refused: Annotated[
        Path | None, typer.Option(help="Write what was not taken, and why, to this CSV file.")
    ] = None,
) -> None:
    """Register everybody in SOURCE: folders <employee_id>_<name>/*.jpg, or a table with a photo column.

    Start it again where it broke off: it goes on, and stores nobody twice.
    """
    backend = connect(Settings())
    try:
        with _progress() as progress:
            task = progress.add_task("Looking at people" if dry_run else "Importing people", total=None)

            def told(run: Run, outcome: PersonOutcome | None) -> None:
                if outcome is None:
                    progress.update(task, total=run.standing.total, completed=run.tally().counts.people)
                else:
                    progress.advance(task)

            run = import_people(backend, source, consent=consent, dry_run=dry_run, told=told)
    except KeyboardInterrupt:
        errors.print("Stopped. Start the same command again to go on.")
        raise SystemExit(130) from None
    finally:
        backend.close()
    _show(run)
    if refused is not None:
        refused.write_bytes(refused_csv(run.outcomes()))


def _progress() -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=errors,
    )


def _show(run: Run) -> None:
    counts = run.tally().counts
    not_taken = counts.refused + counts.duplicates
    table = Table("file or folder", "why it was not taken", title="Refused")
    for row in islice(rows(run.outcomes(), NOT_TAKEN), _MOST_SHOWN):
        table.add_row(escape(row.place), escape(row.reason.sentence if row.reason else ""))
    if not_taken:
        console.print(table)
    if not_taken > _MOST_SHOWN:
        console.print(f"{not_taken - _MOST_SHOWN} more are not shown. Write them to a file with --refused.")
    console.print(
        f"{counts.created} people added, {counts.accepted} photos stored, "
        f"{counts.stored_already} were there already, {not_taken} refused.",
        soft_wrap=True,
    )
    if run.standing.skipped:
        console.print(f"{run.standing.skipped} hidden files were skipped.")
    if run.plan.dry_run:
        console.print("This was a dry run: nothing was stored.")
    elif counts.created and not run.plan.consent:
        console.print(
            "No consent is noted, except where a table says yes. If they agreed, import with --consent.",
            soft_wrap=True,
        )
