"""Where the processor's time went: seconds of each kind of process of a running system."""

from __future__ import annotations

import re
from collections import Counter

import psutil

# Ray names its workers `ray::FaceEmbeddingActor.analyse_batch` while they work, and without the method
# while they wait.
_RAY_WORKER = re.compile(r"ray::(?:ServeReplica:)?([\w:]+)")
_KNOWN = ("haproxy", "raylet", "gcs_server", "streamlit_app", "naive_server", "ray_backend.cli")


def seconds_by_kind(pid: int) -> Counter[str]:
    """Processor seconds so far of a process and all below it, by what they are."""
    found: Counter[str] = Counter()
    for process in _family(pid):
        try:
            times = process.cpu_times()
            found[_kind(process)] += times.user + times.system
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
    return found


def _family(pid: int) -> list[psutil.Process]:
    try:
        parent = psutil.Process(pid)
        return [parent, *parent.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def _kind(process: psutil.Process) -> str:
    command = " ".join(process.cmdline())
    worker = _RAY_WORKER.match(command)
    if worker:
        return worker[1]
    return next((name for name in _KNOWN if name in command), "other")


def ms_per_request(before: Counter[str], after: Counter[str], requests: int) -> dict[str, float]:
    """Milliseconds of each kind for a request, largest first; what cost less than 5 µs is left out."""
    spent = {kind: 1000 * (after[kind] - before[kind]) / max(1, requests) for kind in after}
    ordered = sorted(spent.items(), key=lambda item: -item[1])
    return {kind: round(ms, 3) for kind, ms in ordered if ms >= 0.005}
