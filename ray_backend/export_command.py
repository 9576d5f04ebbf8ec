"""`rollcall export`: the day sheet as a file."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from ray_backend.client import Backend, connect
from ray_backend.domain.requests import SheetQuery
from ray_backend.settings import Settings

console = Console()
errors = Console(stderr=True)


class FileFormat(StrEnum):
    """What a report can be written as."""

    CSV = "csv"
    XLSX = "xlsx"
    PDF = "pdf"
    JSON = "json"


def export(
    output: Annotated[Path, typer.Argument(help="File to write; .csv, .xlsx, .pdf or .json.")],
    start: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="First day.")] = None,
    end: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Last day.")] = None,
    department: str | None = None,
    person: Annotated[str, typer.Option(help="Part of a name or employee id.")] = "",
    site: Annotated[str | None, typer.Option(help="Id of a site.")] = None,
) -> None:
    """Write everybody's working days to a file. Without dates: this month so far."""
    try:
        file_format = FileFormat(output.suffix.lower().lstrip("."))
    except ValueError:
        raise typer.BadParameter("the file has to end in .csv, .xlsx, .pdf or .json") from None
    with errors.status("Connecting"):
        backend = connect(Settings())
    try:
        today = backend.reports.today()
        query = SheetQuery(
            start.date() if start else today.replace(day=1), end.date() if end else today, department, person,
            site=site,
        )  # fmt: skip
        rows, about = write(backend, query, output, file_format)
    finally:
        backend.close()
    words = "; ".join(f"{label.lower()} {text}" for label, text in about)
    console.print(f"{rows:,} rows written to {output}: {words}", soft_wrap=True)


def write(
    backend: Backend, query: SheetQuery, output: Path, file_format: FileFormat
) -> tuple[int, tuple[tuple[str, str], ...]]:
    """Writes the file; how many rows, and what it states about itself. An unfinished file is not left."""
    from ray_backend.services.table_files import pieces
    from ray_backend.services.tables import day_sheet

    with errors.status("Deriving working days"):
        table = day_sheet(backend.timesheets.sheet(query))
    unfinished = output.with_name(f".{output.name}.part")
    with Progress(TextColumn("Writing"), BarColumn(), MofNCompleteColumn(), console=errors) as bar:
        task = bar.add_task("Writing", total=len(table))
        file = pieces(table, file_format.value, lambda done, total: bar.update(task, completed=done))
        try:
            with unfinished.open("wb") as target:
                target.writelines(file)
            unfinished.replace(output)
        finally:
            unfinished.unlink(missing_ok=True)
    return len(table), table.about
