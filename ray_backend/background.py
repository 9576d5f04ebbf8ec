"""Starting a command of Rollcall in the background, and ending what was started so."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import psutil

from ray_backend import node_notes
from ray_backend.domain.errors import Unavailable
from ray_backend.node_notes import Note, Role
from ray_backend.settings import Settings
from ray_backend.supervisor import Stopped, stop_on_signals

_LOOK_AGAIN_S = 0.2
# Longer than what it takes to end Ray, so that nothing has to be killed here that ends by itself.
_ENDS_WITHIN_S = 20.0

Say = Callable[[str], None]


def start(settings: Settings, role: Role, arguments: Sequence[str], say: Say) -> None:
    """Runs `rollcall` with these arguments in the background; returns when it is ready, or waits for
    something outside this machine by itself. What it says is said here, too.

    Raises Unavailable with its last words when it ends before.
    """
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    log = settings.data_dir / f"cluster-{role}.log"
    log.touch(mode=0o600)
    begin = log.stat().st_size
    process = _detached([sys.executable, "-m", "ray_backend.cli", *arguments], log)
    try:
        with stop_on_signals():
            _follow(process, settings.data_dir, role, say)
    except Stopped:
        process.terminate()
        process.wait()
        raise
    if process.poll() is not None:
        raise Unavailable(_last_words(log, begin))


def _follow(process: subprocess.Popen, data_dir: Path, role: Role, say: Say) -> None:
    """Says what the process says in its note, until that says that it is ready, or the process ends."""
    said = ""
    while process.poll() is None:
        note = node_notes.read(data_dir, role)
        if note and note.keeper.pid == process.pid:
            if note.says != said:
                said = note.says
                say(said)
            if note.ready:
                return
        time.sleep(_LOOK_AGAIN_S)


def _detached(command: Sequence[str], log: Path) -> subprocess.Popen:
    with log.open("ab") as output:
        return subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True
        )


def _last_words(log: Path, begin: int) -> str:
    """What an ended command wrote last, without the kind of error before it."""
    with log.open(encoding="utf-8", errors="replace") as file:
        file.seek(begin)
        lines = [line.strip() for line in file if line.strip()]
    kind, colon, rest = (lines or ["It ended without a word."])[-1].partition(": ")
    return rest if colon and kind.isidentifier() else f"{kind}{colon}{rest}"


def stop(data_dir: Path, say: Say) -> None:
    """Ends what runs of a cluster from this data folder, and nothing else: the processes in the notes
    and those that they started."""
    notes = [note for role in (Role.WORKER, Role.HEAD) if (note := node_notes.read(data_dir, role))]
    living = [note for note in notes if note.processes()]
    if not living:
        say(f"Nothing of a cluster runs from the data folder {data_dir}.")
    for note in living:
        say(f"Ending the {note.role} of the cluster at {note.address}")
        _end(note)
        node_notes.remove(data_dir, note.role)
    if living:
        say("It has ended. Everything recorded is kept.")


def _end(note: Note) -> None:
    from ray_backend.cluster_node import end_ray

    keeper = note.keeper.find()
    if keeper and keeper.pid != os.getpid():
        keeper.terminate()
        try:
            keeper.wait(_ENDS_WITHIN_S)
        except psutil.TimeoutExpired:
            keeper.kill()
    ray = note.ray.find() if note.ray else None
    if ray:
        # Its keeper was killed, or does not end.
        end_ray(ray)
