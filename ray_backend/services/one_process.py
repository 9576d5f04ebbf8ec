"""What there is to say of the machines where everything runs in one process: nothing."""

from __future__ import annotations

from ray_backend.domain.cluster import ClusterStatus
from ray_backend.domain.figures import Moment


class OneProcess:
    """Stands where the ClusterActor answers otherwise."""

    def status(self) -> ClusterStatus | None:
        """See `ClusterActor.status`; None: there is no cluster."""
        return None

    def history(self) -> tuple[Moment, ...]:
        """See `ClusterActor.history`."""
        return ()
