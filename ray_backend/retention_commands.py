"""`rollcall retention`: what is kept for a time only."""

from __future__ import annotations

from contextlib import closing

import typer
from rich.console import Console
from rich.table import Table

from ray_backend.client import connect
from ray_backend.settings import Settings

console = Console()
app = typer.Typer(no_args_is_help=True, help="What is kept for a time only.")


@app.command()
def show() -> None:
    """Show what the next sweep would remove. Changes nothing."""
    with closing(connect(Settings())) as backend:
        due = backend.retention.due()
        zone = backend.site.current().zone
    console.print(f"Decisions of kiosks: {due.decisions:,}. Unknown faces: {due.unknown_faces:,}.")
    console.print(f"People who were not seen for too long: {len(due.people):,}.")
    if due.people:
        table = Table("employee id", "name", "last seen")
        for one in due.people:
            seen = f"{one.last_seen.astimezone(zone):%Y-%m-%d}" if one.last_seen else "never"
            table.add_row(one.person.employee_id, one.person.name, seen)
        console.print(table)
    if due.too_many:
        console.print(
            f"These are more people than go by themselves ({due.most:,}). Check the time of this computer "
            "and the retention under Settings; an admin can erase them there.",
            soft_wrap=True,
        )


@app.command()
def run() -> None:
    """Remove now what is due. A running Rollcall does it by itself every hour."""
    with closing(connect(Settings())) as backend:
        swept = backend.retention.sweep()
    console.print(
        f"Removed: {swept.decisions:,} decisions of kiosks, {swept.unknown_faces:,} unknown faces, "
        f"{swept.people:,} people."
    )
    if swept.failed:
        console.print(f"{swept.failed:,} people could not be erased yet. The next sweep tries again.")
    if swept.held_back:
        console.print(
            f"{swept.held_back:,} people are due at once, which is too many: nobody was erased. "
            "`rollcall retention show` lists them; an admin can erase them under Settings.",
            soft_wrap=True,
        )
        raise typer.Exit(1)
