"""`rollcall punch import`: punches that other terminals recorded."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from itertools import islice
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from ray_backend.client import Backend, connect
from ray_backend.services.punch_files import DateOrder, PunchColumn, PunchRow, punch_rows
from ray_backend.services.punch_import import MOST_AT_ONCE, PunchOutcome, PunchRowOutcome
from ray_backend.settings import Settings

console = Console()
errors = Console(stderr=True)
_MOST_SHOWN = 50


def punch_import(
    source: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A CSV file or an attlog.dat.")],
    zone: Annotated[
        str, typer.Option(help="IANA name of the terminal's time zone; default: the site's.")
    ] = "",
    column: Annotated[
        list[str] | None,
        typer.Option(help="Which column is which, such as employee=PIN; may be given several times."),
    ] = None,
    date_order: Annotated[DateOrder | None, typer.Option(help="How 03/02/2026 is read.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would happen; store nothing.")] = False,
    outcomes: Annotated[
        Path | None, typer.Option(help="Write what became of each row to this CSV file.")
    ] = None,
) -> None:
    """Take over the punches of another terminal. May be repeated: nothing comes twice."""
    named = _named(column or [])
    backend = connect(Settings())
    try:
        where = _zone(zone) or backend.site.current().zone
        with ExitStack() as stack:
            file = stack.enter_context(source.open("rb"))
            write = csv.writer(stack.enter_context(_new(outcomes))).writerow if outcomes else None
            rows = punch_rows(file, where, named=named, order=date_order)
            counts = _import(backend, rows, dry_run, write)
    finally:
        backend.close()
    _show(counts, where, dry_run)


def _import(backend: Backend, rows: Iterator[PunchRow], dry_run: bool, write) -> Counter[PunchOutcome]:
    counts: Counter[PunchOutcome] = Counter()
    refused: list[PunchRowOutcome] = []
    if write is not None:
        write(["row", "employee id", "outcome", "why"])
    with errors.status("Reading") as status:
        while batch := list(islice(rows, MOST_AT_ONCE)):
            said = backend.punch_imports.take(batch, dry_run=dry_run, actor="command line")
            counts.update(one.outcome for one in said)
            refused += [one for one in said if one.reason][: _MOST_SHOWN - len(refused)]
            if write is not None:
                for one in said:
                    write([one.number, _harmless(one.employee_id), one.outcome.value, one.reason])
            status.update(f"{counts.total():,} rows")
    _show_refused(refused, counts[PunchOutcome.REFUSED])
    return counts


def _named(pairs: Iterable[str]) -> dict[PunchColumn, str]:
    named = {}
    for pair in pairs:
        what, sign, heading = pair.partition("=")
        if not sign or what not in set(PunchColumn):
            known = ", ".join(PunchColumn)
            raise typer.BadParameter(f"{pair!r} is not like employee=PIN. Columns are: {known}.")
        named[PunchColumn(what)] = heading
    return named


def _zone(name: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(name) if name else None
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise typer.BadParameter(f"{name!r} is no time zone name such as Europe/Berlin.") from None


def _new(path: Path):
    return path.open("w", encoding="utf-8-sig", newline="")


def _harmless(text: str) -> str:
    """No formula for the spreadsheet that opens the file."""
    return f"'{text}" if text[:1] in "=+-@\t\r" and text else text


def _show_refused(refused: list[PunchRowOutcome], total: int) -> None:
    if not refused:
        return
    table = Table("row", "employee id", "why it was refused", title="Refused")
    for one in refused:
        table.add_row(str(one.number), escape(one.employee_id), escape(one.reason))
    console.print(table)
    if total > len(refused):
        console.print(f"{total - len(refused):,} more are not shown. Write them to a file with --outcomes.")


def _show(counts: Counter[PunchOutcome], where: ZoneInfo, dry_run: bool) -> None:
    console.print(
        f"{counts[PunchOutcome.ADDED]:,} punches added, {counts[PunchOutcome.KNOWN]:,} were there already, "
        f"{counts[PunchOutcome.REPEATED]:,} repeated another punch, "
        f"{counts[PunchOutcome.REFUSED]:,} refused.",
        soft_wrap=True,
        highlight=False,
    )
    console.print(f"Times without an offset were read as {where.key}.", highlight=False)
    if dry_run:
        console.print("This was a dry run: nothing was stored.")
