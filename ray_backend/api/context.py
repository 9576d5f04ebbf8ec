"""What every route works with, made once and found through the request."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, replace
from typing import Annotated, Any, TypeVar

from fastapi import Depends, Request
from starlette.requests import ClientDisconnect
from starlette.types import Receive

from ray_backend.api.access import Gate
from ray_backend.api.bodies import Bodies
from ray_backend.api.credentials import Caller
from ray_backend.api.metrics import Meters
from ray_backend.client import Backend
from ray_backend.ports import Recogniser
from ray_backend.settings import Settings

T = TypeVar("T")
# Most answers are there earlier, and then nobody has to look whether the client still waits.
_PATIENCE_S = 0.05


@dataclass(frozen=True)
class Api:
    """The parts of one API."""

    backend: Backend
    recogniser: Recogniser
    settings: Settings
    gate: Gate
    bodies: Bodies
    meters: Meters
    cluster_status: Callable[[], dict[str, Any]] | None


async def _api_of(request: Request) -> Api:
    """What the route works with; its backend acts as whoever sends the request, if anybody was asked for."""
    api: Api = request.app.state.api
    caller: Caller | None = getattr(request.state, "caller", None)
    return api if caller is None else replace(api, backend=api.backend.acting_as(caller.of_use_cases))


async def _caller_of(request: Request) -> Caller:
    return request.state.caller


Context = Annotated[Api, Depends(_api_of)]
Who = Annotated[Caller, Depends(_caller_of)]


async def while_client_waits(receive: Receive, work: Coroutine[Any, Any, T]) -> T:
    """What `work` gives; work whose client has gone is cancelled. The request's body has to be read.

    Raises ClientDisconnect.
    """
    watch = _Watch(receive)
    try:
        return await work
    except asyncio.CancelledError:
        if watch.gone and not watch.task.uncancel():
            raise ClientDisconnect from None
        raise
    finally:
        watch.end()


class _Watch:
    """Cancels the present task when the client goes."""

    __slots__ = ("_receive", "_timer", "_watching", "gone", "task")

    def __init__(self, receive: Receive) -> None:
        self.task = asyncio.current_task()
        self.gone = False
        self._receive = receive
        self._watching: asyncio.Task | None = None
        self._timer = asyncio.get_running_loop().call_later(_PATIENCE_S, self._start)

    def end(self) -> None:
        """Stops watching."""
        self._timer.cancel()
        if self._watching is not None:
            self._watching.cancel()

    def _start(self) -> None:
        self._watching = asyncio.create_task(self._wait())

    async def _wait(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self.gone = True
        self.task.cancel()
