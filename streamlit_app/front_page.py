"""The kiosk's page as HTML: Streamlit's own, told where its server is.

Streamlit's page does not know whether `check-in` is the name of a page or a folder that it is served from, so
it asks for its server in both places, and leaves two refusals in every kiosk's console and log.
"""

from __future__ import annotations

from pathlib import Path

import streamlit
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

PATH = "/check-in"
_PAGE = Path(streamlit.__file__).parent / "static" / "index.html"
# The folder that the page lies in, also behind a proxy that serves all of it from a folder of its own.
_HERE = '<script>window.__streamlit = { BACKEND_BASE_URL: new URL(".", location.href).href }</script>'


def kiosk_front_page(_request: Request) -> Response:
    """The page, never kept by the browser: its parts have other names after an update."""
    page = _PAGE.read_text(encoding="utf-8").replace("<head>", f"<head>{_HERE}", 1)
    return HTMLResponse(page, headers={"Cache-Control": "no-cache"})
