"""The numbers that a kiosk's session goes by."""

from __future__ import annotations

from dataclasses import dataclass

from ray_backend.domain.quality import CHECK_IN_LIMITS, QualityLimits


@dataclass(frozen=True, slots=True)
class KioskRules:
    """Times are seconds of the frames' own clock, so that a slow camera decides as a fast one does.

    Sizes are the shorter side of a face's box. Shares are of the shorter side of the picture, which a
    camera that stands upright and one that lies on its side see equally large. A face is about 15 cm
    wide and a webcam sees about 0.9 m along the shorter side at 1 m.
    """

    limits: QualityLimits = CHECK_IN_LIMITS

    # From about 2.7 m a face wakes the kiosk, from about 1.4 m on it is served.
    notice_share: float = 0.06
    zone_share: float = 0.12
    # Who is in stays in up to this part of the border's size, so that nobody flickers on the border.
    leave_ratio: float = 0.85

    # Another face is served instead when it was the nearest for so long: the shorter time when it is
    # nearer by this ratio, or when the served one has its verdict.
    nearer_ratio: float = 1.2
    switch_s: float = 0.4
    slow_switch_s: float = 1.0

    # A camera of two pictures a second may miss a face once, which makes a gap of 1 s.
    lost_s: float = 1.2
    # How far a face moves between two frames, in its own sizes: a detector's jitter, and half a metre a
    # second. Two heads side by side are two sizes apart at least, so the most stays below that.
    step_sizes: float = 0.5
    speed_sizes_s: float = 3.0
    most_step_sizes: float = 1.5
    # How much larger or smaller it becomes: a detector's steps, and somebody who walks up.
    growth: float = 1.4
    growth_per_s: float = 1.0

    # One strong frame never decides, and neither do three of the same tenth of a second, which are
    # as good as one.
    min_frames: int = 3
    match_s: float = 0.35
    # The part of all frames in which the person has to be the nearest one.
    min_share: float = 0.6
    # Nobody is sent away, or asked for a code, before so many frames over such a time.
    give_up_frames: int = 5
    give_up_s: float = 2.0
    # Who stays below the threshold by at most so many margins may be somebody who turned or talked, and
    # is given longer. Strangers lie further below with both packs: 99 in 100 by two margins and more.
    doubt_margins: float = 2.0
    doubt_s: float = 4.0
    # Frames that are older than this no longer count, unless they are among the last `give_up_frames`:
    # somebody who turns to the camera at last is not held back by how they looked before.
    window_s: float = 2.0
    # How far, in margins, a person has to lead somebody who is known to look alike.
    look_alike_margins: float = 2.0
    # The face of a track belongs to somebody else when its embedding is less like the track's than the
    # threshold less so many margins. Measured on a film of a man who talks and turns (80 px; edge and
    # dlib-resnet, limits 0.35 and 0.92) against the last frame and the mean of the earlier ones,
    # whichever is closer: none of his frames lies below at 5 to 15 frames a second, and 1 of 60 (edge) or
    # none (dlib-resnet) at 2 to 3. Either one alone loses more. Of the pairs of different people 99 in
    # 100 lie below (`vision/calibration.py`).
    change_margins: float = 2.0
    # So often a face that has its verdict is compared with its track: somebody else may stand there.
    recheck_s: float = 1.0

    # A hint appears or goes when the quality has been like that for so long.
    settle_s: float = 0.5
    # After a verdict that was no match the same face is tried again, each time after twice as long,
    # so that a picture on the wall does not fill the records.
    retry_s: float = 4.0
    longest_retry_s: float = 60.0

    # The passive model's mean, over at least so many frames, from which a face counts as a living one.
    liveness_threshold: float = 0.5
    liveness_frames: int = 3
    # A challenge that is not finished by then failed. Somebody who reads slowly needs about 3 s a move.
    challenge_s: float = 12.0
    # So many failures within this time, of whomever, leave only the other way for a while; see `lock`.
    lock_failures: int = 3
    lock_window_s: float = 180.0
    lock_s: float = 60.0
    longest_lock_s: float = 900.0
