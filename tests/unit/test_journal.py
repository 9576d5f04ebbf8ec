"""The journal: what it acknowledged is there after kill -9, torn writes, damage and a full disk."""

from __future__ import annotations

import logging
import os
import random
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ray_backend.domain.errors import StoreUnavailable
from ray_backend.domain.model import Liveness
from ray_backend.storage import journal, journal_file
from ray_backend.storage.journal import FILE, FileJournal
from tests.store_samples import punch

ROOT = Path(__file__).parents[2]
ROUNDS = 5


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "data" / "journal"


def reopened(kept: FileJournal, folder: Path) -> FileJournal:
    """As the next process finds it."""
    kept.close()
    return FileJournal(folder, wait_s=0)


def damaged(folder: Path) -> list[bytes]:
    return [path.read_bytes() for path in sorted(folder.glob("damaged-*"))]


def filled(folder: Path, count: int) -> tuple[FileJournal, list]:
    kept, punches = FileJournal(folder), [punch(minute) for minute in range(count)]
    for one in punches:
        kept.append(one)
    return kept, punches


def test_punches_come_back_as_they_were_in_order(folder):
    kept, punches = filled(folder, 3)
    assert (kept.pending(), len(kept)) == (punches, 3)
    again = reopened(kept, folder)
    assert again.pending() == punches
    assert again.pending()[0].receipt.liveness_outcome is Liveness.LIVE
    again.close()


def test_nobody_else_may_read_the_file(folder):
    kept, _ = filled(folder, 1)
    assert folder.stat().st_mode & 0o777 == 0o700
    assert (folder / FILE).stat().st_mode & 0o777 == 0o600
    kept.close()


def test_an_unused_journal_touches_no_disk(folder):
    FileJournal(folder)
    assert not folder.exists()


def test_a_delivered_punch_is_forgotten_for_good_and_the_last_one_takes_the_file_along(folder):
    kept, (first, second) = filled(folder, 2)
    kept.delivered(first.punch_id)
    kept.delivered("never seen")
    again = reopened(kept, folder)
    assert again.pending() == [second]
    again.delivered(second.punch_id)
    assert (len(again), (folder / FILE).exists()) == (0, False)
    third = punch(9)
    again.append(third)
    assert reopened(again, folder).pending() == [third]


def test_a_long_file_is_rewritten_without_what_was_delivered(folder, monkeypatch):
    monkeypatch.setattr(journal, "REWRITE_BYTES", 4000)
    kept, punches = filled(folder, 40)
    full = (folder / FILE).stat().st_size
    for one in punches[:38]:
        kept.delivered(one.punch_id)
    assert (folder / FILE).stat().st_size < full / 4
    assert reopened(kept, folder).pending() == punches[38:]


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_a_file_cut_off_anywhere_gives_every_whole_punch(tmp_path_factory, data):
    folder = tmp_path_factory.mktemp("journal")
    kept, punches = filled(folder, 3)
    kept.close()
    whole = (folder / FILE).read_bytes()
    ends = [entry.start + len(entry.data) for entry in journal_file.from_bytes(whole)]
    cut = data.draw(st.integers(0, len(whole)))
    (folder / FILE).write_bytes(whole[:cut])
    again = FileJournal(folder, wait_s=0)
    complete = sum(end <= cut for end in ends)
    assert again.pending() == punches[:complete]
    assert b"".join(damaged(folder)) == whole[([0, *ends])[complete] : cut]
    again.append(punches[0] if not complete else punch(99))
    assert len(reopened(again, folder)) == complete + 1


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_a_byte_changed_anywhere_costs_one_punch_which_is_kept_aside(tmp_path_factory, data):
    folder = tmp_path_factory.mktemp("journal")
    kept, punches = filled(folder, 4)
    kept.close()
    whole = bytearray((folder / FILE).read_bytes())
    entries = list(journal_file.from_bytes(bytes(whole)))
    position = data.draw(st.integers(0, len(whole) - 1))
    whole[position] ^= data.draw(st.integers(1, 255))
    (folder / FILE).write_bytes(whole)
    hit = max(number for number, entry in enumerate(entries) if entry.start <= position)
    again = FileJournal(folder, wait_s=0)
    assert again.pending() == punches[:hit] + punches[hit + 1 :]
    start = entries[hit].start
    assert damaged(folder) == [bytes(whole[start : start + len(entries[hit].data)])]
    assert reopened(again, folder).pending() == punches[:hit] + punches[hit + 1 :]
    assert len(damaged(folder)) == 1


