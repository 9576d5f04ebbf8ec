"""Who is near enough to the kiosk, and which of them is served."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Set

from ray_backend.domain.kiosk.rules import KioskRules
from ray_backend.domain.kiosk.words import SeenFace, SeenFrame


class Zone:
    """Serves the nearest face that is near enough, and keeps to it while it stays about the nearest.

    `served` is its track: it stays the served one until it is over or another one takes its place, also
    when it was not seen in a frame or stepped back.
    """

    def __init__(self, rules: KioskRules) -> None:
        self._rules = rules
        self._inside: set[int] = set()
        self._noticed: set[int] = set()
        self._rival_since_s: float | None = None
        self.served: int | None = None

    @property
    def noticed(self) -> Set[int]:
        """The tracks that are near enough to be spoken to."""
        return self._noticed

    def holds(self, track_id: int | None) -> bool:
        """Whether the track is near enough to be served."""
        return track_id in self._inside

    def update(
        self,
        frame: SeenFrame,
        tracks: Mapping[int, SeenFace],
        alive: Set[int],
        finished: Callable[[int], bool],
    ) -> None:
        """`tracks` are those of the frame, `alive` also those that it misses; `finished` had a verdict."""
        notice_px = self._rules.notice_share * min(frame.width, frame.height)
        self._inside = self._within(self._zone_px(frame), self._inside, tracks, alive)
        self._noticed = self._within(notice_px, self._noticed, tracks, alive)
        if self.served not in alive:
            self.served = None
        inside = [track_id for track_id in tracks if track_id in self._inside]
        nearest = max(inside, key=lambda track_id: _size(tracks[track_id]), default=None)
        if self._takes_over(nearest, frame.at_s, tracks, finished):
            self.served, self._rival_since_s = nearest, None

    def renamed(self, old: int, new: int) -> None:
        """The face of one track goes on as another track."""
        for tracks in (self._inside, self._noticed):
            if old in tracks:
                tracks.remove(old)
                tracks.add(new)
        if self.served == old:
            self.served = new

    def is_near(self, face: SeenFace, frame: SeenFrame) -> bool:
        """Whether a face is in the zone or about to enter it."""
        return _size(face) >= self._rules.leave_ratio * self._zone_px(frame)

    def _zone_px(self, frame: SeenFrame) -> float:
        share_px = self._rules.zone_share * min(frame.width, frame.height)
        return max(share_px, self._rules.limits.min_size_px)

    def _within(
        self, border_px: float, before: Set[int], tracks: Mapping[int, SeenFace], alive: Set[int]
    ) -> set[int]:
        out_px = self._rules.leave_ratio * border_px
        seen = {
            track_id
            for track_id, face in tracks.items()
            if _size(face) >= (out_px if track_id in before else border_px)
        }
        return seen | {track_id for track_id in before if track_id in alive and track_id not in tracks}

    def _takes_over(
        self,
        nearest: int | None,
        at_s: float,
        tracks: Mapping[int, SeenFace],
        finished: Callable[[int], bool],
    ) -> bool:
        if nearest is None or nearest == self.served:
            self._rival_since_s = None
            return False
        if self.served is None or not self.holds(self.served):
            return True
        if self._rival_since_s is None:
            self._rival_since_s = at_s
        served = tracks.get(self.served)
        clearly = (
            served is None
            or finished(self.served)
            or _size(tracks[nearest]) >= self._rules.nearer_ratio * _size(served)
        )
        # The nearest face is the one that is recognised: a served one behind it would wait for ever.
        needed_s = self._rules.switch_s if clearly else self._rules.slow_switch_s
        return at_s - self._rival_since_s >= needed_s


def _size(face: SeenFace) -> float:
    return face.quality.size_px
