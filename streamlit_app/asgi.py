"""The web server's entry: `streamlit run streamlit_app/asgi.py`. Streamlit, and the kiosks' cameras."""

from __future__ import annotations

import gc
from contextlib import asynccontextmanager
from pathlib import Path

import streamlit as st
from starlette.routing import Route, WebSocketRoute

from ray_backend.domain.site import KioskName
from ray_backend.observing import logs, tracing
from streamlit_app import cookies, deps, front_page, i18n
from streamlit_app.camera.desk_socket import DeskEndpoint
from streamlit_app.camera.desks import desks
from streamlit_app.camera.live import screen_data
from streamlit_app.camera.modes import Mode
from streamlit_app.camera.socket import CameraEndpoint
from streamlit_app.views import (  # noqa: F401 loads them before the freeze
    accounts,
    audit,
    check_in,
    group,
    home,
    import_people,
    my_account,
    people,
    register,
    reports,
    settings,
    unknown,
)


@asynccontextmanager
async def _connect_early(_app: st.App):
    logs.set_up(deps.settings().log_format, deps.process())
    tracing.set_up(deps.settings().otlp_endpoint, deps.process())
    deps.connect_early()
    yield


def _naming() -> KioskName:
    return deps.site().kiosk_name


def _screen() -> dict:
    return screen_data(deps.site(), Mode.WEBSOCKET)


i18n.follow(lambda: deps.site().language)
gc.collect()
gc.freeze()
app = st.App(
    Path(__file__).parent / "app.py",
    routes=[
        Route(front_page.PATH, front_page.kiosk_front_page),
        Route(cookies.ROUTE, cookies.keep, methods=["POST"]),
        WebSocketRoute("/cam", CameraEndpoint(deps.backend, _naming, _screen).serve),
        WebSocketRoute("/desk", DeskEndpoint(desks).serve),
    ],
    lifespan=_connect_early,
)
