"""Sign-in and navigation, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import streamlit as st

from ray_backend.client import Backend
from ray_backend.domain.errors import RollcallError, Unavailable
from streamlit_app import deps, links, session, sidebar, style, waiting
from streamlit_app.views import calibration, check_in, group, home, people, register, reports

# A file of ours: Streamlit's own icons for the browser's tab come from the internet.
ICON = str(Path(__file__).parent / "icon.svg")


def main() -> None:
    """One run of the page that the browser's address names."""
    st.set_page_config(
        page_title=deps.site().site_name,
        page_icon=ICON,
        layout="wide",
        initial_sidebar_state=236,
    )
    style.app_style()
    pages = _pages()
    links.remember(pages)
    position = "sidebar" if session.signed_in() else "hidden"
    st.navigation(list(pages.values()), position=position).run()


def _pages() -> dict[str, st.Page]:
    return {
        "home": _admin_page(home.render, "Start", "home", default=True),
        "register": _admin_page(register.render, "Register face", "person_add", url_path="register"),
        "group": _admin_page(group.render, "Group photo", "photo_camera", url_path="group"),
        "people": _admin_page(people.render, "People", "groups", url_path="people"),
        "reports": _admin_page(reports.render, "Reports", "bar_chart", url_path="reports"),
        "calibration": _admin_page(calibration.render, "Calibration", "tune", url_path="calibration"),
        "check_in": st.Page(
            _page_with(check_in.render), title="Check in", url_path="check-in", visibility="hidden"
        ),
    }


def _admin_page(render: Callable[[Backend], None], title: str, icon: str, **address) -> st.Page:
    # The view comes first: it asks for the password and ends the run before the sidebar tells anything.
    return st.Page(_page_with(render, sidebar.show), title=title, icon=f":material/{icon}:", **address)


def _page_with(*parts: Callable[[Backend], None]) -> Callable[[], None]:
    """A page of these parts, or one that waits while the backend is away."""

    def page() -> None:
        try:
            backend = deps.backend()
        except RollcallError as error:
            waiting.show(error.message)
            return
        try:
            for part in parts:
                part(backend)
        except Unavailable as error:
            waiting.show(error.message)

    return page


main()
