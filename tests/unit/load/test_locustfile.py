"""The load test as it is run, against a server that answers rightly, wrongly, or not at all."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from bench.faces import package_people
from bench.load.site import draw
from tests.unit.load.stub import face, serving, without_comment

ROOT = Path(__file__).parents[3]
EMPTY = {"punches": [], "next_cursor": None}


@pytest.fixture(scope="module")
def known():
    """Who is in each picture that the load test draws, or enrols with."""
    cast = draw(None)
    owners = {
        picture: actor.employee_id for actor in (*cast.people, cast.stranger) for picture in actor.frames
    }
    owners |= {photo: person.employee_id for person in package_people() for photo in person.photos}
    return {without_comment(b"\xff\xd8" + bytes(20) + jpeg[2:]): who for jpeg, who in owners.items()}


class Site:
    """Knows everybody; `mistaken` is asked before each answer about a person."""

    def __init__(self, known, mistaken=lambda who: who):
        self._known, self._mistaken = known, mistaken

    def __call__(self, method, path, body):
        who = self._mistaken(self._known.get(without_comment(body)))
        if path.startswith("/check_in"):
            found = face(who)
            punch = {"punch_id": "p", "person": found["person"]} if who else None
            return 200, found | {"punch": punch, "repeated": True}, {}
        if path == "/recognize":
            return 200, {"faces": [face(who)]}, {}
        if path == "/register":
            return 409, {"type": "urn:rollcall:problem:duplicate-employee-id"}, {}
        return (200 if method == "GET" else 404), EMPTY, {}


def locust(url, *options, users=("KioskUser", "RecognizeUser")):
    command = [
        sys.executable, "-m", "locust", "-f", "locustfile_ray.py", "--headless", "--only-summary", *users,
        "--host", url, "--token", "secret", "--users", "6", "--run-time", "3s", *options,
    ]  # fmt: skip
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=90)
    return run.returncode, run.stdout + run.stderr


def test_a_system_that_knows_everybody_passes_and_is_reported(known, tmp_path):
    with serving(Site(known)) as url:
        code, output = locust(url, "--report", str(tmp_path / "load"), "--shape", "steady")

    assert code == 0, output
    assert "MISSED" not in output
    assert (tmp_path / "load.png").exists()
    assert "All limits were kept" in (tmp_path / "load.html").read_text()


def test_one_person_taken_for_another_fails_it_by_name(known):
    with serving(Site(known, lambda who: "LOAD-1" if who == "LOAD-0" else who)) as url:
        code, output = locust(url)

    assert code == 1
    assert "wrong person" in output
    assert re.search(r"MISSED: \d+ wrong answers, 0 are allowed", output)


def test_a_stranger_taken_for_somebody_fails_it(known):
    with serving(Site(known, lambda who: who or "LOAD-1")) as url:
        code, output = locust(url, "--users", "20")

    assert code == 1
    assert "stranger taken for somebody" in output


def test_being_turned_away_is_counted_apart_and_no_error(known):
    site = Site(known)

    def busy(method, path, body):
        if path.startswith(("/check_in", "/recognize")):
            return 503, {}, {"Retry-After": "1"}
        return site(method, path, body)

    with serving(busy) as url:
        code, output = locust(url)

    assert code == 1
    assert "503 busy" in output
    assert "turned away as busy" in output
    assert "wrong answers" not in output.replace("wrong answers, 0", "")


def test_another_machine_is_not_loaded():
    code, output = locust("http://rollcall.invalid:8000")

    assert code == 2
    assert "--allow-host rollcall.invalid" in output


def test_a_system_that_does_not_run_is_said_so():
    code, output = locust("http://127.0.0.1:1")

    assert code == 2
    assert "make run" in output
