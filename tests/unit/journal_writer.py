"""A program for the journal's crash test: appends punches until it is killed, and prints each key it may
count on. Every third punch is delivered at once, so that marks and rewriting happen, too."""

from __future__ import annotations

import sys
from pathlib import Path

from ray_backend.storage import journal
from tests.store_samples import punch


def main(folder: str) -> None:
    """Writes into the folder; the file is rewritten every few records."""
    journal.REWRITE_BYTES = 2000
    kept = journal.FileJournal(Path(folder))
    print("ready", flush=True)
    number = 0
    while True:
        number += 1
        one = punch(number)
        kept.append(one)
        print("kept", one.punch_id, flush=True)
        if number % 3 == 0:
            oldest = kept.pending()[0].punch_id
            print("delivering", oldest, flush=True)
            kept.delivered(oldest)


if __name__ == "__main__":
    main(*sys.argv[1:])
