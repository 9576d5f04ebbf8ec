"""The little CSS that Streamlit's theme does not cover."""

from __future__ import annotations

import streamlit as st

_APP = """<style>
.stMainBlockContainer { padding-top: 3.5rem; padding-bottom: 3rem; max-width: 72rem; }
.st-key-people-list [data-testid="stHorizontalBlock"] { border-bottom: 1px solid #8883; min-height: 2.75rem;
  align-items: center; }
.st-key-people-list [data-testid="stText"] { font: inherit; font-size: 0.95rem; overflow-wrap: anywhere; }
.st-key-people-list button p { font-size: 0.95rem; font-weight: 600; text-align: left; }
.st-key-people-list [data-testid="stHorizontalBlock"]:has(button) { position: relative; }
.st-key-people-list [data-testid="stHorizontalBlock"]:has(button):hover { background: #8881; }
.st-key-people-list [data-testid="stElementContainer"]:has(button) { position: static; }
.st-key-people-list button::after { content: ""; position: absolute; inset: 0; z-index: 1; }
.rc-face { display: inline-block; width: var(--face); height: var(--face); border-radius: 50%;
  object-fit: cover; vertical-align: middle; margin-right: .25rem; background: #8883;
  border: 1px solid #8885; }
img.rc-unknown-face, div.rc-unknown-face { display: block; width: 100%; aspect-ratio: 1; object-fit: cover;
  border-radius: .5rem; background: #8883; }
[class*="st-key-unknown-near-"] { flex-wrap: nowrap; }
[class*="st-key-unknown-near-"] button { min-height: 1.5rem; }
.rc-crops { display: flex; flex-wrap: wrap; gap: .5rem; }
.rc-crops img { width: 7.5rem; max-width: 48%; aspect-ratio: 1; object-fit: cover; border-radius: .5rem; }
.rc-photo { position: relative; width: 100%; border-radius: .5rem; overflow: hidden; line-height: 0; }
.rc-photo img { width: 100%; }
.rc-photo i { position: absolute; border: 3px solid #fff; border-radius: .5rem;
  box-shadow: 0 0 0 1.5px #0008, inset 0 0 0 1px #0006; }
.rc-steps { display: flex; flex-wrap: wrap; gap: .4rem 1.4rem; margin: 0 0 .6rem;
  padding: 0 !important; list-style: none; }
.rc-steps li { display: flex; align-items: center; gap: .45rem; margin: 0; opacity: .65; }
.rc-steps li.now { opacity: 1; font-weight: 700; } .rc-steps li.done { opacity: .9; }
.rc-steps b { display: grid; place-items: center; width: 1.7rem; height: 1.7rem; border-radius: 50%;
  border: 2px solid currentColor; font-size: .85rem; }
.rc-steps li.now b { background: #14606b; border-color: #14606b; color: #fff; }
</style>"""

_KIOSK = """<style>
[data-testid="stSidebar"], [data-testid="stSidebarCollapsedControl"], [data-testid="stExpandSidebarButton"],
[data-testid="stHeader"], [data-testid="stToolbar"], [data-testid="stStatusWidget"] {
  display: none !important; }
.stMainBlockContainer { padding-top: 2rem; }
</style>"""


def app_style() -> None:
    """For every page."""
    st.html(_APP)


def kiosk_mode() -> None:
    """Takes away everything around the page."""
    st.html(_KIOSK)
