"""Which face of a frame is which face of the frames before it, by place and size alone."""

from __future__ import annotations

from dataclasses import dataclass
from math import hypot, sqrt

from ray_backend.domain.kiosk.rules import KioskRules
from ray_backend.domain.kiosk.words import SeenFrame
from ray_backend.domain.model import Box


@dataclass(slots=True)
class _Track:
    box: Box
    at_s: float


class Tracker:
    """Keeps faces apart between frames, at 2 to 15 frames a second.

    A track is over when it was not seen for `lost_s`. A face that jumps, or is suddenly much larger or
    smaller, begins a new track. Numbers of tracks are never used again.
    """

    def __init__(self, rules: KioskRules) -> None:
        self._rules = rules
        self._tracks: dict[int, _Track] = {}
        self._last_id = 0

    @property
    def alive(self) -> frozenset[int]:
        """The tracks that are not over, seen in the last frame or not."""
        return frozenset(self._tracks)

    def update(self, frame: SeenFrame) -> tuple[int, ...]:
        """The track of each face of the frame, in order; all different. Frames come in order of time."""
        self._tracks = {
            track_id: track
            for track_id, track in self._tracks.items()
            if frame.at_s - track.at_s <= self._rules.lost_s
        }
        ids = self._pair([face.box for face in frame.faces], frame.at_s)
        for track_id, face in zip(ids, frame.faces, strict=True):
            self._tracks[track_id] = _Track(face.box, frame.at_s)
        return tuple(ids)

    def renew(self, track_id: int) -> int:
        """Ends a track and goes on with its face as a new one, whose number is returned."""
        self._tracks[new := self._next_id()] = self._tracks.pop(track_id)
        return new

    def _next_id(self) -> int:
        self._last_id += 1
        return self._last_id

    def _pair(self, boxes: list[Box], at_s: float) -> list[int]:
        """Takes the best pair of a track and a box, then the best of the rest, and so on."""
        pairs = sorted(
            (
                (likeness, track_id, place)
                for track_id, track in self._tracks.items()
                for place, box in enumerate(boxes)
                if (likeness := self._likeness(track, box, at_s - track.at_s)) is not None
            ),
            reverse=True,
        )
        found: dict[int, int] = {}
        for _, track_id, place in pairs:
            if place not in found and track_id not in found.values():
                found[place] = track_id
        return [found[place] if place in found else self._next_id() for place in range(len(boxes))]

    def _likeness(self, track: _Track, box: Box, passed_s: float) -> float | None:
        """0 to 2, or None where the box cannot be the track's face."""
        rules = self._rules
        before, now = _size(track.box), _size(box)
        if not min(before, now) > 0:
            return None
        step = _distance(track.box, box) / ((before + now) / 2)
        reach = min(rules.most_step_sizes, rules.step_sizes + rules.speed_sizes_s * passed_s)
        growth = max(before, now) / min(before, now)
        if step > reach or growth > rules.growth + rules.growth_per_s * passed_s:
            return None
        return overlap(track.box, box) + 1 - step / reach


def overlap(one: Box, other: Box) -> float:
    """The common part of two boxes by their union, 0 to 1."""
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    common = max(0.0, width) * max(0.0, height)
    union = _size(one) ** 2 + _size(other) ** 2 - common
    return common / union if union > 0 else 0.0


def _size(box: Box) -> float:
    """The side of a square as large as the box."""
    return sqrt(max(0.0, box[2] - box[0]) * max(0.0, box[3] - box[1]))


def _distance(one: Box, other: Box) -> float:
    """Between the centres, in pixels."""
    return hypot(one[0] + one[2] - other[0] - other[2], one[1] + one[3] - other[1] - other[3]) / 2
