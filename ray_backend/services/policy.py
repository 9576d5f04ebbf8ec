"""The settings that the use cases decide by, apart from where they come from."""

from __future__ import annotations

from collections.abc import Callable
from zoneinfo import ZoneInfo

from ray_backend.domain.model import Pack
from ray_backend.domain.quality import CHECK_IN_LIMITS, ENROL_LIMITS, QualityLimits
from ray_backend.domain.site import SiteSettings


class Policy:
    """One site's rules at the moment of asking: an admin may change them at any time.

    `margin` is cosine, as in `Pack`.
    """

    def __init__(self, pack: Pack, site: Callable[[], SiteSettings]) -> None:
        """`site` has to be cheap: it is asked for every face."""
        self._pack = pack
        self._site = site
        self.pack_id = pack.pack_id
        self.dimension = pack.dimension
        self.margin = pack.margin
        self.check_in_limits: QualityLimits = CHECK_IN_LIMITS
        self.enrol_limits: QualityLimits = ENROL_LIMITS

    @property
    def threshold(self) -> float:
        """The cosine similarity of a match: the pack's calibrated one unless the site set its own."""
        own = self._site().threshold
        return self._pack.threshold if own is None else own

    @property
    def cooldown_s(self) -> float:
        """Seconds in which a second punch of the same person is the same visit."""
        return self._site().cooldown_s

    @property
    def zone(self) -> ZoneInfo:
        """The site's time zone."""
        return self._site().zone
