"""Files of exports: below one folder, whole, once for a run, and never over another one."""

from __future__ import annotations

import errno
import os

import pytest

from ray_backend.domain.errors import InvalidInput, Unavailable
from ray_backend.services.export_folder import ExportFolder


@pytest.fixture
def root(tmp_path):
    made = tmp_path / "exports"
    made.mkdir()
    return made


def listed(root) -> list[str]:
    return sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())


def test_a_file_lies_there_under_its_name(root):
    folder = ExportFolder(root)
    assert folder.publish("payroll/monthly", "days", "csv", "run1", b"one") == "payroll/monthly/days.csv"
    folder.settle("payroll/monthly", "run1")
    assert listed(root) == ["payroll/monthly/days.csv"]
    assert (root / "payroll/monthly/days.csv").read_bytes() == b"one"


def test_an_earlier_file_stays_as_it_is(root):
    (root / "days.csv").write_bytes(b"of last year")
    folder = ExportFolder(root)
    assert [folder.publish("", "days", "csv", run, run.encode()) for run in ("r1", "r2")] == [
        "days-2.csv",
        "days-3.csv",
    ]
    assert (root / "days.csv").read_bytes() == b"of last year"
    assert (root / "days-3.csv").read_bytes() == b"r2"


def test_a_run_that_died_after_its_file_was_there_writes_no_second_one(root):
    for content in (b"first", b"made again"):
        assert ExportFolder(root).publish("", "days", "csv", "run1", content) == "days.csv"
    ExportFolder(root).settle("", "run1")
    assert listed(root) == ["days.csv"]
    assert (root / "days.csv").read_bytes() == b"first"


def test_a_run_that_died_before_begins_anew(root):
    (root / ".rollcall-run1.pending").write_bytes(b"half a f")
    assert ExportFolder(root).publish("", "days", "csv", "run1", b"whole") == "days.csv"
    assert (root / "days.csv").read_bytes() == b"whole"


def test_a_disk_without_second_names_gets_the_file_too(root, monkeypatch):
    def no_links(*_args):
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", no_links)
    (root / "days.csv").write_bytes(b"earlier")
    assert ExportFolder(root).publish("", "days", "csv", "run1", b"new") == "days-2.csv"
    assert listed(root) == ["days-2.csv", "days.csv"]
    assert (root / "days-2.csv").read_bytes() == b"new"


@pytest.mark.parametrize(
    ("text", "clean"),
    [("", ""), ("payroll", "payroll"), (" payroll / 2026 ", "payroll/2026"), ("a\\b", "a/b")],
)
def test_a_folder_below_is_taken(root, text, clean):
    assert ExportFolder(root).checked(text) == clean


@pytest.mark.parametrize(
    "text",
    ["/etc", "..", "a/../../b", ".ssh", "C:\\windows", "a/\x00", "x" * 201, "/".join("abcdefghi"), "a\nb"],
)
def test_anywhere_else_is_refused(root, text):
    with pytest.raises(InvalidInput, match="below the server's folder"):
        ExportFolder(root).checked(text)


def test_a_link_leads_nowhere_else(root, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (root / "out").symlink_to(tmp_path / "elsewhere")
    folder = ExportFolder(root)
    with pytest.raises(InvalidInput):
        folder.checked("out")
    with pytest.raises(InvalidInput):
        folder.publish("out", "days", "csv", "run1", b"x")
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_without_a_folder_nothing_is_taken(tmp_path):
    assert not ExportFolder(None).there
    with pytest.raises(InvalidInput, match="ROLLCALL_EXPORT_DIR"):
        ExportFolder(None).checked("payroll")


def test_a_disk_that_is_away_is_waited_for_and_not_made_up(tmp_path):
    away = tmp_path / "not mounted"
    with pytest.raises(Unavailable, match="is not there"):
        ExportFolder(away).publish("", "days", "csv", "run1", b"x")
    assert not away.exists()


def test_a_full_disk_is_said(root, monkeypatch):
    def full(_handle):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(Unavailable, match="No space left on device"):
        ExportFolder(root).publish("", "days", "csv", "run1", b"x")
    assert "days.csv" not in listed(root)
