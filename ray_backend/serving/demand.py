"""Asks whatever adds and takes away nodes for room: Ray's autoscaler, in Kubernetes or a cloud.

Elsewhere nobody listens, and the nodes are those that there are.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from ray_backend.serving.pool import Limits, wanted_size

# Nodes take a minute to come: they are asked for at once, and given up after this long without need.
_GIVE_UP_AFTER_S = 120.0
# More are never asked for, whatever happens; the autoscaler has a limit of its own besides.
_MOST = 512


class Demand:
    """`tell` is told for how many FaceEmbeddingActors there has to be room, whenever that changes.

    Without a fewest number in the limits all nodes are filled as they are, and nothing is asked for.
    """

    def __init__(
        self, limits: Limits, tell: Callable[[int], None], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._limits = limits
        self._tell = tell
        self._clock = clock
        self._needed: list[tuple[float, int]] = []
        self._told: int | None = None

    def look(self, pictures: int) -> None:
        """`pictures` are under way or waiting now. Raises what `tell` raises; then the next look tells it."""
        if not self._limits.fewest:
            return
        now = self._clock()
        self._needed = [(at, size) for at, size in self._needed if at > now - _GIVE_UP_AFTER_S]
        self._needed.append((now, wanted_size(self._limits.fewest, self._limits.most or _MOST, pictures)))
        wanted = max(size for _, size in self._needed)
        if wanted != self._told:
            self._tell(wanted)
            self._told = wanted
