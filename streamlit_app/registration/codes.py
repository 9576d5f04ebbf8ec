"""The second way at the kiosk: a PIN that is made here, or a badge number."""

from __future__ import annotations

import streamlit as st

from ray_backend.services import codes
from streamlit_app.i18n import N_, _
from streamlit_app.registration.draft import CodeChoice, Draft, field_key

_LABELS = {
    CodeChoice.NONE: N_("No code"),
    CodeChoice.MADE: N_("Make a PIN of six digits"),
    CodeChoice.OWN: N_("Type a PIN or a badge number"),
}


def code_fields(draft: Draft, *, asked_for: bool) -> None:
    """Which code the person gets. `asked_for`: the kiosk will need one, because somebody looks alike."""
    st.subheader(_("Code for the kiosk"))
    st.write(
        _(
            "With a code the person can check in without the camera. It is kept so that nobody can read it "
            "later."
        )
    )
    first_time = f"{draft.key}-code_choice" not in st.session_state
    if first_time and asked_for and draft.code_choice is CodeChoice.NONE:
        draft.code_choice = CodeChoice.MADE
    draft.code_choice = st.radio(
        _("Code"), list(CodeChoice), format_func=lambda choice: _(_LABELS[choice]), horizontal=True,
        label_visibility="collapsed", key=field_key(draft, "code_choice"),
    )  # fmt: skip
    if draft.code_choice is CodeChoice.MADE:
        draft.made_code = draft.made_code or codes.suggestion()
        st.caption(_("The PIN is shown once, after saving."))
    elif draft.code_choice is CodeChoice.OWN:
        draft.code = st.text_input(
            _("PIN or badge number"), type="password", autocomplete="off", max_chars=codes.LONGEST,
            placeholder=_("4 to 12 digits"), key=field_key(draft, "code"),
        )  # fmt: skip
