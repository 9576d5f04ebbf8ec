"""The kiosk page in a real browser, with a film as its camera, against a real `rollcall up`."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest
from playwright.sync_api import expect

from ray_backend.domain.model import Direction
from tests.e2e.conftest import free_port, register, running_site
from tests.e2e.kiosk_page import pointed_camera
from tests.faces import EDGE_PACK, FACES, needs_shared
from tests.mongo_server import new_server
from tests.people import face_photo
from tests.video import film_from_video, film_of_nobody, film_of_person, film_of_visits

SEEN_MS = 20_000
BACK_MS = 60_000
CODES = {1: "482916", 3: "730518"}
STRANGER = 2


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


def watch_until(page, words: str | re.Pattern, within_ms: int = SEEN_MS) -> None:
    expect(page.locator(".headline")).to_have_text(words, timeout=within_ms)


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """Persons 0, 1 and 3 are registered, 1 and 3 have codes. Nobody knows person 2."""
    root = tmp_path_factory.mktemp("site")
    register(root / "data", 0, 1, 3, codes=CODES)
    with running_site(root / "data") as site:
        yield site


@pytest.fixture
def new_punches(site):
    """What was recorded since the test began."""
    before = {punch.punch_id for punch in site.punches()}
    return lambda: [punch for punch in site.punches() if punch.punch_id not in before]


@pytest.fixture
def painted(browser_with_film, tmp_path):
    """A page whose camera the test paints."""
    page = browser_with_film(film_of_nobody(tmp_path / "film.mjpeg")).new_page()
    page.add_init_script(pointed_camera({f"{number}": face_photo(number) for number in range(4)}))
    return page


def open_kiosk(page, site) -> None:
    page.goto(site.kiosk_url)
    watch_until(page, "Step in front of the camera")
    expect(page.locator(".link")).to_have_attribute("data-link", "online", timeout=SEEN_MS)


def test_who_walks_up_is_greeted_and_recorded_once(site, browser_with_film, tmp_path, new_punches):
    page = browser_with_film(film_of_person(tmp_path / "film.mjpeg", 0)).new_page()
    page.goto(site.kiosk_url)
    watch_until(page, "Welcome, Person 0")
    expect(page.locator(".kiosk")).to_have_attribute("data-look", "panel", timeout=SEEN_MS)

    time.sleep(4)  # The person keeps standing there, for many frames more.

    (punch,) = new_punches()
    assert (punch.direction, punch.kiosk, punch.source) == (Direction.IN, "kiosk 1", "face")
    assert punch.receipt.similarity >= punch.receipt.threshold
    assert punch.receipt.frames > 1


def test_two_people_one_after_the_other_are_two_punches_in_order(
    site, browser_with_film, tmp_path, new_punches
):
    film = film_of_visits(tmp_path / "film.mjpeg", (None, 2), (3, 6), (None, 2), (1, 6), (None, 8))
    page = browser_with_film(film).new_page()
    page.goto(site.kiosk_url)
    watch_until(page, "Welcome, Person 3")
    watch_until(page, "Welcome, Person 1")

    first, second = new_punches()
    assert first.person_id != second.person_id
    assert first.at < second.at


def test_the_browser_has_nothing_to_complain_about(site, painted):
    refused, errors = [], []
    painted.on("response", lambda answer: answer.status >= 400 and refused.append(answer.url))
    painted.on("console", lambda said: said.type == "error" and errors.append(said.text))
    painted.on("pageerror", lambda error: errors.append(str(error)))
    open_kiosk(painted, site)
    painted.evaluate("show('0')")
    watch_until(painted, re.compile("Person 0|Already checked in"))
    assert (refused, errors) == ([], [])


def test_a_stranger_is_offered_the_code_and_not_recorded(site, painted, new_punches):
    open_kiosk(painted, site)
    painted.evaluate(f"show('{STRANGER}')")
    watch_until(painted, "Not recognised")
    expect(painted.get_by_role("button", name="Type your code")).to_be_visible()
    time.sleep(3)
    assert new_punches() == []


def test_an_empty_room_leaves_the_kiosk_waiting(site, painted, new_punches):
    open_kiosk(painted, site)
    time.sleep(3)
    watch_until(painted, "Step in front of the camera")
    assert new_punches() == []


@pytest.mark.parametrize("query", ["", "?token=wrong"])
def test_without_a_valid_token_there_is_no_camera(site, browser_with_film, tmp_path, query):
    page = browser_with_film(film_of_person(tmp_path / "film.mjpeg", 1)).new_page()
    page.goto(f"{site.url}/check-in{query}")
    expect(page.get_by_text("This screen is not set up as a kiosk")).to_be_visible(timeout=SEEN_MS)
    assert page.locator("video").count() == 0


def test_no_scores_are_shown_at_the_kiosk(site, painted):
    open_kiosk(painted, site)
    for name, words in (("1", "Person 1"), (f"{STRANGER}", "Not recognised")):
        painted.evaluate(f"show('{name}')")
        expect(painted.locator(".words")).to_contain_text(words, timeout=SEEN_MS)
        seen = painted.locator("body").inner_text().lower()
        assert not re.search(r"similarity|score|threshold|\b0[.,]\d", seen)


def test_this_is_not_me_is_noted_for_the_admin_and_the_punch_stays(tmp_path, painted):
    register(tmp_path / "data", 0, codes={0: CODES[1]})
    with running_site(tmp_path / "data") as site:
        open_kiosk(painted, site)
        painted.evaluate("show('0')")
        watch_until(painted, "Welcome, Person 0")
        painted.get_by_role("button", name="This is not me").click()
        expect(painted.get_by_role("alert")).to_contain_text("Thank you", timeout=SEEN_MS)

        (punch,) = site.punches()
        (note,) = [entry for entry in site.audit() if entry.action == "punch.disputed"]
        assert (note.subject, note.actor) == (punch.punch_id, "kiosk kiosk 1")


def test_a_typed_code_is_a_punch_and_wrong_ones_are_limited(tmp_path, painted):
    register(tmp_path / "data", 0, 3, codes=CODES)
    with running_site(tmp_path / "data") as site:
        open_kiosk(painted, site)
        painted.evaluate(f"show('{STRANGER}')")
        painted.get_by_role("button", name="Type your code").click(timeout=SEEN_MS)
        for digit in CODES[3]:
            painted.get_by_role("button", name=digit, exact=True).click()
        painted.get_by_role("button", name="OK").click()
        watch_until(painted, "Welcome, Person 3")
        (punch,) = site.punches()
        assert (punch.source, punch.kiosk) == ("pin", "kiosk 1")

        painted.evaluate("show('')")
        watch_until(painted, "Step in front of the camera")
        reply = painted.get_by_role("alert")
        for _ in range(10):
            painted.keyboard.type("0000")
            painted.keyboard.press("Enter")
            expect(reply).to_contain_text(re.compile("not right|Too many"), timeout=SEEN_MS)
            if "Too many" in reply.inner_text():
                break
        expect(reply).to_contain_text(re.compile(r"Please wait \d+ seconds"))
        expect(painted.get_by_role("button", name="5", exact=True)).to_be_disabled()
        assert len(site.punches()) == 1


def test_a_server_that_dies_in_the_middle_comes_back_and_nothing_is_lost_or_doubled(tmp_path, painted):
    register(tmp_path / "data", 0, 1)
    ports = {"ROLLCALL_PORT": str(free_port()), "ROLLCALL_API_PORT": str(free_port())}
    with running_site(tmp_path / "data", **ports) as site:
        open_kiosk(painted, site)
        painted.evaluate("show('0')")
        watch_until(painted, "Welcome, Person 0")
        painted.evaluate("show('1')")
        time.sleep(0.5)  # While person 1 is being looked at, or just recorded.
        site.kill()
        watch_until(painted, "The connection is interrupted")
    with running_site(tmp_path / "data", **ports) as site:
        expect(painted.locator(".headline")).to_contain_text("Person 1", timeout=BACK_MS)
        painted.evaluate("show('0')")
        expect(painted.locator(".hint")).to_have_text("Person 0", timeout=SEEN_MS)
        watch_until(painted, re.compile("Already checked in"))
        assert len({punch.person_id for punch in site.punches()}) == len(site.punches()) == 2


def test_a_database_that_stops_in_the_middle_gets_every_punch_once_when_it_is_back(tmp_path, painted):
    server = new_server(tmp_path / "server")
    server.start()
    store = f"{server.url}/site"
    try:
        register(tmp_path / "data", 0, 1, store=store)
        with running_site(tmp_path / "data", ROLLCALL_STORE=store, ROLLCALL_STORE_TIMEOUT_S="2") as site:
            open_kiosk(painted, site)
            painted.evaluate("show('0')")
            watch_until(painted, "Welcome, Person 0")
            expect(painted.locator(".note")).to_have_text("")
            server.kill()
            painted.evaluate("show('1')")
            watch_until(painted, "Welcome, Person 1", BACK_MS)
            expect(painted.locator(".note")).to_have_text("Saved here. It will be sent by itself.")
            server.start()
            deadline = time.monotonic() + 60
            while len(site.punches()) < 2:
                assert time.monotonic() < deadline, "the punch did not reach the database"
                time.sleep(0.5)
            time.sleep(3)
            first, second = site.punches()
            assert first.person_id != second.person_id
    finally:
        server.kill()


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
        watch_until(page, "Welcome, Lin Manuel Miranda", BACK_MS)
        time.sleep(5)
        (punch,) = site.punches()
    assert punch.direction is Direction.IN
    assert punch.receipt.pack_id.startswith("edge-")
