"""The short way between processes of one machine: what arrives, what fails, and who is kept out."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import pytest

from ray_backend.domain.errors import BackendUnavailable, ImageRejected
from ray_backend.serving import near
from ray_backend.serving.near import NearCalls, NotNear


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch) -> Path:
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(tmp_path))
    return tmp_path / f"rollcall-{os.getuid()}"


def called(*calls: tuple, door: str = "door") -> list:
    """What one process gets for these calls, one after the other."""

    async def run() -> list:
        calling = NearCalls()
        return [(await calling.call(door, *call)).value() for call in calls]

    return asyncio.run(run())


@contextmanager
def door_by_hand(folder: Path, name: str = "door") -> Iterator[socket.socket]:
    """A door at which the test itself lets callers in."""
    folder.mkdir(mode=0o700, exist_ok=True)
    with socket.socket(socket.AF_UNIX) as door:
        door.bind(str(folder / name))
        door.listen()
        yield door


def test_calls_arrive_with_what_they_carry_and_come_back():
    near.open_door("door", {"add": lambda a, b: a + b, "length": len})
    assert called(("add", 1, 2), ("add", "x", "y"), ("length", bytes(5_000_000))) == [3, "xy", 5_000_000]


def test_what_one_call_gave_goes_on_to_another_without_being_unpacked_here():
    near.open_door("first", {"make": lambda: {"a": 1}})
    near.open_door("second", {"look": lambda found, key: found[key]})

    async def run() -> int:
        calling = NearCalls()
        return (await calling.call("second", "look", await calling.call("first", "make"), "a")).value()

    assert asyncio.run(run()) == 1


def test_what_a_call_raises_is_raised_here_and_the_next_one_is_answered():
    def refuse() -> None:
        raise ImageRejected("too dark")

    near.open_door("door", {"refuse": refuse, "go": lambda: 1})

    async def run() -> None:
        calling = NearCalls()
        with pytest.raises(ImageRejected, match="too dark"):
            await calling.call("door", "refuse")
        with pytest.raises(KeyError):
            await calling.call("door", "nothing of this name")
        assert (await calling.call("door", "go")).value() == 1

    asyncio.run(run())


def test_calls_that_last_stand_in_nobodys_way_and_one_that_is_given_up_spoils_no_other():
    gate = threading.Event()
    near.open_door("door", {"wait": lambda: gate.wait(10) and "late", "go": lambda: "now"})

    async def run() -> None:
        calling = NearCalls()
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(calling.call("door", "wait"), 0.1)
        assert (await calling.call("door", "go")).value() == "now"
        waiting = asyncio.create_task(calling.call("door", "wait"))
        assert (await calling.call("door", "go")).value() == "now"
        gate.set()
        assert (await waiting).value() == "late"

    asyncio.run(run())


def test_a_caller_who_could_not_be_let_in_does_not_close_the_door(monkeypatch, caplog):
    class Door(socket.socket):
        full = True

        def accept(self):
            if self.full:
                self.full = False
                raise OSError("too many open files")
            return super().accept()

    monkeypatch.setattr(near, "_PAUSE_S", 0.01)
    monkeypatch.setattr("ray_backend.serving.near.socket.socket", Door)
    near.open_door("door", {"go": lambda: 1})
    assert called(("go",)) == [1]
    assert "could not be let in" in caplog.text


def test_without_a_door_nothing_is_sent():
    with pytest.raises(NotNear):
        called(("go",), door="of another machine")


def test_a_call_whose_actor_dies_is_told_and_the_way_is_gone(folder):
    with door_by_hand(folder) as dying:

        async def run() -> None:
            calling = NearCalls()
            call = asyncio.create_task(calling.call("door", "go"))
            visitor, _ = await asyncio.to_thread(dying.accept)
            await asyncio.to_thread(visitor.recv, 1)
            visitor.close()
            with pytest.raises(BackendUnavailable):
                await call
            dying.close()
            with pytest.raises(NotNear):
                await calling.call("door", "go")

        asyncio.run(run())


def test_a_connection_that_broke_while_nobody_used_it_is_replaced(folder):
    with door_by_hand(folder) as old:

        async def run() -> None:
            calling = NearCalls()
            call = asyncio.create_task(calling.call("door", "go"))
            visitor, _ = await asyncio.to_thread(old.accept)
            with near.Connection(visitor.detach()) as connection:
                message = await asyncio.to_thread(connection.recv_bytes)
                connection.send_bytes(near._answer(message, {"go": lambda: "old"}))
            assert (await call).value() == "old"
            near.open_door("door", {"go": lambda: "new"})
            await asyncio.sleep(0.05)
            assert (await calling.call("door", "go")).value() == "new"

        asyncio.run(run())


def test_a_stopped_process_holds_up_nobody_who_starts(folder):
    near.open_door("alive", {})
    with socket.socket(socket.AF_UNIX) as stopped, ExitStack() as waiting:
        stopped.bind(str(folder / "stopped"))
        stopped.listen(0)
        with suppress(BlockingIOError):
            while True:
                caller = waiting.enter_context(socket.socket(socket.AF_UNIX))
                caller.setblocking(False)
                caller.connect(str(folder / "stopped"))
        opening = threading.Thread(target=near.open_door, args=("new", {}), daemon=True)
        opening.start()
        opening.join(5)
        assert not opening.is_alive()
    assert {"alive", "new", "stopped"} <= {door.name for door in folder.iterdir()}


def test_doors_of_killed_processes_are_removed_and_others_stay(folder):
    near.open_door("alive", {})
    with socket.socket(socket.AF_UNIX) as killed:
        killed.bind(str(folder / "killed"))
    near.open_door("new", {})
    assert sorted(door.name for door in folder.iterdir()) == ["alive", "lock", "new"]


OPEN_ONE = """
import sys, tempfile
tempfile.gettempdir = lambda: sys.argv[1]
from ray_backend.serving import near
sys.stdin.readline()
near.open_door(sys.argv[2], {"go": lambda: sys.argv[2]})
print("open", flush=True)
sys.stdin.readline()
"""


def test_processes_that_open_their_doors_at_once_do_not_take_each_others_away(folder):
    names = [f"door-{number}" for number in range(6)]
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", OPEN_ONE, str(folder.parent), name],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for name in names
    ]
    try:
        for process in processes:
            process.stdin.write("go\n")
            process.stdin.flush()
        assert [process.stdout.readline() for process in processes] == ["open\n"] * len(names)
        assert [called(("go",), door=name) for name in names] == [[name] for name in names]
    finally:
        for process in processes:
            process.kill()
            process.communicate()


def test_no_more_calls_are_under_way_than_are_allowed():
    most, inside, lock = [], [], threading.Lock()

    def work() -> None:
        with lock:
            inside.append(1)
            most.append(len(inside))
        time.sleep(0.02)
        with lock:
            inside.pop()

    near.open_door("door", {"work": work}, at_once=2)

    async def run() -> None:
        calling = NearCalls()
        await asyncio.gather(*(calling.call("door", "work") for _ in range(8)))

    asyncio.run(run())
    assert max(most) == 2
    assert len(most) == 8


class _Odd(Exception):
    def __init__(self, one: str, other: str) -> None:
        super().__init__(one + other)


def test_an_error_that_cannot_travel_is_told_in_words_and_the_next_call_is_answered(caplog):
    def fail() -> None:
        raise _Odd("too ", "odd")

    near.open_door("door", {"fail": fail, "go": lambda: 1})

    async def run() -> None:
        calling = NearCalls()
        with pytest.raises(RuntimeError, match="too odd"):
            await calling.call("door", "fail")
        assert (await calling.call("door", "go")).value() == 1

    asyncio.run(run())
    assert "cannot be sent" in caplog.text


def test_connections_to_actors_that_are_gone_do_not_pile_up(folder):
    async def run() -> None:
        calling = NearCalls()
        for number in range(5):
            with door_by_hand(folder, f"door-{number}") as door:
                call = asyncio.create_task(calling.call(f"door-{number}", "go"))
                visitor, _ = await asyncio.to_thread(door.accept)
            with near.Connection(visitor.detach()) as connection:
                message = await asyncio.to_thread(connection.recv_bytes)
                connection.send_bytes(near._answer(message, {"go": lambda: 1}))
                await call
            await asyncio.sleep(0.05)
        with pytest.raises(NotNear):
            await calling.call("nowhere", "go")
        assert not calling._idle

    asyncio.run(run())


def test_a_door_is_opened_only_where_no_other_user_may_enter(folder):
    near.open_door("door", {"go": lambda: 1})
    assert folder.stat().st_mode & 0o777 == 0o700
    folder.chmod(0o755)
    with pytest.raises(NotNear, match="not this user's alone"):
        near.open_door("other", {})
    with pytest.raises(NotNear):
        called(("go",))


def test_a_folder_that_somebody_else_made_is_not_used(folder):
    elsewhere = folder.parent / "elsewhere"
    elsewhere.mkdir(mode=0o700)
    folder.symlink_to(elsewhere)
    with pytest.raises(NotNear):
        near.open_door("door", {})


def test_outside_of_ray_there_is_no_door(folder):
    near.open_own_door({"go": lambda: 1})
    assert not folder.exists()
