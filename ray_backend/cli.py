"""The `rollcall` command."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Annotated

import typer
from pydantic import ValidationError
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table

from ray_backend import (
    certificate_commands,
    cluster_commands,
    export_command,
    import_command,
    pack_beside_command,
    punch_import_command,
    retention_commands,
    shift_feed_command,
)
from ray_backend.client import Backend, connect
from ray_backend.domain.accounts import AccountDraft
from ray_backend.domain.errors import RollcallError
from ray_backend.domain.permissions import Role
from ray_backend.domain.queries import PunchQuery
from ray_backend.settings import Settings

console = Console()
errors = Console(stderr=True)

app = typer.Typer(no_args_is_help=True, add_completion=False, help="Face-recognition attendance.")
people_app = typer.Typer(no_args_is_help=True, help="People and their photos.")
punch_app = typer.Typer(no_args_is_help=True, help="Raw attendance records.")
token_app = typer.Typer(no_args_is_help=True, help="Which kiosks and programs are allowed in.")
account_app = typer.Typer(no_args_is_help=True, help="Who may sign in to the pages.")
pack_app = typer.Typer(no_args_is_help=True, help="The face models.")
store_app = typer.Typer(no_args_is_help=True, help="The database.")
for name, group in {
    "people": people_app,
    "punch": punch_app,
    "token": token_app,
    "account": account_app,
    "pack": pack_app,
    "store": store_app,
    "certificate": certificate_commands.app,
    "cluster": cluster_commands.app,
    "retention": retention_commands.app,
}.items():
    app.add_typer(group, name=name)
people_app.command("import")(import_command.people_import)
people_app.command("calendar")(shift_feed_command.people_calendar)
punch_app.command("import")(punch_import_command.punch_import)
pack_app.command("beside")(pack_beside_command.pack_beside)
app.command()(export_command.export)


def main() -> None:
    """Runs the command; an expected error is one line and exit code 1."""
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    try:
        app()
    except RollcallError as error:
        errors.print(f"[red]{type(error).__name__}:[/] {error.message}", soft_wrap=True, highlight=False)
        raise SystemExit(1) from None
    except ValidationError as error:
        for problem in error.errors():
            setting = "ROLLCALL_" + "_".join(str(part) for part in problem["loc"]).upper()
            errors.print(f"[red]{setting}:[/] {problem['msg']}", soft_wrap=True, highlight=False)
        raise SystemExit(1) from None


@contextmanager
def _backend() -> Iterator[Backend]:
    with errors.status("Connecting"):
        backend = connect(Settings())
    try:
        yield backend
    finally:
        backend.close()


@app.command()
def up() -> None:
    """Start Rollcall on this machine; Ctrl-C stops it."""
    from ray_backend import up

    _until_stopped(up.run)


@app.command()
def serve() -> None:
    """Start the HTTP API alone, without the web app; Ctrl-C stops it."""
    from ray_backend import up

    _until_stopped(up.run_api)


@app.command("app")
def web_app_alone() -> None:
    """Start the web app alone, over the cluster at ROLLCALL_RAY_ADDRESS or RAY_ADDRESS; Ctrl-C stops it."""
    from ray_backend import app_alone

    _until_stopped(app_alone.run)


def _until_stopped(run: Callable[[Settings, Console], None]) -> None:
    from ray_backend.supervisor import Stopped

    try:
        run(Settings(), console)
    except Stopped:
        console.print("Rollcall has stopped. Everything recorded is kept.")


@app.command()
def doctor() -> None:
    """Look over this machine and say what is missing."""
    from ray_backend.doctor import examine

    table = Table("", "what", "finding", "what to do", title="Rollcall doctor")
    findings = examine(Settings())
    for finding in findings:
        mark = "[green]ok[/]" if finding.ok else "[red]no[/]"
        table.add_row(mark, finding.what, finding.found, finding.advice)
    console.print(table)
    if not all(finding.ok for finding in findings):
        raise SystemExit(1)


@punch_app.command("list")
def punch_list(
    since: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="First day.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000)] = 100,
) -> None:
    """The raw punches, oldest first."""
    table = Table("time", "employee id", "name", "direction", "kiosk", "source", "similarity")
    with _backend() as backend:
        zone = backend.site.current().zone
        start = since.replace(tzinfo=zone) if since else None
        for punch, person in backend.reports.recent_punches(PunchQuery(start=start, limit=limit)):
            similarity = f"{punch.receipt.similarity:.3f}" if punch.receipt else ""
            table.add_row(
                f"{punch.at.astimezone(zone):%Y-%m-%d %H:%M:%S}",
                person.employee_id,
                person.name,
                punch.direction.value,
                punch.kiosk,
                punch.source,
                similarity,
            )
    console.print(table)


@token_app.command("create")
def token_create(
    name: Annotated[str, typer.Argument(help="The kiosk's or program's name.")],
    role: Annotated[Role, typer.Option(help="What it may do; a kiosk checks people in.")] = Role.KIOSK,
) -> None:
    """Let a kiosk or a program in; prints the kiosk's address or the program's API key once."""
    from ray_backend.web_app import base_url

    with _backend() as backend:
        secret = backend.access.issue_key(name, role, actor="command line")
    if role is Role.KIOSK:
        secret = f"{base_url(Settings())}/check-in?token={secret}"
    console.print(secret, soft_wrap=True, markup=False, highlight=False)


@token_app.command("list")
def token_list() -> None:
    """The kiosks and programs that are allowed in."""
    table = Table("id", "name", "role", "since")
    with _backend() as backend:
        for key in backend.access.api_keys():
            since = f"{key.created_at:%Y-%m-%d %H:%M} UTC"
            table.add_row(key.token_id, escape(key.name), key.role.value, since)
    console.print(table)


@token_app.command("revoke")
def token_revoke(token_id: str) -> None:
    """Shut a kiosk or a program out: at once, at a running API within five seconds."""
    with _backend() as backend:
        backend.access.revoke_token(token_id, actor="command line")
    console.print("It is shut out.")


@account_app.command("list")
def account_list() -> None:
    """The accounts."""
    table = Table("username", "name", "role", "departments", "")
    with _backend() as backend:
        for account in backend.accounts.everybody():
            bound = "all" if account.departments is None else ", ".join(account.departments)
            state = "" if account.active else "shut"
            table.add_row(account.username, escape(account.name), account.role.value, escape(bound), state)
    console.print(table)


@account_app.command("create")
def account_create(
    username: str,
    name: Annotated[str, typer.Option(help="The person's name; default: the username.")] = "",
    role: Annotated[Role, typer.Option(help="admin, manager or viewer.")] = Role.VIEWER,
) -> None:
    """Let somebody sign in; prints the first password once."""
    with _backend() as backend:
        draft = AccountDraft(name or username, role)
        made = backend.accounts.create(username, draft, actor="command line")
    console.print(made.password, markup=False, highlight=False)


@account_app.command("reset")
def account_reset(username: str) -> None:
    """A new password for an account, printed once; ends its sessions and its lock."""
    with _backend() as backend:
        made = backend.accounts.reset_password(username.strip().lower(), actor="command line")
    console.print(made.password, markup=False, highlight=False)


@pack_app.command("show")
def pack_show() -> None:
    """Which pack runs, why, and under which licence."""
    with _backend() as backend:
        overview = backend.overview()
    pack = overview.pack
    console.print(f"[bold]{pack.pack_id}[/]: {pack.origin}", soft_wrap=True)
    console.print(f"Licence: {pack.licence}", soft_wrap=True)
    console.print(f"A match is a cosine similarity of {pack.threshold:.3f} or more.")
    console.print(f"{overview.people} people, {overview.templates} templates in the gallery.")


@pack_app.command("use")
def pack_use(
    pack: Annotated[str, typer.Argument(help="A pack's name or folder, as in ROLLCALL_PACK.")],
) -> None:
    """Change the pack; says who has to be enrolled again. Rollcall must not be running."""
    from ray_backend.jobs.pack_change import change_pack

    change = change_pack(Settings(), pack)
    console.print(f"From the next start on, [bold]{change.pack_id}[/] runs. Licence: {change.licence}")
    if not change.to_enrol_again:
        console.print("Nobody has to be enrolled again.")
        return
    console.print(
        f"{len(change.to_enrol_again)} people have no template of this pack and are not recognised until "
        "photos are added under People:"
    )
    for person in change.to_enrol_again:
        console.print(f"  {person.employee_id}  {person.name}")


@store_app.command("copy")
def store_copy(
    source: Annotated[str, typer.Option("--from", help="Such as sqlite, or sqlite:///path/to/file.")],
    target: Annotated[str, typer.Option("--to", help="Such as mongodb://host/rollcall.")],
) -> None:
    """Copy a site's database to another one, and verify the copy."""
    from ray_backend.jobs.store_copy import copy

    with Progress(TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), console=errors) as bar:
        tasks: dict[str, int] = {}

        def advanced(kind: str, done: int, total: int) -> None:
            if kind not in tasks:
                tasks[kind] = bar.add_task(kind)
            bar.update(tasks[kind], completed=done, total=total)

        report = copy(Settings(), source, target, advanced)
    console.print(
        f"Copied and compared: {report.people} people, {report.templates} templates, "
        f"{report.punches} punches, {report.decisions} decisions, {report.settings} settings, "
        f"{report.audit} audit entries, {report.entries} corrections and other entries.",
        soft_wrap=True,
    )
    if report.unknown_left:
        console.print(
            f"{report.unknown_left} unknown faces were left behind: strangers are kept for a short time.",
            soft_wrap=True,
        )


if __name__ == "__main__":
    main()
