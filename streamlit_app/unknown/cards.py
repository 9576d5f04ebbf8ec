"""One card of the page *Unknown faces*: who was seen when, and whom they look like."""

from __future__ import annotations

import base64
from collections.abc import Callable
from datetime import UTC, datetime
from html import escape

import streamlit as st

from ray_backend.client import Backend
from ray_backend.domain.unknown import NearPerson, UnknownCard
from streamlit_app import deps, presenters
from streamlit_app import unknown_words as words
from streamlit_app.faces import face_html
from streamlit_app.i18n import _
from streamlit_app.notes import attempt
from streamlit_app.session import ACTOR
from streamlit_app.unknown.single import open_pictures

_NEAR_PX = 40
Compare = Callable[[tuple[str, ...], str], None]


def chosen_key(group_id: str) -> str:
    """The key of a card's checkbox."""
    return f"unknown-chosen-{group_id}"


def card_of(backend: Backend, card: UnknownCard, number: int, compare: Compare) -> None:
    """One group. `number` names it for screen readers; `compare` opens the comparison with a person."""
    with st.container(border=True, key=f"unknown-card-{card.group_id}"):
        picture, facts = st.columns([2, 3], gap="small")
        with picture:
            st.html(_picture(card, number))
        with facts.container(gap="xsmall"):
            _facts(card)
        st.checkbox(_("Choose card {number}", number=number), key=chosen_key(card.group_id))
        if card.ignored:
            _show_again(backend, card)
            return
        if st.button(
            _("Single pictures"), key=f"unknown-single-{card.group_id}", type="tertiary",
            icon=":material/photo_library:",
            help=_("Delete one, or give it to somebody, without the others."),
        ):  # fmt: skip
            open_pictures(backend, card.group_id)
        _known(card, compare)
        _near(backend, card, compare)
        _alike(card)


def _picture(card: UnknownCard, number: int) -> str:
    if not card.thumbnail:
        label = escape(_("No picture is kept"))
        return f'<div class="rc-unknown-face" role="img" aria-label="{label}"></div>'
    data = base64.b64encode(card.thumbnail).decode()
    label = escape(_("Unknown face, card {number}", number=number))
    return f'<img class="rc-unknown-face" alt="{label}" src="data:image/jpeg;base64,{data}">'


def _facts(card: UnknownCard) -> None:
    st.markdown(f"**{words.seen_words(card)}**")
    st.caption(words.when_words(card, datetime.now(UTC), deps.site().zone))
    st.caption(_("Kiosk: {kiosks}", kiosks=presenters.plain(", ".join(card.kiosks))))
    st.caption(words.quality_words(card))


def _show_again(backend: Backend, card: UnknownCard) -> None:
    if st.button(_("Show again"), key=f"unknown-show-{card.group_id}", icon=":material/visibility:"):
        attempt(
            _("The face is shown again."),
            lambda: backend.unknown.ignore([card.group_id], ignored=False, actor=ACTOR),
        )


def _known(card: UnknownCard, compare: Compare) -> None:
    if card.known_as is None:
        return
    name = presenters.plain(card.known_as.name)
    st.success(
        _("Now known as {name}. Add these pictures to them, or delete the card.", name=name),
        icon=":material/how_to_reg:",
    )
    if st.button(
        _("Add to {name}", name=name), key=f"unknown-known-{card.group_id}", icon=":material/add_a_photo:"
    ):
        compare((card.group_id,), card.known_as.person_id)


def _near(backend: Backend, card: UnknownCard, compare: Compare) -> None:
    if not card.near:
        st.caption(_("Nobody registered looks like this."))
        return
    st.caption(_("Nearest registered people"))
    for near in card.near:
        _near_person(backend, card, near, compare)


def _near_person(backend: Backend, card: UnknownCard, near: NearPerson, compare: Compare) -> None:
    line = st.container(
        horizontal=True,
        vertical_alignment="center",
        gap="small",
        key=f"unknown-near-{card.group_id}-{near.person.person_id}",
    )
    name, key = presenters.plain(near.person.name), f"{card.group_id}-{near.person.person_id}"
    line.html(face_html(near.thumbnail, _NEAR_PX), width="content")
    middle = line.container(width="stretch", gap=None)
    if middle.button(
        name,
        key=f"unknown-is-{key}",
        type="tertiary",
        help=_("Compare with {name} and add these pictures.", name=name),
    ):
        compare((card.group_id,), near.person.person_id)
    middle.caption(_(words.LIKENESS[near.likeness]))
    if line.button(
        _("Not them"), key=f"unknown-not-{key}", type="tertiary",
        help=_("Do not suggest {name} for this face again.", name=name),
    ):  # fmt: skip
        attempt(
            _("{name} is not suggested for this face again.", name=near.person.name),
            lambda: backend.unknown.not_them(card.group_id, near.person.person_id, actor=ACTOR),
        )


def _alike(card: UnknownCard) -> None:
    if card.alike:
        st.button(
            _("Another card may be the same person: choose both"), key=f"unknown-alike-{card.group_id}",
            type="tertiary", icon=":material/join:", on_click=_choose, args=((card.group_id, *card.alike),),
        )  # fmt: skip


def _choose(group_ids: tuple[str, ...]) -> None:
    for group_id in group_ids:
        st.session_state[chosen_key(group_id)] = True
