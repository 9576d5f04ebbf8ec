"""The page that takes over punches: its columns are said, a dry run shows what would come, nothing twice."""

from __future__ import annotations

import csv
import io
from concurrent.futures import ThreadPoolExecutor

import pytest

from ray_backend.domain.permissions import Role
from ray_backend.domain.queries import PunchQuery
from ray_backend.services.punch_import import PunchImportService
from streamlit_app.i18n import in_language
from streamlit_app.punches import run
from streamlit_app.views import import_punches
from tests.ui import pseudo
from tests.ui.conftest import account, enrol, page, words

ROWS = b"""PIN,Checked at,Way
E1,2026-02-27 08:00,in
E1,2026-02-27 17:00,out
E1,2026-02-27 17:00:20,out
E9,2026-02-27 08:00,in
=E2,yesterday,in
E1,02/03/2026 08:00,in
"""


def with_file(backend, data: bytes = ROWS, name: str = "terminal.csv"):
    test = page(import_punches.render, backend).run()
    test.file_uploader[0].set_value([(name, data, "text/csv")])
    return test.run()


def ready(backend):
    """The file with its columns said, of which only the employee id is known by itself."""
    test = with_file(backend)
    test.selectbox(key="punches-when").set_value(1)
    test.selectbox(key="punches-direction").set_value(2)
    return test.run()


def press(test, label: str):
    return next(button for button in test.button if button.label == label).click().run()


def punches(backend) -> list:
    return [*backend._records.store.list_punches(PunchQuery()).items]


def choices(test) -> list[str]:
    return [button.label for button in test.button if button.label != "Help"]


def numbers(test) -> list[int]:
    return [int(metric.value) for metric in test.metric]


def test_columns_that_are_missing_are_asked_for(backend):
    test = with_file(backend)
    assert test.selectbox(key="punches-employee").value == 0
    assert "which the date and time" in test.info[0].value
    assert choices(test) == []
    test.selectbox(key="punches-when").set_value(1).run()
    assert choices(test) == ["Start the dry run"]


def test_a_dry_run_shows_what_would_come_and_records_nothing(backend):
    enrol(backend, 1)
    test = press(ready(backend), "Start the dry run")
    assert not test.exception
    assert numbers(test) == [2, 0, 1, 3]
    assert test.info[0].value == "2 punches would be recorded."
    assert punches(backend) == []
    left = test.dataframe[0].value
    assert list(left["Row"]) == ["4", "5", "6", "7"]
    assert list(left["Why"])[:2] == [
        "Too soon after another punch",
        "Nobody is registered with this employee id.",
    ]


def test_what_was_seen_is_recorded_once(backend):
    person = enrol(backend, 1)
    test = press(press(ready(backend), "Start the dry run"), "Record 2 punches")
    assert test.success[0].value == "2 punches were recorded."
    assert [(punch.person_id, punch.source) for punch in punches(backend)] == [
        (person.person_id, "import")
    ] * 2
    test = press(test, "Start the dry run")
    assert numbers(test) == [0, 2, 1, 3]
    assert choices(test) == ["Start the dry run"], "nothing is left to record"


def test_who_changes_how_it_is_read_has_to_look_again(backend):
    enrol(backend, 1)
    test = press(ready(backend), "Start the dry run")
    test.selectbox(key="punches-zone").set_value("Asia/Tokyo").run()
    assert not test.metric
    assert choices(test) == ["Start the dry run"]
    test.selectbox(key="punches-order").set_value(list(run.ORDERS)[1]).run()
    assert numbers(press(test, "Start the dry run")) == [3, 0, 1, 2], "its date is one now"


def test_an_import_that_was_ended_in_between_goes_on(backend, monkeypatch):
    enrol(backend, 1)
    data = b"id,date time\n" + b"".join(b"E1,2026-01-%02d 08:00\n" % day for day in range(1, 31))
    monkeypatch.setattr(run, "MOST_AT_ONCE", 10)
    take, calls = PunchImportService.take, []

    def dies(self, rows, **more):
        calls.append(len(rows))
        if len(calls) == 6:
            raise ConnectionError("the page was closed")
        return take(self, rows, **more)

    monkeypatch.setattr(PunchImportService, "take", dies)
    test = press(press(with_file(backend, data), "Start the dry run"), "Record 30 punches")
    assert test.exception
    assert len(punches(backend)) == 20
    test = press(press(with_file(backend, data), "Start the dry run"), "Record 10 punches")
    assert test.success[0].value == "10 punches were recorded."
    assert len({punch.at for punch in punches(backend)}) == len(punches(backend)) == 30


def test_a_terminals_own_file_needs_no_columns(backend):
    enrol(backend, 1)
    test = with_file(backend, b"    E1\t2026-02-27 08:00:00\t1\t0\t1\t0\r\n", "attlog.dat")
    assert "its columns are known" in words(test)
    assert numbers(press(test, "Start the dry run")) == [1, 0, 0, 0]


def test_the_file_of_what_is_left_runs_no_formula(backend):
    enrol(backend, 1)
    press(ready(backend), "Start the dry run")
    plan = run.Plan(
        {run.PunchColumn.EMPLOYEE: 0, run.PunchColumn.WHEN: 1}, import_punches.ZoneInfo("Europe/Berlin")
    )
    result = run.take(backend, ROWS, plan, dry_run=True, actor="test", told=lambda rows: None)
    rows = list(csv.reader(io.StringIO(run.left_csv(result).decode("utf-8-sig"))))
    assert rows[0] == ["Row", "Employee id", "Why"]
    assert [row[1] for row in rows[1:]] == ["E1", "E9", "'=E2", "E1"]


def test_the_file_of_what_is_left_is_in_the_readers_language(backend):
    plan = run.Plan(
        {run.PunchColumn.EMPLOYEE: 0, run.PunchColumn.WHEN: 1}, import_punches.ZoneInfo("Europe/Berlin")
    )
    result = run.take(backend, ROWS, plan, dry_run=True, actor="test", told=lambda rows: None)
    with in_language("de"):
        made = run.left_file(result)
    with ThreadPoolExecutor(1) as elsewhere:
        text = elsewhere.submit(made).result().decode("utf-8-sig")
    assert text.startswith("Zeile,Personal-Nr.,Warum")
    assert "Mit dieser Personalnummer ist niemand erfasst." in text


@pytest.mark.parametrize("data", [b"", b"\n\n"])
def test_an_empty_file_is_refused_in_words(backend, data):
    test = with_file(backend, data)
    assert test.error[0].value == "The file is empty."


def test_a_manager_does_not_see_it(backend):
    test = page(import_punches.render, backend, username=account(backend, Role.MANAGER)).run()
    assert "may not see" in test.error[0].value


def test_every_word_is_translated(backend, monkeypatch):
    enrol(backend, 1)
    monkeypatch.setattr(import_punches, "_zones", list)
    pseudo_words = ("PIN", "Checked at", "Way", "yesterday", "Europe/Berlin", "E1", "E9", "=E2")
    pseudo.speak(monkeypatch)
    test = ready(backend)
    assert pseudo.english(test, *pseudo_words) == set()
    start = next(button for button in test.button if "dry run" in button.label)
    assert pseudo.english(start.click().run(), *pseudo_words) == set()
