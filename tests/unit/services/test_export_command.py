"""`rollcall export`: what it writes, and what it leaves behind when it cannot."""

from __future__ import annotations

import io
import json

import openpyxl
import pypdf
import pytest
from typer.testing import CliRunner

from ray_backend import export_command
from ray_backend.cli import app
from ray_backend.services import table_files


@pytest.fixture
def rollcall(site, monkeypatch):
    """Runs the command against a site at which somebody worked eight hours today."""
    person = site.enrol(1)
    site.check_in(1)
    site.clock.move(hours=8)
    site.check_in(1)
    monkeypatch.setattr(export_command, "connect", lambda settings: site.backend)
    monkeypatch.setattr(site.backend, "close", lambda: None)
    assert person.employee_id == "E1"
    return lambda *arguments: CliRunner().invoke(app, ["export", *map(str, arguments)])


@pytest.mark.parametrize("kind", ["csv", "xlsx", "pdf", "json"])
def test_the_file_holds_the_days_of_this_month(rollcall, tmp_path, kind):
    file = tmp_path / f"month.{kind}"
    assert rollcall(file).exit_code == 0
    data = file.read_bytes()
    if kind == "csv":
        assert data.decode("utf-8-sig").splitlines()[1].startswith("E1,Person 1,Engines")
    if kind == "xlsx":
        assert openpyxl.load_workbook(io.BytesIO(data))["2026-03"]["A2"].value == "E1"
    if kind == "pdf":
        assert "8:00" in pypdf.PdfReader(io.BytesIO(data)).pages[0].extract_text()
    if kind == "json":
        assert [row["worked"] for row in json.loads(data)["rows"]] == [480]
    assert [path.name for path in tmp_path.iterdir()] == [file.name]


def test_it_says_what_it_wrote(rollcall, tmp_path):
    said = rollcall(tmp_path / "a.csv", "--department", "Engines", "--start", "2026-03-02").output
    assert "1 rows written" in said
    assert "filter 2026-03-02 to 2026-03-02; department Engines" in said
    assert "rules version 0" in said


def test_another_kind_of_file_is_refused(rollcall, tmp_path):
    answer = rollcall(tmp_path / "a.doc")
    assert answer.exit_code == 2
    assert "json" in answer.output


def test_what_cannot_be_written_leaves_the_file_that_was_there(rollcall, tmp_path, monkeypatch):
    monkeypatch.setattr(table_files, "MOST_PRINTED_ROWS", 0)
    file = tmp_path / "a.pdf"
    file.write_bytes(b"before")
    assert rollcall(file).exit_code == 1
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("a.pdf", b"before")]
