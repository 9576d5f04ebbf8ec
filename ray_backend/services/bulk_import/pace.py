"""How many photos of an import are looked at at once, so that people at the kiosks stay first."""

from __future__ import annotations

# A call that waited this long before its work began stood behind somebody else's. Measured on two cores:
# an actor with nothing else to do begins within 5 ms.
_IN_THE_WAY_S = 0.025
_CALM = 12


class Pace:
    """Halves its `width` when calls have to wait, and widens it by one after a dozen that had not.

    With nobody else there it stays at `most`, one call for each that can be worked on at once.
    """

    def __init__(self, most: int) -> None:
        self.most = max(1, most)
        self.width = self.most
        self._calm = 0

    def note(self, waited_s: float) -> None:
        """One call came back, having waited this long before it was worked on."""
        if waited_s > _IN_THE_WAY_S:
            self.width = max(1, self.width // 2)
            self._calm = 0
            return
        self._calm += 1
        if self._calm >= _CALM:
            self.width = min(self.most, self.width + 1)
            self._calm = 0
