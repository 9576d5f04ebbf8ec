"""What a kiosk's browser is told about the site's TURN server, which passes a video stream through NAT."""

from __future__ import annotations

import base64
import hashlib
import hmac
from typing import Any

from ray_backend.settings import Settings

# Longer than a kiosk's page stays open without a new stream; coturn asks for the password again and again.
VALID_S = 7 * 24 * 3600
_NAME = "kiosk"


def ice_servers(settings: Settings, now_s: float) -> list[dict[str, Any]]:
    """The servers as browsers want them; none without `turn_url`. `now_s` is a Unix time.

    Name and password are those of draft-uberti-behave-turn-rest-00, coturn's `use-auth-secret`: the name
    says when they end, the password is the name's HMAC-SHA1. Nobody's lasting password goes to a browser.
    """
    if not settings.turn_url:
        return []
    server: dict[str, Any] = {"urls": [settings.turn_url]}
    if settings.turn_secret:
        name = f"{int(now_s) + VALID_S}:{_NAME}"
        digest = hmac.digest(settings.turn_secret.get_secret_value().encode(), name.encode(), hashlib.sha1)
        server |= {"username": name, "credential": base64.b64encode(digest).decode()}
    return [server]
