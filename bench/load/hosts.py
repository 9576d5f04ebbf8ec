"""Load goes to this machine alone, unless somebody names another on purpose."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit


class ForeignHost(Exception):
    """The load test was pointed at another machine."""


def require_allowed(url: str, allowed_host: str) -> None:
    """Raises ForeignHost unless the URL's host is this machine's loopback or the one that was allowed."""
    host = urlsplit(url).hostname or ""
    if not host or (host not in ("localhost", allowed_host) and not _is_loopback(host)):
        raise ForeignHost(
            f"{url or 'No host'} is not this machine. A load test slows down whatever it meets: if you may "
            f"do that, say --allow-host {host or 'NAME'}."
        )


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
