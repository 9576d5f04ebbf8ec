"""Pictures and fields out of request bodies: raw, multipart or JSON with base64. Nothing touches a disk."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from typing import Any

from starlette.datastructures import Headers
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.types import Receive, Scope

from ray_backend.api.limits import read_body
from ray_backend.api.problems import ApiProblem
from ray_backend.client import Photo
from ray_backend.domain.errors import InvalidInput
from ray_backend.settings import Settings

RAW = (b"image/jpeg", b"image/png", b"image/webp")
_FORM, _JSON = b"multipart/form-data", b"application/json"
# For the boundaries and headers of a form, or for the other fields of a JSON document.
_AROUND = 65_536
_MOST_FIELDS = 20


@dataclass(frozen=True, slots=True)
class Upload:
    """Pictures with the other fields of the request. `typed`: the fields are JSON, not a form's texts."""

    photos: list[Photo]
    fields: dict[str, Any] = field(default_factory=dict)
    typed: bool = False


class Bodies:
    """Reads requests within the limits of the settings."""

    def __init__(self, settings: Settings) -> None:
        self._image_bytes = settings.max_image_bytes
        self._request_bytes = settings.api_max_body_bytes
        self._batch = settings.api_max_batch

    async def image(
        self, scope: Scope, receive: Receive, headers: dict[bytes, bytes], name: str = "image"
    ) -> Upload:
        """One picture: the body itself, the form's `file`, or the JSON document's `name` in base64.

        Raises InvalidInput, problems 413 and 415, and ClientDisconnect.
        """
        kind = _kind(headers)
        if kind in RAW:
            return Upload([Photo("picture", await read_body(receive, headers, self._image_bytes))])
        if kind == _FORM:
            body = await read_body(receive, headers, self._image_bytes + _AROUND)
            upload = await _from_form(body, scope, "file", most=1)
        elif kind == _JSON:
            body = await read_body(receive, headers, self._image_bytes * 4 // 3 + _AROUND)
            upload = _one_from_json(body, name)
        else:
            raise _unsupported(b", ".join((*RAW, _FORM, _JSON)))
        if not upload.photos:
            raise InvalidInput("The picture is missing: send it in the form's field `file`.")
        return upload

    async def file(self, scope: Scope, receive: Receive, headers: dict[bytes, bytes]) -> Upload:
        """As `image`, of a form alone."""
        if _kind(headers) != _FORM:
            raise _unsupported(_FORM)
        return await self.image(scope, receive, headers)

    async def encoded(self, scope: Scope, receive: Receive, headers: dict[bytes, bytes], name: str) -> Upload:
        """As `image`, of a JSON document alone."""
        if _kind(headers) != _JSON:
            raise _unsupported(_JSON)
        return await self.image(scope, receive, headers, name)

    async def document(self, receive: Receive, headers: dict[bytes, bytes]) -> dict[str, Any]:
        """A JSON object without pictures. Raises as `image`."""
        if _kind(headers) != _JSON:
            raise _unsupported(_JSON)
        return _document(await read_body(receive, headers, _AROUND))

    async def images(self, scope: Scope, receive: Receive, headers: dict[bytes, bytes], name: str) -> Upload:
        """Up to a batch of pictures: the form's files, or a list in base64, each in the field `name`.

        Raises as `image`. There may be none.
        """
        kind = _kind(headers)
        if kind not in (_FORM, _JSON):
            raise _unsupported(b", ".join((_FORM, _JSON)))
        body = await read_body(receive, headers, self._request_bytes)
        if kind == _FORM:
            return await _from_form(body, scope, name, most=self._batch)
        return _many_from_json(body, name, most=self._batch)


def _kind(headers: dict[bytes, bytes]) -> bytes:
    return headers.get(b"content-type", b"").partition(b";")[0].strip().lower()


def _unsupported(accepted: bytes) -> ApiProblem:
    names = accepted.decode()
    return ApiProblem(415, "unsupported-media-type", f"Send one of these: {names}.", {"Accept": names})


class _InMemoryParser(MultiPartParser):
    # The body is in memory already, and faces do not belong into temporary files.
    spool_max_size = 2**40


async def _from_form(body: bytes, scope: Scope, name: str, most: int) -> Upload:
    async def stream() -> AsyncGenerator[bytes, None]:
        yield body

    parser = _InMemoryParser(
        Headers(scope=scope), stream(), max_files=most, max_fields=_MOST_FIELDS, max_part_size=_AROUND
    )
    try:
        form = await parser.parse()
    except MultiPartException as error:
        raise InvalidInput(f"The form cannot be read: {error.message}") from error
    photos, fields = [], {}
    for key, value in form.multi_items():
        if isinstance(value, str):
            fields[key] = value
        elif key == name:
            photos.append(Photo(value.filename or f"{name} {len(photos) + 1}", value.file.read()))
        else:
            raise InvalidInput(f"Send pictures in the form's field `{name}`, not `{key}`.")
    if name in fields:
        raise InvalidInput(f"The form's field `{name}` has to be a file with a file name.")
    return Upload(photos, fields)


def _one_from_json(body: bytes, name: str) -> Upload:
    document = _document(body)
    if name not in document:
        raise InvalidInput(f"The picture is missing: send it in base64 as `{name}`.")
    return Upload([Photo("picture", _decoded(document.pop(name), name))], document, typed=True)


def _many_from_json(body: bytes, name: str, most: int) -> Upload:
    document = _document(body)
    texts = document.pop(name, [])
    if not isinstance(texts, list):
        raise InvalidInput(f"`{name}` has to be a list of pictures in base64.")
    if len(texts) > most:
        raise InvalidInput(f"At most {most} pictures are taken in one request.")
    photos = [
        Photo(f"{name} {number}", _decoded(text, f"{name} {number}"))
        for number, text in enumerate(texts, start=1)
    ]
    return Upload(photos, document, typed=True)


def _document(body: bytes) -> dict[str, Any]:
    try:
        document = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise InvalidInput("The request is not a JSON document.") from error
    if not isinstance(document, dict):
        raise InvalidInput("The JSON document has to be an object.")
    return document


def _decoded(text: Any, name: str) -> bytes:
    """The bytes of a base64 text; what browsers put before it (`data:image/png;base64,`) may stand."""
    if not isinstance(text, str):
        raise InvalidInput(f"`{name}` has to be a text in base64.")
    if text.startswith("data:"):
        text = text.partition(",")[2]
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise InvalidInput(f"`{name}` is not base64.") from error
