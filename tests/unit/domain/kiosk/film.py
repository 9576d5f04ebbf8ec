"""Frames for the rules of a kiosk: faces with a place, a quality and somebody whom they look like.

`Cast` stands for a gallery: everybody has an embedding of their own, and each frame's face lies near it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from ray_backend.domain.kiosk.session import KioskRules, Session, Terms, no_look_alikes
from ray_backend.domain.kiosk.words import Scene, SeenFace, SeenFrame, Verdict, Wanted
from ray_backend.domain.model import Candidate, Quality

WIDTH, HEIGHT = 640, 480
THRESHOLD, MARGIN = 0.45, 0.05
RULES = KioskRules()
GOOD = Quality(120, 200, 128, 0, 0, 0, 1.0, 0.99)


def embedding_of(who: str) -> np.ndarray:
    """(64,) float32, L2-normalised; those of different names are nearly at right angles."""
    vector = np.random.default_rng([*who.encode()]).standard_normal(64).astype(np.float32)
    return vector / np.linalg.norm(vector)


def quality(size_px: float = 120, **other: float) -> Quality:
    """A good one, apart from what is named."""
    values = {name: getattr(GOOD, name) for name in GOOD.__dataclass_fields__}
    return Quality(**(values | {"size_px": size_px} | other))


@dataclass(frozen=True)
class Actor:
    """A face in one frame. `like` are candidates instead of those of who it is; `x`, `y` its centre."""

    who: str
    size_px: float = 120
    x: float = 320
    y: float = 240
    like: tuple[tuple[str, float], ...] | None = None
    flaws: dict[str, float] = field(default_factory=dict)
    liveness: float | None = None
    enrolled: bool = True

    def seen(self, wanted: Wanted) -> SeenFace:
        """The face as a frame would bring it that was asked for this."""
        half = self.size_px / 2
        measured = quality(self.size_px, **self.flaws)
        default = ((self.who, 0.7), ("nobody else", 0.1)) if self.enrolled else (("nobody else", 0.1),)
        like = default if self.like is None else self.like
        return SeenFace(
            (self.x - half, self.y - half, self.x + half, self.y + half),
            np.zeros((5, 2), np.float32),
            measured,
            embedding_of(self.who) if wanted.embedding else None,
            tuple(Candidate(*one) for one in like) if wanted.embedding else (),
            self.liveness if wanted.liveness else None,
        )


EVERYTHING = Wanted(embedding=True, liveness=True)
NOTHING = Wanted(embedding=False, liveness=False)


def frame(at_s: float, *actors: Actor, wanted: Wanted = EVERYTHING) -> SeenFrame:
    """One frame, nearest face first; only that one is recognised, as the pipeline does it."""
    nearest_first = sorted(actors, key=lambda actor: -actor.size_px)
    faces = (actor.seen(NOTHING if place else wanted) for place, actor in enumerate(nearest_first))
    return SeenFrame(at_s, WIDTH, HEIGHT, tuple(faces))


class Kiosk:
    """A session that is shown a film at a steady rate, and asked first what it wants, as in real life."""

    def __init__(self, fps: float = 10, **settings: object) -> None:
        rules, look_alikes = settings.pop("rules", RULES), settings.pop("look_alikes", no_look_alikes)
        self.session = Session(rules, Terms(THRESHOLD, MARGIN, **settings), look_alikes)
        self.step_s = 1 / fps
        self.at_s = 100.0
        self.scenes: list[Scene] = []
        self.verdicts: list[Verdict] = []
        self.wanted: list[Wanted] = []

    def show(self, *actors: Actor, seconds: float = 0.0) -> Scene:
        """The same faces for a time, one frame at least; the last scene."""
        for _ in range(max(1, round(seconds / self.step_s))):
            self.at_s += self.step_s
            self.wanted.append(self.session.wanted())
            scene, verdict = self.session.observe(frame(self.at_s, *actors, wanted=self.wanted[-1]))
            self.scenes.append(scene)
            if verdict is not None:
                self.verdicts.append(verdict)
        return self.scenes[-1]

    def names(self) -> list[str | None]:
        """The best person of each verdict."""
        return [verdict.decision.best.person_id for verdict in self.verdicts]

    def kinds(self) -> list[str]:
        """What was decided, verdict by verdict."""
        return [str(verdict.decision.kind) for verdict in self.verdicts]
