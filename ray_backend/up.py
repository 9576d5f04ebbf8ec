"""`rollcall up`: starts Ray, the actors and the web app, says how to get in, and stops them all again."""

from __future__ import annotations

import os
import signal
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.status import Status

from ray_backend import certificate, runfile
from ray_backend.certificate import Certificate
from ray_backend.client import Backend, ray_backend
from ray_backend.domain.accounts import FIRST_ADMIN
from ray_backend.domain.errors import InvalidInput, RollcallError, Unavailable, WrongCredentials
from ray_backend.machine import check_machine, liveness_words
from ray_backend.settings import Settings

# Where streamlit_app and Streamlit's own configuration lie.
PROJECT = Path(__file__).parent.parent
_APP_START_S = 60.0
_APP_STOP_S = 5.0
_LOOK_AGAIN_S = 1.0
_KIOSK_FILE = "kiosk-token"
# What Streamlit needs to ask the site's identity provider; see docs/sign-in.md.
_SECRETS_FILE = "secrets.toml"
_EVERYWHERE = frozenset({"0.0.0.0", "::"})


def run(settings: Settings, console: Console) -> None:
    """Everything, until Ctrl-C or until a part dies. Raises RollcallError with what to do."""
    ports = {settings.port: (settings.address, "ROLLCALL_PORT")}
    with _ray_running(settings, console, ports) as (settings, status, stack):
        signed = _certificate(settings)
        app = stack.enter_context(_app_process(settings, signed))
        backend = _start_actors_and_api(settings, status.update)
        password = backend.accounts.ensure_admin(_secret(settings))
        token = kiosk_token(backend, settings.data_dir)
        status.update("Waiting for the web app")
        _wait_for_app(settings, app, signed)
        status.stop()
        console.print(_welcome(settings, backend, password, token), soft_wrap=True, highlight=False)
        _watch(settings.ray_address, app)


