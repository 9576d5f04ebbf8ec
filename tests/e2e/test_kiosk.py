"""The kiosk page in a real browser, with a film as its camera, against a real `rollcall up`."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from playwright.sync_api import expect

from ray_backend.domain.model import Direction
from tests.e2e.conftest import running_site
from tests.faces import EDGE_PACK, FACES, needs_shared
from tests.people import face_photo
from tests.video import film_from_video, film_of_nobody, film_of_person

SEEN_MS = 20_000


def import_people(site, folder: Path) -> None:
    done = site.run("people", "import", str(folder), "--consent")
    assert done.returncode == 0, done.stderr
    assert " 0 refused" in done.stdout, done.stdout


def photo_folder(root: Path, *people: int) -> Path:
    for person in people:
        folder = root / f"E{person}_Person {person}"
        folder.mkdir(parents=True)
        for variant in (1, 2):
            (folder / f"{variant}.jpg").write_bytes(face_photo(person, variant))
    return root


def watch_until(page, words: str) -> None:
    expect(page.locator(".headline")).to_have_text(words, timeout=SEEN_MS)


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """Persons 0 and 1 are registered."""
    root = tmp_path_factory.mktemp("site")
    with running_site(root / "data") as site:
        import_people(site, photo_folder(root / "photos", 0, 1))
        yield site


@pytest.fixture
def new_punches(site):
    """What was recorded since the test began."""
    before = {punch.punch_id for punch in site.punches()}
    return lambda: [punch for punch in site.punches() if punch.punch_id not in before]


def test_who_walks_up_is_greeted_and_recorded_once(site, browser_with_film, tmp_path, new_punches):
    page = browser_with_film(film_of_person(tmp_path / "film.mjpeg", 0)).new_page()
    page.goto(site.kiosk_url)
    watch_until(page, "Welcome, Person 0")

    time.sleep(4)  # The person keeps standing there, for some twenty frames more.

    (punch,) = new_punches()
    assert punch.direction is Direction.IN
    assert punch.kiosk == "kiosk 1"
    assert punch.receipt.similarity >= punch.receipt.threshold
    expect(page.locator(".headline")).to_contain_text("Already checked in", timeout=SEEN_MS)


def test_a_stranger_is_sent_to_the_desk_and_not_recorded(site, browser_with_film, tmp_path, new_punches):
    page = browser_with_film(film_of_person(tmp_path / "film.mjpeg", 2)).new_page()
    page.goto(site.kiosk_url)
    expect(page.locator(".headline")).to_contain_text("Not recognised", timeout=SEEN_MS)
    assert new_punches() == []


def test_an_empty_room_leaves_the_kiosk_waiting(site, browser_with_film, tmp_path, new_punches):
    page = browser_with_film(film_of_nobody(tmp_path / "film.mjpeg")).new_page()
    page.goto(site.kiosk_url)
    expect(page.locator(".link")).to_have_attribute("data-link", "online", timeout=SEEN_MS)
    watch_until(page, "Step in front of the camera")
    assert new_punches() == []


@pytest.mark.parametrize("query", ["", "?token=wrong"])
def test_without_a_valid_token_there_is_no_camera(site, browser_with_film, tmp_path, query):
    page = browser_with_film(film_of_person(tmp_path / "film.mjpeg", 1)).new_page()
    page.goto(f"{site.url}/check-in{query}")
    expect(page.get_by_text("This screen is not set up as a kiosk")).to_be_visible(timeout=SEEN_MS)
    assert page.locator("video").count() == 0


def test_no_scores_are_shown_at_the_kiosk(site, browser_with_film, tmp_path):
    page = browser_with_film(film_of_person(tmp_path / "film.mjpeg", 1)).new_page()
    page.goto(site.kiosk_url)
    expect(page.locator(".headline")).to_contain_text("Person 1", timeout=SEEN_MS)
    words = page.locator("body").inner_text().lower()
    assert not {"similarity", "score", "threshold", "0.9"} & set(words.split())


@needs_shared
def test_one_of_two_people_in_a_real_film_is_recorded_once(browser_with_film, tmp_path):
    folder = tmp_path / "photos" / "lin_manuel_miranda"
    folder.mkdir(parents=True)
    (folder / "1.jpg").write_bytes((FACES / "enrol" / "lin_manuel_miranda" / "1.jpg").read_bytes())
    film = film_from_video(tmp_path / "film.mjpeg", FACES / "video" / "hamilton_clip.mp4")
    with running_site(tmp_path / "data", ROLLCALL_PACK=str(EDGE_PACK)) as site:
        import_people(site, tmp_path / "photos")
        page = browser_with_film(film).new_page()
        page.goto(site.kiosk_url)
        watch_until(page, "Welcome, Lin Manuel Miranda")
        time.sleep(5)
        (punch,) = site.punches()
    assert punch.direction is Direction.IN
    assert punch.receipt.pack_id.startswith("edge-")
