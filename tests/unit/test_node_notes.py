"""The notes of what runs: found, told from other processes of the same number, and judged."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace

import pytest

from ray_backend import background, node_health, node_notes
from ray_backend.domain.errors import Conflict, Unavailable
from ray_backend.node_notes import Note, NoteFile, ProcessId, Role
from ray_backend.settings import Settings

ME = ProcessId.of(os.getpid())
SLEEP = [sys.executable, "-c", "import time; time.sleep(60)"]


@pytest.fixture
def sleeper():
    """A process of this test's own."""
    process = subprocess.Popen(SLEEP)
    yield process
    process.kill()
    process.wait()


def test_a_note_is_found_as_it_was_written_and_only_its_owner_reads_it(tmp_path):
    note = NoteFile(tmp_path, Note(Role.HEAD, ME, "10.0.0.5:6379"))
    note.change(says="Starting Ray", ray=ME)
    assert node_notes.read(tmp_path, Role.HEAD) == note.note
    (file,) = tmp_path.iterdir()
    assert file.stat().st_mode & 0o077 == 0
    note.remove()
    assert node_notes.read_all(tmp_path) == []


def test_a_later_process_of_the_same_number_is_another_one():
    assert ME.find().pid == os.getpid()
    assert replace(ME, started=ME.started - 1).find() is None


def test_an_ended_process_that_nobody_has_asked_for_is_gone(sleeper):
    found = ProcessId.of(sleeper.pid)
    sleeper.kill()
    os.waitid(os.P_PID, sleeper.pid, os.WEXITED | os.WNOWAIT)
    assert found.find() is None


def test_a_second_head_of_one_folder_is_refused_and_a_killed_one_is_no_obstacle(tmp_path, sleeper):
    NoteFile(tmp_path, Note(Role.HEAD, ProcessId.of(sleeper.pid)))
    with pytest.raises(Conflict, match="rollcall cluster stop"):
        NoteFile(tmp_path, Note(Role.HEAD, ME))
    NoteFile(tmp_path, Note(Role.WORKER, ME))
    sleeper.kill()
    sleeper.wait()
    NoteFile(tmp_path, Note(Role.HEAD, ME))


@pytest.mark.parametrize("text", ["", "{", "{}", '{"role": "king"}'])
def test_half_a_note_is_no_note(tmp_path, text):
    (tmp_path / "running-head.json").write_text(text)
    assert node_notes.read(tmp_path, Role.HEAD) is None


def health(tmp_path, **about) -> tuple[bool, str]:
    node_notes.remove(tmp_path, Role.HEAD)
    NoteFile(tmp_path, Note(Role.HEAD, **{"keeper": ME} | about))
    (found,) = node_health.look(Settings(data_dir=tmp_path))
    return found.well, found.words


def test_what_is_starting_was_killed_or_does_not_answer_is_not_well(tmp_path):
    assert health(tmp_path, says="Starting Ray") == (False, "is not ready: Starting Ray")
    assert health(tmp_path, ready=True) == (True, "runs")
    well, words = health(tmp_path, ready=True, health_url="http://127.0.0.1:9/health/ready")
    assert not well
    assert "does not answer" in words
    assert health(tmp_path, keeper=replace(ME, started=1.0)) == (False, "was killed")


def test_stopping_ends_what_the_note_names_and_nothing_else(tmp_path, sleeper):
    other = subprocess.Popen(SLEEP)
    ended = ProcessId.of(sleeper.pid)
    said: list[str] = []
    try:
        NoteFile(tmp_path, Note(Role.WORKER, ended, "10.0.0.5:6379"))
        NoteFile(tmp_path, Note(Role.HEAD, replace(ProcessId.of(other.pid), started=1.0)))
        background.stop(tmp_path, said.append)
        assert ended.find() is None
        assert other.poll() is None
    finally:
        other.kill()
        other.wait()
    assert said[0] == "Ending the worker of the cluster at 10.0.0.5:6379"
    assert node_notes.read(tmp_path, Role.WORKER) is None


def test_where_nothing_runs_stopping_says_so(tmp_path):
    said: list[str] = []
    background.stop(tmp_path, said.append)
    assert "Nothing of a cluster runs" in said[0]


def test_what_ends_in_the_background_hands_on_its_last_words(tmp_path):
    (tmp_path / "cluster-worker.log").write_text("older: words\n")
    said: list[str] = []
    command = ["cluster", "start", "worker", "nonsense", "--block"]
    with pytest.raises(Unavailable) as ended:
        background.start(Settings(data_dir=tmp_path), Role.WORKER, command, said.append)
    assert ended.value.message == "nonsense is no address of a head. One looks like 10.0.0.5:6379."
    assert said == []
