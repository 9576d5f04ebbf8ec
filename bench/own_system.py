"""A Rollcall of a bench's own: a site in a folder with people in it, started and stopped as users do."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import psutil

from bench.faces import Face, frames, package_people, stranger
from bench.http_client import Shot, Target
from ray_backend import bootstrap
from ray_backend.client import Photo, local_backend
from ray_backend.domain.model import Pack, Person, Template
from ray_backend.domain.permissions import Role
from ray_backend.domain.requests import PersonDraft
from ray_backend.ports import Store
from ray_backend.settings import Settings
from ray_backend.storage import open_store

START_S = 120.0
STOP_S = 30.0
TEMPLATES_A_PERSON = 5
FRAMES_A_PERSON = 24
_HERE = "127.0.0.1"
_QUIET = 0.5
UP = ("-m", "ray_backend.cli", "up")


class DidNotStart(Exception):
    """A server of this bench ended or does not answer."""


@dataclass(frozen=True)
class Site:
    """A folder with a database, the settings that open it, and an API key for everything."""

    settings: Settings
    environment: dict[str, str]
    key: str
    pack: Pack

    @property
    def target(self) -> Target:
        return Target(f"http://{_HERE}:{self.settings.api_port}", self.key)


def prepare(folder: Path, pack: str, templates: int, **settings: str) -> Site:
    """Enrols the people of `faces` and fills the gallery with made-up ones. Raises PackUnavailable."""
    environment = _environment(folder, ROLLCALL_PACK=pack, **settings)
    names = {name.removeprefix("ROLLCALL_").lower(): value for name, value in environment.items()
             if name.startswith("ROLLCALL_")}  # fmt: skip
    chosen = Settings(**names)
    folder.mkdir(parents=True, exist_ok=True)
    with closing(local_backend(chosen)) as backend:
        for face in package_people():
            _enrol(backend, face)
        key = backend.access.issue_key("bench", Role.ADMIN, actor="bench")
        overview = backend.overview()
    with closing(open_store(chosen)) as store:
        _fill(store, overview.pack, templates - overview.templates)
    return Site(chosen, environment, key, overview.pack)


def _environment(folder: Path, **settings: str) -> dict[str, str]:
    """The settings of a site of its own, and none of this machine's."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("ROLLCALL_")}
    ports = {"ROLLCALL_PORT": str(free_port()), "ROLLCALL_API_PORT": str(free_port())}
    return clean | {"ROLLCALL_DATA_DIR": str(folder), "COLUMNS": "400"} | ports | settings


def others_load() -> float:
    """How many programs wanted a processor in the last minute, before this bench began. Says so when that
    is too much to measure beside."""
    load = round(os.getloadavg()[0], 2)
    if load > _QUIET:
        print(f"This machine is busy (load {load}): figures will be too low, ratios rough.", file=sys.stderr)
    return load


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as probe:
        probe.bind((_HERE, 0))
        return probe.getsockname()[1]


def _enrol(backend, face: Face) -> None:
    draft = PersonDraft(face.employee_id, face.name, consent=True)
    photos = [Photo(f"{number}.jpg", data) for number, data in enumerate(face.photos)]
    backend.enrol(draft, photos, source="bench", actor="bench")


def _fill(store: Store, pack: Pack, number: int) -> None:
    """Adds `number` templates of people who do not exist: random directions, which no face is near."""
    random = np.random.default_rng(0)
    now = datetime.now(UTC)
    vectors = random.standard_normal((number, pack.dimension)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    for start in range(0, number, TEMPLATES_A_PERSON):
        person = Person(f"FILL-{start}", f"Made up {start}", now)
        rows = vectors[start : start + TEMPLATES_A_PERSON]
        templates = [Template(person.person_id, pack.pack_id, row, 1.0, "bench", now) for row in rows]
        store.add_person(person, templates)


def shots(with_stranger: bool = True) -> list[Shot]:
    """Frames of everybody who is enrolled, and of a stranger, one after the other."""
    faces = [*package_people(), *([stranger()] if with_stranger else [])]
    series = [frames(face.photos[0], FRAMES_A_PERSON, seed) for seed, face in enumerate(faces)]
    return [
        Shot(jpeg, face.employee_id or None)
        for turn in zip(*series, strict=True)
        for face, jpeg in zip(faces, turn, strict=True)
    ]


@contextmanager
def started(site: Site) -> Iterator[subprocess.Popen]:
    """Runs `rollcall up` until the block ends. Raises DidNotStart with what it printed."""
    with running(
        [sys.executable, *UP], site.environment, f"{site.target.url}/health", "up.log", site
    ) as process:
        yield process


@contextmanager
def running(
    command: list[str], environment: dict[str, str], health_url: str, log_name: str, site: Site
) -> Iterator[subprocess.Popen]:
    """Runs a server until the block ends; begins when it answers. Raises DidNotStart."""
    log = site.settings.data_dir / log_name
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, env=environment, stdout=output, stderr=output, start_new_session=True
        )
    try:
        _wait_until_healthy(process, health_url, log)
        yield process
    finally:
        _stop(process)


@contextmanager
def standing_still(process: subprocess.Popen) -> Iterator[None]:
    """Nothing of a server gets processor time while the block runs, which may take three seconds: Ray takes
    a machine that is silent for five for dead."""
    server = psutil.Process(process.pid)
    family = [server, *server.children(recursive=True)]
    for one in family:
        one.suspend()
    try:
        yield
    finally:
        for one in reversed(family):
            one.resume()


def _stop(process: subprocess.Popen) -> None:
    """As Ctrl-C does, and by force where that takes too long."""
    process.send_signal(signal.SIGINT)
    try:
        process.wait(STOP_S)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _wait_until_healthy(process: subprocess.Popen, url: str, log: Path) -> None:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=2):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    raise DidNotStart(f"{url} does not answer. The server said:\n{log.read_text()}")


def at(site: Site, url: str) -> Target:
    """The same requests to another server."""
    return replace(site.target, url=url)


def pack_choice(site: Site):
    """What opens the site's models."""
    with closing(open_store(site.settings)) as store:
        return bootstrap.find_pack(site.settings, store)
