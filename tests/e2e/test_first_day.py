"""The README's first day, in a browser: sign in, register two people from photos, check one in, export."""

from __future__ import annotations

import csv
import io

from playwright.sync_api import Page, expect

from tests.e2e.conftest import running_site
from tests.people import face_photo
from tests.video import film_of_person

SEEN_MS = 20_000


def sign_in(page: Page, site, password: str | None = None) -> None:
    page.goto(site.url)
    page.get_by_label("Username").fill("admin", timeout=SEEN_MS)
    page.get_by_label("Password", exact=True).fill(password or site.password)
    page.get_by_role("button", name="Sign in").click()


def settled(page: Page) -> None:
    """The page has finished its run: what is on it now is not about to be replaced."""
    page.locator("[data-testid=stApp][data-test-script-state=notRunning]").wait_for(timeout=SEEN_MS)


def begin_registering(page: Page, employee_id: str, name: str) -> None:
    """Up to the photos: the person agrees, and says who they are."""
    page.get_by_role("link", name="Register face").click()
    expect(page.get_by_role("button", name="Continue")).to_be_disabled(timeout=SEEN_MS)
    page.get_by_text("The person has read this").click()
    page.get_by_role("button", name="Continue").click()
    page.get_by_label("Employee id", exact=True).fill(employee_id, timeout=SEEN_MS)
    page.get_by_label("Name", exact=True).fill(name)
    page.get_by_label("Name", exact=True).press("Tab")
    page.get_by_role("button", name="Continue").click()


def register(page: Page, person: int, name: str) -> None:
    begin_registering(page, f"E{person}", name)
    page.get_by_text("Single photos or files", exact=True).click(timeout=SEEN_MS)
    photos = [
        {"name": f"{variant}.jpg", "mimeType": "image/jpeg", "buffer": face_photo(person, variant)}
        for variant in (1, 3)
    ]
    page.locator("input[type=file]").set_input_files(photos)
    expect(page.get_by_text("2 photos will be used.")).to_be_visible(timeout=SEEN_MS)
    page.get_by_role("button", name="Continue").click()
    page.get_by_role("button", name="Save this person").click(timeout=SEEN_MS)
    expect(page.get_by_text(f"{name} (E{person}) is registered with 2 photos.")).to_be_visible(
        timeout=SEEN_MS
    )
    page.get_by_role("button", name="Register the next person").click()
    # The app forgets a button's click when a link is followed before it was heard.
    expect(page.get_by_text("The person has read this")).to_be_visible(timeout=SEEN_MS)


def test_the_first_day(browser_with_film, tmp_path):
    with running_site(tmp_path / "data") as site:
        browser = browser_with_film(film_of_person(tmp_path / "film.mjpeg", 1))
        desk = browser.new_page(viewport={"width": 1280, "height": 900})
        sign_in(desk, site)
        register(desk, 1, "Grace Example")
        register(desk, 2, "Alan Example")

        door = browser.new_page()
        door.goto(site.kiosk_url)
        expect(door.locator(".headline")).to_have_text("Welcome, Grace Example", timeout=SEEN_MS)
        door.close()
        (punch,) = site.punches()

        desk.get_by_role("link", name="Reports").click()
        with desk.expect_download(timeout=SEEN_MS) as download:
            desk.get_by_role("button", name="Download CSV").click(timeout=SEEN_MS)
        text = download.value.path().read_text(encoding="utf-8-sig")
        (row,) = csv.DictReader(io.StringIO(text))
        assert (row["Employee id"], row["Name"], row["Records"]) == ("E1", "Grace Example", "1")
        here = punch.at.astimezone(site.settings.zone).isoformat(timespec="seconds")
        assert (row["First in"], row["UTC offset"]) == (here[:19], f"UTC{here[19:]}")


def test_a_wrong_password_opens_nothing(browser_with_film, tmp_path):
    with running_site(tmp_path / "data", ROLLCALL_ADMIN_PASSWORD="correct horse battery") as site:
        page = browser_with_film(film_of_person(tmp_path / "film.mjpeg", 1)).new_page()
        sign_in(page, site, "guess")
        expect(page.get_by_text("Username or password is not right.")).to_be_visible(timeout=SEEN_MS)
        for path in ("register", "people", "reports"):
            page.goto(f"{site.url}/{path}")
            expect(page.get_by_label("Username")).to_be_visible(timeout=SEEN_MS)
        sign_in(page, site, "correct horse battery")
        expect(page.get_by_text("People registered")).to_be_visible(timeout=SEEN_MS)
