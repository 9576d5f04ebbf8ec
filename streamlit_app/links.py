"""Links from page to page."""

from __future__ import annotations

from urllib.parse import urlencode, urlsplit

import streamlit as st

from streamlit_app import deps

_PAGES = "pages"


def remember(pages: dict[str, st.Page]) -> None:
    """Makes the pages known by name for this run."""
    st.session_state[_PAGES] = pages


def link(name: str, label: str, icon: str | None = None, **query: str) -> None:
    """A link to a page by its name, with `query` in its address. Shows nothing where the page stands alone,
    as in a test."""
    pages = st.session_state.get(_PAGES)
    if pages:
        st.page_link(pages[name], label=label, icon=icon, query_params=query or None)


def api_address() -> str | None:
    """Where programs of others reach the HTTP API; None where there is none."""
    settings = deps.settings()
    if not settings.api_port:
        return None
    if settings.api_url:
        return settings.api_url.rstrip("/")
    host = urlsplit(st.context.url or "http://localhost").hostname or "localhost"
    return f"http://{f'[{host}]' if ':' in host else host}:{settings.api_port}"


def kiosk_address(token: str) -> str:
    """The kiosk page's full address, on the host by which this browser reached us."""
    here = urlsplit(st.context.url or "http://localhost")
    return f"{here.scheme}://{here.netloc}/check-in?{urlencode({'token': token})}"
