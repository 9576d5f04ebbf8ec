"""Section Site: name, time zone, language, and what differs from the server's own settings."""

from __future__ import annotations

from functools import cache
from zoneinfo import available_timezones

import streamlit as st

from ray_backend.client import Backend
from ray_backend.domain.site import SiteSettings
from streamlit_app import deps, presenters
from streamlit_app import settings_words as words
from streamlit_app.i18n import _
from streamlit_app.notes import attempt
from streamlit_app.session import ACTOR
from streamlit_app.site_settings.saving import save


@cache
def _zones() -> list[str]:
    return sorted(available_timezones())


def render(backend: Backend) -> None:
    """Raises Unavailable, as all sections do."""
    now = backend.site.current()
    with st.form("site"):
        name = st.text_input(
            _("Name of the site"), now.site_name, help=_("Shown on every page and on the kiosks.")
        )
        zones = _zones() if now.time_zone in _zones() else [now.time_zone, *_zones()]
        zone = st.selectbox(
            _("Time zone"), zones, index=zones.index(now.time_zone),
            help=_(
                "Days begin at midnight here, and all times are shown in it. Punches are kept as they were."
            ),
        )  # fmt: skip
        language = st.radio(
            _("Language"), list(words.LANGUAGES), index=list(words.LANGUAGES).index(now.language),
            format_func=words.LANGUAGES.get, horizontal=True,
        )  # fmt: skip
        if st.form_submit_button(_("Save"), type="primary", key="save-site"):
            save(
                backend,
                {"site_name": name.strip(), "time_zone": zone, "language": language},
                _("The site's settings are saved."),
            )
    _changed(backend, now)


def _changed(backend: Backend, now: SiteSettings) -> None:
    names = backend.site.changed_names()
    if not names:
        return
    defaults = backend.site.defaults()
    with st.expander(_("What was changed in the app")):
        st.write(
            _(
                "These settings count instead of what the server was started with. Each can be given back "
                "to it."
            )
        )
        for name in names:
            label, value, button = st.columns([3, 5, 3], vertical_alignment="center")
            label.write(_(words.LABELS[name]))
            own = words.value_words(name, getattr(defaults, name))
            present = words.value_words(name, getattr(now, name))
            value.caption(
                _(
                    "Now {present}. The server's own: {own}.",
                    present=presenters.plain(present),
                    own=presenters.plain(own),
                )
            )
            if button.button(_("Use the server's own"), key=f"reset-{name}", width="stretch"):
                attempt(
                    _("{name}: the server's own setting counts again.", name=_(words.LABELS[name])),
                    lambda name=name: backend.site.reset([name], actor=ACTOR),
                    deps.site_was_changed,
                )
