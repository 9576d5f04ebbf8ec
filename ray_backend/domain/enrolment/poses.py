"""Where the targets lie in what a pack measures, and what is in the way of a good photo of one."""

from __future__ import annotations

from dataclasses import dataclass

from ray_backend.domain.enrolment.words import Fix, Target
from ray_backend.domain.model import Box, FrameAnalysis, Quality
from ray_backend.domain.quality import ENROL_LIMITS, QualityLimits


@dataclass(frozen=True, slots=True)
class Poses:
    """Angles in degrees as `Quality` gives them for one pack.

    In front the yaw stays within `front_yaw`, turned to a side it lies between `turn_from` and `turn_to`.
    Looking up counts from `up_by` above the person's own front photo, since the pitch of people who look
    straight ahead differs by forty degrees between faces.
    """

    front_yaw: float
    turn_from: float
    turn_to: float
    up_by: float


# Measured on labelled photos, as tests/contract/test_guided_enrolment.py does again. Flipping a photo flips
# the yaw within 6 degrees with both packs. insightface: people who look at the camera stay within 13 degrees
# of yaw, heads turned a little lie between 15 and 26.
INSIGHTFACE = Poses(front_yaw=12, turn_from=14, turn_to=32, up_by=10)
# dlib's five points exaggerate a turn by 1.4 (26 degrees are 39), and its detector loses heads turned much
# further. Its pitch is coarse, but follows the other pack's (correlation 0.71 over 29 photos of one man, 0.78
# over a film of another): where insightface sees a head raised by 17 degrees and more, it says 18 to 26.
DLIB = Poses(front_yaw=14, turn_from=17, turn_to=34, up_by=14)
_BY_PACK = {"dlib-resnet": DLIB}


def poses_of(pack_id: str) -> Poses:
    """The angles for a pack."""
    return _BY_PACK.get(pack_id, INSIGHTFACE)


@dataclass(frozen=True, slots=True)
class GuideRules:
    """The numbers that a guide goes by.

    Every photo passes `limits`, so that none is refused when it is saved. `share` is the least size of the
    face in the shorter side of the picture, `most_share` the largest. `max_roll_deg` bounds the tilt towards
    a shoulder. A face of less than `background_share` of the largest one's width stands in the background.
    A picture that is `backlight` times as bright as a face that is too dark has its light behind the person.
    """

    poses: Poses
    limits: QualityLimits = ENROL_LIMITS
    targets: tuple[Target, ...] = tuple(Target)
    share: float = 0.2
    most_share: float = 0.85
    max_roll_deg: float = 25.0
    background_share: float = 0.6
    backlight: float = 2.0
    # So many frames in a row over such a time have to pass; a longer gap begins anew.
    frames: int = 4
    seconds: float = 0.6
    longest_gap_s: float = 1.0
    # A fix is shown when it was the same for so long, so that words do not flicker.
    settle_s: float = 0.3
    skip_after_s: float = 10.0
    # How many margins below the threshold a face counts as somebody else's; see `KioskRules.change_margins`.
    change_margins: float = 2.0


def find_fix(
    analysis: FrameAnalysis, target: Target, rules: GuideRules, front_pitch_deg: float | None
) -> Fix | None:
    """What to mend first for a photo of this target, or None. Who it is is not looked at.

    `front_pitch_deg` is the pitch of the person's own front photo, None while there is none. Asked as "is it
    good", so that a measure that failed (NaN) is not good.
    """
    if not analysis.faces:
        return Fix.STEP_IN
    face = analysis.faces[0]
    if any(_width(other.box) >= rules.background_share * _width(face.box) for other in analysis.faces[1:]):
        return Fix.ONE_PERSON
    return _Judgement(analysis, face.quality, target, rules, front_pitch_deg).find()


@dataclass(frozen=True)
class _Judgement:
    analysis: FrameAnalysis
    quality: Quality
    target: Target
    rules: GuideRules
    front_pitch_deg: float | None

    @property
    def limits(self) -> QualityLimits:
        return self.rules.limits

    def find(self) -> Fix | None:
        sharp = self.quality.sharpness >= self.limits.min_sharpness
        return self._place() or self._light() or self._turn() or self._nod() or self._tilt() or (
            None if sharp else Fix.HOLD_STILL
        )  # fmt: skip

    def _place(self) -> Fix | None:
        size, shorter = self.quality.size_px, min(self.analysis.width, self.analysis.height)
        if not size >= max(self.limits.min_size_px, self.rules.share * shorter):
            return Fix.COME_CLOSER
        inside = self.quality.visible >= self.limits.min_visible
        return None if inside and size <= self.rules.most_share * shorter else Fix.STEP_BACK

    def _light(self) -> Fix | None:
        face, around = self.quality.brightness, self.analysis.brightness
        if face >= self.limits.min_brightness:
            return None if face <= self.limits.max_brightness else Fix.LESS_LIGHT
        behind = around is not None and around >= self.rules.backlight * max(face, 1.0)
        return Fix.LIGHT_BEHIND if behind else Fix.MORE_LIGHT

    def _turn(self) -> Fix | None:
        """Turning to the own left moves the nose towards the right of the picture: a positive yaw."""
        poses, yaw = self.rules.poses, self.quality.yaw_deg
        if self.target in (Target.FRONT, Target.UP):
            if abs(yaw) <= min(poses.front_yaw, self.limits.max_yaw_deg):
                return None
            return Fix.TURN_RIGHT if yaw > 0 else Fix.TURN_LEFT
        left = self.target is Target.LEFT
        turned = yaw if left else -yaw
        if not turned >= poses.turn_from:
            return Fix.TURN_LEFT if left else Fix.TURN_RIGHT
        return None if turned <= min(poses.turn_to, self.limits.max_yaw_deg) else Fix.TURN_BACK

    def _nod(self) -> Fix | None:
        """Looking down is a positive pitch."""
        pitch, most = self.quality.pitch_deg, self.limits.max_pitch_deg
        if self.target is Target.UP and self.front_pitch_deg is not None:
            # Whoever carries the head high anyway still has a little room.
            needed = max(self.front_pitch_deg - self.rules.poses.up_by, 4 - most)
            if not pitch <= needed:
                return Fix.CHIN_UP
        if not pitch >= -most:
            return Fix.CHIN_DOWN
        return None if pitch <= most else Fix.CHIN_UP

    def _tilt(self) -> Fix | None:
        # A turned head's eyes lie at different heights in the picture without any tilt.
        if self.target in (Target.LEFT, Target.RIGHT):
            return None
        return None if abs(self.quality.roll_deg) <= self.rules.max_roll_deg else Fix.HEAD_UPRIGHT


def _width(box: Box) -> float:
    return box[2] - box[0]
