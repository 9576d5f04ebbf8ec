"""Dialogs whose titles are in the reader's language."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

import streamlit as st

from streamlit_app.i18n import _


def dialog(title: str, **looks: Any) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """`st.dialog`, whose title is a text marked with `N_` and translated when the dialog opens.

    `looks` goes to `st.dialog` as it is.
    """

    def decorate(show: Callable[..., None]) -> Callable[..., None]:
        @wraps(show)
        def opened(*args: Any, **values: Any) -> None:
            st.dialog(_(title), **looks)(show)(*args, **values)

        return opened

    return decorate
