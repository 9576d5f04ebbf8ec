"""The web app as a process of its own: where it answers, starting it, waiting for it."""

from __future__ import annotations

import os
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from ray_backend import certificate
from ray_backend.certificate import Certificate
from ray_backend.domain.errors import Unavailable
from ray_backend.settings import Settings

# Where streamlit_app and Streamlit's own configuration lie.
PROJECT = Path(__file__).parent.parent
EVERYWHERE = frozenset({"0.0.0.0", "::"})
_START_S = 60.0
_STOP_S = 5.0
# What Streamlit needs to ask the site's identity provider; see docs/sign-in.md.
_SECRETS_FILE = "secrets.toml"


def base_url(settings: Settings) -> str:
    """Where the web app answers."""
    scheme = "http" if settings.https == "off" else "https"
    return f"{scheme}://{reachable(settings.address)}:{settings.port}"


def api_url(settings: Settings) -> str:
    """Where the API answers."""
    return f"http://{reachable(settings.api_address)}:{settings.api_port}"


def reachable(address: str) -> str:
    """The name in an address of this machine's own for a server that listens on this address."""
    if address in EVERYWHERE:
        return "localhost"
    return f"[{address}]" if ":" in address else address


def own_certificate(settings: Settings) -> Certificate | None:
    """The certificate of the pages, made where there is none yet; none where they speak http."""
    if settings.https == "off":
        return None
    names = certificate.host_names(settings.address)
    return certificate.self_signed(settings.data_dir, names, datetime.now(UTC))


@contextmanager
def running(settings: Settings, signed: Certificate | None) -> Iterator[subprocess.Popen]:
    """The Streamlit server on the Ray of the settings, which ends with the block.

    It is in a process group of its own, so that Ctrl-C reaches us first.
    """
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
            process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def wait_for(settings: Settings, app: subprocess.Popen, signed: Certificate | None) -> None:
    """Returns when the app answers. Raises Unavailable when it ends or takes too long."""
    deadline = time.monotonic() + _START_S
    while time.monotonic() < deadline:
        require_running(app)
        if answers(settings, signed):
            return
        time.sleep(0.1)
    raise Unavailable("The web app did not start within a minute. Its log is app.log in the data folder.")


def answers(settings: Settings, signed: Certificate | None) -> bool:
    """Whether the web app answers now."""
    trusted = ssl.create_default_context(cafile=signed.certificate) if signed else None
    try:
        with urllib.request.urlopen(f"{base_url(settings)}/_stcore/health", timeout=2, context=trusted):
            return True
    except (urllib.error.URLError, OSError):
        return False


def require_running(app: subprocess.Popen) -> None:
    """Raises Unavailable when the app has ended."""
    if app.poll() is not None:
        raise Unavailable(
            f"The web app stopped (exit code {app.returncode}). Its log is app.log in the data folder; "
            "start again with `make run`."
        )
