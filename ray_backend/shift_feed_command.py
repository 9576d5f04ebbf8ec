"""`rollcall people calendar`: the address under which a calendar program reads somebody's shifts."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console

from ray_backend.client import connect
from ray_backend.domain.errors import PersonNotFound
from ray_backend.services.shift_feed import feed_path
from ray_backend.settings import Settings

console = Console()


def people_calendar(
    employee_id: str,
    off: Annotated[bool, typer.Option("--off", help="Shut the address; print no new one.")] = False,
) -> None:
    """Print the address of somebody's shifts for calendar programs, once; an earlier one is shut."""
    settings = Settings()
    backend = connect(settings)
    try:
        person = backend.people.by_employee_id(employee_id)
        if person is None:
            raise PersonNotFound("Nobody is registered with this employee id.")
        if off:
            backend.shift_feeds.revoke(person.person_id, actor="command line")
            console.print("The address is shut.")
            return
        secret = backend.shift_feeds.issue(person.person_id, actor="command line")
    finally:
        backend.close()
    base = settings.api_url.rstrip("/") or f"http://{settings.api_address}:{settings.api_port}"
    address = base + feed_path(employee_id, secret)
    console.print(address, soft_wrap=True, markup=False, highlight=False)
