"""Reports over actors: made in a process of their own, also after kill -9, and exported by themselves."""

from __future__ import annotations

import os
import signal
import time
from datetime import time as clock_time

import pandas as pd
import pytest
import ray

from ray_backend.client import Photo
from ray_backend.domain.errors import BackendUnavailable, Forbidden
from ray_backend.domain.permissions import Caller, Role
from ray_backend.domain.reporting.exports import ExportDraft, Report, RunState
from ray_backend.domain.reporting.filters import ReportFilter
from ray_backend.domain.reporting.periods import Period
from ray_backend.domain.reporting.timing import Rhythm, Timing
from ray_backend.domain.requests import PersonDraft, SheetQuery
from ray_backend.services.tables import day_sheet
from ray_backend.serving import handles
from ray_backend.serving.names import DATABASE_ACTOR, REPORT_ACTOR
from tests.cluster.conftest import site_settings
from tests.people import face_photo

ADMIN = Caller("admin", Role.ADMIN)


@pytest.fixture
def settings(ray_address, tmp_path):
    """A site with a folder for exports."""
    (tmp_path / "exports").mkdir()
    return site_settings(tmp_path, ray_address, export_dir=tmp_path / "exports")


def exported(backend, folder) -> list[str]:
    """Sets up an export and asks for it, then kills the process that makes it; the files that come of it."""
    backend.accounts.ensure_admin("a long enough password")
    timing = Timing(Rhythm.MONTHLY, clock_time(6), day=31)
    draft = ExportDraft("Today", Report.DAYS, ReportFilter(Period.TODAY), "csv", timing, folder="")
    exports = backend.acting_as(ADMIN).exports
    one = exports.add(draft, actor="x")
    exports.send_now(one.export_id, actor="x")
    os.kill(pid_of(DATABASE_ACTOR), signal.SIGKILL)
    end = time.monotonic() + 120
    while not settled(exports, one.export_id):
        assert time.monotonic() < end
        time.sleep(0.5)
    assert [run.state for run in exports.runs(one.export_id)] == [RunState.DONE]
    return sorted(path.name for path in folder.iterdir())


def settled(exports, export_id: str) -> bool:
    try:
        return all(run.settled for run in exports.runs(export_id))
    except BackendUnavailable:
        return False


def pid_of(name: str) -> int:
    return ray.get(handles.get_handle(name).health.remote(), timeout=60)["pid"]


def test_reports_are_made_elsewhere_and_made_again_after_kill_9(backend, settings):
    draft = PersonDraft("E1", "Ada Example", "Lab", consent=True)
    backend.enrol(draft, [Photo("1.jpg", face_photo(0))], source="upload", actor="test")
    backend.check_in(face_photo(0, 1), kiosk="door")
    today = backend.reports.today()
    query = SheetQuery(today, today)
    before = backend.timesheets.sheet(query)
    assert list(before.days["name"]) == ["Ada Example"]
    killed = pid_of(REPORT_ACTOR)
    assert killed not in (pid_of(DATABASE_ACTOR), os.getpid())
    os.kill(killed, signal.SIGKILL)
    after = backend.timesheets.sheet(query)
    pd.testing.assert_frame_equal(after.days, before.days)
    job = backend.report_files.begin(day_sheet(after), "csv", actor="test")
    while not backend.report_files.state(job, actor="test").finished:
        time.sleep(0.1)
    assert b"Ada Example" in backend.report_files.take(job, actor="test")
    assert pid_of(REPORT_ACTOR) != killed
    assert backend.acting_as(Caller("maria", Role.MANAGER, ("Shop",))).timesheets.sheet(query).days.empty
    with pytest.raises(Forbidden):
        backend.acting_as(Caller("door", Role.KIOSK)).timesheets.sheet(query)
    (file,) = exported(backend, settings.export_dir)
    rows = pd.read_csv(settings.export_dir / file, encoding="utf-8-sig")
    assert list(rows["Name"]) == ["Ada Example"]
    # Without that actor, as with a database in memory, the other one answers.
    ray.kill(handles.get_handle(REPORT_ACTOR), no_restart=True)
    handles.forget_handles()
    assert len(backend.timesheets.sheet(query).days) == 1
