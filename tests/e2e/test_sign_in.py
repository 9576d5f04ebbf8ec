"""Signing in, in a browser: reload, sign out, role walls, and an identity provider."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from ray_backend.domain.queries import AuditQuery
from ray_backend.storage import open_store
from tests.e2e.conftest import Site, free_port, running_site
from tests.e2e.identity_provider import Provider, identity_provider

SEEN_MS = 30_000
PASSWORD = "correct horse battery"
BUTTON = "Sign in with Example ID"


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    with identity_provider() as made:
        yield made


@pytest.fixture(scope="module")
def site(provider, tmp_path_factory) -> Iterator[Site]:
    data, port = tmp_path_factory.mktemp("sign-in"), free_port()
    (data / "secrets.toml").write_text(provider.secrets_toml(port))
    with running_site(
        data,
        ROLLCALL_PORT=str(port),
        ROLLCALL_ADMIN_PASSWORD=PASSWORD,
        ROLLCALL_OIDC_BUTTON=BUTTON,
        ROLLCALL_OIDC_ROLES="hr=manager",
    ) as running:
        yield running


@pytest.fixture
def context(chromium: Browser) -> Iterator[BrowserContext]:
    made = chromium.new_context(viewport={"width": 1280, "height": 800})
    yield made
    made.close()


def opened(context: BrowserContext, site: Site) -> Page:
    page = context.new_page()
    page.goto(site.url)
    return page


def fill(page: Page, username: str, password: str) -> None:
    page.get_by_label("Username").fill(username, timeout=SEEN_MS)
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_role("button", name="Sign in", exact=True).click()


def form(page: Page) -> None:
    expect(page.get_by_label("Username")).to_be_visible(timeout=SEEN_MS)


def inside(page: Page) -> None:
    expect(page.get_by_role("button", name="Sign out", exact=True)).to_be_visible(timeout=SEEN_MS)


def wait_for_cookie(page: Page, context: BrowserContext, before: str = "") -> dict:
    """The session's cookie, once it is another one than before."""
    for _ in range(200):
        for cookie in context.cookies():
            if cookie["name"].startswith("rollcall_session") and cookie["value"] != before:
                return cookie
        page.wait_for_timeout(100)
    raise AssertionError("the browser got no cookie")


def test_a_reload_does_not_ask_again_and_signing_out_ends_it_for_good(context, site):
    page = opened(context, site)
    fill(page, "admin", PASSWORD)
    inside(page)
    cookie = wait_for_cookie(page, context)
    assert (cookie["httpOnly"], cookie["sameSite"], cookie["expires"]) == (True, "Strict", -1)
    assert "rollcall_session" not in page.evaluate("document.cookie")

    page.reload()
    inside(page)
    second = opened(context, site)
    inside(second)

    page.get_by_role("button", name="Sign out", exact=True).click()
    form(page)
    page.reload()
    form(page)
    # The other tab, and a thief who kept the cookie, are out as well.
    second.get_by_role("link", name="Reports").click()
    form(second)
    context.add_cookies([cookie])
    form(opened(context, site))


def test_a_viewer_meets_walls(context, chromium, site):
    page = opened(context, site)
    fill(page, "admin", PASSWORD)
    page.get_by_role("link", name="Accounts").click(timeout=SEEN_MS)
    page.get_by_role("button", name="New account").click(timeout=SEEN_MS)
    page.get_by_label("Username", exact=True).fill("vera", timeout=SEEN_MS)
    page.get_by_label("Name", exact=True).fill("Vera Example")
    page.get_by_label("Name", exact=True).press("Tab")
    page.get_by_role("button", name="Make the account").click()
    first = page.get_by_role("dialog").locator("code").inner_text(timeout=SEEN_MS)

    other = chromium.new_context(viewport={"width": 1280, "height": 800})
    hers = opened(other, site)
    fill(hers, "vera", first)
    expect(hers.get_by_role("heading", name="Choose a password")).to_be_visible(timeout=SEEN_MS)
    before = wait_for_cookie(hers, other)["value"]
    hers.goto(f"{site.url}/reports")
    expect(hers.get_by_role("heading", name="Choose a password")).to_be_visible(timeout=SEEN_MS)
    hers.get_by_label("Present password").fill(first)
    hers.get_by_label("New password", exact=True).fill("vera's own password")
    hers.get_by_label("New password once more").fill("vera's own password")
    hers.get_by_role("button", name="Change the password").click()
    expect(hers.get_by_role("heading", name="Reports")).to_be_visible(timeout=SEEN_MS)
    assert wait_for_cookie(hers, other, before)["value"] != before
    links = hers.get_by_test_id("stSidebarNavLink")
    expect(links).to_have_count(3, timeout=SEEN_MS)
    assert [re.sub(r"^\w+_?\w*\n", "", text).strip() for text in links.all_inner_texts()] == [
        "Start",
        "Reports",
        "My account",
    ]
    for path in ("people", "register", "accounts", "audit", "settings"):
        hers.goto(f"{site.url}/{path}")
        expect(hers.get_by_text("Your account may not see this page.")).to_be_visible(timeout=SEEN_MS)
    other.close()


def test_the_identity_provider_lets_in_whom_the_site_wants_and_nobody_else(context, chromium, site, provider):
    provider.claims = {"sub": "7", "email": "eve@example.org", "email_verified": True, "groups": ["sales"]}
    stranger = chromium.new_context()
    page = opened(stranger, site)
    page.get_by_role("button", name=BUTTON).click(timeout=SEEN_MS)
    expect(page.get_by_text("Nobody has made an account for you here.")).to_be_visible(timeout=SEEN_MS)
    form(page)
    stranger.close()

    provider.claims = {
        "sub": "1", "email": "ada@example.org", "email_verified": True, "name": "Ada Example",
        "groups": ["hr"],
    }  # fmt: skip
    page = opened(context, site)
    page.get_by_role("button", name=BUTTON).click(timeout=SEEN_MS)
    inside(page)
    expect(page.get_by_text("Signed in as Ada Example")).to_be_visible(timeout=SEEN_MS)
    assert {"/authorize", "/token", "/jwks"} <= set(provider.asked)
    page.reload()
    inside(page)
    page.get_by_role("button", name="Sign out", exact=True).click()
    form(page)
    page.reload()
    form(page)

    store = open_store(site.settings)
    noted = store.list_audit(AuditQuery(actor="ada@example.org")).items
    store.close()
    assert [entry.action for entry in noted][::-1] == ["account.signed_in", "account.signed_out"]
