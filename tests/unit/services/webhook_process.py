"""A process that sends what waits, for a test that kills it: arguments are the database and nothing else."""

from __future__ import annotations

import sys
from pathlib import Path

from ray_backend.clock import SystemClock
from ray_backend.settings import Settings
from ray_backend.storage import open_store
from tests.unit.services.webhook_stage import service_of

if __name__ == "__main__":
    store = open_store(Settings(store=f"sqlite:///{Path(sys.argv[1]).as_posix()}"))
    service_of(store, SystemClock())._courier.round()
