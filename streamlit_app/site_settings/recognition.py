"""Section Recognition: the pack, and how sure a match has to be, told as what it means here."""

from __future__ import annotations

import streamlit as st

from ray_backend.client import Backend
from ray_backend.domain.answers import Overview
from ray_backend.domain.site import SiteSettings
from ray_backend.services.calibration import SiteAccuracy
from streamlit_app import calibration_words as measured
from streamlit_app import deps, links, presenters
from streamlit_app import settings_words as words
from streamlit_app.i18n import _
from streamlit_app.site_settings.saving import save

_OWN, _RATE, _NUMBER = "pack", "rate", "number"


def render(backend: Backend) -> None:
    """The pack first, since the threshold belongs to it."""
    overview, now = backend.overview(), backend.site.current()
    _pack(overview)
    st.subheader(_("How sure a match has to be"))
    state = backend.calibration.state()
    result = words.of_this_pack(state.result, overview.pack)
    _meaning(backend, result, state.running, words.threshold_in_force(now, overview.pack))
    _choice(backend, overview, now, result)


def _pack(overview: Overview) -> None:
    pack = overview.pack
    st.subheader(_("Face models"))
    warning = presenters.pack_warning(pack)
    if warning:
        st.warning(warning, icon=":material/warning:")
    with st.container(border=True):
        st.markdown(f"**{presenters.plain(pack.pack_id)}**")
        st.write(_("Licence: {licence}", licence=presenters.plain(pack.licence)))
        if pack.origin:
            st.write(presenters.plain(pack.origin))
        st.caption(words.gallery_words(overview.people, overview.templates))
    st.caption(
        _(
            "With other models everybody's photos have to be taken again, so they are changed on the server: "
            "`rollcall pack use`."
        )
    )


def _meaning(backend: Backend, result: SiteAccuracy | None, running: bool, threshold: float) -> None:
    if result is None:
        st.info(_(words.NOT_MEASURED), icon=":material/straighten:")
        if running:
            st.caption(_("It is being measured just now."))
        links.link("calibration", _("Measure it under Calibration"), ":material/tune:")
        return
    shown = words.at_threshold(result, threshold)
    with st.container(border=True):
        st.markdown(f"**{measured.headline(shown)}**")
        st.write(measured.wrong_sentence(shown))
        st.write(measured.refused_sentence(shown))
        st.caption(words.basis(result, deps.site().zone))


def _choice(backend: Backend, overview: Overview, now: SiteSettings, result: SiteAccuracy | None) -> None:
    ways = {_OWN: words.OWN_WORDS, _RATE: words.RATE_WORDS, _NUMBER: words.NUMBER_WORDS}
    if result is None:
        ways.pop(_RATE)
    chosen = st.radio(
        _("What is a match?"), list(ways), index=list(ways).index(_OWN if now.threshold is None else _NUMBER),
        format_func=lambda way: _(ways[way]), key="threshold_way",
    )  # fmt: skip
    threshold = _chosen_threshold(chosen, overview, now, result)
    if chosen == _RATE and threshold is None:
        return
    candidate = overview.pack.threshold if threshold is None else threshold
    if result is not None and candidate != words.threshold_in_force(now, overview.pack):
        st.write(
            _("With this: {headline}.", headline=measured.headline(words.at_threshold(result, candidate)))
        )
    if st.button(_("Save"), type="primary", key="save-recognition"):
        save(backend, {"threshold": threshold}, _("Saved. It counts for the next face."))


def _chosen_threshold(
    chosen: str, overview: Overview, now: SiteSettings, result: SiteAccuracy | None
) -> float | None:
    """None for the pack's own, and where no threshold reaches what was asked for."""
    if chosen == _OWN:
        st.caption(words.own_threshold(overview.pack))
        return None
    if chosen == _RATE:
        number = st.select_slider(
            _("One wrong match in how many attempts by strangers is acceptable?"),
            measured.ACCEPTABLE, value=measured.acceptable(result), 
            format_func=lambda number: _("1 in {number:,}", number=number),
        )  # fmt: skip
        choice = result.threshold_for(1 / number)
        st.write(measured.choice_sentence(result, number, choice))
        return None if choice is None else round(choice.safe, 4)
    return st.number_input(
        _("Similarity of a match"), -1.0, 1.0, words.threshold_in_force(now, overview.pack), 0.01,
        format="%.4f", help=_("From -1 to 1. Higher: fewer wrong matches, and more of your people refused."),
    )  # fmt: skip
