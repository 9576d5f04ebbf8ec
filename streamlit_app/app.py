"""Sign-in and navigation, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import streamlit as st

from ray_backend.client import Backend
from ray_backend.domain.accounts import Account
from ray_backend.domain.errors import RollcallError, Unavailable, WrongCredentials
from ray_backend.observing import origin
from streamlit_app import deps, languages, links, session, sidebar, style, waiting
from streamlit_app.i18n import _, message
from streamlit_app.page_roles import PAGES
from streamlit_app.views import (
    accounts,
    audit,
    calibration,
    check_in,
    cluster,
    corrections,
    exports,
    group,
    home,
    import_people,
    import_punches,
    leave,
    my_account,
    people,
    register,
    reports,
    rules,
    settings,
    unknown,
    webhooks,
)

# A file of ours: Streamlit's own icons for the browser's tab come from the internet.
ICON = str(Path(__file__).parent / "icon.svg")


def main() -> None:
    """One run of the page that the browser's address names."""
    origin.begin()
    languages.begin_run()
    st.set_page_config(
        page_title=deps.site().site_name,
        page_icon=ICON,
        layout="wide",
        initial_sidebar_state=236,
    )
    style.app_style()
    account = _account()
    pages = _pages(account)
    links.remember(pages)
    session.hand_over_cookies()
    # All pages in sight: which are behind a "View more" would depend on the role.
    position = "sidebar" if account else "hidden"
    st.navigation(list(pages.values()), position=position, expanded=True).run()


def _account() -> Account | None:
    """Who is signed in; nobody while there is no backend to ask."""
    try:
        return session.current(deps.backend())
    except RollcallError:
        return None


def _pages(account: Account | None) -> dict[str, st.Page]:
    def page(name: str, render: Callable[[Backend], None], title: str, icon: str, **address) -> st.Page:
        # A page that the account may not see stays at its address, where it says so itself.
        visible = account is not None and account.role in PAGES[name]
        # The view comes first: it asks for the password and ends the run before the sidebar tells anything.
        return st.Page(
            _page_with(render, sidebar.show),
            title=title,
            icon=f":material/{icon}:",
            visibility="visible" if visible else "hidden",
            **address,
        )

    return {
        "home": page("home", home.render, _("Start"), "home", default=True),
        "register": page("register", register.render, _("Register face"), "person_add", url_path="register"),
        "group": page("group", group.render, _("Group photo"), "photo_camera", url_path="group"),
        "people": page("people", people.render, _("People"), "groups", url_path="people"),
        "import": page("import", import_people.render, _("Import people"), "group_add", url_path="import"),
        "import_punches": page(
            "import_punches",
            import_punches.render,
            _("Import punches"),
            "more_time",
            url_path="import-punches",
        ),
        "unknown": page("unknown", unknown.render, _("Unknown faces"), "person_search", url_path="unknown"),
        "reports": page("reports", reports.render, _("Reports"), "bar_chart", url_path="reports"),
        "exports": page(
            "exports", exports.render, _("Scheduled exports"), "schedule_send", url_path="exports"
        ),
        "corrections": page(
            "corrections", corrections.render, _("Corrections"), "edit_calendar", url_path="corrections"
        ),
        "leave": page("leave", leave.render, _("Leave"), "beach_access", url_path="leave"),
        "rules": page("rules", rules.render, _("Working time"), "schedule", url_path="rules"),
        "calibration": page(
            "calibration", calibration.render, _("Calibration"), "tune", url_path="calibration"
        ),
        "settings": page("settings", settings.render, _("Settings"), "settings", url_path="settings"),
        "accounts": page("accounts", accounts.render, _("Accounts"), "manage_accounts", url_path="accounts"),
        "webhooks": page("webhooks", webhooks.render, _("Webhooks"), "webhook", url_path="webhooks"),
        "cluster": page("cluster", cluster.render, _("Cluster"), "hub", url_path="cluster"),
        "audit": page("audit", audit.render, _("Audit log"), "history", url_path="audit"),
        "my_account": page(
            "my_account", my_account.render, _("My account"), "account_circle", url_path="my-account"
        ),
        "check_in": st.Page(
            _page_with(check_in.render), title=_("Check in"), url_path="check-in", visibility="hidden"
        ),
    }


def _page_with(*parts: Callable[[Backend], None]) -> Callable[[], None]:
    """A page of these parts, or one that waits while the backend is away."""

    def page() -> None:
        try:
            backend = deps.backend()
        except RollcallError as error:
            waiting.show(message(error))
            return
        try:
            for part in parts:
                part(backend)
        except Unavailable as error:
            waiting.show(message(error))
        except WrongCredentials:
            # The session ended while the page was made; the next run asks for the password.
            st.rerun()

    return page


main()
