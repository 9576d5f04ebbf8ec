"""An HR office's afternoon in a browser: merge two records, undo it, erase one, check the certificate."""

from __future__ import annotations

import json

from playwright.sync_api import Page, expect

from tests.e2e.conftest import register, running_site
from tests.e2e.test_first_day import SEEN_MS, settled, sign_in
from tests.video import film_of_person

PASSWORD = "correct horse battery"


def open_person(page: Page, name: str) -> None:
    page.get_by_role("link", name="People", exact=True).click()
    page.get_by_role("button", name=name, exact=True).click(timeout=SEEN_MS)
    expect(page.get_by_role("heading", name=name, exact=True)).to_be_visible(timeout=SEEN_MS)
    settled(page)


def merge(page: Page, other: str) -> None:
    page.get_by_role("button", name="Merge with another record").click()
    search = page.get_by_role("textbox", name="The other record")
    search.fill(other, timeout=SEEN_MS)
    search.press("Enter")
    page.get_by_role("button", name=other).click(timeout=SEEN_MS)
    expect(page.get_by_text("do not look alike")).to_be_visible(timeout=SEEN_MS)
    page.get_by_text("Yes, both are the same person").click()
    page.get_by_role("dialog").get_by_role("button", name="Merge", exact=True).click(timeout=SEEN_MS)


def test_merge_undo_and_erase_with_a_certificate(browser_with_film, tmp_path):
    register(tmp_path / "data", 1, 2)
    with running_site(tmp_path / "data", ROLLCALL_ADMIN_PASSWORD=PASSWORD) as site:
        browser = browser_with_film(film_of_person(tmp_path / "film.mjpeg", 1))
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        sign_in(page, site, PASSWORD)

        open_person(page, "Person 1")
        merge(page, "Person 2")
        expect(page.get_by_text("The two records are one person now.")).to_be_visible(timeout=SEEN_MS)
        expect(page.get_by_role("heading", name="Photos (4)")).to_be_visible(timeout=SEEN_MS)
        page.get_by_role("button", name="Undo").click()
        expect(page.get_by_text("The merge is undone.")).to_be_visible(timeout=SEEN_MS)
        expect(page.get_by_role("heading", name="Photos (2)")).to_be_visible(timeout=SEEN_MS)

        page.get_by_role("button", name="Erase this person").click()
        page.get_by_label("Type the employee id E1 to confirm").fill("E1", timeout=SEEN_MS)
        page.get_by_label("Type the employee id E1 to confirm").press("Tab")
        page.get_by_role("button", name="Erase for good").click()
        with page.expect_download(timeout=3 * SEEN_MS) as download:
            page.get_by_role("button", name="Certificate (JSON)").click(timeout=3 * SEEN_MS)
        file = tmp_path / "certificate.json"
        download.value.save_as(file)
        expect(page.get_by_role("button", name="Person 2", exact=True)).to_be_visible(timeout=SEEN_MS)
        expect(page.get_by_role("button", name="Person 1", exact=True)).to_have_count(0)

        key = site.run("certificate", "key").stdout.strip()
        checked = site.run("certificate", "verify", str(file), "--key", key, "--employee-id", "E1")
        assert checked.returncode == 0, checked.stderr
        assert "genuine" in checked.stdout
        assert "removed: 2 templates" in checked.stdout
        record = json.loads(file.read_text(encoding="utf-8"))
        assert record["certificate"]["by"] == "admin"
        record["certificate"]["removed"]["templates"] = 1
        file.write_text(json.dumps(record), encoding="utf-8")
        assert "not genuine" in site.run("certificate", "verify", str(file)).stderr
