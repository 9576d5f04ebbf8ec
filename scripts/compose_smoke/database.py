"""The database's own word on which punches there are, read past Rollcall."""

from __future__ import annotations

import json
from collections import Counter

from scripts.compose_smoke.containers import Project

# Runs on the head, which alone reaches the database.
_READ = """
import json, os
from pymongo import MongoClient
client = MongoClient(os.environ["ROLLCALL_STORE"], serverSelectionTimeoutMS=20000)
found = client.get_default_database().punches.find({}, {"_id": 0, "punch_id": 1, "idempotency_key": 1})
print(json.dumps([[one["punch_id"], one["idempotency_key"]] for one in found]))
"""
_DATABASE_ACTOR_PID = """
import psutil
found = [one.pid for one in psutil.process_iter() if "ray::DatabaseActor" in " ".join(one.cmdline()[:1])]
print(found[0] if found else 0)
"""
_KILL = "import os, signal; os.kill({pid}, signal.SIGKILL)"


def punches(project: Project) -> list[tuple[str, str]]:
    """Id and idempotency key of every punch."""
    return [tuple(one) for one in json.loads(project.run_python("ray-head", _READ))]


def compare(acknowledged: set[str], stored: list[tuple[str, str]]) -> list[str]:
    """What is wrong, in words; empty when every acknowledged punch is stored once."""
    ids, keys = Counter(one for one, _ in stored), Counter(key for _, key in stored)
    wrong = [f"punch {one} was acknowledged and is not in the database" for one in acknowledged - set(ids)]
    wrong += [f"punch {one} is in the database {times} times" for one, times in ids.items() if times > 1]
    return wrong + [f"check-in {key} was recorded {times} times" for key, times in keys.items() if times > 1]


def kill_database_actor(project: Project) -> int:
    """kill -9 of its process on the head; returns which it was, 0 for none."""
    pid = int(project.run_python("ray-head", _DATABASE_ACTOR_PID))
    if pid:
        project.run_python("ray-head", _KILL.format(pid=pid))
    return pid
