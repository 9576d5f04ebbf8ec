"""How each section saves: validated as a whole, said on the page, seen by all pages at once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from ray_backend.client import Backend
from streamlit_app import deps
from streamlit_app.i18n import N_, _
from streamlit_app.notes import attempt
from streamlit_app.session import ACTOR

_NOTHING = N_("Nothing was changed: everything is as it was.")


def save(backend: Backend, changes: Mapping[str, Any], done: str) -> None:
    """Changes these settings and says `done`, or why it was refused."""
    now = backend.site.current()
    if all(getattr(now, name) == value for name, value in changes.items()):
        st.info(_(_NOTHING), icon=":material/info:")
        return
    attempt(done, lambda: backend.site.change(changes, actor=ACTOR), deps.site_was_changed)