def test_damage_is_said_in_the_log(folder, caplog):
    kept, _ = filled(folder, 4)
    kept.close()
    whole = bytearray((folder / FILE).read_bytes())
    middle = list(journal_file.from_bytes(bytes(whole)))[1]
    whole[middle.start + 20] ^= 1
    (folder / FILE).write_bytes(whole[:-1])
    FileJournal(folder)
    assert [record.levelno for record in caplog.records] == [logging.ERROR, logging.WARNING]
    assert "punches may be lost" in caplog.text
    assert "cut off" in caplog.text


def test_a_record_of_another_rollcall_is_kept_aside(folder):
    kept, punches = filled(folder, 1)
    kept.close()
    foreign = journal_file.to_bytes({"punch": {"at": "tomorrow"}})
    with (folder / FILE).open("ab") as file:
        file.write(foreign)
    assert FileJournal(folder).pending() == punches
    assert damaged(folder) == [foreign]


def test_a_full_disk_is_unavailable_and_leaves_no_half_record(folder, monkeypatch):
    kept, punches = filled(folder, 1)
    size = (folder / FILE).stat().st_size

    def full(descriptor, data):
        os.write(descriptor, data[: len(data) // 2])
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(journal_file, "write_all", full)
        with pytest.raises(StoreUnavailable, match="No space left"):
            kept.append(punch(5))
    assert (kept.pending(), (folder / FILE).stat().st_size) == (punches, size)
    kept.append(punch(6))
    assert len(reopened(kept, folder)) == 2
    assert damaged(folder) == []


def test_a_folder_that_cannot_be_written_is_unavailable(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StoreUnavailable, match="journal"):
        FileJournal(tmp_path / "file").append(punch())


def test_a_second_process_gets_a_clear_error_and_the_folder_when_the_first_is_done(folder):
    first, (one,) = filled(folder, 1)
    with pytest.raises(StoreUnavailable, match="Another Rollcall"):
        FileJournal(folder, wait_s=0.1)
    first.delivered(one.punch_id)
    second = FileJournal(folder, wait_s=0)
    second.append(punch())
    with pytest.raises(StoreUnavailable, match="Another Rollcall"):
        first.append(punch())
    second.close()


def test_a_successor_waits_for_a_dying_predecessor(folder):
    first, punches = filled(folder, 1)
    threading.Timer(0.3, first.close).start()
    started = time.monotonic()
    second = FileJournal(folder, wait_s=10)
    assert second.pending() == punches
    assert time.monotonic() - started < 5
    second.close()


def test_several_threads_append_at_once(folder):
    kept = FileJournal(folder)
    groups = [[punch(minute) for minute in range(10)] for _ in range(6)]
    threads = [threading.Thread(target=lambda g=group: [kept.append(one) for one in g]) for group in groups]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = reopened(kept, folder).pending()
    assert len(found) == 60
    for group in groups:
        assert [one for one in found if one in group] == group


def test_what_was_acknowledged_survives_kill_9_at_any_moment(folder):
    kept: dict[str, None] = {}
    maybe_gone: set[str] = set()
    for _ in range(ROUNDS):
        for line in acknowledged_until_killed(folder):
            word, punch_id = line.split()
            if word == "kept":
                kept[punch_id] = None
            else:
                maybe_gone.add(punch_id)
        there = FileJournal(folder, wait_s=5)
        found = [one.punch_id for one in there.pending()]
        there.close()
        assert [punch_id for punch_id in kept if punch_id not in maybe_gone and punch_id not in found] == []
        order = [punch_id for punch_id in found if punch_id in kept]
        assert order == [punch_id for punch_id in kept if punch_id in found]
    assert len(kept) > 10 * ROUNDS


def acknowledged_until_killed(folder: Path) -> list[str]:
    """The whole lines that a writer printed before it was killed after a random time."""
    writer = subprocess.Popen(
        [sys.executable, "-m", "tests.unit.journal_writer", str(folder)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    assert writer.stdout.readline() == "ready\n"
    first = [writer.stdout.readline() for _ in range(30)]
    time.sleep(random.uniform(0, 0.1))
    writer.kill()
    rest, _ = writer.communicate()
    lines = "".join(first) + rest
    return lines[: lines.rfind("\n") + 1].splitlines()


def test_a_disk_that_takes_something_is_found_without_leaving_anything(tmp_path):
    journal = FileJournal(tmp_path / "journal")
    journal.check()
    assert list((tmp_path / "journal").iterdir()) == []


def test_a_disk_that_takes_nothing_is_found(tmp_path):
    (tmp_path / "journal").write_text("no folder")
    with pytest.raises(StoreUnavailable, match="Check the disk"):
        FileJournal(tmp_path / "journal" / "inside").check()
