"""Section Kiosks: what they show, and which are let in."""

from __future__ import annotations

import streamlit as st

from ray_backend.client import Backend
from ray_backend.domain.answers import KioskToken
from ray_backend.domain.errors import RollcallError
from ray_backend.domain.site import LONGEST_COOLDOWN_S
from streamlit_app import deps, links, presenters
from streamlit_app import settings_words as words
from streamlit_app.dialogs import dialog
from streamlit_app.i18n import N_, _, message
from streamlit_app.notes import attempt
from streamlit_app.session import ACTOR
from streamlit_app.site_settings.saving import save

_NEW_ADDRESS = "new_kiosk_address"


def render(backend: Backend) -> None:
    """The list of kiosks first: it is what one comes for."""
    st.subheader(_("Kiosks that are let in"))
    st.write(_("A kiosk is any browser with a camera that is opened with a kiosk address."))
    tokens = backend.access.tokens()
    for token in tokens:
        _row(backend, token)
    if not tokens:
        st.info(
            _("No kiosk is let in yet. Make an address, and open it at the door."), icon=":material/videocam:"
        )
    if st.button(
        _("New kiosk address"), icon=":material/add_link:", type="secondary" if tokens else "primary"
    ):
        st.session_state.pop(_NEW_ADDRESS, None)
        new_address(backend)
    st.subheader(_("What all kiosks do"))
    _behaviour(backend)


def _row(backend: Backend, token: KioskToken) -> None:
    name, made, action = st.columns([3, 3, 2], vertical_alignment="center")
    name.markdown(f":material/videocam: **{presenters.plain(token.kiosk)}**")
    since = token.created_at.astimezone(deps.site().zone)
    made.caption(_("allowed since {since}", since=f"{since:%Y-%m-%d %H:%M}"))
    if action.button(_("Shut out"), key=f"revoke-{token.token_id}", width="stretch"):
        confirm_revoke(backend, token)


def _behaviour(backend: Backend) -> None:
    now = backend.site.current()
    with st.form("kiosks"):
        naming = st.radio(
            _("How is somebody named who was recognised?"), list(words.NAMINGS),
            index=list(words.NAMINGS).index(now.kiosk_name), format_func=lambda name: _(words.NAMINGS[name]),
            help=_("Others can read it, too."),
        )  # fmt: skip
        cooldown = st.number_input(
            _("Seconds in which a second look is the same visit"), 0, LONGEST_COOLDOWN_S,
            round(now.cooldown_s), help=_("Within this time nobody is recorded twice, at whatever kiosk."),
        )  # fmt: skip
        if st.form_submit_button(_("Save"), type="primary", key="save-kiosks"):
            seconds = now.cooldown_s if cooldown == round(now.cooldown_s) else float(cooldown)
            save(
                backend,
                {"kiosk_name": naming, "cooldown_s": seconds},
                _("Saved. All kiosks go by it within a few seconds."),
            )


@dialog(N_("Shut out this kiosk?"))
def confirm_revoke(backend: Backend, token: KioskToken) -> None:
    """Asks first."""
    st.write(
        _(
            "The address of **{kiosk}** stops working within half a minute.",
            kiosk=presenters.plain(token.kiosk),
        )
    )
    if st.button(_("Shut out"), type="primary", key="revoke-yes"):
        attempt(
            _("{kiosk} is shut out.", kiosk=presenters.plain(token.kiosk)),
            lambda: backend.access.revoke_token(token.token_id, actor=ACTOR),
        )


@dialog(N_("New kiosk address"))
def new_address(backend: Backend) -> None:
    """Makes a token for a kiosk and shows its address once."""
    made = st.session_state.get(_NEW_ADDRESS)
    if made:
        st.success(_("Open this address on the kiosk. It is shown only now."), icon=":material/check_circle:")
        st.code(made, language=None, wrap_lines=True)
        st.caption(_("Whoever has it can check people in, so treat it like a key."))
        return
    name = st.text_input(_("Where does it stand?"), placeholder=_("entrance"), key="kiosk_name")
    if st.button(_("Make the address"), type="primary"):
        try:
            token = backend.access.issue_token(name, actor=ACTOR)
        except RollcallError as error:
            st.error(message(error), icon=":material/error:")
            return
        st.session_state[_NEW_ADDRESS] = links.kiosk_address(token)
        st.rerun(scope="fragment")
