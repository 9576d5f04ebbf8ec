"""The note that a running `rollcall up` leaves in the data folder, so that other commands find it."""

from __future__ import annotations

import json
import os
from pathlib import Path

_NAME = "running.json"


def write(data_dir: Path, ray_address: str) -> None:
    """Notes the Ray address of this process."""
    note = {"pid": os.getpid(), "ray_address": ray_address}
    (data_dir / _NAME).write_text(json.dumps(note))


def remove(data_dir: Path) -> None:
    """Takes the note away."""
    (data_dir / _NAME).unlink(missing_ok=True)


def running_address(data_dir: Path) -> str:
    """The Ray address of the running Rollcall, or an empty string. A note left by a killed one counts
    for nothing."""
    try:
        note = json.loads((data_dir / _NAME).read_text())
        os.kill(note["pid"], 0)
    except (FileNotFoundError, ProcessLookupError, PermissionError, json.JSONDecodeError):
        return ""
    return note["ray_address"]
