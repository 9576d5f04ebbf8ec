"""Imports over real stores: outcomes, dry runs, repetition, consent, and processes that are killed."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path

import pytest

from ray_backend.client import Backend, local_backend
from ray_backend.domain.errors import BackendUnavailable, Conflict, InvalidInput
from ray_backend.domain.model import PhotoProblem
from ray_backend.domain.queries import AuditQuery, PeopleQuery
from ray_backend.jobs.people_import import import_people
from ray_backend.services.bulk_import.report import refused_csv, rows
from ray_backend.services.bulk_import.runs import Plan, Run, State
from ray_backend.services.bulk_import.words import Fate
from ray_backend.settings import Settings
from ray_backend.storage import open_store_url
from tests.coded import CodedEngine, coded_folder
from tests.fakes import FakeEngine, photo

ADAPTERS = ["memory", "sqlite"]


@pytest.fixture(params=ADAPTERS)
def backend(request, make_url, tmp_path) -> Backend:
    settings = Settings(data_dir=tmp_path / "data", store=make_url(request.param))
    made = local_backend(settings, engine=FakeEngine())
    yield made
    made.close()


@pytest.fixture
def coded(tmp_path) -> Backend:
    """A backend that tells any number of people apart."""
    return local_backend(Settings(data_dir=tmp_path / "data", store="memory"), engine=CodedEngine())


def people_in(root: Path, people: dict[str, list[bytes]]) -> Path:
    for name, files in people.items():
        (root / name).mkdir(parents=True)
        for number, data in enumerate(files):
            (root / name / f"{number}.png").write_bytes(data)
    return root


def found(run: Run) -> dict[str, tuple[str, str]]:
    """Fate and reason of each file, by its place."""
    return {
        row.place: (row.fate.value, str(row.reason.code) if row.reason else "")
        for row in rows(run.outcomes())
    }


def stored(backend: Backend) -> dict[str, int]:
    """Number of templates by employee id."""
    people = backend.people.find(PeopleQuery(limit=1000)).items
    return {p.employee_id: len(backend.people.details(p.person_id).templates) for p in people}


MIXED = {
    "E1_Ada": [photo(1), photo(1, variant=1)],
    "E2_Ada again": [photo(2), photo(1, variant=2)],
    "E3_Two faces": [photo(3, 4)],
    "E4_Blurred": [photo(5, blurred=True), photo(5, variant=1)],
    "E5_Broken": [b"\x89PNG\r\n\x1a\nno picture"],
    "E6_Empty": [],
    "E7_Two people": [photo(7), photo(8)],
}
OUTCOMES = {
    "E1_Ada/0.png": ("accepted", ""),
    "E1_Ada/1.png": ("accepted", ""),
    "E2_Ada again/0.png": ("refused", "rest_of_person"),
    "E2_Ada again/1.png": ("duplicate", "another_person"),
    "E3_Two faces/0.png": ("refused", "several_faces"),
    "E4_Blurred/0.png": ("refused", "blurred"),
    "E4_Blurred/1.png": ("accepted", ""),
    "E5_Broken/0.png": ("refused", "unreadable"),
    "E6_Empty": ("refused", "no_photos"),
    "E7_Two people/0.png": ("accepted", ""),
    "E7_Two people/1.png": ("refused", "not_the_same_person"),
}


def test_every_file_has_its_outcome(backend, tmp_path):
    run = import_people(backend, people_in(tmp_path / "in", MIXED), consent=True)

    assert found(run) == OUTCOMES
    assert stored(backend) == {"E1": 2, "E4": 1, "E7": 1}
    assert run.tally().counts == (7, 3, 4, 0, 1, 6)
    (duplicate,) = rows(run.outcomes(), [Fate.DUPLICATE])
    assert (duplicate.other, duplicate.reason.sentence) == (
        "E1",
        "The photo shows a person who is registered as E1.",
    )


def test_a_dry_run_says_the_same_and_stores_nothing(backend, tmp_path):
    source = people_in(tmp_path / "in", MIXED | {"E0_First": [photo(9)]})
    import_people(backend, people_in(tmp_path / "before", {"E0_First": [photo(9)]}), consent=True)
    before = (stored(backend), backend.overview(), len(backend.audit_log.find(AuditQuery()).items))

    rehearsed = import_people(backend, source, consent=True, dry_run=True)

    assert (stored(backend), backend.overview(), len(backend.audit_log.find(AuditQuery()).items)) == before
    real = import_people(backend, source, consent=True)
    assert list(rehearsed.outcomes()) == list(real.outcomes())
    assert found(real)["E0_First/0.png"] == ("stored_already", "already_stored")


def test_the_refused_can_be_read_as_a_table_that_runs_nothing(backend, tmp_path):
    source = people_in(tmp_path / "in", {"E1_Ada": [photo(1)]})
    (source / "E1_Ada" / "=cmd|x!A1.txt").write_bytes(b"")

    text = refused_csv(import_people(backend, source, consent=True).outcomes()).decode("utf-8-sig")

    assert text.splitlines()[1] == (
        "E1_Ada/=cmd|x!A1.txt,E1,Ada,refused,\"This is not a JPEG, PNG or WebP file.\","
    )  # fmt: skip
    (source / "=cmd|x!A1.txt").write_bytes(b"")
    text = refused_csv(import_people(backend, source, consent=True).outcomes()).decode("utf-8-sig")
    assert text.splitlines()[1].startswith("'=cmd|x!A1.txt,")


def test_done_again_nothing_changes_and_nothing_is_looked_at_again(backend, tmp_path, monkeypatch):
    source = people_in(tmp_path / "in", MIXED)
    import_people(backend, source, consent=True)
    before = stored(backend)
    looked_at = []
    analyse = backend._faces.analyse_many
    monkeypatch.setattr(
        backend._faces, "analyse_many", lambda images, **o: looked_at.extend(images) or analyse(images, **o)
    )

    again = found(import_people(backend, source, consent=True))

    assert stored(backend) == before
    assert {place for place, (fate, _) in again.items() if fate == "accepted"} == set()
    # What hangs on who is registered meanwhile is looked at again; what a photo itself lacks is not.
    assert len(looked_at) == len(MIXED["E2_Ada again"]) + 1


def test_a_new_photo_goes_to_the_person_who_is_there(backend, tmp_path):
    source = people_in(tmp_path / "in", {"E1_Ada": [photo(1)]})
    import_people(backend, source, consent=True)
    (source / "E1_Ada" / "more.png").write_bytes(photo(1, variant=1))

    run = import_people(backend, source, consent=True)

    assert stored(backend) == {"E1": 2}
    assert (run.tally().counts.created, run.tally().counts.accepted) == (0, 1)


def test_consent_is_noted_on_whose_word_and_with_its_text(backend, tmp_path):
    source = people_in(tmp_path / "in", {"E1_Ada": [photo(1)]})

    import_people(backend, source, consent=False)
    ada = backend.people.by_employee_id("E1")
    assert (ada.consent_at, ada.consent_version) == (None, "")

    import_people(backend, source, consent=True)
    ada = backend.people.by_employee_id("E1")
    assert ada.consent_at is not None
    assert ada.consent_version == backend.site.current().consent_version

    notes = [e for e in backend.audit_log.find(AuditQuery()).items if e.action == "people.imported"]
    assert [note.detail["consent"] for note in notes] == ["flag", "none"]


def test_without_anybodys_word_a_page_takes_nobody(backend, tmp_path):
    source = people_in(tmp_path / "in", {"E1_Ada": [photo(1)], "E2_Bob": [photo(2)]})
    (source / "p.csv").write_text("id,name,consent,photo\nE1,Ada,yes,E1_Ada/0.png\nE2,Bob,,E2_Bob/0.png\n")

    run = backend.import_desk().carry_out(Plan(str(source), "admin"))

    assert found(run) == {"E1_Ada/0.png": ("accepted", ""), "E2_Bob/0.png": ("refused", "consent_missing")}
    assert stored(backend) == {"E1": 1}


def test_photos_of_too_many_pixels_are_refused_before_they_are_decoded(tmp_path, make_url):
    settings = Settings(data_dir=tmp_path / "data", store="memory")
    backend = local_backend(settings, engine=FakeEngine())
    from PIL import Image

    source = people_in(tmp_path / "in", {"E1_Ada": []})
    Image.new("1", (10_000, 6_000)).save(source / "E1_Ada" / "huge.png")

    began = time.monotonic()
    run = import_people(backend, source, consent=True)

    (refused,) = rows(run.outcomes())
    assert "too many pixels" in refused.reason.sentence
    assert time.monotonic() - began < 2


def test_a_service_that_is_away_for_a_moment_is_waited_for(tmp_path, make_url, monkeypatch):
    backend = local_backend(Settings(data_dir=tmp_path / "data", store="memory"), engine=FakeEngine())
    source = people_in(tmp_path / "in", {f"E{n}_P": [photo(n)] for n in range(1, 9)})
    analyse, failures = backend._faces.analyse_many, iter([True, True, False, True])

    def unsure(images, **options):
        if next(failures, False):
            raise BackendUnavailable("killed")
        return analyse(images, **options)

    monkeypatch.setattr(backend._faces, "analyse_many", unsure)

    run = import_people(backend, source, consent=True)

    assert stored(backend) == {f"E{n}": 1 for n in range(1, 9)}
    assert run.standing.state is State.DONE


def test_a_photo_that_stops_the_service_each_time_is_given_up_alone(tmp_path, monkeypatch):
    monkeypatch.setattr("ray_backend.services.bulk_import.looking._FIRST_PAUSE_S", 0.02)
    backend = local_backend(Settings(data_dir=tmp_path / "data", store="memory"), engine=FakeEngine())
    source = people_in(tmp_path / "in", {f"E{n}_P": [photo(n)] for n in range(1, 6)})
    analyse, poison = backend._faces.analyse_many, photo(3)

    def poisoned(images, **options):
        if poison in images:
            raise BackendUnavailable("killed")
        return analyse(images, **options)

    monkeypatch.setattr(backend._faces, "analyse_many", poisoned)

    run = import_people(backend, source, consent=True)

    assert found(run)["E3_P/0.png"] == ("refused", "breaks_recognition")
    assert stored(backend) == {f"E{n}": 1 for n in (1, 2, 4, 5)}


def test_one_import_at_a_time(backend, tmp_path):
    source = people_in(tmp_path / "in", {"E1_Ada": [photo(1)]})
    desk = backend.import_desk()

    with desk.runs.only_one(), pytest.raises(Conflict, match="Another import is running"):
        import_people(backend, source, consent=True)

    assert stored(backend) == {}


def test_one_that_was_stopped_goes_on_where_it_was(coded, tmp_path):
    backend, source = coded, coded_folder(tmp_path / "in", 100)
    seen = []

    def told(run, outcome) -> None:
        if outcome is not None:
            seen.append(outcome.employee_id)
            if len(seen) == 5:
                run.stop()

    stopped = import_people(backend, source, consent=True, told=told)
    assert stopped.standing.state is State.STOPPED
    assert 5 <= len(stored(backend)) < 100

    run = import_people(backend, source, consent=True, told=told)

    assert run.run_id == stopped.run_id
    assert run.standing.state is State.DONE
    assert run.tally().counts[:3] == (100, 100, 100)
    assert Counter(seen) == dict.fromkeys([f"E{n:05}" for n in range(100)], 1)


def test_a_source_that_cannot_be_read_leaves_its_reason_with_the_run(backend, tmp_path):
    (tmp_path / "p.csv").write_text("name\nAda\n")

    with pytest.raises(InvalidInput, match="no column for the employee id"):
        import_people(backend, tmp_path / "p.csv", consent=True)

    newest = backend.import_desk().newest()
    assert (newest.standing.state, "no column" in newest.standing.problem) == (State.BROKEN_OFF, True)


def test_somebody_erased_is_taken_out_of_the_journals(backend, tmp_path):
    run = import_people(backend, people_in(tmp_path / "in", MIXED), consent=True)
    runs = backend.import_desk().runs

    gone = runs.forget("E1", "Ada")

    text = "".join(path.read_text() for path in run.folder.iterdir())
    assert gone == 2
    assert "Ada" not in text
    assert "E4" in text


def test_an_upload_goes_with_whoever_of_it_is_erased(coded, tmp_path):
    desk = coded.import_desk()
    source = coded_folder(tmp_path / "in", 2)
    (tmp_path / "p.csv").write_text("id,name,photo\nE1,Ada,a.jpg\n")
    with (tmp_path / "p.csv").open("rb") as file:
        path = desk.keep_upload(file, "p.csv")
    import_people(coded, source, consent=True)
    desk.carry_out(Plan(str(path), "admin", dry_run=True, consent=True, upload=True))
    assert path.exists()

    desk.runs.forget("E1", "Ada")

    assert not path.exists()
    assert source.is_dir()


def test_an_import_in_the_background_is_found_again(coded, tmp_path):
    backend, source = coded, coded_folder(tmp_path / "in", 40)
    backend.import_desk().start(Plan(str(source), "admin", consent=True))

    desk = backend.import_desk()
    for _ in range(600):
        newest = desk.newest()
        if desk.runs.state_of(newest) is State.DONE:
            break
        time.sleep(0.05)

    assert newest.tally().counts.created == 40
    assert len(stored(backend)) == 40
    assert not [thread for thread in threading.enumerate() if thread.name == "import" and thread.is_alive()]


# Killed


class Killed:
    """An importer in a process of its own, which is killed after so many people."""

    def __init__(self, source: Path, data: Path, url: str) -> None:
        self._command = [sys.executable, "-m", "tests.contract.importer", str(source), str(data), url]

    def run(self, kill_after: int | None) -> list[str]:
        """The lines that it printed."""
        process = subprocess.Popen(
            self._command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2]
        )
        lines = []
        for line in process.stdout:
            lines.append(line.strip())
            if len(lines) == kill_after:
                process.kill()
        process.wait()
        return lines


# bench/import_kill.py does the same with 2,000, and with real faces.
PEOPLE = 600


def test_killed_again_and_again_nobody_is_there_twice_and_nobody_is_missing(tmp_path):
    source = coded_folder(tmp_path / "in", PEOPLE)
    url = f"sqlite://{tmp_path}/site.sqlite3"
    importer = Killed(source, tmp_path / "data", url)

    acknowledged = [line for kill_after in (50, 120, 200) for line in importer.run(kill_after)]
    # What was not killed in time is in the last run's journal, too.
    *rest, embedded = importer.run(None)

    ids = [f"E{code:05d}" for code in range(PEOPLE)]
    store = open_store_url(url, Settings(data_dir=tmp_path / "data"))
    templates = Counter(template.person_id for template in store.templates())
    people = {}
    query = PeopleQuery(limit=1000)
    while query:
        page = store.list_people(query)
        people |= {person.employee_id: person.person_id for person in page.items}
        query = PeopleQuery(limit=1000, cursor=page.next_cursor) if page.next_cursor else None
    store.close()
    assert sorted(people) == ids
    assert set(acknowledged) <= set(ids)
    assert templates == dict.fromkeys(people.values(), 1)
    assert set(acknowledged) | set(rest) == set(ids)
    # Of what was done before, only the few who were between storing and noting are looked at once more.
    assert int(embedded.removeprefix("embedded ")) <= PEOPLE - len(acknowledged)
    assert len(set(acknowledged)) == len(acknowledged)


def test_what_was_stored_but_not_noted_is_known_by_the_photo(coded, tmp_path):
    backend, source = coded, coded_folder(tmp_path / "in", 20)
    run = import_people(backend, source, consent=True)
    # As a process leaves it that dies right after the database answered.
    lines = (run.folder / "outcomes.jsonl").read_text().splitlines(keepends=True)
    (run.folder / "outcomes.jsonl").write_text("".join(lines[:12]) + lines[12][:20])
    run.stands(state=State.RUNNING, ended_at=None)

    again = import_people(backend, source, consent=True)

    assert again.run_id == run.run_id
    assert again.tally().counts == (20, 12, 12, 8, 0, 0)
    assert stored(backend) == {f"E{code:05d}": 1 for code in range(20)}
    assert PhotoProblem.ALREADY_STORED in {row.reason.code for row in rows(again.outcomes()) if row.reason}
