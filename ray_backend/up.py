"""`rollcall up`: starts Ray, the actors and the web app, says how to get in, and stops them all again."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import ExitStack, contextmanager
from pathlib import Path

from rich.console import Console

from ray_backend import runfile
from ray_backend.client import Backend, ray_backend
from ray_backend.domain.errors import InvalidInput, RollcallError, Unavailable, WrongCredentials
from ray_backend.settings import Settings

# Where streamlit_app and Streamlit's own configuration lie.
PROJECT = Path(__file__).parent.parent
_APP_START_S = 60.0
_APP_STOP_S = 5.0
_LOOK_AGAIN_S = 1.0
_KIOSK_FILE = "kiosk-token"


def run(settings: Settings, console: Console) -> None:
    """Runs until Ctrl-C or until a part dies. Raises RollcallError with what to do."""
    check_machine(settings)
    with ExitStack() as stack:
        status = stack.enter_context(console.status("Starting Ray"))
        stack.enter_context(_stop_on_signals())
        settings = settings.model_copy(update={"ray_address": _start_ray(settings, stack)})
        runfile.write(settings.data_dir, settings.ray_address)
        stack.callback(runfile.remove, settings.data_dir)
        app = stack.enter_context(_app_process(settings))
        backend = _start_actors(settings, status.update)
        password = backend.access.ensure_admin(_secret(settings))
        token = kiosk_token(backend, settings.data_dir)
        status.update("Waiting for the web app")
        _wait_for_app(settings, app)
        status.stop()
        console.print(_welcome(settings, backend, password, token), soft_wrap=True, highlight=False)
        _watch(app, settings.ray_address)


def check_machine(settings: Settings) -> None:
    """Raises an error that says what to do when this machine cannot run Rollcall."""
    try:
        settings.data_dir.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InvalidInput(
            f"The data folder {settings.data_dir} cannot be written ({error.strerror}). "
            "Choose another with ROLLCALL_DATA_DIR."
        ) from error
    if not port_is_free(settings.address, settings.port):
        raise Unavailable(
            f"Port {settings.port} is in use: another Rollcall or another program listens there. "
            "Stop it, or choose another port with ROLLCALL_PORT."
        )
    check_system_libraries()


def check_system_libraries() -> None:
    """Raises Unavailable when the operating system lacks a library that OpenCV needs."""
    try:
        import cv2  # noqa: F401
    except ImportError as error:
        raise Unavailable(
            f"A system library is missing: {error}. On Debian or Ubuntu run "
            "`sudo apt-get install libgl1 libglib2.0-0` and try again."
        ) from error


def port_is_free(address: str, port: int) -> bool:
    """Whether a server could listen there now."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except OSError:
            return False
    return True


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
    host = "localhost" if settings.address in {"0.0.0.0", "::"} else settings.address
    return f"http://{host}:{settings.port}"


def _start_ray(settings: Settings, stack: ExitStack) -> str:
    from ray_backend.serving import environment

    environment.prepare(settings.ray_address)
    from ray_backend.serving import cluster

    address = cluster.start_ray(settings)
    stack.callback(cluster.stop_ray)
    return address


def _start_actors(settings: Settings, say) -> Backend:
    from ray_backend.serving import cluster

    cluster.start_actors(settings, say)
    return ray_backend(settings)


def _secret(settings: Settings) -> str | None:
    return settings.admin_password.get_secret_value() if settings.admin_password else None


@contextmanager
def _app_process(settings: Settings):
    """The Streamlit server, in a process group of its own so that Ctrl-C reaches us first."""
    environment = os.environ | {"ROLLCALL_RAY_ADDRESS": settings.ray_address}
    command = [sys.executable, "-m", "streamlit_app"]
    command += ["--server.address", settings.address, "--server.port", str(settings.port)]
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


def _wait_for_app(settings: Settings, app: subprocess.Popen) -> None:
    deadline = time.monotonic() + _APP_START_S
    while time.monotonic() < deadline:
        _require_running(app)
        try:
            with urllib.request.urlopen(f"{base_url(settings)}/_stcore/health", timeout=2):
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


def _watch(app: subprocess.Popen, ray_address: str) -> None:
    """Returns never; raises when the app or Ray is gone for good."""
    from ray_backend.serving import cluster

    while True:
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
    pack = backend.overview().pack
    url = base_url(settings)
    if password:
        admin = f"{password}  (shown this once: write it down)"
    elif settings.admin_password:
        admin = "the one in ROLLCALL_ADMIN_PASSWORD"
    else:
        admin = "the one shown at the first start (forgotten? set ROLLCALL_ADMIN_PASSWORD)"
    lines = {
        "Open": url,
        "Password": admin,
        "Kiosk": f"{url}/check-in?token={token}",
        "Faces": pack.origin,
        "Licence": pack.licence,
    }
    body = "\n".join(f"  [bold]{title:<9}[/]{text}" for title, text in lines.items())
    return f"\n[bold green]Rollcall is running[/]\n{body}\n  [dim]Ctrl-C stops everything.[/]"
