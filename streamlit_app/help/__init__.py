"""Explanations behind the *Help* of a page, from the files beside this one: one for each language."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import streamlit as st

from streamlit_app.dialogs import dialog
from streamlit_app.i18n import ENGLISH, N_, _, language

FOLDER = Path(__file__).parent
_FILE = "working-time"
# A line such as <!-- rules --> begins what a page shows.
_MARK = re.compile(r"^<!-- (\w+) -->\n", re.MULTILINE)


def button(topic: str) -> None:
    """A button beside the page's title that opens the explanation of this topic."""
    if st.button(_("Help"), icon=":material/help:", type="tertiary", key=f"help-{topic}"):
        _explain(topic)


def title(text: str, topic: str) -> None:
    """The page's title, with its help at the other end of the line."""
    row = st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute")
    row.title(text, width="content")
    with row:
        button(topic)


def text(topic: str, code: str) -> str:
    """The explanation as Markdown in this language, or in English where there is none."""
    return (topics(code) or topics(ENGLISH))[topic]


@cache
def topics(code: str) -> dict[str, str]:
    """All explanations of a language; none where it has no file."""
    path = FOLDER / f"{_FILE}.{code}.md"
    if not path.exists():
        return {}
    _head, *parts = _MARK.split(path.read_text(encoding="utf-8"))
    return dict(zip(parts[::2], map(str.strip, parts[1::2]), strict=True))


@dialog(N_("How this works"), width="large")
def _explain(topic: str) -> None:
    # The heading stands in the dialog's title already.
    st.markdown(text(topic, language()).partition("\n")[2])
