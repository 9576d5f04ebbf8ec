"""The settings that the use cases decide by, apart from where they come from."""

from __future__ import annotations

from dataclasses import dataclass
from zoneinfo import ZoneInfo

from ray_backend.domain.model import Pack
from ray_backend.domain.quality import CHECK_IN_LIMITS, ENROL_LIMITS, QualityLimits


@dataclass(frozen=True, slots=True)
class Policy:
    """One site's rules. `threshold` and `margin` are cosine, `cooldown_s` seconds."""

    pack_id: str
    dimension: int
    threshold: float
    margin: float
    cooldown_s: float
    zone: ZoneInfo
    check_in_limits: QualityLimits = CHECK_IN_LIMITS
    enrol_limits: QualityLimits = ENROL_LIMITS

    @classmethod
    def for_pack(cls, pack: Pack, *, threshold: float | None, cooldown_s: float, zone: ZoneInfo) -> Policy:
        """The pack's calibrated threshold unless the site set its own."""
        return cls(
            pack_id=pack.pack_id,
            dimension=pack.dimension,
            threshold=pack.threshold if threshold is None else threshold,
            margin=pack.margin,
            cooldown_s=cooldown_s,
            zone=zone,
        )
