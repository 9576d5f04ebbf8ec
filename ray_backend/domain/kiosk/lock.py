"""Who may not be recognised by camera for a while, after repeated failures to show a living face.

The rule. `lock_failures` of them within `lock_window_s`, of whomever, lock out the face that failed last for
`lock_s`. The lock goes with that face: whoever else comes is served, and with nobody there the kiosk is idle.
Going away and coming back helps nobody, because a face that looks like one that failed is locked out again
on sight. Holding up somebody else's picture helps once: one more failure while a lock runs, or within
`lock_window_s` of its end, locks the camera for everybody, each time for twice as long, up to
`longest_lock_s`. The typed code is always left.
"""

from __future__ import annotations

import numpy as np

from ray_backend.domain.kiosk.rules import KioskRules


class Lock:
    """The failures of one kiosk, and whom they lock out. Times are seconds of the frames' clock."""

    def __init__(self, rules: KioskRules, limit: float) -> None:
        """`limit`: the cosine similarity from which two faces count as one person's."""
        self._rules = rules
        self.limit = limit
        self._failed: list[tuple[float, np.ndarray]] = []
        self._tracks: set[int] = set()
        self._lock_s = 0.0
        self._watched_until_s: float | None = None
        self._for_all = False
        self.until_s: float | None = None

    @property
    def is_for_all(self) -> bool:
        """Whether nobody is looked at by camera now."""
        return self.until_s is not None and self._for_all

    def holds(self, track_id: int | None) -> bool:
        """Whether this track is locked out."""
        return self.until_s is not None and (self._for_all or track_id in self._tracks)

    def pass_time(self, at_s: float) -> None:
        """Ends the lock when its time is over, and forgets what is long ago."""
        if self.until_s is not None and at_s >= self.until_s:
            self._watched_until_s = self.until_s + self._rules.lock_window_s
            self.until_s, self._failed, self._tracks, self._for_all = None, [], set(), False
        if self._watched_until_s is not None and at_s >= self._watched_until_s:
            self._watched_until_s, self._lock_s = None, 0.0

    def look_at(self, track_id: int, embedding: np.ndarray | None) -> None:
        """Locks a track out whose face, (D,) float32 and L2-normalised, looks like one that failed."""
        if self.until_s is None or embedding is None:
            return
        if any(float(face @ embedding) >= self.limit for _, face in self._failed):
            self._tracks.add(track_id)

    def fail(self, at_s: float, track_id: int, embedding: np.ndarray) -> None:
        """A track failed to show a living face. Locks where the rule says so."""
        rules = self._rules
        if self.until_s is None:
            self._failed = [one for one in self._failed if at_s - one[0] <= rules.lock_window_s]
        self._failed.append((at_s, embedding))
        again = self.until_s is not None or self._watched_until_s is not None
        if again or len(self._failed) >= rules.lock_failures:
            self._for_all = again
            self._lock_s = min(2 * self._lock_s or rules.lock_s, rules.longest_lock_s)
            self.until_s, self._watched_until_s = at_s + self._lock_s, None
            self._tracks.add(track_id)
