"""The steps of a smoke run, each of which says what it saw."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import httpx

from scripts.compose_smoke import database
from scripts.compose_smoke.containers import Failed, Project, podman, say
from scripts.compose_smoke.doors import Crowd, Door, Ledger, at_the_kiosk
from scripts.compose_smoke.people import Somebody, everybody

_STARTS_WITHIN_S = 420.0
_RECOVERS_WITHIN_S = 240.0
_DOORS = 2


def everything(project: Project, photos: Path | None, seconds: float) -> list[str]:
    """What went wrong, in words. Raises Failed and TimeoutError where it cannot go on."""
    people, origin = everybody(photos)
    _start(project)
    admin, kiosk = _let_in(project)
    ledger = Ledger()
    _first_day(project, admin, kiosk, people, origin, ledger)
    faults = _healthy(project) + _watched(project)
    with Crowd(project.api, kiosk, people, ledger, _DOORS):
        say(f"load: {_DOORS} doors, {len(people)} people, {seconds:.0f} s between two faults")
        time.sleep(seconds)
        for fault in (_lose_a_worker, _lose_the_database_actor, _lose_mongodb):
            fault(project, ledger, seconds)
    return faults + ledger.faults + _settle(project, admin, ledger)


def _start(project: Project) -> None:
    began = time.monotonic()
    project.up(workers=2)
    _until(lambda: _answers(f"{project.api}/health/ready"), _STARTS_WITHIN_S, "the API")
    say(f"up: the API is ready after {time.monotonic() - began:.0f} s")
    _until(lambda: _answers(f"{project.app}/_stcore/health"), _STARTS_WITHIN_S, "the app")
    say(f"up: the app answers after {time.monotonic() - began:.0f} s")


def _let_in(project: Project) -> tuple[str, str]:
    admin = project.rollcall("token", "create", "smoke admin", "--role", "admin")
    address = project.rollcall("token", "create", "front door")
    return admin, address.partition("token=")[2]


def _first_day(
    project: Project, admin: str, kiosk: str, people: list[Somebody], origin: str, ledger: Ledger
) -> None:
    """Everybody is registered, comes in through the API and one through the app, and is in the export."""
    client = httpx.Client(base_url=project.api, headers={"Authorization": f"Bearer {admin}"}, timeout=120)
    for one in people:
        fields = {"employee_id": one.employee_id, "name": one.employee_id.title(), "consent": "true"}
        files = [("photos", (f"{number}.jpg", photo)) for number, photo in enumerate(one.photos)]
        answer = client.post("/register", data=fields, files=files)
        if answer.status_code >= 300:
            raise Failed(f"{one.employee_id} was not registered: {answer.status_code} {answer.text[:300]}")
    say(f"registered through the API: {len(people)} people ({origin})")
    door = Door(project.api, kiosk, ledger)
    here = [one for one in people if door.check_in(one)["decision"] == "match"]
    say(f"checked in through the API: {len(here)} of {len(people)}")
    if not here:
        raise Failed("Nobody was recognised.")
    shown = at_the_kiosk(project.app, kiosk, here[0])
    ledger.punches[shown["punch_id"]] = here[0].employee_id
    say(f"checked in at a kiosk of the app, outside the cluster: {shown['headline']} {shown['name']}")
    export = client.get("/attendance/export", params={"format": "csv"}).text
    missing = [one.employee_id for one in here if one.employee_id not in export]
    if missing:
        raise Failed(f"The export lacks {', '.join(missing)}.")
    say(f"exported: {len(export.splitlines())} lines of CSV, with everybody who came")


def _healthy(project: Project) -> list[str]:
    """Runs the image's own health checks, which this machine may not schedule."""
    sick = []
    for service in ("mongodb", "ray-head", "ray-worker", "app"):
        for name in project.containers(service):
            done = subprocess.run(["podman", "healthcheck", "run", name], capture_output=True, text=True)
            if done.returncode:
                sick.append(f"the health check of {name} fails: {done.stdout}{done.stderr}")
    say("health checks: " + ("all well" if not sick else f"{len(sick)} fail"))
    return sick


def _watched(project: Project) -> list[str]:
    """What Prometheus has found, if it runs."""
    if "prometheus" not in project.services:
        return []
    program = (
        "import json, urllib.request as u;"
        "print(u.urlopen('http://prometheus:9090/api/v1/targets?state=active').read().decode())"
    )
    deadline = time.monotonic() + 90
    while True:
        found = json.loads(project.run_python("ray-head", program))["data"]["activeTargets"]
        down = [f"{one['scrapeUrl']}: {one['lastError']}" for one in found if one["health"] != "up"]
        if (found and not down) or time.monotonic() > deadline:
            break
        time.sleep(5)
    say(f"Prometheus: {len(found) - len(down)} of {len(found)} targets answer")
    return [f"Prometheus cannot read {one}" for one in down] or (
        [] if found else ["Prometheus has no target"]
    )


def _lose_a_worker(project: Project, ledger: Ledger, seconds: float) -> None:
    name = project.containers("ray-worker")[-1]
    _break(f"podman kill {name}", lambda: podman("kill", name), ledger, seconds)


def _lose_the_database_actor(project: Project, ledger: Ledger, seconds: float) -> None:
    def kill() -> None:
        if not database.kill_database_actor(project):
            raise Failed("There is no DatabaseActor on the head.")

    _break("kill -9 of the DatabaseActor's process", kill, ledger, seconds)


def _lose_mongodb(project: Project, ledger: Ledger, seconds: float) -> None:
    name = project.containers("mongodb")[0]
    _break(f"podman kill {name}", lambda: podman("kill", name), ledger, seconds)
    podman("start", name)
    say(f"podman start {name}")
    time.sleep(seconds)


def _break(words: str, action: Callable[[], object], ledger: Ledger, seconds: float) -> None:
    """Breaks something, and says how many check-ins were answered in the time after it."""
    action()
    before, began = len(ledger.punches), time.monotonic()
    _until(lambda: len(ledger.punches) > before, _RECOVERS_WITHIN_S, f"a check-in after {words}")
    say(f"{words}: the next punch after {time.monotonic() - began:.1f} s")
    time.sleep(seconds)
    say(f"  {len(ledger.punches) - before} punches acknowledged in {time.monotonic() - began:.0f} s since")


def _settle(project: Project, admin: str, ledger: Ledger) -> list[str]:
    """Waits until nothing waits for the database, and compares."""
    acknowledged, deadline = set(ledger.punches), time.monotonic() + _RECOVERS_WITHIN_S
    while True:
        stored = database.punches(project)
        wrong = database.compare(acknowledged, stored)
        if not wrong or time.monotonic() > deadline:
            break
        time.sleep(2)
    listed = httpx.get(
        f"{project.api}/attendance",
        params={"limit": 1000},
        headers={"Authorization": f"Bearer {admin}"},
        timeout=60,
    ).json()["punches"]
    counted = ", ".join(f"{number} {kind}" for kind, number in sorted(ledger.outcomes.items()))
    say(f"answers: {counted}; the slowest took {ledger.slowest_s:.1f} s, faults included")
    say(f"compared: {len(acknowledged)} punches acknowledged, {len(stored)} in MongoDB, {len(listed)} listed")
    return wrong


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=5).status_code == 200
    except httpx.HTTPError:
        return False


def _until(true: Callable[[], bool], within_s: float, what: str) -> None:
    deadline = time.monotonic() + within_s
    while not true():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what} did not come within {within_s:.0f} seconds")
        time.sleep(0.5)
