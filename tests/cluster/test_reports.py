"""Reports over actors: made in a process of their own, also after kill -9."""

from __future__ import annotations

import os
import signal

import pandas as pd
import pytest
import ray

from ray_backend.client import Photo
from ray_backend.domain.errors import Forbidden
from ray_backend.domain.permissions import Caller, Role
from ray_backend.domain.requests import PersonDraft, SheetQuery
from ray_backend.serving import handles
from ray_backend.serving.names import DATABASE_ACTOR, REPORT_ACTOR
from tests.people import face_photo


def pid_of(name: str) -> int:
    return ray.get(handles.get_handle(name).health.remote(), timeout=60)["pid"]


def test_reports_are_made_elsewhere_and_made_again_after_kill_9(backend):
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
    assert pid_of(REPORT_ACTOR) != killed
    assert backend.acting_as(Caller("maria", Role.MANAGER, ("Shop",))).timesheets.sheet(query).days.empty
    with pytest.raises(Forbidden):
        backend.acting_as(Caller("door", Role.KIOSK)).timesheets.sheet(query)
    # Without that actor, as with a database in memory, the other one answers.
    ray.kill(handles.get_handle(REPORT_ACTOR), no_restart=True)
    handles.forget_handles()
    assert len(backend.timesheets.sheet(query).days) == 1
