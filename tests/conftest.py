"""What holds for every test."""

from __future__ import annotations

import pytest

from ray_backend.services import reach


@pytest.fixture(autouse=True)
def _patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """A fake database on a crowded machine is slow, not away; tests of outages say their own patience."""
    monkeypatch.setattr(reach, "PATIENCE_S", 10.0)
