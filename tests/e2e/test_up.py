"""`rollcall up`: one command starts everything, Ctrl-C ends everything, and problems are one clear line."""

from __future__ import annotations

import os
import signal
import socket
import sys
import time
import urllib.request
from contextlib import suppress
from pathlib import Path

import psutil

from tests.e2e.conftest import rollcall, running_site, site_environment


def policies(processes: list[psutil.Process]) -> set[int]:
    """How the kernel schedules those of them that still run."""
    found = set()
    for process in processes:
        with suppress(ProcessLookupError):
            found.add(os.sched_getscheduler(process.pid))
    return found


def test_it_runs_says_how_to_get_in_and_stops_all_it_started(tmp_path):
    with running_site(tmp_path) as site:
        assert len(site.password) >= 10
        with urllib.request.urlopen(site.url, timeout=10) as answer:
            assert answer.status == 200
        started = psutil.Process(site.process.pid).children(recursive=True)
        assert len(started) > 3
        if sys.platform == "linux":
            assert policies(started) == {os.SCHED_BATCH}
        site.process.send_signal(signal.SIGINT)
        assert site.process.wait(30) == 0
        _, alive = psutil.wait_procs(started, timeout=10)
        assert alive == []
        assert not (tmp_path / "running.json").exists()


def test_a_second_start_keeps_the_kiosks_address_and_does_not_show_the_password_again(tmp_path):
    with running_site(tmp_path) as first:
        token, password = first.kiosk_url.split("token=")[1], first.password
    with running_site(tmp_path) as second:
        assert second.kiosk_url.endswith(token)
        assert password not in second.output


def test_a_port_in_use_is_one_clear_line(tmp_path):
    environment = site_environment(tmp_path)
    with socket.create_server(("localhost", int(environment["ROLLCALL_PORT"]))):
        ended = rollcall("up", environment=environment)
    assert ended.returncode == 1
    assert f"Port {environment['ROLLCALL_PORT']} is in use" in ended.stderr
    assert len(ended.stderr.strip().splitlines()) == 1


def test_a_dead_ray_ends_it_with_one_clear_line(tmp_path):
    with running_site(tmp_path) as site:
        children = psutil.Process(site.process.pid).children(recursive=True)
        gcs = next(child for child in children if child.name() == "gcs_server")
        os.kill(gcs.pid, signal.SIGKILL)
        assert site.process.wait(60) == 1
    assert "Ray stopped" in Path(tmp_path, "up.log").read_text()


def test_the_command_line_works_on_the_running_site(tmp_path):
    with running_site(tmp_path) as site:
        created = site.run("token", "create", "side door")
        assert created.returncode == 0, created.stderr
        assert "token=" in created.stdout
        assert "side door" in site.run("token", "list").stdout
        assert "dlib-resnet" in site.run("pack", "show").stdout
        refused = site.run("pack", "use", "dlib-resnet")
        assert refused.returncode == 1
        assert "Stop it" in refused.stderr
        assert site.run("doctor").returncode == 0


def test_a_killed_site_leaves_no_note_that_misleads_the_command_line(tmp_path):
    with running_site(tmp_path) as site:
        os.kill(site.process.pid, signal.SIGKILL)
        site.process.wait(10)
        time.sleep(1)
        assert (tmp_path / "running.json").exists()
        assert "kiosk 1" in site.run("token", "list").stdout
