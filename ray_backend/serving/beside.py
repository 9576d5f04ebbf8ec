"""The pack beside the site's own in the API: asked for by name, or looking at a share of the recognitions."""

from __future__ import annotations

import asyncio
import logging
import math
import random
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from ray_backend.domain.answers import Recognition
from ray_backend.domain.beside import Beside, compared
from ray_backend.domain.errors import NotFound, RollcallError
from ray_backend.observing import meters
from ray_backend.serving.batcher import BatchPolicy, MicroBatcher

log = logging.getLogger(__name__)

# Loading its models takes seconds, and nobody at a door waits for it.
_DEADLINE_S = 30.0
_MOST_WAITING = 16
# By then the answer of the site's own pack is on its way.
_AFTER_S = 0.05
_ASK_AGAIN_S = 5.0


@dataclass(frozen=True, slots=True)
class BesideQuestion:
    """A picture for the second pack. `spec` is what finds that pack."""

    spec: str
    image: bytes
    department: str | None


class BesideRecogniser:
    """Recognises by the second pack whenever nobody waits for the first. Lives in one event loop.

    `pack` is what stands beside the site's pack, None: nothing. `chance` gives numbers from 0 to 1.
    """

    def __init__(self, policy: BatchPolicy, chance: Callable[[], float] = random.random) -> None:
        one_by_one = {"max_batch": 1, "calls_per_worker": 1, "patience_s": math.inf}
        self.queue: MicroBatcher[BesideQuestion, Recognition] = MicroBatcher(
            [], replace(policy, max_waiting=_MOST_WAITING, deadline_s=_DEADLINE_S, **one_by_one)
        )
        self.pack: Beside | None = None
        self._chance = chance
        self._comparing: set[asyncio.Task] = set()

    async def recognise(self, pack_id: str, image: bytes, department: str | None) -> Recognition:
        """By the pack of this id. Raises NotFound where it does not stand beside the site's own."""
        beside = self.pack
        if beside is None or beside.pack.pack_id != pack_id:
            raise NotFound(
                f"The pack {pack_id[:64]} does not stand beside this site's own. `rollcall pack beside` puts "
                "it there, within five seconds; leave `pack` out to be answered by the site's own."
            )
        return await self._ask(beside, image, department)

    def compare(self, image: bytes, department: str | None, answer: Recognition) -> None:
        """Looks at a share of the pictures again, and counts how both answers compare. Never waits; does
        nothing while others wait for the second pack."""
        beside = self.pack
        if beside is None or self._chance() >= beside.share or self.queue.waiting:
            return
        asyncio.get_running_loop().call_later(_AFTER_S, self._start, beside, image, department, answer)

    def _start(self, *picture: Any) -> None:
        task = asyncio.ensure_future(self._compare(*picture))
        self._comparing.add(task)
        task.add_done_callback(self._comparing.discard)

    async def _compare(self, beside: Beside, image: bytes, department: str | None, site: Recognition) -> None:
        try:
            theirs = await self._ask(beside, image, department)
        except RollcallError as error:
            log.debug("a picture was not compared: %s", error.message)
            return
        meters.packs_compared(compared(site, theirs))
        for one in (site, theirs):
            kinds = [face.decision.kind.value for face in one.faces]
            meters.pack_decided(one.pack_id, kinds, sum(one.timings_ms.values()) / 1000)

    async def _ask(self, beside: Beside, image: bytes, department: str | None) -> Recognition:
        return await self.queue.submit(BesideQuestion(beside.spec, image, department))


class BesideFollower:
    """Tells an event loop every few seconds what stands beside the site's pack, from a thread of its own.

    `ask` may raise any RollcallError: then what was known stays.
    """

    def __init__(self, ask: Callable[[], Beside | None], tell: Callable[[Beside | None], None]) -> None:
        self._ask = ask
        self._tell = tell

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Begins at once, and ends with the loop or the process."""
        threading.Thread(target=self._go_on, args=(loop,), daemon=True, name="pack-beside").start()

    def _go_on(self, loop: asyncio.AbstractEventLoop) -> None:
        pause = threading.Event()
        while not loop.is_closed():
            try:
                found = self._ask()
            except RollcallError:
                log.debug("nobody says which pack stands beside the site's own; it is asked again")
            else:
                if not loop.is_closed():
                    loop.call_soon_threadsafe(self._tell, found)
            pause.wait(_ASK_AGAIN_S)
