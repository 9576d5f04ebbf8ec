"""Pages under AppTest, over the real services with the memory store and the fake engine."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from streamlit.testing.v1 import AppTest

from ray_backend.client import Backend, Photo, local_backend
from ray_backend.domain.accounts import Account
from ray_backend.domain.model import Person
from ray_backend.domain.permissions import Role
from ray_backend.domain.requests import PersonDraft
from ray_backend.services.account_book import Entry
from ray_backend.settings import Settings
from streamlit_app import cookies, deps
from tests.fakes import FakeEngine, SetClock, photo

PASSWORD = "a long enough password"
TIMEOUT_S = 20


@pytest.fixture(autouse=True)
def _no_cookies(monkeypatch):
    """AppTest has no browser; its cookies are stand-ins."""
    monkeypatch.setattr(cookies, "read", lambda kind: "")


@pytest.fixture
def clock() -> SetClock:
    """The time at the site: 2 March 2026, 08:00 UTC."""
    return SetClock()


@pytest.fixture
def settings(tmp_path, monkeypatch) -> Iterator[Settings]:
    """The app's settings, in a zone where 08:00 UTC is 09:00."""
    values = Settings(data_dir=tmp_path, store="memory", time_zone="Europe/Berlin", site_name="Example Works")
    monkeypatch.setattr(deps, "settings", lambda: values)
    return values


@pytest.fixture
def backend(settings, clock, monkeypatch) -> Backend:
    """A backend with an admin, whose site settings are the app's."""
    made = local_backend(settings, engine=FakeEngine(), clock=clock)
    monkeypatch.setattr(deps, "site", made.site.current)
    made.accounts.ensure_admin(PASSWORD)
    return made


def enrol(backend: Backend, who: int, *, department: str = "Workshop", name: str = "") -> Person:
    """Registers person number `who` of the fakes."""
    draft = PersonDraft(f"E{who}", name or f"Person {who}", department, consent=True)
    return backend.enrol(draft, [Photo("a.png", photo(who))], source="upload", actor="test").person


def sign_in(test: AppTest, backend: Backend, username: str = "admin") -> str:
    """Gives the page a session of this account, as after the form, and returns its token."""
    token = backend._records.accounts.sessions.open(username)
    test.session_state["session_token"] = token
    return token


def account(backend: Backend, role: Role, *departments: str) -> str:
    """Makes an account that may be used at once, and returns its username, which is its role."""
    made = Account(role.value, role.value.title(), role, datetime.now(UTC), departments or None)
    backend._records.accounts.book.put(Entry(made))
    return role.value


def page(render, backend: Backend, *, signed_in: bool = True, username: str = "admin") -> AppTest:
    """A view alone, not run yet."""

    def script(render, backend):
        render(backend)

    test = AppTest.from_function(
        script, kwargs={"render": render, "backend": backend}, default_timeout=TIMEOUT_S
    )
    if signed_in:
        sign_in(test, backend, username)
    return test


def words(test: AppTest) -> str:
    """Everything that can be read on the page."""
    parts = [element.value for kind in (
        test.title, test.subheader, test.markdown, test.caption, test.text, test.html,
        test.error, test.info, test.success, test.warning) for element in kind]  # fmt: skip
    return "\n".join(str(part) for part in parts)
