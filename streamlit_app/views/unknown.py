"""Unknown faces: whom the kiosks did not recognise, and what becomes of them."""

from __future__ import annotations

import streamlit as st

from ray_backend.client import Backend
from ray_backend.domain.unknown import UnknownCard, UnknownCards
from streamlit_app import links
from streamlit_app import unknown_words as words
from streamlit_app.i18n import _
from streamlit_app.notes import attempt, show_note
from streamlit_app.session import ACTOR, guarded
from streamlit_app.unknown.assigning import open_assigning
from streamlit_app.unknown.cards import card_of, chosen_key
from streamlit_app.unknown.enrolling import enrol_dialog

PAGE_SIZE = 10
_COLUMNS = 2
_START, _IGNORED = "unknown_start", "unknown_ignored"


@guarded("unknown")
def render(backend: Backend) -> None:
    """Cards, or why there are none."""
    st.title(_("Unknown faces"))
    show_note()
    hours = backend.site.current().keep_unknown_hours
    if hours == 0:
        _switched_off()
        return
    st.caption(words.privacy_words(hours))
    found = _look(backend)
    if found.ignored or st.session_state.get(_IGNORED):
        st.toggle(
            _("Show the ignored ones ({ignored})", ignored=found.ignored),
            key=_IGNORED,
            on_change=_from_the_start,
        )
    if not found.cards:
        _nobody()
        return
    _actions(backend, found.cards)
    _cards(backend, found.cards)
    _paging(found)


def _look(backend: Backend) -> UnknownCards:
    ignored = bool(st.session_state.get(_IGNORED))
    start = st.session_state.get(_START, 0)
    found = backend.unknown.cards(ignored=ignored, start=start, limit=PAGE_SIZE)
    if not found.cards and start:
        _from_the_start()
        return backend.unknown.cards(ignored=ignored, start=0, limit=PAGE_SIZE)
    return found


def _from_the_start() -> None:
    st.session_state[_START] = 0


def _switched_off() -> None:
    with st.container(border=True):
        st.subheader(_("Strangers' faces are not kept"))
        st.write(_(words.OFF))
        links.link("settings", _("Open Settings, Privacy"), ":material/settings:")


def _nobody() -> None:
    with st.container(border=True):
        if st.session_state.get(_IGNORED):
            st.subheader(_("Nobody is ignored"))
            st.write(_("Faces that you ignore are found here, until their time is over."))
        else:
            st.subheader(_("Nobody unknown was seen"))
            st.write(_("Whoever stands at a kiosk and is not recognised appears here a moment later."))


def _actions(backend: Backend, cards: tuple[UnknownCard, ...]) -> None:
    """What can be done with the chosen cards."""
    chosen = tuple(card.group_id for card in cards if st.session_state.get(chosen_key(card.group_id)))
    row = st.container(horizontal=True, vertical_alignment="center", key="unknown-actions")
    nobody = not chosen
    if row.button(
        _("Add to a person"), icon=":material/person_search:", disabled=nobody, key="unknown-assign-chosen"
    ):
        open_assigning(backend, chosen)
    if row.button(
        _("Register as new"), icon=":material/person_add:", disabled=nobody, key="unknown-enrol-chosen"
    ):
        enrol_dialog(backend, chosen)
    if row.button(_("Same person"), icon=":material/join:", disabled=len(chosen) < 2,
                  key="unknown-merge-chosen", help=_("Puts two cards or more together.")):  # fmt: skip
        attempt(_("The cards are one now."), lambda: backend.unknown.merge(list(chosen), actor=ACTOR))
    if not st.session_state.get(_IGNORED) and row.button(
        _("Ignore"), icon=":material/visibility_off:", disabled=nobody, key="unknown-ignore-chosen",
        help=_("Not shown any more. Whoever it is is still counted, but no new picture of them is kept."),
    ):  # fmt: skip
        attempt(_("They are ignored."), lambda: backend.unknown.ignore(list(chosen), actor=ACTOR))
    with row.popover(_("Delete"), icon=":material/delete:", disabled=nobody, width="content"):
        st.write(_("The pictures are gone for good. Whoever comes again appears again."))
        if st.button(
            _("Delete the chosen cards"), type="primary", key="unknown-delete-chosen", disabled=nobody
        ):
            attempt(_("They are deleted."), lambda: backend.unknown.delete(list(chosen), actor=ACTOR))
    row.button(
        _("Choose all"), type="tertiary", key="unknown-all",
        on_click=_choose, args=(tuple(card.group_id for card in cards), len(chosen) < len(cards)),
    )  # fmt: skip
    st.caption(
        _("{chosen} of {number} cards chosen", chosen=len(chosen), number=len(cards))
        if chosen
        else _(words.HOW_TO)
    )


def _choose(group_ids: tuple[str, ...], chosen: bool) -> None:
    for group_id in group_ids:
        st.session_state[chosen_key(group_id)] = chosen


def _cards(backend: Backend, cards: tuple[UnknownCard, ...]) -> None:
    def compare(group_ids: tuple[str, ...], person_id: str) -> None:
        open_assigning(backend, group_ids, person_id)

    first = 1 + st.session_state.get(_START, 0)
    for index in range(0, len(cards), _COLUMNS):
        pair = cards[index : index + _COLUMNS]
        for place, (column, card) in enumerate(zip(st.columns(_COLUMNS), pair, strict=False)):
            with column:
                card_of(backend, card, first + index + place, compare)


def _paging(found: UnknownCards) -> None:
    start = st.session_state.get(_START, 0)
    row = st.container(horizontal=True, vertical_alignment="center")
    if start:
        row.button(_("Previous"), icon=":material/chevron_left:", on_click=_go, args=(start - PAGE_SIZE,))
    if start + PAGE_SIZE < found.total:
        row.button(
            _("Next"), icon=":material/chevron_right:", icon_position="right",
            on_click=_go, args=(start + PAGE_SIZE,),
        )  # fmt: skip
    row.caption(words.paging_words(start + 1, len(found.cards), found.total))


def _go(start: int) -> None:
    st.session_state[_START] = max(0, start)
