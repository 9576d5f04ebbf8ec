"""Importing people in a browser, over real actors: a dry run, then the import, its page closed meanwhile."""

from __future__ import annotations

import io
import zipfile
from contextlib import closing

from playwright.sync_api import Page, expect

from ray_backend.domain.queries import PeopleQuery
from ray_backend.storage import open_store
from tests.e2e.conftest import running_site
from tests.people import face_photo

SEEN_MS = 40_000
PASSWORD = "correct horse battery"


def archive() -> bytes:
    """Three people with photos, one of them a second time under another id, and what is no photo."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as made:
        for person in range(3):
            for variant in (1, 2):
                made.writestr(f"E{person}_Person {person}/{variant}.jpg", face_photo(person, variant))
        made.writestr("E9_Second Person 0/1.jpg", face_photo(0, 2))
        made.writestr("E0_Person 0/notes.txt", b"nothing")
    return file.getvalue()


def signed_in(browser, site) -> Page:
    page = browser.new_page(viewport={"width": 1280, "height": 800})
    page.goto(f"{site.url}/import")
    page.get_by_label("Username").fill("admin", timeout=SEEN_MS)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Import people")).to_be_visible(timeout=SEEN_MS)
    return page


def test_a_zip_is_tried_imported_and_found_again(chromium, tmp_path):
    with running_site(tmp_path / "data", ROLLCALL_ADMIN_PASSWORD=PASSWORD) as site:
        page = signed_in(chromium, site)
        page.locator("input[type=file]").set_input_files(
            {"name": "staff.zip", "mimeType": "application/zip", "buffer": archive()}
        )
        page.get_by_text("Everybody in it agreed").click()
        page.get_by_role("button", name="Start the dry run").click()
        expect(page.get_by_text("This was a dry run")).to_be_visible(timeout=SEEN_MS)
        assert stored(site) == {}

        page.get_by_role("button", name="Import now").click()
        expect(page.get_by_text("This was a dry run")).to_have_count(0, timeout=SEEN_MS)
        page.close()

        again = signed_in(chromium, site)
        expect(again.get_by_text("The import is done")).to_be_visible(timeout=SEEN_MS)
        assert stored(site) == {"E0": 2, "E1": 2, "E2": 2}
        with again.expect_download(timeout=SEEN_MS) as download:
            again.get_by_role("button", name="Download what was not taken").click()
        lines = download.value.path().read_text(encoding="utf-8-sig").splitlines()
        assert "E9_Second Person 0/1.jpg,E9,Second Person 0,Somebody else's face" in lines[2]
        assert "E0_Person 0/notes.txt" in lines[1]
        again.close()


def stored(site) -> dict[str, int]:
    """Number of templates by employee id."""
    with closing(open_store(site.settings)) as store:
        people = store.list_people(PeopleQuery()).items
        return {person.employee_id: len(store.templates_of(person.person_id)) for person in people}
