"""`rollcall certificate`: the signed notes of erasures."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from ray_backend.client import connect
from ray_backend.domain.answers import SignedCertificate
from ray_backend.domain.errors import InvalidInput
from ray_backend.services import certificates
from ray_backend.settings import Settings

console = Console()
app = typer.Typer(no_args_is_help=True, help="The signed notes of erasures.")


@app.command()
def key() -> None:
    """Show the site's public key, for whoever wants to check certificates elsewhere."""
    with closing(connect(Settings())) as backend:
        console.print(backend.certificates.public_key(), soft_wrap=True, markup=False, highlight=False)


@app.command("list")
def list_all() -> None:
    """The certificates of this site, newest first."""
    table = Table("id", "erased (UTC)", "by", "nothing found afterwards")
    with closing(connect(Settings())) as backend:
        for one in backend.certificates.all():
            checked = "yes" if one.verified else "[red]no[/]"
            table.add_row(one.certificate_id, f"{one.issued_at:%Y-%m-%d %H:%M}", one.content["by"], checked)
    console.print(table)


@app.command()
def save(certificate_id: str, file: Annotated[Path, typer.Argument(help="The .json file to write.")]) -> None:
    """Write a certificate of this site to a file."""
    with closing(connect(Settings())) as backend:
        file.write_bytes(certificates.to_file(backend.certificates.find(certificate_id)))
    console.print(f"The certificate is written to {file}.", soft_wrap=True)


@app.command()
def verify(
    file: Annotated[Path, typer.Argument(help="The .json file.", exists=True, dir_okay=False)],
    key: Annotated[
        str, typer.Option(help="The public key of the site that issued it; without it, this site's own.")
    ] = "",
    employee_id: Annotated[str, typer.Option(help="Also check that it is about this employee id.")] = "",
) -> None:
    """Check that a certificate is genuine, and say what is in it."""
    if key:
        certificate = certificates.checked(file.read_bytes(), key)
    else:
        with closing(connect(Settings())) as backend:
            certificate = backend.certificates.check(file.read_bytes())
    if employee_id and not certificates.is_about(certificate.content["person"], employee_id):
        raise InvalidInput("The certificate is genuine, but it is about somebody else than this employee id.")
    _describe(certificate)
    if not certificate.verified:
        raise SystemExit(1)


def _describe(certificate: SignedCertificate) -> None:
    content = certificate.content
    console.print("[green]The signature is genuine.[/]")
    console.print(
        f"{content['site']}, {content['finished_at']}, by {content['by']}: {content['certificate_id']}",
        markup=False, highlight=False, soft_wrap=True,
    )  # fmt: skip
    for what, number in content["removed"].items():
        console.print(f"  removed: {number} {what.replace('_', ' ')}", highlight=False)
    for what, number in content["kept_without_a_name"].items():
        console.print(f"  kept without a name: {number} {what}", highlight=False)
    if certificate.verified:
        console.print("Everything was searched again after the removal, and nothing was found.")
    else:
        console.print("[red]After the removal something was found again: the erasure was not complete.[/]")
