"""`make load`: two minutes of load on the Rollcall that runs on this machine, with a report.

    python -m bench.load [options of Locust and of locustfile_ray.py]

Without ROLLCALL_LOAD_TOKEN it makes an API key for the run and revokes it afterwards.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ray_backend.client import Backend, ray_backend
from ray_backend.domain.errors import Unavailable
from ray_backend.domain.permissions import Role
from ray_backend.runfile import running_address
from ray_backend.settings import Settings

TOKEN = "ROLLCALL_LOAD_TOKEN"
RESULTS = Path("bench/results/load")
DEFAULTS = {"--users": "24", "--run-time": "2m", "--shape": "steady"}


def main() -> None:
    """Runs Locust; its exit code is ours."""
    settings = Settings()
    try:
        with token(settings) as secret:
            command = [sys.executable, "-m", "locust", *arguments(settings, sys.argv[1:])]
            code = subprocess.run(command, env=os.environ | {TOKEN: secret}).returncode
    except Unavailable as error:
        raise SystemExit(error.message) from None
    raise SystemExit(code)


def arguments(settings: Settings, given: list[str]) -> list[str]:
    """The command line for Locust: what was given, and our defaults for the rest."""
    usual = DEFAULTS | {
        "--host": f"http://127.0.0.1:{settings.api_port}",
        "--html": f"{RESULTS}-locust.html",
        "--csv": str(RESULTS),
        "--report": str(RESULTS),
    }
    names = {argument.partition("=")[0] for argument in given}
    defaults = [part for name, value in usual.items() if name not in names for part in (name, value)]
    fixed = ["-f", "locustfile_ray.py", "--headless", "--only-summary", "--csv-full-history"]
    return [*fixed, *defaults, *given]


@contextmanager
def token(settings: Settings) -> Iterator[str]:
    """A secret for the run. Raises Unavailable when no Rollcall runs here."""
    if secret := os.environ.get(TOKEN):
        yield secret
        return
    backend = _running(settings)
    secret = backend.access.issue_key("load test", Role.ADMIN, actor="load test")
    try:
        yield secret
    finally:
        _revoke(backend, secret)
        backend.close()


def _running(settings: Settings) -> Backend:
    address = settings.ray_address or running_address(settings.data_dir)
    if not address:
        raise Unavailable(
            f"No Rollcall runs with the data folder {settings.data_dir}. Start it with `make run`, or set "
            f"{TOKEN} and --host."
        )
    return ray_backend(settings.model_copy(update={"ray_address": address}))


def _revoke(backend: Backend, secret: str) -> None:
    key = backend.access.verify_key(secret)
    backend.access.revoke_token(key.token_id, actor="load test")


if __name__ == "__main__":
    main()
