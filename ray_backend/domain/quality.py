"""Which faces are good enough, and the one thing to mend first when they are not."""

from __future__ import annotations

from dataclasses import dataclass

from ray_backend.domain.model import Quality, QualityIssue


@dataclass(frozen=True, slots=True)
class QualityLimits:
    """The limits of one use. Units as in `Quality`; a value on the limit passes."""

    min_size_px: float
    min_sharpness: float
    min_brightness: float
    max_brightness: float
    max_yaw_deg: float
    max_pitch_deg: float
    min_visible: float


# Stricter for templates, which are compared with for years, than for a frame, which the next one follows.
# Measured with both packs on 70 labelled photos: the blurred one has a sharpness of 55 and 74, all others
# 79 or more; people who look at the camera stay within 30 degrees of yaw, and within 33 of pitch, whose
# neutral point differs between people.
CHECK_IN_LIMITS = QualityLimits(
    min_size_px=48, min_sharpness=40, min_brightness=35, max_brightness=235,
    max_yaw_deg=40, max_pitch_deg=45, min_visible=0.85,
)  # fmt: skip
ENROL_LIMITS = QualityLimits(
    min_size_px=64, min_sharpness=76, min_brightness=45, max_brightness=225,
    max_yaw_deg=35, max_pitch_deg=38, min_visible=0.9,
)  # fmt: skip


def find_issue(quality: Quality, limits: QualityLimits) -> QualityIssue | None:
    """The first problem in the order in which a person can mend them, or None.

    Asked as "is it good" and not as "is it bad", so that a measure that failed (NaN) is not good.
    """
    checks = (
        (quality.size_px >= limits.min_size_px, QualityIssue.TOO_SMALL),
        (quality.visible >= limits.min_visible, QualityIssue.CUT_OFF),
        (abs(quality.yaw_deg) <= limits.max_yaw_deg, QualityIssue.TURNED_AWAY),
        (abs(quality.pitch_deg) <= limits.max_pitch_deg, QualityIssue.TURNED_AWAY),
        (quality.brightness >= limits.min_brightness, QualityIssue.TOO_DARK),
        (quality.brightness <= limits.max_brightness, QualityIssue.TOO_BRIGHT),
        (quality.sharpness >= limits.min_sharpness, QualityIssue.BLURRED),
    )
    return next((issue for good, issue in checks if not good), None)


def score(quality: Quality, limits: QualityLimits = ENROL_LIMITS) -> float:
    """0 to 1: how far a face is from the nearest limit, 1 from twice the limit on.

    The smallest of the parts counts, since one flaw is enough to spoil a template.
    """
    parts = (
        quality.size_px / (2 * limits.min_size_px),
        quality.sharpness / (2 * limits.min_sharpness),
        1 - abs(quality.yaw_deg) / (2 * limits.max_yaw_deg),
        1 - abs(quality.pitch_deg) / (2 * limits.max_pitch_deg),
        quality.visible,
    )
    return float(min(1.0, max(0.0, min(parts))))
