"""Ray's own switches, which it reads once, when it is imported: call this before that."""

from __future__ import annotations

import os

_LOOPBACK = ("127.", "localhost", "[::1]")


def prepare(ray_address: str) -> None:
    """Sets what Ray has to know for this address; an empty one means a Ray of this machine's own."""
    # Nothing leaves the site, not even usage statistics.
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    # Without the token anybody who reaches Ray's port can run code on it.
    os.environ.setdefault("RAY_AUTH_MODE", "token")
    if not ray_address or ray_address.startswith(_LOOPBACK):
        # Ray's switch for "one machine only": it then listens on the loopback address alone.
        os.environ["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] = "0"
