"""Registering a new face, step by step: consent, who it is, photos, a last look, a try."""

from __future__ import annotations

from html import escape

import streamlit as st

from ray_backend.client import Backend
from streamlit_app.i18n import N_, _
from streamlit_app.registration.check import check_step
from streamlit_app.registration.consent import consent_step
from streamlit_app.registration.done import close_try, try_step
from streamlit_app.registration.draft import Draft, Step, begin_anew, current_draft
from streamlit_app.registration.photos import close_desk, photos_step
from streamlit_app.registration.who import who_step
from streamlit_app.session import guarded

_TITLES = {
    Step.CONSENT: N_("Consent"),
    Step.WHO: N_("Person"),
    Step.PHOTOS: N_("Photos"),
    Step.CHECK: N_("Check and save"),
    Step.TRY: N_("Try it"),
}
_STEPS = {
    Step.CONSENT: consent_step,
    Step.WHO: who_step,
    Step.PHOTOS: photos_step,
    Step.CHECK: check_step,
    Step.TRY: try_step,
}


@guarded("register")
def render(backend: Backend) -> None:
    """One step of the registration that is going on in this tab. Nothing typed is lost by an error."""
    draft = current_draft()
    row = st.container(horizontal=True, vertical_alignment="center")
    row.title(_("Register face"), width="stretch")
    if draft.step not in (Step.CONSENT, Step.TRY) and row.button(
        _("Start over"), key="register-over", type="tertiary", icon=":material/restart_alt:"
    ):
        close_desk(draft)
        close_try(draft)
        begin_anew()
        st.rerun()
    st.html(_progress(draft))
    _STEPS[draft.step](backend, draft)


def _progress(draft: Draft) -> str:
    """The steps as a list; the present one is marked for screen readers, too."""
    places = list(Step)
    now = places.index(draft.step)
    items = []
    for number, step in enumerate(places):
        look = "done" if number < now else "now" if number == now else ""
        current = ' aria-current="step"' if number == now else ""
        sign = "✓" if number < now else str(number + 1)
        items.append(f'<li class="{look}"{current}><b>{sign}</b>{escape(_(_TITLES[step]))}</li>')
    return f'<ol class="rc-steps">{"".join(items)}</ol>'
