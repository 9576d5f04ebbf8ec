"""Webhooks: who is told of what, how a message is signed, and when it is sent again."""

from __future__ import annotations

import hashlib
import hmac
import random
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from urllib.parse import urlsplit

from ray_backend.domain.errors import InvalidInput
from ray_backend.domain.model import new_id

SIGNATURE = "Rollcall-Signature"
GIVEN_UP_AFTER = timedelta(days=1)
LONGEST_URL = 500
_FIRST_WAIT_S, _LONGEST_WAIT_S = 5.0, 3600.0
# Where machines of a cloud ask for their own secrets; nothing that a webhook may ever be for.
_CARRIER_GRADE_METADATA = ip_address("100.100.100.200")
# Translated to the fourth version by the network (RFC 6052).
_TRANSLATED = IPv6Network("64:ff9b::/96")


class Event(StrEnum):
    """What can be told. TEST is sent on request only."""

    PUNCH = "punch.recorded"
    REQUESTED = "correction.requested"
    APPROVED = "correction.approved"
    REFUSED = "correction.refused"
    WITHDRAWN = "correction.withdrawn"
    ADDED = "correction.added"
    TEST = "webhook.test"


TOLD = tuple(event for event in Event if event is not Event.TEST)


class DeliveryState(StrEnum):
    """What became of a message. DEAD: given up, until somebody has it sent again."""

    WAITING = "waiting"
    SENT = "sent"
    DEAD = "dead"


@dataclass(frozen=True, slots=True)
class Hook:
    """Somebody's server that is told of `events` from `created_at` on. Its secret is kept apart."""

    name: str
    url: str
    events: tuple[Event, ...]
    created_at: datetime
    hook_id: str = field(default_factory=new_id)

    def checked(self) -> Hook:
        """Itself. Raises InvalidInput that says what to mend."""
        if not self.name or len(self.name) > 64 or not self.name.isprintable():
            raise InvalidInput("Give the webhook a name of 1 to 64 visible characters, such as payroll.")
        if not self.events or not set(self.events) <= set(TOLD):
            raise InvalidInput("Choose at least one thing that the webhook is told of.")
        check_url(self.url)
        return self


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message to one hook. `about` is the id of the punch or correction, `about_at` when that was.

    It holds no content: that is read from the records when it is sent, so an erasure leaves none behind.
    `due_at` is when it is sent next, or was sent or given up. `since` is when it was made or replayed.
    """

    hook_id: str
    event: Event
    about: str
    about_at: datetime
    person_id: str
    since: datetime
    due_at: datetime
    delivery_id: str
    state: DeliveryState = DeliveryState.WAITING
    attempts: int = 0
    error: str = ""


def delivery_id(hook_id: str, event: Event, about: str) -> str:
    """The same for the same message, whoever makes it and however often: 32 hexadecimal characters."""
    return hashlib.sha256(f"{hook_id}/{event}/{about}".encode()).hexdigest()[:32]


def check_url(url: str) -> None:
    """Raises InvalidInput unless it is an https address, or an http one of this very machine."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        host = ""
    if not host or len(url) > LONGEST_URL or not url.isprintable() or " " in url:
        raise InvalidInput("Give a whole address, such as https://hr.example.org/rollcall.")
    if parts.username or parts.password or parts.fragment:
        raise InvalidInput("The address may hold no password and no part behind a #.")
    if parts.scheme != "https" and not (parts.scheme == "http" and _is_this_machine(host)):
        raise InvalidInput("The address has to begin with https://, so that nobody on the way reads along.")


def _is_this_machine(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def may_be_called(address: IPv4Address | IPv6Address, private: bool) -> bool:
    """Whether a message may go to this address. `private` lets it go to one's own network and machine.

    Link-local addresses are refused always: that is where a cloud's machines ask for their secrets.
    """
    address = _inner(address)
    never = address.is_link_local or address.is_multicast or address.is_unspecified
    if never or address == _CARRIER_GRADE_METADATA:
        return False
    return address.is_global or (private and (address.is_private or address.is_loopback))


def _inner(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """The address of the fourth version that one of the sixth stands for, if it does."""
    if isinstance(address, IPv4Address):
        return address
    if address in _TRANSLATED:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or address


def sign(secret: str, body: bytes, at_s: int) -> str:
    """The header's value: `t=<seconds since 1970>,v1=<hex of HMAC-SHA256 over "t.body">`."""
    mac = hmac.new(secret.encode(), b"%d." % at_s + body, hashlib.sha256)
    return f"t={at_s},v1={mac.hexdigest()}"


def wait_s(attempts: int) -> float:
    """Seconds before a message is sent again that failed `attempts` times, from 1 on: doubling up to an
    hour, and between half of that and the whole, so that many do not come back at once."""
    longest = min(_LONGEST_WAIT_S, _FIRST_WAIT_S * 2 ** min(attempts - 1, 20))
    return random.uniform(longest / 2, longest)
