"""Parts of the OpenAPI document that FastAPI cannot find out: bodies that are read by hand, and problems."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from ray_backend.api.bodies import RAW
from ray_backend.api.problems import MEDIA_TYPE

_MEANINGS = {
    401: "Nobody said who asks, or the token is not valid.",
    403: "The token's role may not do this.",
    404: "There is no such thing.",
    409: "It contradicts what is stored.",
    413: "Too many bytes or pixels.",
    415: "Not a media type or picture format that is taken.",
    422: "What was sent cannot be used; `detail` says what to do.",
    429: "Too many requests of this token.",
    500: "A mistake of ours.",
    503: "A part does not answer, or too much waits. Nothing was done.",
}
# A text without control characters.
PLAIN_TEXT = r"^[^\x00-\x1f\x7f]*$"
_BINARY = {"type": "string", "format": "binary"}
_BASE64 = {"type": "string", "contentEncoding": "base64", "examples": ["/9j/4AAQSkZJRg=="]}
_RETRY_AFTER = {"description": "seconds to wait", "schema": {"type": "integer", "minimum": 1}}
_HEADERS = {
    401: {"WWW-Authenticate": {"description": "the scheme to use", "schema": {"type": "string"}}},
    429: {"Retry-After": _RETRY_AFTER},
    503: {"Retry-After": _RETRY_AFTER},
}
_KIOSK = {"type": "string", "maxLength": 64, "description": "instead of the query parameter"}


def problems(*statuses: int) -> dict[int, dict[str, Any]]:
    """The `responses` of a route that may answer with these problems."""
    return {status: problem(status) for status in statuses}


def problem(status: int) -> dict[str, Any]:
    """One such response."""
    answer: dict[str, Any] = {
        "description": _MEANINGS[status],
        "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
    if status in _HEADERS:
        answer["headers"] = _HEADERS[status]
    return answer


def one_picture(with_kiosk: bool = False) -> dict[str, Any]:
    """A picture in any of the three forms."""
    more = {"kiosk": _KIOSK} if with_kiosk else {}
    content = {kind.decode(): {"schema": _BINARY} for kind in RAW}
    content["multipart/form-data"] = _object({"file": _BINARY} | more, ["file"])
    content["application/json"] = _object({"image": _BASE64} | more, ["image"])
    return _body(content)


def department() -> dict[str, Any]:
    """The department to look in, and the pack to be answered by, as parts of the address."""
    schema = {"type": "string", "maxLength": 200, "pattern": PLAIN_TEXT}
    return {
        "parameters": [
            {"name": name, "in": "query", "required": False, "schema": schema}
            for name in ("department", "pack")
        ]
    }


def encoded_picture(name: str) -> dict[str, Any]:
    """A picture in a JSON document."""
    return _body({"application/json": _object({name: _BASE64}, [name])})


def file_picture() -> dict[str, Any]:
    """A picture in a form."""
    return _body({"multipart/form-data": _object({"file": _BINARY}, ["file"])})


def json_document(model: type[BaseModel]) -> dict[str, Any]:
    """A JSON document without pictures."""
    return _body({"application/json": {"schema": model.model_json_schema()}})


def many_pictures(name: str, fields: dict[str, Any] | None = None) -> dict[str, Any]:
    """Several pictures, in a form or a JSON document; `fields` is the JSON schema of what is beside them."""
    fields = fields or {}
    properties, required = fields.get("properties", {}), [*fields.get("required", []), name]
    files = {name: {"type": "array", "items": _BINARY, "minItems": 1}}
    texts = {name: {"type": "array", "items": _BASE64, "minItems": 1}}
    return _body(
        {
            "multipart/form-data": _object(properties | files, required),
            "application/json": _object(properties | texts, required),
        }
    )


def _object(properties: dict[str, Any], required: list[str]) -> dict[str, Any]:
    return {"schema": {"type": "object", "properties": properties, "required": required}}


def _body(content: dict[str, Any]) -> dict[str, Any]:
    return {"requestBody": {"required": True, "content": content}}
