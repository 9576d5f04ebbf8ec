"""The kiosk's other camera modes in a real browser: the video stream, and going on when a way is barred."""

from __future__ import annotations

import re
import time

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import register, running_site
from tests.people import face_photo
from tests.video import film_of_nobody, film_of_person

SEEN_MS = 20_000
# From the page's first words: an idle machine takes 3 s, most of it Streamlit's own.
OTHER_WAY_S = 10.0
GIVEN_UP_MS = 60_000
CODES = {1: "482916"}
_NO_WEBRTC = "delete window.RTCPeerConnection; delete window.webkitRTCPeerConnection;"


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """Persons 0, 1 and 3 are registered, 1 has a code; kiosks find their mode by themselves."""
    root = tmp_path_factory.mktemp("modes")
    register(root / "data", 0, 1, 3, codes=CODES)
    with running_site(root / "data", ROLLCALL_CAMERA="auto") as site:
        yield site


def bar_websocket(page: Page) -> None:
    """As a proxy does that does not know WebSockets, except for Streamlit's own."""
    page.route_web_socket("**/cam?**", lambda socket: socket.close())


def headline(page: Page):
    return page.locator(".kiosk .headline")


def wait_for_corner(page: Page, words: str) -> None:
    """The screen of the mode before may still be there for a moment."""
    expect(page.locator(".kiosk .link").filter(has_text=words)).to_be_visible(timeout=GIVEN_UP_MS)
    expect(page.locator(".kiosk")).to_have_count(1)


@pytest.fixture
def stream_page(site, browser_with_film, tmp_path):
    """Opens the kiosk where WebSockets are barred, before this film, and waits for the video stream."""

    def open_page(film):
        page = browser_with_film(film).new_page()
        bar_websocket(page)
        page.goto(site.kiosk_url)
        page.locator(".kiosk").first.wait_for(state="attached", timeout=SEEN_MS)
        began = time.monotonic()
        wait_for_corner(page, "Video stream, connected")
        return page, time.monotonic() - began

    return open_page


def test_where_websockets_are_barred_the_video_stream_takes_over(site, stream_page, tmp_path):
    before = len(site.punches())
    page, seconds = stream_page(film_of_person(tmp_path / "film.mjpeg", 0))
    assert seconds < OTHER_WAY_S, f"{seconds:.1f} s"
    expect(headline(page)).to_contain_text("Person 0", timeout=SEEN_MS)
    # The person sees their own picture.
    expect(page.locator(".kiosk video")).to_have_js_property("videoWidth", 640, timeout=SEEN_MS)
    why = page.locator(".kiosk .why")
    expect(why).to_contain_text("WebRTC), because the direct connection (WebSocket) cannot be opened.")
    time.sleep(4)

    punches = site.punches()[before:]
    assert len(punches) == 1
    assert punches[0].kiosk == "kiosk 1"


def test_the_video_stream_asks_nobody_outside(site, browser_with_film, tmp_path):
    page = browser_with_film(film_of_nobody(tmp_path / "film.mjpeg")).new_page()
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    bar_websocket(page)
    page.goto(site.kiosk_url)
    wait_for_corner(page, "Video stream, connected")
    assert all(url.startswith((site.url, "data:", "blob:")) for url in asked)


def test_this_is_not_me_and_the_large_keys_are_there_in_the_video_stream_too(site, stream_page, tmp_path):
    before = len(site.punches())
    page, _ = stream_page(film_of_person(tmp_path / "film.mjpeg", 3))
    page.get_by_role("button", name="This is not me").or_(page.get_by_text("I am not Person 3")).click(
        timeout=SEEN_MS
    )
    keypad = page.locator("dialog.keypad")
    expect(keypad.get_by_role("alert")).to_contain_text("Thank you", timeout=SEEN_MS)
    for digit in "0000":
        keypad.get_by_role("button", name=digit, exact=True).click()
    keypad.get_by_role("button", name="OK").click()
    expect(keypad.get_by_role("alert")).to_contain_text("This code is not right", timeout=SEEN_MS)
    page.keyboard.type(CODES[1])
    page.keyboard.press("Enter")
    expect(headline(page)).to_contain_text("Person 1", timeout=SEEN_MS)

    disputed = [entry.subject for entry in site.audit() if entry.action == "punch.disputed"]
    assert set(disputed) & {punch.punch_id for punch in site.punches()}
    assert [punch.source for punch in site.punches()[before:]][-1] == "pin"


def test_where_video_streams_are_barred_too_a_photo_is_left(site, browser_with_film, tmp_path):
    page = browser_with_film(film_of_nobody(tmp_path / "film.mjpeg")).new_page()
    page.add_init_script(_NO_WEBRTC)
    bar_websocket(page)
    page.goto(site.kiosk_url)

    wait_for_corner(page, "Photo button")
    expect(headline(page)).to_have_text("Take a photo of your face")
    why = page.get_by_test_id("stCaptionContainer")
    expect(why).to_contain_text("neither a direct connection nor a video stream gets through")
    page.get_by_text("This computer has no camera").click()
    photo = {"name": "me.jpg", "mimeType": "image/jpeg", "buffer": face_photo(1, 1)}
    page.locator("input[type=file]").set_input_files(photo)
    expect(headline(page)).to_contain_text(re.compile("Person 1|Already checked"), timeout=SEEN_MS)
    page.get_by_role("button", name="Code", exact=True).click()
    expect(page.locator("dialog.keypad")).to_be_visible()


def test_on_plain_http_at_another_name_the_page_says_how_to_mend_it(tmp_path, browser_with_film):
    with running_site(tmp_path / "data", ROLLCALL_CAMERA="webrtc", ROLLCALL_ADDRESS="0.0.0.0") as site:
        browser = browser_with_film(film_of_nobody(tmp_path / "film.mjpeg"))
        page = browser.new_context().new_page()
        # A secure context is what the browser makes of the address; here it is told that this is none.
        page.add_init_script("Object.defineProperty(window, 'isSecureContext', { get: () => false })")
        page.goto(site.kiosk_url)
        expect(headline(page)).to_have_text("This address may not use the camera", timeout=SEEN_MS)
        expect(page.locator(".kiosk .hint")).to_contain_text("ROLLCALL_HTTPS=self-signed")
        page.get_by_role("button", name="Use a photo instead").click()
        expect(page.get_by_test_id("stAlert")).to_contain_text("ROLLCALL_HTTPS=self-signed", timeout=SEEN_MS)
        expect(page.get_by_text("Picture of your face")).to_be_visible()
