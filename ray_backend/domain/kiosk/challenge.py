"""Active liveness: asks for a random short series of movements, and looks whether a head makes them.

It keeps out pictures that are held up and moved by hand, bent ones and masks not, nor a video of the
person who happens to make the same movements in the same order.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from math import radians, sqrt, tan

import numpy as np

from ray_backend.domain.kiosk.parallax import Parallax, in_eye_distances, points_of
from ray_backend.domain.kiosk.words import ChallengeState, Move, SeenFace, SeenFrame
from ray_backend.domain.model import Liveness

# Somebody who turns to the own left moves the nose towards the right of the picture.
SIDE = {Move.TURN_LEFT: 1.0, Move.TURN_RIGHT: -1.0}


@dataclass(frozen=True, slots=True)
class ChallengeRules:
    """What is asked and how it is judged.

    `moves` follow on facing the camera; each must take between `fastest_s` and `move_s`, and `time_s`
    is all that there is. A face counts as frontal up to `frontal_deg` of yaw, as turned from
    `turn_deg` on, measured from how it looked before; as closer from `growth` times its height on.
    Facing takes `still_frames`, in which the yaw may vary by `still_deg`.

    `head_from`: the parallax of a turned head over what its yaw lets expect is about 1, that of a flat
    picture about 0. `sure` is how many standard errors the measured one must be off this limit, and
    `most_frames` how many frames are taken to find out, at least `least_frames`.
    """

    moves: int = 2
    fastest_s: float = 0.2
    move_s: float = 6.0
    time_s: float = 15.0
    frontal_deg: float = 25.0
    turn_deg: float = 16.0
    back_deg: float = 8.0
    still_frames: int = 4
    still_deg: float = 6.0
    growth: float = 1.2
    head_from: float = 0.5
    sure: float = 2.0
    least_frames: int = 3
    most_frames: int = 20


RULES = ChallengeRules()


@dataclass
class _Turn:
    """What was seen of the turn that is asked for. `home`: the face looked ahead since it was asked."""

    home: bool = False
    expected: list[float] = field(default_factory=list)
    parallax: list[float] = field(default_factory=list)

    def ratio(self) -> float:
        """Parallax over what the yaw lets expect, by least squares."""
        expected = np.array(self.expected)
        return float(expected @ np.array(self.parallax) / (expected @ expected))

    def error(self, noise: float, references: int) -> float:
        """The standard error of `ratio`; the noise of the reference does not average out."""
        expected = np.array(self.expected)
        own = noise / sqrt(float(expected @ expected))
        shared = noise / sqrt(references) / float(np.abs(expected).mean())
        return sqrt(own**2 + shared**2)


class ActiveChallenge:
    """One active liveness check of one track, as a `Challenge`. Not for several threads.

    LIVE and SPOOF are final. SPOOF means that the landmarks moved as those of a flat picture. UNSURE
    without a move is final, too: the time was up, or a wrong movement came first.
    """

    def __init__(self, random: random.Random, rules: ChallengeRules = RULES) -> None:
        """Draws the moves: no two alike in a row, and so always a turn among two or more."""
        self._rules = rules
        self.moves = draw_moves(random, rules.moves)
        self._final: ChallengeState | None = None
        self._done = -1  # -1 while the face is to look at the camera
        self._started_s = self._asked_s = 0.0
        self._yaws: list[float] = []
        self._looks: list[np.ndarray] = []
        self._first = True
        self._turn = _Turn()
        self._smallest = float("inf")
        self._parallax: Parallax | None = None

    def observe(self, frame: SeenFrame, face: SeenFace) -> ChallengeState:
        """Looks at the track's face in the next frame; frames come in the order of time."""
        if self._first:
            self._started_s = self._asked_s = frame.at_s
            self._first = False
        if self._final is None:
            self._judge(frame.at_s, face)
        return self._final or ChallengeState(Liveness.UNSURE, self._move, self._progress)

    @property
    def _move(self) -> Move:
        return Move.FACE_CAMERA if self._done < 0 else self.moves[self._done]

    @property
    def _progress(self) -> float:
        return (self._done + 1) / (len(self.moves) + 1)

    def _judge(self, at_s: float, face: SeenFace) -> None:
        over = at_s - self._started_s > self._rules.time_s
        if over or at_s - self._asked_s > self._rules.move_s:
            self._end(Liveness.UNSURE)
        elif self._done < 0:
            self._look_ahead(at_s, face)
        elif self._move is Move.COME_CLOSER:
            self._come_closer(at_s, face)
        else:
            self._turned(at_s, face)

    def _look_ahead(self, at_s: float, face: SeenFace) -> None:
        points = points_of(face.landmarks)
        frontal = abs(face.quality.yaw_deg) <= self._rules.frontal_deg
        yaws = [*self._yaws, face.quality.yaw_deg] if frontal else []
        if yaws and max(yaws) - min(yaws) > self._rules.still_deg:
            yaws, self._looks = yaws[-1:], []
        self._yaws = yaws
        self._looks = [*self._looks, in_eye_distances(face.landmarks, points)] if yaws else []
        if len(yaws) >= self._rules.still_frames:
            self._parallax = Parallax(points, np.mean(self._looks, axis=0))
            self._next(at_s)

    def _come_closer(self, at_s: float, face: SeenFace) -> None:
        height = face.box[3] - face.box[1]
        self._smallest = min(self._smallest, height)
        ahead = abs(self._away(face)) < tan(radians(self._rules.turn_deg))
        if ahead and height >= self._rules.growth * self._smallest and self._slow_enough(at_s):
            self._next(at_s)

    def _turned(self, at_s: float, face: SeenFace) -> None:
        away, turn = SIDE[self._move] * self._away(face), self._turn
        turn.home = turn.home or abs(away) <= tan(radians(self._rules.back_deg))
        far = tan(radians(self._rules.turn_deg))
        if not turn.home or abs(away) < far:
            return
        if away < 0:
            self._end(Liveness.UNSURE)
            return
        turn.expected.append(away)
        turn.parallax.append(SIDE[self._move] * self._parallax.of(face.landmarks))
        if len(turn.expected) >= self._rules.least_frames and self._slow_enough(at_s):
            self._weigh(at_s)

    def _weigh(self, at_s: float) -> None:
        """Goes on to the next move when a head turned, ends when a flat picture moved, else waits."""
        turn, rules = self._turn, self._rules
        off = turn.ratio() - rules.head_from
        doubt = rules.sure * turn.error(self._parallax.points.noise, len(self._looks))
        if off >= doubt:
            self._next(at_s)
        elif off <= -doubt:
            self._end(Liveness.SPOOF)
        elif len(turn.expected) >= rules.most_frames:
            self._end(Liveness.UNSURE)

    def _away(self, face: SeenFace) -> float:
        """The change of the yaw's tangent since the face looked ahead: what a nose moves by."""
        ahead = float(np.mean(np.tan(np.radians(self._yaws))))
        return tan(radians(face.quality.yaw_deg)) - ahead

    def _slow_enough(self, at_s: float) -> bool:
        return at_s - self._asked_s >= self._rules.fastest_s

    def _next(self, at_s: float) -> None:
        self._done += 1
        self._asked_s, self._turn, self._smallest = at_s, _Turn(), float("inf")
        if self._done == len(self.moves):
            self._end(Liveness.LIVE)

    def _end(self, outcome: Liveness) -> None:
        progress = 1.0 if outcome is Liveness.LIVE else self._progress
        self._final = ChallengeState(outcome, None, progress)


def draw_moves(source: random.Random, count: int) -> tuple[Move, ...]:
    """`count` random moves, no two alike in a row, at least one of them a turn."""
    choices = [Move.TURN_LEFT, Move.TURN_RIGHT, Move.COME_CLOSER]
    moves: list[Move] = []
    for _ in range(count):
        moves.append(source.choice([move for move in choices if moves[-1:] != [move]]))
    if moves == [Move.COME_CLOSER]:
        moves = [source.choice(list(SIDE))]
    return tuple(moves)
