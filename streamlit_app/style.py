"""The little CSS that Streamlit's theme does not cover."""

from __future__ import annotations

import streamlit as st

_APP = """<style>
.stMainBlockContainer { padding-top: 3.5rem; padding-bottom: 3rem; max-width: 72rem; }
.st-key-people-list [data-testid="stHorizontalBlock"] { border-bottom: 1px solid #8883; min-height: 2.75rem;
  align-items: center; }
.st-key-people-list [data-testid="stText"] { font: inherit; font-size: 0.95rem; overflow-wrap: anywhere; }
.st-key-people-list button p { font-size: 0.95rem; font-weight: 600; text-align: left; }
.rc-photo { position: relative; width: 100%; border-radius: .5rem; overflow: hidden; line-height: 0; }
.rc-photo img { width: 100%; }
.rc-photo i { position: absolute; border: 3px solid #fff; border-radius: .5rem;
  box-shadow: 0 0 0 1.5px #0008, inset 0 0 0 1px #0006; }
.rc-answer { display: flex; gap: 1.25rem; align-items: center; padding: 1.25rem 1.5rem; border-radius: .75rem;
  background: #38506b; color: #fff; min-height: 5rem; }
.rc-answer p { margin: 0; font-size: 2rem; line-height: 1.2; font-weight: 700; overflow-wrap: anywhere; }
.rc-answer small { font-size: 1.35rem; }
.rc-sign { font-size: 3rem; line-height: 1; }
.rc-in { background: #0b6b3a; } .rc-out { background: #1450a0; } .rc-unknown { background: #8a2d12; }
.rc-hint { background: #ffc247; color: #241a00; } .rc-idle { background: #1f2933; }
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
