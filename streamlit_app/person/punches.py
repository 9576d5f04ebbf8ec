"""The last punches of a person."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from ray_backend.domain.answers import PersonFile
from streamlit_app import deps, people_words
from streamlit_app.i18n import _


def last_punches(file: PersonFile) -> None:
    """The last ten, newest first, or a sentence where there is none."""
    st.subheader(_("Last attendance"))
    if not file.last_punches:
        st.caption(_("This person has not checked in yet. The first time at a kiosk shows here."))
        return
    rows = people_words.punch_rows(file.last_punches, deps.site().zone)
    st.table(pd.DataFrame(rows), border="horizontal", hide_index=True, alt=_("Last attendance"))
