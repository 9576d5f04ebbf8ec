"""Section Privacy: what people agree to, and what is kept for how long."""

from __future__ import annotations

from typing import Any

import streamlit as st

from ray_backend.client import Backend
from ray_backend.domain.errors import InvalidInput
from ray_backend.domain.retention import Due
from ray_backend.domain.site import (
    LONGEST_KEEP_DAYS,
    LONGEST_KEEP_HOURS,
    LONGEST_UNSEEN_MONTHS,
    SiteSettings,
    consent_version,
)
from streamlit_app import certificate_card, deps, presenters
from streamlit_app import settings_words as words
from streamlit_app.dialogs import dialog
from streamlit_app.i18n import N_, _, message
from streamlit_app.notes import attempt
from streamlit_app.session import ACTOR
from streamlit_app.site_settings.saving import save

_PREVIEW = "retention_preview"
_MOST_ROWS = 200


def render(backend: Backend) -> None:
    """Consent first: nothing is kept without it."""
    now = backend.site.current()
    _consent(backend, now)
    st.subheader(_("What is kept for how long"))
    _last_sweep(backend)
    changes = _retention(now)
    show, keep = st.columns(2)
    if show.button(_("Show what is due"), icon=":material/visibility:", width="stretch"):
        st.session_state[_PREVIEW] = True
    if keep.button(_("Save"), type="primary", key="save-retention", width="stretch"):
        st.session_state[_PREVIEW] = True
        save(backend, changes, _("Saved. What is due by it is shown below, and removed within the hour."))
    if st.session_state.get(_PREVIEW):
        _preview(backend, now, changes)
    certificate_card.public_key(backend)


def _consent(backend: Backend, now: SiteSettings) -> None:
    st.subheader(_("Consent"))
    st.write(_("Whoever is registered agrees to this text. Which version it was is kept with the person."))
    text = st.text_area(_("Consent text"), now.consent_text, height=140, max_chars=5000, key="consent_text")
    text = (text or "").strip()
    version = consent_version(text)
    if version == now.consent_version:
        st.caption(_("Version {version}, in force.", version=version))
        return
    with st.container(border=True):
        st.caption(_("Preview of version {version}", version=version))
        st.checkbox(presenters.plain(text) or "–", disabled=True, key="consent_preview")
    st.caption(_("Whoever agreed to an earlier version stays registered with that one."))
    if st.button(_("Save this text"), type="primary", key="save-consent"):
        save(
            backend,
            {"consent_text": text},
            _("The consent text is saved as version {version}.", version=version),
        )


def _retention(now: SiteSettings) -> dict[str, Any]:
    left, right = st.columns(2, gap="medium")
    unknown = left.number_input(
        _("Hours to keep the faces of strangers"), 0, LONGEST_KEEP_HOURS, now.keep_unknown_hours,
        help=_("0: they are never kept, and the list of unknown faces stays empty."),
    )  # fmt: skip
    decisions = right.number_input(
        _("Days to keep decisions of kiosks"), 1, LONGEST_KEEP_DAYS, now.keep_decisions_days,
        help=_("They hold no names and no faces; statistics are made of them."),
    )  # fmt: skip
    months = left.number_input(
        _("Months after which people who were not seen are erased"), 0, LONGEST_UNSEEN_MONTHS,
        now.people_unseen_months, help=_("0: nobody is erased by itself."),
    )  # fmt: skip
    punches = right.radio(
        _("Their attendance records"), list(words.PUNCHES), format_func=lambda kind: _(words.PUNCHES[kind]),
        index=list(words.PUNCHES).index(now.unseen_punches), horizontal=True,
    )  # fmt: skip
    return {
        "keep_unknown_hours": unknown,
        "keep_decisions_days": decisions,
        "people_unseen_months": months,
        "unseen_punches": punches,
    }


def _last_sweep(backend: Backend) -> None:
    last = backend.retention.last()
    st.caption(_("What is due is removed every hour."))
    if last is None:
        return
    if last.removed or last.failed:
        st.caption(words.sweep_words(last, deps.site().zone))
    if last.held_back:
        due = backend.retention.due()
        if due.too_many:
            st.error(words.held_back_words(due), icon=":material/pan_tool:")
            if st.button(_("Look at these people"), key="held-back"):
                st.session_state[_PREVIEW] = True


def _preview(backend: Backend, now: SiteSettings, changes: dict[str, Any]) -> None:
    try:
        due = backend.retention.due(changes)
    except InvalidInput as error:
        st.error(message(error), icon=":material/error:")
        return
    saved = all(getattr(now, name) == value for name, value in changes.items())
    with st.container(border=True):
        st.markdown(_("**What is due**") if saved else _("**What would be due if you save**"))
        for sentence in words.due_words(due):
            st.write(sentence)
        if due.people:
            _people(backend, due, saved)


def _people(backend: Backend, due: Due, saved: bool) -> None:
    rows = words.due_rows(due.people[:_MOST_ROWS], deps.site().zone)
    st.dataframe(rows, hide_index=True, width="stretch")
    if len(due.people) > _MOST_ROWS:
        st.caption(_("The first {number} are shown.", number=_MOST_ROWS))
    if not due.too_many:
        return
    st.warning(words.held_back_words(due), icon=":material/pan_tool:")
    if saved and st.button(_("Erase these people…"), key="erase-due"):
        confirm_erasure(backend, len(due.people))


@dialog(N_("Erase people who were not seen?"))
def confirm_erasure(backend: Backend, number: int) -> None:
    """Asks for the number, which nobody types by mistake."""
    st.write(
        _("{number:,} people are erased with their photos, for good. This cannot be undone.", number=number)
    )
    typed = st.text_input(_("Type how many people to confirm"), key="erase-due-number")
    if not st.button(_("Erase"), type="primary", key="erase-due-yes"):
        return
    if typed.strip() != str(number):
        st.error(_("Type the number exactly as shown: {number}.", number=number), icon=":material/error:")
        return
    attempt(_("What was due is removed."), lambda: backend.retention.sweep_agreed(number, actor=ACTOR))
