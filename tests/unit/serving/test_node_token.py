"""The token that all machines of a cluster share: the head starts with a good one only."""

from __future__ import annotations

import pytest
from ray._raylet import AuthenticationTokenLoader

from ray_backend.domain.errors import InvalidInput
from ray_backend.serving import nodes


@pytest.fixture(autouse=True)
def _asked_anew(monkeypatch, tmp_path):
    monkeypatch.setenv("RAY_AUTH_MODE", "token")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("RAY_AUTH_TOKEN_PATH", raising=False)
    monkeypatch.delenv("RAY_AUTH_TOKEN", raising=False)
    AuthenticationTokenLoader.instance().reset_cache()
    yield
    AuthenticationTokenLoader.instance().reset_cache()


@pytest.mark.parametrize("token", ["change-me", "secret", "x" * 15])
def test_a_token_that_can_be_guessed_starts_no_head(monkeypatch, token):
    monkeypatch.setenv("RAY_AUTH_TOKEN", token)
    with pytest.raises(InvalidInput, match="Set RAY_AUTH_TOKEN to what `openssl rand -hex 24` prints"):
        nodes.make_token()


def test_a_long_one_does(monkeypatch):
    monkeypatch.setenv("RAY_AUTH_TOKEN", "0123456789abcdef" * 3)
    nodes.make_token()
