"""`rollcall punch import`: punches of other terminals from the command line."""

from __future__ import annotations

import csv

import pytest
from typer.testing import CliRunner

from ray_backend import cli, punch_import_command


@pytest.fixture
def rollcall(web, monkeypatch, tmp_path):
    """The command over the site of this test, and a file with three rows."""
    web.site.enrol(1)
    backend = web.site.backend
    monkeypatch.setattr(backend, "close", lambda: None)
    monkeypatch.setattr(punch_import_command, "connect", lambda settings: backend)
    monkeypatch.setattr(punch_import_command.console, "_width", 200)
    file = tmp_path / "gate.csv"
    file.write_text(
        "PIN,Time,State\nE1,2026-02-27 08:00:00,0\nE1,2026-02-27 17:00:00,1\n=E9,2026-02-27 08:00,0\n"
    )

    def run(*words: str):
        return CliRunner().invoke(cli.app, ["punch", "import", str(file), *words])

    return run


def test_a_file_is_imported_once(rollcall, web):
    assert "2 punches added, 0 were there already" in rollcall().stdout
    again = rollcall().stdout
    assert "0 punches added, 2 were there already, 0 repeated another punch, 1 refused." in again
    assert "Nobody is registered" in again
    assert [punch.direction for punch in web.site.punches()] == ["in", "out"]
    assert "Europe/Berlin" in again


def test_a_dry_run_stores_nothing_and_the_outcomes_are_written(rollcall, web, tmp_path):
    said = rollcall("--dry-run", "--outcomes", str(tmp_path / "out.csv"))
    assert "This was a dry run" in said.stdout
    assert web.site.punches() == []
    rows = list(csv.reader((tmp_path / "out.csv").open(encoding="utf-8-sig")))
    assert [row[:3] for row in rows[1:]] == [
        ["2", "E1", "added"],
        ["3", "E1", "added"],
        ["4", "'=E9", "refused"],
    ]


def test_the_terminals_time_zone_counts(rollcall, web):
    rollcall("--zone", "Asia/Tokyo")
    assert [f"{punch.at:%H:%M}" for punch in web.site.punches()] == ["23:00", "08:00"]


@pytest.mark.parametrize(
    "words", [("--zone", "Berlin"), ("--column", "PIN"), ("--column", "pin=PIN"), ("--date-order", "x")]
)
def test_what_cannot_be_understood_is_refused(rollcall, words):
    assert rollcall(*words).exit_code == 2