def run_api(settings: Settings, console: Console) -> None:
    """The API without the web app, until Ctrl-C or until Ray dies. Raises RollcallError."""
    if not settings.api_port:
        raise InvalidInput("ROLLCALL_API_PORT is 0, so there is no API to start. Set it to 8000.")
    with _ray_running(settings, console, {}) as (settings, status, _):
        _start_actors_and_api(settings, status.update)
        status.stop()
        console.print(
            f"\n[bold green]The API is running[/] at {api_url(settings)}/docs. A key for it: "
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
        stack.enter_context(_stop_on_signals())
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


def base_url(settings: Settings) -> str:
    """Where the web app answers."""
    scheme = "http" if settings.https == "off" else "https"
    return f"{scheme}://{_reachable(settings.address)}:{settings.port}"


def api_url(settings: Settings) -> str:
    """Where the API answers."""
    return f"http://{_reachable(settings.api_address)}:{settings.api_port}"


def _reachable(address: str) -> str:
    return "localhost" if address in _EVERYWHERE else _in_url(address)


def _in_url(address: str) -> str:
    return f"[{address}]" if ":" in address else address


def _certificate(settings: Settings) -> Certificate | None:
    if settings.https == "off":
        return None
    names = certificate.host_names(settings.address)
    return certificate.self_signed(settings.data_dir, names, datetime.now(UTC))


def _start_ray(settings: Settings, stack: ExitStack) -> str:
    from ray_backend.serving import environment

    environment.prepare(settings.ray_address)
    if settings.api_port:
        environment.prepare_api(settings)
    from ray_backend.serving import cluster

    address = cluster.start_ray(settings)
    stack.callback(cluster.stop_ray)
    return address


def _start_actors_and_api(settings: Settings, say: Callable[[str], None]) -> Backend:
    from ray_backend.serving import cluster

    if not settings.api_port:
        cluster.start_actors(settings, say)
        return ray_backend(settings)
    from ray_backend.serving import deployment

    # Serve takes as long to start as the models take to load.
    with ThreadPoolExecutor(max_workers=1) as beside:
        serve = beside.submit(deployment.start_serve, settings)
        cluster.start_actors(settings, say)
        say("Starting the API")
        serve.result()
    deployment.start_api(settings)
    return ray_backend(settings)


def _secret(settings: Settings) -> str | None:
    return settings.admin_password.get_secret_value() if settings.admin_password else None


@contextmanager
def _app_process(settings: Settings, signed: Certificate | None):
    """The Streamlit server, in a process group of its own so that Ctrl-C reaches us first."""
    environment = os.environ | {"ROLLCALL_RAY_ADDRESS": settings.ray_address}
    command = [sys.executable, "-m", "streamlit_app"]
    command += ["--server.address", settings.address, "--server.port", str(settings.port)]
    secrets = settings.data_dir / _SECRETS_FILE
    if secrets.exists():
        command += ["--secrets.files", str(secrets)]
    if signed:
        command += ["--server.sslCertFile", str(signed.certificate), "--server.sslKeyFile", str(signed.key)]
    with (settings.data_dir / "app.log").open("ab") as log:
        process = subprocess.Popen(
            command,
            env=environment,
            cwd=PROJECT,
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(_APP_STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_for_app(settings: Settings, app: subprocess.Popen, signed: Certificate | None) -> None:
    trusted = ssl.create_default_context(cafile=signed.certificate) if signed else None
    deadline = time.monotonic() + _APP_START_S
    while time.monotonic() < deadline:
        _require_running(app)
        try:
            with urllib.request.urlopen(f"{base_url(settings)}/_stcore/health", timeout=2, context=trusted):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    raise Unavailable("The web app did not start within a minute. Its log is app.log in the data folder.")


def _require_running(app: subprocess.Popen) -> None:
    if app.poll() is not None:
        raise Unavailable(
            f"The web app stopped (exit code {app.returncode}). Its log is app.log in the data folder; "
            "start again with `make run`."
        )


def _watch(ray_address: str, app: subprocess.Popen | None = None) -> None:
    """Returns never; raises when the app or Ray is gone for good."""
    from ray_backend.serving import cluster

    while True:
        if app is not None:
            _require_running(app)
        if not cluster.ray_is_alive(ray_address):
            raise Unavailable("Ray stopped. Everything recorded is kept; start again with `make run`.")
        time.sleep(_LOOK_AGAIN_S)


class Stopped(RollcallError):
    """Somebody asked Rollcall to stop."""


@contextmanager
def _stop_on_signals():
    def stop(number, frame):
        for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(each, signal.SIG_IGN)
        raise Stopped("Stopping")

    for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(each, stop)
    yield


def _welcome(settings: Settings, backend: Backend, password: str | None, token: str) -> str:
    pack, site = backend.overview().pack, backend.site.current()
    in_force = settings.model_copy(update={"liveness": site.liveness, "liveness_way": site.liveness_way})
    url = base_url(settings)
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
        "API": f"{api_url(settings)}/docs" if settings.api_port else "off (ROLLCALL_API_PORT is 0)",
        "Faces": pack.origin,
        "Licence": pack.licence,
        "Pictures": f"held up to the camera: {liveness_words(in_force)}",
    }
    body = "\n".join(f"  [bold]{title:<9}[/]{text}" for title, text in lines.items())
    return f"\n[bold green]Rollcall is running[/]\n{body}\n  [dim]Ctrl-C stops everything.[/]"


def _from_outside(settings: Settings) -> dict[str, str]:
    """What somebody at another machine of the network has to know."""
    lines = {}
    if settings.address in _EVERYWHERE:
        urls = [base_url(settings.model_copy(update={"address": one})) for one in certificate.lan_addresses()]
        lines["Network"] = "  ".join(urls) or "this machine has no address on a network"
    if settings.https == "self-signed":
        lines["Https"] = (
            "each browser warns at first, because this certificate is made here and signed by nobody it "
            "knows; choose to go on"
        )
    return lines
