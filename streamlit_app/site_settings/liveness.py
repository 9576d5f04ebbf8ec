"""Section Liveness: whether a picture held up to a camera is looked for, and how."""

from __future__ import annotations

import streamlit as st

from ray_backend.client import Backend
from streamlit_app import settings_words as words
from streamlit_app.i18n import _
from streamlit_app.site_settings.saving import save


def render(backend: Backend) -> None:
    """What is in force, whether it can work here, and the choice."""
    now = backend.site.current()
    models = backend.site.has_liveness_models()
    problem = words.liveness_problem(now, models)
    if problem and now.liveness == "require":
        st.error(problem, icon=":material/error:")
    elif problem:
        st.warning(problem, icon=":material/warning:")
    st.write(_("Somebody may hold up a photo or a screen that shows another person's face."))
    with st.form("liveness"):
        mode = st.radio(
            _("What happens then?"), list(words.LIVENESS), index=list(words.LIVENESS).index(now.liveness),
            format_func=lambda mode: _(words.LIVENESS[mode][0]),
            captions=[_(caption) for _label, caption in words.LIVENESS.values()],
        )  # fmt: skip
        way = st.radio(
            _("How is it found out?"), list(words.WAYS), index=list(words.WAYS).index(now.liveness_way),
            format_func=lambda way: _(words.WAYS[way][0]),
            captions=[_(caption) for _label, caption in words.WAYS.values()],
        )  # fmt: skip
        if not models:
            st.caption(_(words.NO_MODELS))
        if st.form_submit_button(_("Save"), type="primary", key="save-liveness"):
            save(
                backend,
                {"liveness": mode, "liveness_way": way},
                _("Saved. Kiosks go by it with the next person."),
            )
