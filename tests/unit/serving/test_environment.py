"""What Rollcall's processes are to each other at the processor."""

from __future__ import annotations

import errno
import logging
import os
import subprocess
import sys

import pytest

from ray_backend.serving import environment

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="other systems have no SCHED_BATCH")
CODE = """
import os, subprocess, sys
from ray_backend.serving.environment import interrupt_nobody
os.sched_setscheduler(0, os.{before}, os.sched_param(0))
interrupt_nobody()
child = "import os; print(os.sched_getscheduler(0) == os.{after})"
subprocess.run([sys.executable, "-c", child], check=True)
"""


@pytest.mark.parametrize(("before", "after"), [("SCHED_OTHER", "SCHED_BATCH"), ("SCHED_IDLE", "SCHED_IDLE")])
def test_what_a_process_starts_interrupts_nobody_and_a_chosen_policy_stays(before, after):
    code = CODE.format(before=before, after=after)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (0, "True\n", "")


@pytest.mark.parametrize("number", [errno.EPERM, errno.EINVAL, errno.ENOSYS])
def test_where_that_cannot_be_had_it_goes_on_aloud(number, monkeypatch, caplog):
    def refused(*_):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "sched_getscheduler", lambda _: os.SCHED_OTHER)
    monkeypatch.setattr(os, "sched_setscheduler", refused)
    with caplog.at_level(logging.WARNING):
        environment.interrupt_nobody()
    assert os.strerror(number) in caplog.text
