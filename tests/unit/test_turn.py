"""What a kiosk's browser is told about the TURN server."""

from __future__ import annotations

import base64
import hashlib
import hmac

from ray_backend.settings import Settings
from streamlit_app.camera.turn import VALID_S, ice_servers

URL = "turn:rollcall.example.org:3478"


def test_no_server_outside_is_asked_unless_the_site_names_one():
    assert ice_servers(Settings(turn_secret="s" * 32), 0.0) == []


def test_name_and_password_end_by_themselves_and_are_what_coturn_reckons():
    (server,) = ice_servers(Settings(turn_url=URL, turn_secret="s" * 32), 1_700_000_000.9)
    assert server["urls"] == [URL]
    expires, _, name = server["username"].partition(":")
    assert (int(expires), name) == (1_700_000_000 + VALID_S, "kiosk")
    expected = hmac.new(b"s" * 32, server["username"].encode(), hashlib.sha1).digest()
    assert base64.b64decode(server["credential"]) == expected


def test_the_secret_itself_goes_to_nobody():
    secret = "never-to-a-browser-" + "s" * 16
    assert secret not in repr(ice_servers(Settings(turn_url=URL, turn_secret=secret), 0.0))


def test_a_server_without_a_secret_gets_no_password():
    assert ice_servers(Settings(turn_url=URL), 0.0) == [{"urls": [URL]}]
