"""Sends one signed message over HTTP, and nowhere else than where messages may go."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from ipaddress import ip_address
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from ray_backend.domain.webhooks import SIGNATURE, Hook, may_be_called, sign

if TYPE_CHECKING:
    import httpx

TIMEOUT_S = 5.0
# Sends a body to a hook, signed with its secret; returns why it failed, or nothing.
Send = Callable[[Hook, str, bytes], str]
_NOT_ALLOWED = (
    "The address leads into a private network. The operator may allow that with ROLLCALL_WEBHOOK_PRIVATE."
)
_NOT_FOUND = "The name of the server is not known."
_TOO_SLOW = "The server did not answer within 5 seconds."
_NO_CONNECTION = "The server could not be reached, or its certificate is not valid."


class WebhookSender:
    """Callable as `Send`. Follows no redirects, uses no proxy, and connects to the very address that it
    looked at, so that a name cannot point elsewhere in between. Safe to call from several threads."""

    def __init__(self, *, private: bool = False, timeout_s: float = TIMEOUT_S) -> None:
        """`private` lets messages go into one's own network; see `may_be_called`."""
        self._private = private
        self._timeout_s = timeout_s
        self._trusted = None

    def __call__(self, hook: Hook, secret: str, body: bytes) -> str:
        """Why it failed in a sentence, or an empty text."""
        parts = urlsplit(hook.url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
        try:
            addresses = self._addresses(parts.hostname, port)
        except OSError:
            return _NOT_FOUND
        if not addresses:
            return _NOT_ALLOWED
        headers = {
            "Host": parts.netloc,
            "Content-Type": "application/json",
            "User-Agent": "Rollcall",
            SIGNATURE: sign(secret, body, int(time.time())),
        }
        for address in addresses:
            said = self._send(hook.url, address, headers, body)
            if said != _NO_CONNECTION:
                break
        return said

    def _send(self, url: str, address: str, headers: dict[str, str], body: bytes) -> str:
        import httpx

        target, name = httpx.URL(url), urlsplit(url).hostname
        try:
            return _said(self._status(target.copy_with(host=address), headers, body, name))
        except httpx.TimeoutException:
            return _TOO_SLOW
        except httpx.HTTPError:
            return _NO_CONNECTION

    def _status(self, url: httpx.URL, headers: dict[str, str], body: bytes, name: str) -> int:
        import httpx

        if self._trusted is None:
            self._trusted = httpx.create_ssl_context()
        with (
            httpx.Client(
                timeout=self._timeout_s, trust_env=False, follow_redirects=False, verify=self._trusted
            ) as client,
            # What the answer says is not read: it might never end.
            client.stream(
                "POST", url, headers=headers, content=body, extensions={"sni_hostname": name}
            ) as answer,
        ):
            return answer.status_code

    def _addresses(self, host: str, port: int) -> list[str]:
        """Where to connect to; nothing where one of the name's addresses may not be called."""
        rows = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        found = list(dict.fromkeys(row[4][0].partition("%")[0] for row in rows))
        if not all(may_be_called(ip_address(one), self._private) for one in found):
            return []
        return found


def _said(status: int) -> str:
    return "" if 200 <= status < 300 else f"The server answered with {status}."
