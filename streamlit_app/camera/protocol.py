"""What a kiosk's page may send over its WebSocket, checked at the edge.

Binary: a frame, its number (4 bytes, big endian) followed by a picture. Text: JSON,
`{"type": "code", "digits": "1234", "request_id": "..."}` for a typed code and
`{"type": "not_me", "punch_id": "..."}` for a punch that is somebody else's.

Close codes: 1003 none of these, 1008 too much of it, 1009 too large, 4401 token withdrawn.
"""

from __future__ import annotations

import json
import re
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

MAX_FRAME_BYTES = 1_000_000
MAX_TEXT_BYTES = 500
NOT_UNDERSTOOD, TOO_MANY, TOO_LARGE, TOKEN_WITHDRAWN = 1003, 1008, 1009, 4401
_NUMBER = struct.Struct(">I")
_DIGITS = re.compile(r"[0-9]{1,20}")
_NAME = re.compile(r"[A-Za-z0-9-]{8,64}")


class Refused(Exception):
    """No page of ours sends this. `code` closes the connection."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Frame:
    """A picture of the camera; `seq` is its number."""

    seq: int
    image: bytes


@dataclass(frozen=True, slots=True)
class Code:
    """A typed code. The same `request_id` is the same request, however often it is sent."""

    digits: str
    request_id: str


@dataclass(frozen=True, slots=True)
class NotMe:
    """Somebody says that this punch is not theirs."""

    punch_id: str


def is_name(text: str) -> bool:
    """Whether this can be the name of a page's session or of a request."""
    return _NAME.fullmatch(text) is not None


def parse(message: Mapping[str, Any]) -> Frame | Code | NotMe:
    """What an ASGI `websocket.receive` message holds. Raises Refused."""
    if message.get("bytes") is not None:
        return _frame(message["bytes"])
    text = message.get("text") or ""
    if len(text) > MAX_TEXT_BYTES:
        raise Refused(TOO_LARGE)
    try:
        said = json.loads(text)
    except (ValueError, RecursionError):
        raise Refused(NOT_UNDERSTOOD) from None
    return _request(said)


def _frame(data: bytes) -> Frame:
    if len(data) <= _NUMBER.size:
        raise Refused(NOT_UNDERSTOOD)
    if len(data) > MAX_FRAME_BYTES:
        raise Refused(TOO_LARGE)
    return Frame(_NUMBER.unpack_from(data)[0], data[_NUMBER.size :])


def _request(said: Any) -> Code | NotMe:
    match said:
        case {"type": "code", "digits": str(digits), "request_id": str(request_id), **rest}:
            if not rest and _DIGITS.fullmatch(digits) and is_name(request_id):
                return Code(digits, request_id)
        case {"type": "not_me", "punch_id": str(punch_id), **rest}:
            if not rest and is_name(punch_id):
                return NotMe(punch_id)
    raise Refused(NOT_UNDERSTOOD)
