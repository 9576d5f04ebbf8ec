"""Proves that every query of the dashboard and every alert has figures to look at.

    python -m scripts.prove_dashboards

Starts a Rollcall of its own with some load, and a real Prometheus over it with the configuration of
deploy/prometheus, asks every query, and fails on those without an answer. Needs the program `prometheus`.
"""

from __future__ import annotations

import json
import math
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import yaml

from bench.kiosk import KioskPage, empty_room, stands
from bench.own_system import Site, free_port, prepare, shots, started

DEPLOY = Path(__file__).parent.parent / "deploy"
# What no machine of ours has, and why its queries may stay without an answer.
NOT_HERE = {
    "rollcall_gpu_": "figures of GPUs, and the machines that run the tests have none",
    "rollcall_packs_": "figures of a second pack, whose models are not ours to bring along",
}
_SCRAPE_S = 1
_WAIT_S = 60.0
_COMPARISON = re.compile(r" (==|!=|>=|<=|>|<) ")


@dataclass(frozen=True)
class Question:
    """A query, and where it stands."""

    where: str
    query: str

    @property
    def not_here(self) -> bool:
        """Whether this machine cannot answer it."""
        return any(name in self.query for name in NOT_HERE)


def dashboard_questions() -> list[Question]:
    """Every query of the dashboard."""
    board = json.loads((DEPLOY / "grafana/dashboards/rollcall.json").read_text(encoding="utf-8"))
    return [
        Question(f"panel {panel['title']!r}", target["expr"].replace("$__rate_interval", "30s"))
        for panel in board["panels"]
        for target in panel.get("targets", ())
    ]


def alert_questions() -> list[Question]:
    """What every alert looks at: its comparisons answer 0 or 1 here, where an alert would stay silent."""
    rules = yaml.safe_load((DEPLOY / "prometheus/alerts.yml").read_text(encoding="utf-8"))
    return [
        Question(
            f"alert {rule['alert']}", _COMPARISON.sub(r" \1 bool ", rule["expr"]).replace(":30s]", ":1s]")
        )
        for group in rules["groups"]
        for rule in group["rules"]
    ]


def configuration(targets: Mapping[str, str], key_file: Path) -> str:
    """The configuration of deploy/prometheus for one machine: `targets` has `host:port` for each job."""
    config = yaml.safe_load((DEPLOY / "prometheus/prometheus.yml").read_text(encoding="utf-8"))
    config["global"] = {"scrape_interval": f"{_SCRAPE_S}s", "evaluation_interval": f"{_SCRAPE_S}s"}
    config["rule_files"] = [str(DEPLOY / "prometheus/alerts.yml")]
    for job in config["scrape_configs"]:
        del job["dns_sd_configs"]
        job["static_configs"] = [{"targets": [targets[job["job_name"]]]}]
        if "authorization" in job:
            job["authorization"]["credentials_file"] = str(key_file)
    return yaml.safe_dump(config)


@contextmanager
def prometheus(config: str, folder: Path) -> Iterator[str]:
    """A Prometheus of our own, until the block ends. Yields its address."""
    file, address = folder / "prometheus.yml", f"127.0.0.1:{free_port()}"
    file.write_text(config, encoding="utf-8")
    command = ["prometheus", f"--config.file={file}", f"--storage.tsdb.path={folder / 'tsdb'}"]
    with (folder / "prometheus.log").open("wb") as log:
        process = subprocess.Popen(
            [*command, f"--web.listen-address={address}"], stdout=log, stderr=log, cwd=folder
        )
    try:
        yield f"http://{address}"
    finally:
        process.terminate()
        process.wait(10)


def values(url: str, query: str) -> list[float]:
    """What Prometheus answers now, without what is not a number. Raises ValueError for a wrong query."""
    asked = f"{url}/api/v1/query?{urllib.parse.urlencode({'query': query})}"
    try:
        with urllib.request.urlopen(asked, timeout=10) as answer:
            result = json.load(answer)["data"]["result"]
    except urllib.error.HTTPError as error:
        raise ValueError(f"{query}: {error.read().decode()}") from error
    except (urllib.error.URLError, ConnectionError):
        return []  # it is just being started
    found = [float(one["value"][1]) for one in result]
    return [value for value in found if not math.isnan(value)]


