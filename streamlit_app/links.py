"""Links from page to page."""

from __future__ import annotations

from urllib.parse import urlencode, urlsplit

import streamlit as st

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


def kiosk_address(token: str) -> str:
    """The kiosk page's full address, on the host by which this browser reached us."""
    here = urlsplit(st.context.url or "http://localhost")
    return f"{here.scheme}://{here.netloc}/check-in?{urlencode({'token': token})}"
