"""Calls between processes of one machine that go past Ray, which takes a millisecond or more for each.

An actor opens a door beside Ray's: a Unix socket named after its actor id, in a folder that only this user
may enter, so that pickles are safe here. Whoever does not find the door, because the actor is on another
machine or in another container, calls through Ray as always.
"""

from __future__ import annotations

import asyncio
import logging
import os
import pickle
import socket
import stat
import struct
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import ray

from ray_backend.domain.errors import BackendUnavailable

log = logging.getLogger(__name__)

Calls = Mapping[str, Callable[..., Any]]

# Before each message stands its length, as `multiprocessing.connection.Connection` writes it.
_LENGTH = struct.Struct("!i")
# The first byte of a reply.
_DONE, _FAILED = b"\x00", b"\x01"
_PAUSE_S = 1.0
# In the folder of the doors, beside them.
_LOCK = "lock"
_LOST = "The recognition service was interrupted. It restarts by itself; try again in a few seconds."


class NotNear(Exception):
    """There is no such door on this machine."""


class Lost(BackendUnavailable):
    """The actor died before it answered."""


def open_own_door(calls: Calls, at_once: int | None = None) -> None:
    """Answers these calls, by name, from now on: for an actor, once it is ready for them.

    With `at_once` no more calls than that are under way; the others wait.
    """
    if not ray.is_initialized():
        return
    try:
        open_door(ray.get_runtime_context().get_actor_id(), calls, at_once)
    except (NotNear, OSError) as error:
        log.warning("The short way to this actor cannot be opened, so calls go through Ray: %s", error)


def open_door(actor_id: str, calls: Calls, at_once: int | None = None) -> None:
    """The same under any id. Raises NotNear where there are no doors, and OSError.

    Each connection has a thread of its own, which inherits the caller's priority.
    """
    limit = nullcontext() if at_once is None else threading.BoundedSemaphore(at_once)
    folder = _folder()
    with _alone_in(folder):
        _sweep(folder)
        door = socket.socket(socket.AF_UNIX)
        # Whoever finds it under its name must not find it closed.
        draft = folder / f"{actor_id}.new"
        draft.unlink(missing_ok=True)
        door.bind(str(draft))
        door.listen()
        draft.rename(folder / actor_id)
    threading.Thread(target=_welcome, args=(door, calls, limit), daemon=True, name="door").start()


@dataclass(frozen=True, slots=True)
class Packed:
    """What a call gave. Handed on in another call it arrives there as the value, and is not unpacked here."""

    reply: bytes

    def value(self) -> Any:
        """The value itself."""
        return pickle.loads(memoryview(self.reply)[len(_DONE) :])


class NearCalls:
    """Calls at the doors of this machine's actors. Lives in one event loop."""

    def __init__(self) -> None:
        self._idle: dict[str, list[tuple[asyncio.StreamReader, asyncio.StreamWriter]]] = defaultdict(list)

    async def call(self, actor_id: str, name: str, *args: Any, **kwargs: Any) -> Packed:
        """What the call gives. Raises NotNear before anything was sent, BackendUnavailable when the actor
        died meanwhile, and what the call raised."""
        reader, writer = await self._connection(actor_id)
        message = pickle.dumps((name, args, kwargs), pickle.HIGHEST_PROTOCOL)
        try:
            writer.write(_LENGTH.pack(len(message)))
            writer.write(message)
            (length,) = _LENGTH.unpack(await reader.readexactly(_LENGTH.size))
            reply = await reader.readexactly(length)
        except (OSError, asyncio.IncompleteReadError) as broken:
            writer.transport.abort()
            raise Lost(_LOST) from broken
        except BaseException:
            # The answer to this call would be taken for the one to the next.
            writer.transport.abort()
            raise
        self._idle[actor_id].append((reader, writer))
        if reply.startswith(_FAILED):
            raise pickle.loads(reply[len(_FAILED) :])
        return Packed(reply)

    async def _connection(self, actor_id: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        self._drop_the_dead()
        if self._idle.get(actor_id):
            return self._idle[actor_id].pop()
        try:
            return await asyncio.open_unix_connection(str(_folder() / actor_id))
        except OSError as error:
            raise NotNear(f"nobody answers for {actor_id} here") from error

    def _drop_the_dead(self) -> None:
        """Closes what leads to actors that are gone, which may never be called again."""
        for actor_id, connections in list(self._idle.items()):
            for reader, writer in connections:
                if reader.at_eof():
                    writer.close()
            self._idle[actor_id] = [one for one in connections if not one[0].at_eof()]
            if not self._idle[actor_id]:
                del self._idle[actor_id]


def _folder() -> Path:
    """Where this user's doors are. Raises NotNear where there can be none."""
    if not hasattr(socket, "AF_UNIX"):
        raise NotNear("this system has no Unix sockets")
    folder = Path(tempfile.gettempdir()) / f"rollcall-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
        raise NotNear(f"{folder} is not this user's alone")
    return folder


@contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """One process at a time: a door that is just being opened looks like one of a killed process."""
    import fcntl  # which not every system has

    with (folder / _LOCK).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _sweep(folder: Path) -> None:
    """Removes the doors of processes that were killed."""
    for door in folder.iterdir():
        if door.name == _LOCK:
            continue
        with socket.socket(socket.AF_UNIX) as visitor, suppress(OSError):
            # A process that was stopped lets nobody in, and must not hold up who starts.
            visitor.setblocking(False)
            try:
                visitor.connect(str(door))
            except ConnectionRefusedError:
                door.unlink()


def _welcome(door: socket.socket, calls: Calls, limit: AbstractContextManager[Any]) -> None:
    while True:
        try:
            visitor, _ = door.accept()
        except OSError:
            # Whoever waits at a door that nobody opens any more would wait until its time is up.
            log.exception("a caller could not be let in; others will be")
            time.sleep(_PAUSE_S)
            continue
        connection = Connection(visitor.detach())
        threading.Thread(target=_serve, args=(connection, calls, limit), daemon=True, name="near").start()


def _serve(connection: Connection, calls: Calls, limit: AbstractContextManager[Any]) -> None:
    # Whoever called may be gone by the time of the answer.
    with connection, suppress(EOFError, OSError):
        while True:
            message = connection.recv_bytes()
            with limit:
                reply = _answer(message, calls)
            connection.send_bytes(reply)


def _answer(message: bytes, calls: Calls) -> bytes:
    try:
        name, args, kwargs = pickle.loads(message)
        unpacked = (arg.value() if isinstance(arg, Packed) else arg for arg in args)
        return _DONE + pickle.dumps(calls[name](*unpacked, **kwargs), pickle.HIGHEST_PROTOCOL)
    except Exception as error:  # noqa: BLE001 whatever it is, the caller has to hear it
        return _FAILED + _packed_error(error)


def _packed_error(error: Exception) -> bytes:
    """Rollcall's own errors arrive as they are; those of libraries may know no way to travel."""
    try:
        packed = pickle.dumps(error, pickle.HIGHEST_PROTOCOL)
        pickle.loads(packed)
    except Exception:
        log.exception("this error cannot be sent as it is: %r", error)
        return pickle.dumps(RuntimeError(repr(error)))
    return packed
