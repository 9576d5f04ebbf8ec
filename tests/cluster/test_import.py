"""An import over real actors that are killed while it runs: nobody is there twice, nobody is missing."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from ray_backend.domain.queries import PeopleQuery
from ray_backend.jobs.people_import import import_people
from ray_backend.services.bulk_import.runs import State
from ray_backend.serving import handles
from ray_backend.serving.names import DATABASE_ACTOR
from tests.people import PEOPLE, face_photo

PHOTOS = 2


def folder(root: Path) -> Path:
    for person in range(PEOPLE):
        (root / f"E{person}_Person {person}").mkdir(parents=True)
        for variant in range(PHOTOS):
            (root / f"E{person}_Person {person}" / f"{variant}.jpg").write_bytes(face_photo(person, variant))
    return root


def kill(name: str) -> None:
    os.kill(handles.result(handles.get_handle(name).health.remote(), 30)["pid"], signal.SIGKILL)


@pytest.mark.parametrize("who", ["face actors", "database actor"])
def test_killed_actors_lose_nobody(backend, tmp_path, who):
    killed = []

    def told(run, outcome) -> None:
        if outcome is not None and not killed:
            names = handles.face_actor_names() if who == "face actors" else [DATABASE_ACTOR]
            for name in names:
                kill(name)
            killed.extend(names)

    run = import_people(backend, folder(tmp_path / "in"), consent=True, told=told)

    assert killed
    assert run.standing.state is State.DONE
    people = backend.people.find(PeopleQuery()).items
    templates = {p.employee_id: len(backend.people.details(p.person_id).templates) for p in people}
    assert templates == {f"E{person}": PHOTOS for person in range(PEOPLE)}
    counts = run.tally().counts
    assert counts.accepted + counts.stored_already == PEOPLE * PHOTOS
    assert (counts.duplicates, counts.refused) == (0, 0)


def test_a_dry_run_over_actors_stores_nothing_and_says_the_same(backend, tmp_path):
    source = folder(tmp_path / "in")

    rehearsed = import_people(backend, source, consent=True, dry_run=True)

    assert backend.overview().people == 0
    assert list(rehearsed.outcomes()) == list(import_people(backend, source, consent=True).outcomes())
