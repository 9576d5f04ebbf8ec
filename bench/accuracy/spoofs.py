"""Liveness: attacks that are taken for living people (APCER) and living people who are refused (BPCER)."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any


def measure() -> dict[str, Any]:
    """`rows` for each mode and kind of attack, and a `note` on what they rest on."""
    if find_spec("bench.liveness") is None:
        return {"rows": [], "note": "Liveness was not measured: bench/liveness.py is not there."}
    return {"rows": [], "note": "Run python -m bench.liveness for APCER and BPCER."}
