"""`rollcall up`: starts Ray, the actors and the web app, says how to get in, and stops them all again."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from rich.console import Console
from rich.status import Status

from ray_backend import certificate, runfile, web_app
from ray_backend.client import Backend
from ray_backend.domain.accounts import FIRST_ADMIN
from ray_backend.domain.errors import InvalidInput, Unavailable, WrongCredentials
from ray_backend.machine import check_machine, liveness_words
from ray_backend.settings import Settings
from ray_backend.supervisor import start_actors_and_api, stop_on_signals

_LOOK_AGAIN_S = 1.0
_KIOSK_FILE = "kiosk-token"


def run(settings: Settings, console: Console) -> None:
    """Everything, until Ctrl-C or until a part dies. Raises RollcallError with what to do."""
    ports = {settings.port: (settings.address, "ROLLCALL_PORT")}
    with _ray_running(settings, console, ports) as (settings, status, stack):
        signed = web_app.own_certificate(settings)
        app = stack.enter_context(web_app.running(settings, signed))
        backend = start_actors_and_api(settings, status.update)
        password = backend.accounts.ensure_admin(_secret(settings))
        token = kiosk_token(backend, settings.data_dir)
        status.update("Waiting for the web app")
        web_app.wait_for(settings, app, signed)
        status.stop()
        console.print(_welcome(settings, backend, password, token), soft_wrap=True, highlight=False)
        _watch(settings.ray_address, app)


def run_api(settings: Settings, console: Console) -> None:
    """The API without the web app, until Ctrl-C or until Ray dies. Raises RollcallError."""
    if not settings.api_port:
        raise InvalidInput("ROLLCALL_API_PORT is 0, so there is no API to start. Set it to 8000.")
    with _ray_running(settings, console, {}) as (settings, status, _):
        start_actors_and_api(settings, status.update)
        status.stop()
        console.print(
            f"\n[bold green]The API is running[/] at {web_app.api_url(settings)}/docs. A key for it: "
            "`rollcall token create NAME --role recognizer`.\n[dim]Ctrl-C stops everything.[/]",
            soft_wrap=True,
            highlight=False,
        )
        _watch(settings.ray_address)


@contextmanager
def _ray_running(
    settings: Settings, console: Console, ports: dict[int, tuple[str, str]]
) -> Iterator[tuple[Settings, Status, ExitStack]]:
    """Ray on a machine that was looked over, and the note that lets other commands find it."""
    if settings.api_port:
        ports |= {settings.api_port: (settings.api_address, "ROLLCALL_API_PORT")}
    check_machine(settings, ports)
    with ExitStack() as stack:
        status = stack.enter_context(console.status("Starting Ray"))
        stack.enter_context(stop_on_signals())
        settings = settings.model_copy(update={"ray_address": _start_ray(settings, stack)})
        runfile.write(settings.data_dir, settings.ray_address)
        stack.callback(runfile.remove, settings.data_dir)
        yield settings, status, stack


def kiosk_token(backend: Backend, data_dir: Path) -> str:
    """The token of this machine's own kiosk: the same at every start, so that its address stays valid.

    The database keeps only a hash, so the token lies in the data folder, readable by its owner alone.
    """
    file = data_dir / _KIOSK_FILE
    if file.exists():
        token = file.read_text().strip()
        try:
            backend.access.verify_token(token)
        except WrongCredentials:
            pass
        else:
            return token
    token = backend.access.issue_token("kiosk 1", actor="system")
    file.touch(mode=0o600)
    file.chmod(0o600)
    file.write_text(token)
    return token


def _start_ray(settings: Settings, stack: ExitStack) -> str:
    from ray_backend.serving import environment

    environment.prepare(settings.ray_address)
    environment.interrupt_nobody()
    if settings.api_port:
        environment.prepare_api(settings)
    from ray_backend.serving import cluster

    address = cluster.start_ray(settings)
    stack.callback(cluster.stop_ray)
    return address


def _secret(settings: Settings) -> str | None:
    return settings.admin_password.get_secret_value() if settings.admin_password else None


def _watch(ray_address: str, app: subprocess.Popen | None = None) -> None:
    """Returns never; raises when the app or Ray is gone for good."""
    from ray_backend.serving import cluster

    while True:
        if app is not None:
            web_app.require_running(app)
        if not cluster.ray_is_alive(ray_address):
            raise Unavailable("Ray stopped. Everything recorded is kept; start again with `make run`.")
        time.sleep(_LOOK_AGAIN_S)


def _welcome(settings: Settings, backend: Backend, password: str | None, token: str) -> str:
    pack, site = backend.overview().pack, backend.site.current()
    in_force = settings.model_copy(update={"liveness": site.liveness, "liveness_way": site.liveness_way})
    url = web_app.base_url(settings)
    if password:
        admin = f"{password}  (shown this once: write it down)"
    elif settings.admin_password:
        admin = "the one in ROLLCALL_ADMIN_PASSWORD"
    else:
        admin = "the one shown at the first start (forgotten? set ROLLCALL_ADMIN_PASSWORD)"
    lines = {
        "Open": url,
        "Username": FIRST_ADMIN,
        "Password": admin,
        "Kiosk": f"{url}/check-in?token={token}",
        **_from_outside(settings),
        "API": f"{web_app.api_url(settings)}/docs" if settings.api_port else "off (ROLLCALL_API_PORT is 0)",
        "Faces": pack.origin,
        "Licence": pack.licence,
        "Pictures": f"held up to the camera: {liveness_words(in_force)}",
    }
    body = "\n".join(f"  [bold]{title:<9}[/]{text}" for title, text in lines.items())
    return f"\n[bold green]Rollcall is running[/]\n{body}\n  [dim]Ctrl-C stops everything.[/]"


def _from_outside(settings: Settings) -> dict[str, str]:
    """What somebody at another machine of the network has to know."""
    lines = {}
    if settings.address in web_app.EVERYWHERE:
        each = (settings.model_copy(update={"address": one}) for one in certificate.lan_addresses())
        urls = [web_app.base_url(one) for one in each]
        lines["Network"] = "  ".join(urls) or "this machine has no address on a network"
    if settings.https == "self-signed":
        lines["Https"] = (
            "each browser warns at first, because this certificate is made here and signed by nobody it "
            "knows; choose to go on"
        )
    return lines
