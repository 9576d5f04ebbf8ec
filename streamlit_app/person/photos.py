"""A person's photos side by side: how they go together, removing and adding."""

from __future__ import annotations

import streamlit as st

from ray_backend.client import Backend
from ray_backend.domain.answers import PersonDetails, PersonFile
from ray_backend.domain.model import Person, Template
from ray_backend.domain.nearness import Fit, Nearness
from streamlit_app import deps, people_words, presenters
from streamlit_app.i18n import _
from streamlit_app.notes import attempt
from streamlit_app.photo_tray import forget_reviews, photo_tray
from streamlit_app.session import ACTOR

_TRAY = "person_tray"
_CARD_PX = 190


def photos(backend: Backend, details: PersonDetails, file: PersonFile, editable: bool) -> None:
    """All photos, those first that are nearest to the others."""
    st.subheader(_("Photos ({number})", number=len(details.templates)))
    if not details.templates:
        st.info(_("Without photos the kiosk cannot recognise this person. Add some below."))
    if len(details.templates) > 1:
        st.caption(
            _(
                "A bar shows how much a photo looks like the nearest of the others; from its middle on it "
                "counts as the same person. The most typical photo comes first."
            )
        )
    compared = {one.template_id: one for one in file.photos}
    row = st.container(horizontal=True, key="person-photos")
    for template in sorted(details.templates, key=lambda one: _order(compared.get(one.template_id))):
        with row.container(border=True, width=_CARD_PX):
            _photo(backend, template, compared.get(template.template_id), file, editable)
    if editable:
        with st.expander(_("Add photos"), icon=":material/add_a_photo:", expanded=not details.templates):
            _add_photos(backend, details.person)


def _order(nearness: Nearness | None) -> float:
    return 1.0 if nearness is None or nearness.average is None else -nearness.average


def _photo(
    backend: Backend, template: Template, nearness: Nearness | None, file: PersonFile, editable: bool
) -> None:
    made = template.created_at.astimezone(deps.site().zone)
    if template.thumbnail:
        st.image(template.thumbnail, width="stretch", alt=_("Face, photo of {made}", made=f"{made:%Y-%m-%d}"))
    if nearness is not None:
        _comparison(nearness, file)
    quality = _("Quality: {quality}", quality=presenters.quality_words(template.quality))
    st.caption(f"{quality}  \n{presenters.source_words(template)}, {made:%Y-%m-%d}")
    if editable and st.button(_("Remove"), key=f"remove-{template.template_id}", width="stretch"):
        attempt(
            _("The photo is removed."),
            lambda: backend.people.remove_template(template.template_id, actor=ACTOR),
        )


def _comparison(nearness: Nearness, file: PersonFile) -> None:
    words = people_words.fit_words(nearness, len(file.photos))
    if nearness.nearest is not None:
        st.progress(people_words.bar_of(nearness.nearest, file.threshold))
    if nearness.fit is Fit.SOMEBODY_ELSE:
        st.warning(words, icon=":material/help:")
    else:
        st.caption(words)


def _add_photos(backend: Backend, person: Person) -> None:
    key = f"add-{person.person_id}-{st.session_state.setdefault(_TRAY, 0)}"
    tray = photo_tray(backend, key, person.person_id)
    if not tray.photos or not st.button(_("Add these photos"), type="primary", key="person-add-photos"):
        return
    forget_reviews(key)
    attempt(
        _("The photos are added."),
        lambda: backend.add_photos(person.person_id, tray.photos, source=tray.source, actor=ACTOR),
        before_rerun=lambda: st.session_state.update({_TRAY: st.session_state[_TRAY] + 1}),
    )
