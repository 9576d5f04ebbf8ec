"""A real `rollcall up` and a real Chromium with a film as its camera."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from ray_backend.client import Photo, local_backend
from ray_backend.domain.model import AuditEntry, Punch
from ray_backend.domain.queries import AuditQuery, PunchQuery
from ray_backend.domain.requests import PersonDraft
from ray_backend.settings import Settings
from ray_backend.storage import open_store
from tests.e2e.kiosk_page import CANVAS_CAMERA, TONES
from tests.kiosk_stage import ScriptedKiosk, check_in, greeting, stage
from tests.people import face_photo

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
CHROMIUM_FLAGS = [
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-proxy-server",
    "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream",
]  # fmt: skip
OFFLINE = "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE localhost , EXCLUDE 127.0.0.1"


@dataclass
class Site:
    """A running Rollcall of a test's own."""

    settings: Settings
    environment: dict[str, str]
    process: subprocess.Popen
    output: str

    @property
    def url(self) -> str:
        return self._line("Open")

    @property
    def password(self) -> str:
        return self._line("Password").split()[0]

    @property
    def kiosk_url(self) -> str:
        return self._line("Kiosk")

    def _line(self, title: str) -> str:
        found = re.search(rf"^ *{title} +(.+)$", self.output, re.MULTILINE)
        assert found, f"`rollcall up` did not print {title}:\n{self.output}"
        return found[1].strip()

    def run(self, *arguments: str) -> subprocess.CompletedProcess:
        return rollcall(*arguments, environment=self.environment)

    def punches(self) -> list[Punch]:
        store = open_store(self.settings)
        try:
            return list(store.list_punches(PunchQuery(limit=1000)).items)
        finally:
            store.close()

    def audit(self) -> list[AuditEntry]:
        """What was noted, newest first."""
        store = open_store(self.settings)
        try:
            return list(store.list_audit(AuditQuery(limit=1000)).items)
        finally:
            store.close()

    def kill(self) -> None:
        """SIGKILL for every process of it, as when the power fails."""
        started = [self.process, *psutil.Process(self.process.pid).children(recursive=True)]
        for process in started:
            with suppress(psutil.NoSuchProcess, ProcessLookupError):
                os.kill(process.pid, signal.SIGKILL)
        self.process.wait(30)
        psutil.wait_procs(started[1:], timeout=10)


def register(data_dir: Path, *people: int, codes: dict[int, str] | None = None, **settings) -> None:
    """Registers these people of `tests.people`, some with a code, before the site starts."""
    site = Settings(data_dir=data_dir, **{"pack": "dlib-resnet"} | settings)
    backend = local_backend(site)
    try:
        for number in people:
            draft = PersonDraft(f"E{number}", f"Person {number}", consent=True)
            photos = [Photo(f"{variant}.jpg", face_photo(number, variant)) for variant in (1, 2)]
            person = backend.enrol(draft, photos, source="upload", actor="test").person
            if codes and number in codes:
                backend.people.set_code(person.person_id, codes[number], actor="test")
    finally:
        backend.close()


def rollcall(*arguments: str, environment: dict[str, str]) -> subprocess.CompletedProcess:
    """Runs a command to its end."""
    command = [sys.executable, "-m", "ray_backend.cli", *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("localhost", 0))
        return probe.getsockname()[1]


def site_environment(data_dir: Path, **variables: str) -> dict[str, str]:
    """The settings of a site of its own, and none of this machine's."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("ROLLCALL_")}
    mine = {"ROLLCALL_DATA_DIR": str(data_dir), "ROLLCALL_PORT": str(free_port())}
    mine |= {"ROLLCALL_API_PORT": str(free_port()), "COLUMNS": "400"}
    return clean | mine | {"ROLLCALL_PACK": "dlib-resnet"} | variables


@contextmanager
def running_site(data_dir: Path, **variables: str) -> Iterator[Site]:
    """Starts `rollcall up`, waits until it says that it runs, and stops it as Ctrl-C does."""
    environment = site_environment(data_dir, **variables)
    store = environment.get("ROLLCALL_STORE", "sqlite")
    settings = Settings(data_dir=data_dir, port=int(environment["ROLLCALL_PORT"]), store=store)
    data_dir.mkdir(parents=True, exist_ok=True)
    log = data_dir / "up.log"
    command = [sys.executable, "-m", "ray_backend.cli", "up"]
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, env=environment, stdout=output, stderr=output, start_new_session=True
        )
    try:
        deadline = time.monotonic() + 90
        while "Ctrl-C stops everything" not in log.read_text():
            assert process.poll() is None, f"`rollcall up` ended:\n{log.read_text()}"
            assert time.monotonic() < deadline, f"`rollcall up` is not ready:\n{log.read_text()}"
            time.sleep(0.1)
        yield Site(settings, environment, process, log.read_text())
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(30)


@pytest.fixture
def browser_with_film() -> Iterator:
    """Opens Chromium with this film as its camera."""
    if CHROMIUM is None:
        reason = "no Chromium on this machine: on Debian, apt-get install chromium"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(reason)
    with sync_playwright() as playwright:
        browsers: list[Browser] = []

        def open_browser(film: Path) -> Browser:
            flags = [*CHROMIUM_FLAGS, OFFLINE, f"--use-file-for-fake-video-capture={film}"]
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=flags)
            browsers.append(browser)
            return browser

        yield open_browser
        for browser in browsers:
            browser.close()


@pytest.fixture(scope="module")
def chromium():
    if CHROMIUM is None:
        reason = "no Chromium on this machine: on Debian, apt-get install chromium"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(reason)
    flags = [*CHROMIUM_FLAGS, OFFLINE, "--autoplay-policy=no-user-gesture-required"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=flags)
        yield browser
        browser.close()


@pytest.fixture
def kiosk():
    return ScriptedKiosk(codes={"12345": greeting(check_in("Ada Example"))})


@pytest.fixture
def port():
    return free_port()


@pytest.fixture
def screen(chromium, kiosk, port):
    """The page, connected, with a camera that sees nothing. It must not throw."""
    problems = []
    with stage(kiosk, port=port) as address:
        page = chromium.new_page(viewport={"width": 1280, "height": 800})
        page.on("pageerror", lambda error: problems.append(str(error)))
        for script in (CANVAS_CAMERA, TONES):
            page.add_init_script(script)
        page.clock.install()
        page.goto(address)
        expect(page.locator(".link")).to_have_attribute("data-link", "online")
        yield page
        page.close()
    assert problems == []
