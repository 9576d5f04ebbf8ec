"""The compose project of one smoke run: its images, its secrets, its containers."""

from __future__ import annotations

import json
import os
import secrets
import socket
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
COMPOSE_FILE = ROOT / "docker-compose.ray.yml"
IMAGE = "rollcall:smoke"
_HERE = Path(__file__).parent
_BUILDER = ROOT.parent / "shared" / "containers" / "build.sh"
_MONGODB = "docker.io/library/mongo:8.0"
_PROMETHEUS, _ANY_PROMETHEUS = "docker.io/prom/prometheus:v3.5.0", "docker.io/prom/prometheus:latest"
_GRAFANA = "docker.io/grafana/grafana:12.1.1"
_TRIES = 5
_SECRETS = (
    "RAY_AUTH_TOKEN",
    "MONGODB_ROOT_PASSWORD",
    "MONGODB_PASSWORD",
    "ROLLCALL_ADMIN_PASSWORD",
    "ROLLCALL_API_MONITOR_KEY",
    "GRAFANA_ADMIN_PASSWORD",
)


class Failed(Exception):
    """The run cannot go on, or has shown a fault. The text says which."""


@dataclass
class Project:
    """One project of podman-compose, with ports of its own on the loopback address."""

    name: str
    env_file: Path
    files: Sequence[Path]
    services: Sequence[str]
    variables: dict[str, str]

    @property
    def api(self) -> str:
        """Where the API answers."""
        return f"http://127.0.0.1:{self.variables['ROLLCALL_API_PORT']}"

    @property
    def app(self) -> str:
        """Where the pages answer."""
        return f"http://127.0.0.1:{self.variables['ROLLCALL_PORT']}"

    def up(self, workers: int) -> None:
        """Creates and starts everything; returns at once, for nothing is ready yet."""
        self._compose("up", "-d", "--no-build", "--scale", f"ray-worker={workers}", *self.services)

    def down(self) -> None:
        """Ends everything and removes what it kept. Calling it twice is no error."""
        # podman-compose forgets the further containers of a service that was scaled, and one that is being
        # started again at this moment escapes.
        for _ in range(_TRIES):
            left = podman("ps", "-aq", "--filter", f"label=io.podman.compose.project={self.name}").split()
            subprocess.run(["podman", "rm", "-f", "-v", "-t", "5", *left], capture_output=True)
            if not left:
                break
        self._compose("down", "-v", check=False)

    def containers(self, service: str) -> list[str]:
        """The names of the containers of a service, running or not."""
        return podman(
            "ps", "-a", "--sort", "names", "--format", "{{.Names}}",
            "--filter", f"label=io.podman.compose.project={self.name}",
            "--filter", f"label=io.podman.compose.service={service}",
        ).split()  # fmt: skip

    def run_python(self, service: str, program: str) -> str:
        """What a Python program prints that runs inside the first container of a service."""
        return podman("exec", "-i", self.containers(service)[0], "python", "-", stdin=program)

    def rollcall(self, *arguments: str) -> str:
        """The last line that the `rollcall` command prints on the head."""
        return podman("exec", self.containers("ray-head")[0], "rollcall", *arguments).strip().splitlines()[-1]

    def _compose(self, *arguments: str, check: bool = True) -> None:
        files = [part for file in self.files for part in ("-f", str(file))]
        command = ["podman-compose", "-p", self.name, "--env-file", str(self.env_file), *files, *arguments]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env=_clean_environment())
        if check and done.returncode:
            raise Failed(f"`{' '.join(command)}` failed:\n{done.stdout[-2000:]}{done.stderr[-4000:]}")


def podman(*arguments: str, stdin: str | None = None) -> str:
    """What podman prints. Raises Failed."""
    done = subprocess.run(["podman", *arguments], capture_output=True, text=True, input=stdin)
    if done.returncode:
        raise Failed(f"`podman {' '.join(arguments)}` failed:\n{done.stdout[-2000:]}{done.stderr[-4000:]}")
    return done.stdout


