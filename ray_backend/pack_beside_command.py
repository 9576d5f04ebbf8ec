"""`rollcall pack beside`: trying another pack without deciding anything by it."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from ray_backend.client import Backend, connect
from ray_backend.domain.errors import InvalidInput
from ray_backend.domain.model import Person
from ray_backend.settings import Settings

console = Console()
errors = Console(stderr=True)
_MOST_SHOWN = 100


def pack_beside(
    pack: Annotated[str, typer.Argument(help="A pack's name or folder; none: say how it stands.")] = "",
    share: Annotated[float, typer.Option(help="How much of the recognitions it looks at, too.")] = 0.1,
    off: Annotated[bool, typer.Option("--off", help="Take it away again.")] = False,
) -> None:
    """Try another pack beside the site's own, which goes on deciding alone. Rollcall may be running."""
    if pack and off:
        raise InvalidInput("Name a pack to put it beside, or use --off to take it away, not both.")
    settings = Settings()
    backend = connect(settings)
    try:
        if pack:
            _put(backend, settings, pack, share)
        elif off:
            ended = backend.beside.end(actor="command line")
            console.print("It is taken away. Its templates stay." if ended else _NOTHING)
        else:
            _say(backend)
    finally:
        backend.close()


_NOTHING = "Nothing stands beside this site's own pack."


def _put(backend: Backend, settings: Settings, pack: str, share: float) -> None:
    from ray_backend.jobs.pack_beside import put_beside
    from ray_backend.serving.second_pack import find_spec, open_faces

    with errors.status("Loading the face models"):
        spec = find_spec(settings, pack)
        faces = open_faces(settings, spec)
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=errors,
    ) as bar:
        task = bar.add_task("Making templates", total=None)
        outcome = put_beside(
            backend, faces, spec, share, lambda done, total: bar.update(task, completed=done, total=total)
        )
    name = escape(faces.pack.pack_id)
    console.print(
        f"[bold]{name}[/] stands beside this site's pack. {outcome.templates} templates were made. It looks "
        f"at {share:.0%} of the recognitions, and `POST /recognize?pack={name}` asks it. "
        f"Licence: {escape(faces.pack.licence)}",
        soft_wrap=True,
    )
    _say_who_is_without(outcome.without)


def _say_who_is_without(people: tuple[Person, ...]) -> None:
    if not people:
        return
    console.print(f"{len(people)} people have no stored picture in which it finds a face:")
    for person in people[:_MOST_SHOWN]:
        console.print(f"  {person.employee_id}  {person.name}", markup=False)
    if len(people) > _MOST_SHOWN:
        console.print(f"  and {len(people) - _MOST_SHOWN} more")


def _say(backend: Backend) -> None:
    state = backend.beside.state()
    if state is None:
        console.print(_NOTHING)
        return
    beside = state.beside
    console.print(
        f"[bold]{escape(beside.pack.pack_id)}[/] looks at {beside.share:.0%} of the recognitions. "
        f"It has {state.templates} templates; {state.missing} people have none.",
        soft_wrap=True,
    )
    if state.missing:
        console.print("The same command with its name adds who is missing.")
