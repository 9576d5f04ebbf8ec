"""A program for the crash tests: writes punches until it is killed, and prints each key it may count on."""

from __future__ import annotations

import sys
from pathlib import Path

from ray_backend.domain.errors import DuplicatePunch
from ray_backend.settings import Settings
from ray_backend.storage import open_store_url
from tests.store_samples import punch


def main(url: str, data_dir: str, keys: str) -> None:
    """Without `keys` endless keys of its own; else keys 0 to that number, which others write too."""
    store = open_store_url(url, Settings(data_dir=Path(data_dir), store_timeout_s=10.0))
    print("ready", flush=True)
    sys.stdin.readline()
    number = 0
    while not keys or number < int(keys):
        one = punch(idempotency_key=str(number)) if keys else punch()
        number += 1
        try:
            store.add_punch(one)
        except DuplicatePunch:
            # It may be ours: written, and the answer lost on the way to a driver that tried again.
            if store.find_punch(one.idempotency_key) != one:
                continue
        print(one.idempotency_key, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
