"""The load generator as a process of its own, so that its Python does not hold up the bench's.

It shares the cores with what it measures, and interrupts that as little as clients on other machines would.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import resource
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from multiprocessing.connection import Connection as Pipe
from types import TracebackType
from typing import Any

import uvloop

from bench import load_loops
from bench.http_client import Shot, Target
from bench.load_loops import Measurement
from ray_backend.serving.environment import interrupt_nobody

WARMUP_S = 1.0


class LoadProcess:
    """Sends load when it is told to; see `load_loops` for the two kinds."""

    def __init__(self, shots: Sequence[Shot]) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs, list(shots)), daemon=True)
        self._process.start()
        theirs.close()

    def closed(self, target: Target, clients: int, seconds: float, warmup_s: float = WARMUP_S) -> Measurement:
        """A number of clients that wait for their answers."""
        return self._told("closed", target, {"clients": clients, "seconds": seconds, "warmup_s": warmup_s})

    def opened(self, target: Target, phases: Sequence[tuple[float, float]]) -> list[Measurement]:
        """For each `(rate, seconds)` a fixed number of requests a second."""
        return self._told("opened", target, {"phases": list(phases)})

    def _told(self, kind: str, target: Target, how: dict[str, Any]) -> Any:
        self._pipe.send((kind, target, how))
        return self._pipe.recv()

    def stop(self) -> None:
        self._pipe.close()
        self._process.join(10)

    def __enter__(self) -> LoadProcess:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def _serve(pipe: Pipe, shots: list[Shot]) -> None:
    _allow_many_sockets()
    interrupt_nobody()
    while True:
        try:
            kind, target, how = pipe.recv()
        except EOFError:
            return
        run = partial(getattr(load_loops, kind), target, shots, **how)
        pipe.send(uvloop.run(run()))


def _allow_many_sockets() -> None:
    """A thousand clients need more than the thousand files that many systems allow at first."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


class _Nothing(asyncio.Protocol):
    """Reads requests of a known length and gives each the same answer."""

    def __init__(self, request_end: bytes, answer: bytes) -> None:
        self._end, self._answer = request_end, answer

    def connection_made(self, transport: asyncio.Transport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        # The last two bytes of a JPEG do not stand in its middle.
        if data.endswith(self._end):
            self._transport.write(self._answer)


@contextmanager
def server_that_does_nothing(answer: bytes) -> Iterator[str]:
    """Its URL. What the load generator reaches against it is what it can do at all."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve_nothing, args=(theirs, answer), daemon=True)
    process.start()
    try:
        yield f"http://127.0.0.1:{ours.recv()}"
    finally:
        process.terminate()
        process.join()


def _serve_nothing(pipe: Pipe, answer: bytes) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(answer)

    async def serve() -> None:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: _Nothing(b"\xff\xd9", head + answer), "127.0.0.1", 0)
        pipe.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    uvloop.run(serve())