def image_exists(name: str) -> bool:
    """Whether podman has it here; nothing is downloaded."""
    return subprocess.run(["podman", "image", "exists", name]).returncode == 0


def build_image(say) -> None:
    """Builds the project's image from the working tree."""
    builder = [str(_BUILDER)] if _BUILDER.exists() else ["podman", "build"]
    log = subprocess.run([*builder, str(ROOT), "-t", IMAGE], capture_output=True, text=True)
    if log.returncode:
        raise Failed(f"The image cannot be built:\n{log.stdout[-2000:]}{log.stderr[-4000:]}")
    size = json.loads(podman("image", "inspect", IMAGE))[0]["Size"]
    base = json.loads(podman("image", "inspect", "docker.io/library/python:3.11-slim-bookworm"))[0]["Size"]
    say(f"image {IMAGE}: {size / 1e9:.2f} GB, {base / 1e9:.2f} GB of it the base image")


def new_project(folder: Path, say) -> Project:
    """A project with secrets made for it. Says aloud where an image is a stand-in or is missing."""
    variables = {name: secrets.token_hex(24) for name in _SECRETS}
    variables |= {"ROLLCALL_VERSION": IMAGE.partition(":")[2], "ROLLCALL_WORKER_FACES": "1"}
    for name in ("ROLLCALL_PORT", "ROLLCALL_API_PORT", "RAY_DASHBOARD_PORT", "GRAFANA_PORT"):
        variables[name] = str(_free_port())
    env_file = folder / ".env"
    env_file.touch(mode=0o600)
    env_file.write_text("".join(f"{name}={value}\n" for name, value in variables.items()))
    services = ["mongodb", "ray-head", "ray-worker", "app", *_watchers(say)]
    name = f"rollcall-smoke-{os.getpid()}"
    return Project(
        name, env_file, [COMPOSE_FILE, _HERE / "settings.yml", *_stand_ins(say)], services, variables
    )


def _watchers(say) -> list[str]:
    if not image_exists(_PROMETHEUS) and image_exists(_ANY_PROMETHEUS):
        podman("tag", _ANY_PROMETHEUS, _PROMETHEUS)
    if _id(_PROMETHEUS) == _id(_ANY_PROMETHEUS) != "":
        say(f"{_PROMETHEUS} is a stand-in here: {_ANY_PROMETHEUS} under that name")
    images = {"prometheus": _PROMETHEUS, "grafana": _GRAFANA}
    found = [service for service, image in images.items() if image_exists(image)]
    for missing in images.keys() - set(found):
        say(f"{missing} is left out: its image is not on this machine")
    return found


def _id(image: str) -> str:
    return podman("images", "-q", "--no-trunc", image).strip()


def _stand_ins(say) -> list[Path]:
    """What this machine lacks for the compose file as it is, each said aloud."""
    found = []
    if not _runs("--entrypoint", "sh", _MONGODB, "-c", "command -v docker-entrypoint.sh"):
        say(f"{_MONGODB} is a stand-in here: without users and replica set (stand-in-mongodb.yml)")
        found.append(_HERE / "stand-in-mongodb.yml")
    if not _runs("--init", "--entrypoint", "true", _MONGODB):
        say("podman has no init process here: containers run without one (without-init.yml)")
        found.append(_HERE / "without-init.yml")
    return found


def _runs(*arguments: str) -> bool:
    return subprocess.run(["podman", "run", "--rm", *arguments], capture_output=True).returncode == 0


def _clean_environment() -> dict[str, str]:
    """Without what would count more than the run's own .env."""
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("ROLLCALL_", "RAY_", "MONGODB_", "GRAFANA_"))
    }


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def say(line: str) -> None:
    """One line of the protocol."""
    print(line, flush=True, file=sys.stdout)
