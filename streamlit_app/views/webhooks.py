"""Webhooks: which programs are told of punches and corrections, and what could not be told."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from ray_backend.client import Backend
from ray_backend.domain.errors import RollcallError
from ray_backend.domain.webhooks import TOLD, Delivery, DeliveryState, Event, Hook
from streamlit_app import deps, presenters, webhook_words
from streamlit_app.dialogs import dialog
from streamlit_app.i18n import N_, _, message, n_
from streamlit_app.notes import attempt, show_note
from streamlit_app.session import ACTOR, guarded

PAGE_SIZE = 50
_MADE = "webhook_made"


@guarded("webhooks")
def render(backend: Backend) -> None:
    """The webhooks, the way to a new one, and the messages that were given up."""
    st.title(_("Webhooks"))
    show_note()
    st.write(
        _(
            "Rollcall tells other programs of punches and corrections as they happen. A message holds the "
            "employee id, the time, the direction and the kiosk, and no name."
        )
    )
    if st.button(_("New webhook"), icon=":material/add:", type="primary"):
        st.session_state.pop(_MADE, None)
        new_webhook(backend)
    hooks = backend.webhooks.hooks()
    waiting = backend.webhooks.messages(DeliveryState.WAITING, limit=1).total
    if waiting:
        st.caption(n_("{number} message waits to be sent.", "{number} messages wait to be sent.", waiting))
    for hook in hooks:
        _card(backend, hook)
    if hooks:
        _given_up(backend, {hook.hook_id: hook for hook in hooks})
    else:
        st.info(_("No program is told yet."), icon=":material/webhook:")


def _card(backend: Backend, hook: Hook) -> None:
    card = st.container(border=True, key=f"webhook-{hook.hook_id}")
    card.markdown(f"**{presenters.plain(hook.name)}**")
    card.text(hook.url)
    card.caption(", ".join(map(webhook_words.event, hook.events)))
    row = card.container(horizontal=True)
    if row.button(_("Send a test"), icon=":material/send:", key=f"test-{hook.hook_id}"):
        _test(backend, hook, card)
    if row.button(_("Remove"), icon=":material/delete:", key=f"remove-{hook.hook_id}"):
        remove_webhook(backend, hook)


def _test(backend: Backend, hook: Hook, place) -> None:
    try:
        with st.spinner(_("Sending")):
            said = backend.webhooks.test(hook.hook_id)
    except RollcallError as error:
        said = error.message
    if said:
        place.error(message(said), icon=":material/error:")
    else:
        place.success(_("The message arrived."), icon=":material/check_circle:")


@dialog(N_("New webhook"))
def new_webhook(backend: Backend) -> None:
    """Asks where to and what of, and shows the secret once."""
    place = st.empty()
    if _MADE not in st.session_state:
        with place.container():
            _form(backend)
    if _MADE in st.session_state:
        with place.container():
            _secret(*st.session_state[_MADE])


def _form(backend: Backend) -> None:
    name = st.text_input(_("Name"), key="webhook_name", placeholder="payroll")
    url = st.text_input(_("Address"), key="webhook_url", placeholder="https://hr.example.org/rollcall")
    events = st.multiselect(
        _("Told of"), TOLD, [Event.PUNCH], format_func=webhook_words.event, key="webhook_events"
    )
    if st.button(_("Make the webhook"), type="primary", key="webhook_make"):
        try:
            st.session_state[_MADE] = backend.webhooks.add(name, url, events, actor=ACTOR)
        except RollcallError as error:
            st.error(message(error), icon=":material/error:")


def _secret(hook: Hook, secret: str) -> None:
    st.success(
        _(
            "Give this secret to {name}, which checks with it that a message comes from Rollcall. It is "
            "shown only now.",
            name=presenters.plain(hook.name),
        ),
        icon=":material/check_circle:",
    )
    st.code(secret, language=None)
    if st.button(_("Done"), key="webhook_done"):
        del st.session_state[_MADE]
        st.rerun()


@dialog(N_("Remove a webhook"))
def remove_webhook(backend: Backend, hook: Hook) -> None:
    """Asks once more."""
    st.write(
        _(
            "**{name}** is told nothing more, and what still waits for it is dropped.",
            name=presenters.plain(hook.name),
        )
    )
    if st.button(_("Remove"), type="primary", key="webhook_remove"):
        attempt(_("The webhook is removed."), lambda: backend.webhooks.remove(hook.hook_id, actor=ACTOR))


def _given_up(backend: Backend, hooks: dict[str, Hook]) -> None:
    page = backend.webhooks.messages(DeliveryState.DEAD, limit=PAGE_SIZE)
    if not page.items:
        return
    st.subheader(_("Messages that were given up"))
    st.write(_("A message that does not arrive is sent again for a day, later and later."))
    for hook_id in dict.fromkeys(one.hook_id for one in page.items):
        label = _("Send everything to {name} again", name=presenters.plain(hooks[hook_id].name))
        if st.button(label, icon=":material/replay:", key=f"replay-all-{hook_id}"):
            _again(lambda hook_id=hook_id: backend.webhooks.replay_dead(hook_id, actor=ACTOR))
    for delivery in page.items:
        _dead(backend, hooks[delivery.hook_id], delivery)
    if page.total > len(page.items):
        left = page.total - len(page.items)
        st.caption(n_("{number} more is not shown.", "{number} more are not shown.", left))


def _dead(backend: Backend, hook: Hook, delivery: Delivery) -> None:
    row = st.container(border=True, horizontal=True, vertical_alignment="center")
    zone = deps.site().zone
    said = row.container(gap=None)
    said.markdown(
        f"**{presenters.plain(hook.name)}** · {webhook_words.event(delivery.event)} · "
        f"{webhook_words.local(delivery.about_at, zone)}"
    )
    said.caption(presenters.plain(webhook_words.why(delivery, zone)))
    if row.button(_("Send again"), icon=":material/replay:", key=f"replay-{delivery.delivery_id}"):
        _again(lambda: backend.webhooks.replay([delivery.delivery_id], actor=ACTOR))


def _again(replay: Callable[[], int]) -> None:
    attempt(_("It is sent again within a few seconds."), replay)
