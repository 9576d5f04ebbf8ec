"""Whether what runs from a data folder does its work: for the health checks of containers."""

from __future__ import annotations

import urllib.error
import urllib.request
from dataclasses import dataclass

from ray_backend import node_notes, web_app
from ray_backend.node_notes import Note, Role
from ray_backend.settings import Settings

_ANSWERS_WITHIN_S = 5.0


@dataclass(frozen=True, slots=True)
class Health:
    """How one part does, in words."""

    role: Role
    well: bool
    words: str


def look(settings: Settings) -> list[Health]:
    """One entry for each part that runs, or was killed, here; empty when nothing was started."""
    return [Health(note.role, *_judge(settings, note)) for note in node_notes.read_all(settings.data_dir)]


def _judge(settings: Settings, note: Note) -> tuple[bool, str]:
    if note.keeper.find() is None:
        return False, "was killed"
    if not note.ready:
        return False, f"is not ready: {note.says}"
    if note.role is Role.APP:
        signed = web_app.own_certificate(settings)
        return (True, "answers") if web_app.answers(settings, signed) else (False, "does not answer")
    if note.health_url:
        return _asked(note.health_url)
    return True, "runs"


def _asked(url: str) -> tuple[bool, str]:
    try:
        with urllib.request.urlopen(url, timeout=_ANSWERS_WITHIN_S):
            return True, "answers"
    except urllib.error.HTTPError as error:
        return False, f"answers with {error.code} at {url}"
    except (urllib.error.URLError, OSError) as error:
        return False, f"does not answer at {url} ({getattr(error, 'reason', error)})"
