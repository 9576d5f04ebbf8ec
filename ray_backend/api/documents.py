"""The OpenAPI document, and the page that shows it. The page loads nothing from anywhere else."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from starlette.responses import FileResponse, HTMLResponse, JSONResponse, Response

from ray_backend import __version__
from ray_backend.api import describe, schemas
from ray_backend.api.access import ANYBODY, ROLES, documented
from ray_backend.api.problems import ApiProblem

_ABOUT = """Face recognition and attendance.

Send an API key (`rollcall token create NAME --role ROLE`) or a signed JSON Web Token as
`Authorization: Bearer …`. Roles: `admin` may do everything, `manager` reads people and attendance,
`recognizer` recognises, `kiosk` checks people in, `monitor` reads health and metrics.

Errors are problem documents (RFC 9457). 429 and 503 say in `Retry-After` how many seconds to wait.
"""
_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>Rollcall API</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,">
<link rel="stylesheet" href="docs/swagger-ui.css">
</head>
<body>
<div id="api"></div>
<script src="docs/swagger-ui-bundle.js"></script>
<script src="docs/start.js"></script>
</body>
</html>
"""
_START = 'SwaggerUIBundle({url: "openapi.json", dom_id: "#api", deepLinking: true, validatorUrl: null});\n'
# Swagger UI sets styles and draws icons in line; it may talk to this server only.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; frame-ancestors 'none'"
)
_ASSETS = {"swagger-ui.css": "text/css", "swagger-ui-bundle.js": "text/javascript"}
_BEARER = {
    "type": "http",
    "scheme": "bearer",
    "description": "An API key, or a JSON Web Token with `sub`, `role` and `exp`.",
}


def openapi(app: FastAPI) -> dict[str, Any]:
    """The document, made once: with who may call what, and every status that a route may answer with."""
    if app.openapi_schema is None:
        document = get_openapi(title="Rollcall", version=__version__, description=_ABOUT, routes=app.routes)
        components = document.setdefault("components", {})
        components["securitySchemes"] = {"bearer": _BEARER}
        components["schemas"] |= {
            "Problem": schemas.Problem.model_json_schema(ref_template="#/components/schemas/{model}")
        }
        for name in ("HTTPValidationError", "ValidationError"):
            components["schemas"].pop(name, None)
        for (method, path), roles in ROLES.items():
            operation = document["paths"].get(documented(path), {}).get(method.lower())
            if operation is not None:
                _complete(operation, roles)
        app.openapi_schema = document
    return app.openapi_schema


def _complete(operation: dict[str, Any], roles: frozenset | None) -> None:
    if roles is ANYBODY:
        operation["security"] = []
        return
    operation["security"] = [{"bearer": []}]
    names = ", ".join(f"`{role.value}`" for role in sorted(roles))
    operation["description"] = f"{operation.get('description', '')}\n\nRoles: {names}.".strip()
    responses = operation["responses"]
    for status in (401, 403, 429, 503):
        responses[str(status)] = describe.problem(status)


def install(app: FastAPI) -> None:
    """Adds the document and its page."""
    static = _static()

    async def document() -> Response:
        return JSONResponse(openapi(app))

    async def page() -> Response:
        return HTMLResponse(_PAGE, headers={"Content-Security-Policy": _POLICY})

    async def part(asset: str) -> Response:
        if asset == "start.js":
            return Response(_START, media_type="text/javascript")
        if asset not in _ASSETS:
            raise ApiProblem(404, "no-such-route", "Not Found")
        return FileResponse(static / asset, media_type=_ASSETS[asset])

    app.openapi = lambda: openapi(app)
    app.get("/openapi.json", include_in_schema=False)(document)
    app.get("/docs", include_in_schema=False)(page)
    app.get("/docs/{asset}", include_in_schema=False)(part)


def _static() -> Path:
    """Swagger UI's files, as the package fastapi-offline brings them. Its code is not used."""
    return Path(find_spec("fastapi_offline").submodule_search_locations[0]) / "static"
