"""Puts together the conversations that a page holds with a camera: a kiosk's, and a guided enrolment.

They run where the page runs; what they are handed may stand for actors.
"""

from __future__ import annotations

import random
from collections.abc import Callable

from ray_backend.domain.enrolment.guide import Guide
from ray_backend.domain.enrolment.poses import GuideRules, poses_of
from ray_backend.domain.kiosk.challenge import ActiveChallenge
from ray_backend.domain.kiosk.session import KioskRules, Session, Terms
from ray_backend.domain.kiosk.words import LivenessMode
from ray_backend.domain.model import Pack
from ray_backend.domain.site import SiteSettings
from ray_backend.domain.unknown import Sighting
from ray_backend.ports import Clock
from ray_backend.services.check_in import CheckInService
from ray_backend.services.guided import Faces, GuidedEnrolment
from ray_backend.services.kiosk import KioskSession, KnownLookAlikes
from ray_backend.services.strangers import Strangers, handover


def build_kiosk_session(
    pack: Pack,
    kiosk: str,
    faces: Faces,
    check_ins: CheckInService,
    site_settings: Callable[[], SiteSettings],
    note_unknown: Callable[[Sighting], None],
    clock: Clock,
) -> KioskSession:
    """A conversation of one kiosk.

    Raises BackendUnavailable and StoreUnavailable.
    """

    def new_challenge() -> ActiveChallenge:
        return ActiveChallenge(random.SystemRandom())

    strangers = Strangers(kiosk, faces.analyse, note_unknown, clock=clock, hand_over=handover())

    def terms() -> Terms:
        now = site_settings()
        strangers.want(now.keep_unknown_hours > 0)
        return Terms(
            pack.threshold if now.threshold is None else now.threshold,
            pack.margin,
            LivenessMode(now.liveness),
            new_challenge if now.liveness_way == "active" else None,
        )

    rules = Session(KioskRules(), terms(), look_alikes=KnownLookAlikes(check_ins.look_alikes))
    return KioskSession(
        kiosk,
        rules,
        faces,
        check_ins,
        pack_id=pack.pack_id,
        clock=clock,
        terms=terms,
        strangers=strangers,
    )


def build_guided_enrolment(pack: Pack, faces: Faces, threshold: float | None) -> GuidedEnrolment:
    """The way through one person's enrolment photos. `threshold` is the site's own, or None."""
    threshold = pack.threshold if threshold is None else threshold
    rules = GuideRules(poses_of(pack.pack_id))
    return GuidedEnrolment(faces, Guide(rules, threshold=threshold, margin=pack.margin))