def unanswered(url: str, questions: list[Question], wait_s: float = _WAIT_S) -> list[Question]:
    """Those that found nothing within this time."""
    until = time.monotonic() + wait_s
    open_ones = [question for question in questions if not question.not_here]
    while open_ones and time.monotonic() < until:
        open_ones = [question for question in open_ones if not values(url, question.query)]
        if open_ones:
            time.sleep(1)
    return open_ones


@contextmanager
def load(site: Site) -> Iterator[None]:
    """Programs that recognise and check in, and a kiosk with people before it, until the block ends."""
    over = threading.Event()
    workers = [
        threading.Thread(target=_again_and_again, args=(work, over), daemon=True)
        for work in (_program(site), _kiosk(site))
    ]
    for worker in workers:
        worker.start()
    try:
        yield
    finally:
        over.set()
        for worker in workers:
            worker.join(30)


def _again_and_again(work: Iterator[None], over: threading.Event) -> None:
    while not over.is_set():
        next(work)


def _program(site: Site) -> Iterator[None]:
    pictures = shots()
    for number in range(1_000_000):
        jpeg = pictures[number % len(pictures)].jpeg
        _post(site, "/recognize", jpeg, f"proof-{number}")
        _post(site, "/check_in?kiosk=door", jpeg, f"proof-{number}")
        if number % 20 == 0:
            _post(site, "/batch_recognize", b"no form", f"proof-{number}")
        yield
        time.sleep(0.2)


def _post(site: Site, path: str, body: bytes, name: str) -> None:
    headers = {
        "Authorization": f"Bearer {site.key}",
        "Content-Type": "image/jpeg",
        "Idempotency-Key": name,
        "X-Request-ID": name,
    }
    request = urllib.request.Request(f"{site.target.url}{path}", body, headers)
    try:
        urllib.request.urlopen(request, timeout=30).close()
    except urllib.error.HTTPError as error:
        error.close()


def _kiosk(site: Site) -> Iterator[None]:
    token = (site.settings.data_dir / "kiosk-token").read_text().strip()
    host = f"localhost:{site.settings.port}"
    page = KioskPage(f"ws://{host}/cam?token={token}", f"http://{host}")
    empty = empty_room()
    while True:
        for person in stands():
            for jpeg in (*person.jpegs[:15], *[empty] * 5):
                page.show(jpeg)
                yield
                time.sleep(0.1)


def ray_figures(temporary: Path) -> str:
    """`host:port` of the node figures of the Ray whose files lie in this folder."""
    (file,) = temporary.glob("ray/session_latest/metrics_export_port_*")
    return f"127.0.0.1:{file.read_text().strip()}"


@contextmanager
def watched_site(folder: Path, **settings: str) -> Iterator[tuple[Site, str]]:
    """A site with load and a Prometheus over it. `folder` has a short name: Ray's sockets lie in it."""
    # On one machine Ray keeps its own figures to itself; the dashboard is for those that tell them.
    settings |= {"RAY_TMPDIR": str(folder), "RAY_enable_metrics_collection": "1"}
    site = prepare(folder / "data", "dlib-resnet", 200, **settings)
    key_file = folder / "monitor-key"
    key_file.write_text(site.key)
    with started(site):
        _wait_for((site.settings.data_dir / "kiosk-token").exists)
        targets = {"rollcall": site.target.url.partition("//")[2], "ray": ray_figures(folder)}
        with load(site), prometheus(configuration(targets, key_file), folder) as url:
            yield site, url


def _wait_for(done: Callable[[], bool]) -> None:
    until = time.monotonic() + _WAIT_S
    while not done() and time.monotonic() < until:
        time.sleep(0.2)


def main() -> None:
    """Prints every query, and whether it found something; exit code 1 when one did not."""
    if shutil.which("prometheus") is None:
        raise SystemExit("The program `prometheus` is missing. On Debian: apt-get install prometheus")
    questions = [*dashboard_questions(), *alert_questions()]
    with (
        tempfile.TemporaryDirectory(prefix="rc-", ignore_cleanup_errors=True) as folder,
        watched_site(Path(folder)) as (_, url),
    ):
        silent = unanswered(url, questions)
        for question in questions:
            state = "empty" if question in silent else "not here" if question.not_here else "found"
            print(f"{state:9} {question.where}: {question.query}")
    print(f"{len(questions)} queries, {len(silent)} without an answer")
    sys.exit(bool(silent))


if __name__ == "__main__":
    main()
