"""The kiosk's other camera modes in a real browser: the video stream, and going on when a way is barred."""

from __future__ import annotations

import time

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import running_site
from tests.e2e.test_kiosk import import_people, photo_folder
from tests.people import face_photo
from tests.video import film_of_nobody, film_of_person

SEEN_MS = 20_000
GIVEN_UP_MS = 60_000
_NO_WEBRTC = "delete window.RTCPeerConnection; delete window.webkitRTCPeerConnection;"


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """Persons 0 and 1 are registered; kiosks find their mode by themselves."""
    root = tmp_path_factory.mktemp("modes")
    with running_site(root / "data", ROLLCALL_CAMERA="auto") as site:
        import_people(site, photo_folder(root / "photos", 0, 1))
        yield site


def bar_websocket(page: Page) -> None:
    """As a proxy does that does not know WebSockets, except for Streamlit's own."""
    page.route_web_socket("**/cam?**", lambda socket: socket.close())


def card(page: Page):
    return page.locator(".rc-answer p")


def test_where_websockets_are_barred_the_video_stream_takes_over(site, browser_with_film, tmp_path):
    before = len(site.punches())
    page = browser_with_film(film_of_person(tmp_path / "film.mjpeg", 0)).new_page()
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    bar_websocket(page)
    page.goto(site.kiosk_url)

    why = page.get_by_text("WebRTC), because the direct connection (WebSocket) cannot be opened.")
    expect(why).to_be_visible(timeout=GIVEN_UP_MS)
    expect(card(page)).to_contain_text("Person 0", timeout=SEEN_MS)
    # The person sees their own picture.
    expect(page.locator("video")).to_be_visible(timeout=SEEN_MS)
    expect(page.locator("video")).to_have_js_property("videoWidth", 640, timeout=SEEN_MS)
    time.sleep(4)

    punches = site.punches()[before:]
    assert len(punches) == 1
    assert punches[0].kiosk == "kiosk 1"
    assert all(url.startswith((site.url, "data:", "blob:")) for url in asked)


def test_where_video_streams_are_barred_too_a_photo_is_left(site, browser_with_film, tmp_path):
    page = browser_with_film(film_of_nobody(tmp_path / "film.mjpeg")).new_page()
    page.add_init_script(_NO_WEBRTC)
    bar_websocket(page)
    page.goto(site.kiosk_url)

    expect(page.get_by_text("Check in with a photo")).to_be_visible(timeout=2 * GIVEN_UP_MS)
    expect(page.get_by_text("neither a direct connection nor a video stream gets through")).to_be_visible()
    page.get_by_text("This computer has no camera").click()
    photo = {"name": "me.jpg", "mimeType": "image/jpeg", "buffer": face_photo(1, 1)}
    page.locator("input[type=file]").set_input_files(photo)
    expect(card(page)).to_contain_text("Person 1", timeout=SEEN_MS)


def test_on_plain_http_at_another_name_the_page_says_how_to_mend_it(tmp_path, browser_with_film):
    with running_site(tmp_path / "data", ROLLCALL_CAMERA="webrtc", ROLLCALL_ADDRESS="0.0.0.0") as site:
        browser = browser_with_film(film_of_nobody(tmp_path / "film.mjpeg"))
        page = browser.new_context().new_page()
        # A secure context is what the browser makes of the address; here it is told that this is none.
        page.add_init_script("Object.defineProperty(window, 'isSecureContext', { get: () => false })")
        page.goto(site.kiosk_url)
        expect(card(page)).to_have_text("This address may not use the camera", timeout=SEEN_MS)
        expect(page.get_by_text("ROLLCALL_HTTPS=self-signed")).to_be_visible()
        page.get_by_role("button", name="Use a photo instead").click()
        expect(page.get_by_text("ROLLCALL_HTTPS=self-signed")).to_be_visible(timeout=SEEN_MS)
        expect(page.get_by_text("Picture of your face")).to_be_visible()
