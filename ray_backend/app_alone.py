"""`rollcall app`: the web app alone, over a cluster that runs elsewhere; starts it again when it ends."""

from __future__ import annotations

import os
import subprocess
import time

from rich.console import Console

from ray_backend import web_app
from ray_backend.certificate import Certificate
from ray_backend.domain.errors import InvalidInput
from ray_backend.machine import check_machine
from ray_backend.node_notes import Note, NoteFile, ProcessId, Role
from ray_backend.settings import Settings
from ray_backend.supervisor import stop_on_signals

_LOOK_AGAIN_S = 0.5
# One that ends at once is not started again in a hurry.
_BETWEEN_STARTS_S = 5.0


def run(settings: Settings, console: Console) -> None:
    """Returns never: raises Stopped when it is asked to end, InvalidInput and Unavailable with what to do.

    The app need not wait for the cluster: its pages say that they do, and open when it answers.
    """
    if not settings.ray_address:
        raise InvalidInput(
            "Say where the cluster is: set ROLLCALL_RAY_ADDRESS to ray://HEAD:10001, HEAD being the head's "
            "address; or to HEAD:6379 on a machine of the cluster. `rollcall up` starts one on this machine."
        )
    check_machine(settings, {settings.port: (settings.address, "ROLLCALL_PORT")})
    signed = web_app.own_certificate(settings)
    note = NoteFile(settings.data_dir, Note(Role.APP, ProcessId.of(os.getpid()), settings.ray_address))
    try:
        with stop_on_signals():
            while True:
                _run_once(settings, signed, note, console)
                time.sleep(_BETWEEN_STARTS_S)
    finally:
        note.remove()


def _run_once(settings: Settings, signed: Certificate | None, note: NoteFile, console: Console) -> None:
    """One life of the app: it ends by itself when the cluster that its machine is part of is gone."""
    with web_app.running(settings, signed) as app:
        web_app.wait_for(settings, app, signed)
        if not note.note.ready:
            console.print(
                f"[bold green]The web app runs[/] at {web_app.base_url(settings)}, over the cluster at "
                f"{settings.ray_address}.\nWhile the cluster is away, its pages say so and come back by "
                "themselves.\n[dim]Ctrl-C stops the app; the cluster stays.[/]",
                soft_wrap=True,
                highlight=False,
            )
        note.change(ready=True)
        _wait_for_end(app)
    console.print(
        f"The web app ended (exit code {app.returncode}) and is started again; its log is app.log in the "
        "data folder.",
        soft_wrap=True,
        highlight=False,
    )


def _wait_for_end(app: subprocess.Popen) -> None:
    while app.poll() is None:
        time.sleep(_LOOK_AGAIN_S)
