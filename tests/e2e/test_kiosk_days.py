"""What keeps the kiosk's screen alive for days: its pace, what is lost and comes back, what remains."""

from __future__ import annotations

import time

from playwright.sync_api import expect

from ray_backend.domain.errors import BackendUnavailable
from ray_backend.domain.kiosk.words import Phase
from tests.e2e.kiosk_page import (
    CANVAS_CAMERA,
    TIMERS,
    headline,
    keypad,
    leave,
    state,
    wait_for,
)
from tests.kiosk_stage import check_in, greeting, prompt, stage


def test_an_empty_room_is_sent_once_a_second_and_a_movement_at_once(screen, kiosk):
    state(screen, "idle")
    time.sleep(1)
    kiosk.frames.clear()
    time.sleep(5)
    assert 3 <= len(kiosk.frames) <= 6
    kiosk.frames.clear()
    wait_for(lambda: kiosk.frames)  # Just now a frame went, so the next one is a second away.
    moved = time.monotonic()
    screen.evaluate("setShade(150)")
    wait_for(lambda: len(kiosk.frames) > 1)
    assert kiosk.frames[1] - moved < 0.6


def test_whoever_is_served_is_looked_at_about_ten_times_a_second(screen, kiosk):
    kiosk.now = prompt(Phase.HOLD_STILL)
    state(screen, "hold")
    kiosk.frames.clear()
    time.sleep(3)
    assert 15 <= len(kiosk.frames) <= 33


def test_an_answer_that_does_not_come_is_told_within_two_seconds_and_forgotten_when_it_comes(screen, kiosk):
    kiosk.pause_s = 4
    began = time.monotonic()
    expect(screen.locator(".link")).to_have_attribute("data-link", "away", timeout=3000)
    assert time.monotonic() - began < 2.5  # 2 s, and the time that a slow machine needs to tell us
    expect(headline(screen)).to_have_text("One moment, please")
    kiosk.pause_s = 0
    state(screen, "idle")
    expect(screen.locator(".link")).to_have_attribute("data-link", "online")


def test_a_recognition_service_that_is_away_is_told_and_comes_back(screen, kiosk):
    kiosk.trouble = BackendUnavailable("away")
    state(screen, "trouble")
    expect(headline(screen)).to_have_text("One moment, please")
    kiosk.trouble = None
    state(screen, "idle")


def test_a_camera_that_ends_is_opened_again(screen, kiosk):
    screen.evaluate("""() => {
      const track = document.querySelector("video").srcObject.getVideoTracks()[0];
      track.stop();
      track.dispatchEvent(new Event("ended"));
    }""")
    wait_for(lambda: screen.evaluate("document.querySelector('video').srcObject?.active"))
    kiosk.frames.clear()
    wait_for(lambda: kiosk.frames)


def test_when_another_mode_takes_the_camera_this_page_lets_go_of_it_and_of_the_screen(screen, kiosk):
    state(screen, "idle")
    screen.evaluate("window.track = document.querySelector('video').srcObject.getVideoTracks()[0]")
    screen.evaluate("window.dispatchEvent(new Event('rollcall-camera-taken'))")
    expect(screen.locator(".kiosk")).to_have_count(0)
    assert screen.evaluate("window.track.readyState") == "ended"
    time.sleep(0.5)
    kiosk.frames.clear()
    time.sleep(2)
    assert kiosk.frames == []


def test_a_lost_camera_is_told_in_words_and_in_the_corner_and_comes_back(screen):
    screen.evaluate("""() => {
      window.again = navigator.mediaDevices.getUserMedia;
      navigator.mediaDevices.getUserMedia = async () => { throw new DOMException("", "NotFoundError") };
      document.querySelector("video").srcObject.getVideoTracks()[0].dispatchEvent(new Event("ended"));
    }""")
    expect(headline(screen)).to_have_text("No camera was found")
    expect(screen.locator(".link")).to_have_attribute("data-link", "camera")
    screen.evaluate("navigator.mediaDevices.getUserMedia = window.again")
    state(screen, "idle")


def test_a_server_that_comes_back_is_found_again_and_a_code_typed_meanwhile_counts_once(
    chromium, kiosk, port
):
    with stage(kiosk, port=port) as address:
        page = chromium.new_page()
        page.add_init_script(CANVAS_CAMERA)
        page.goto(address)
        state(page, "idle")
    expect(headline(page)).to_have_text("The connection is interrupted")
    expect(page.locator(".link")).to_have_attribute("data-link", "offline")
    page.keyboard.type("12345")
    page.keyboard.press("Enter")
    with stage(kiosk, port=port):
        state(page, "in", look="full")
        page.close()
    assert [digits for digits, _ in kiosk.typed] == ["12345"]


def test_a_code_that_reaches_nobody_is_told_and_not_sent_later(chromium, kiosk, port):
    with stage(kiosk, port=port) as address:
        page = chromium.new_page()
        page.add_init_script(CANVAS_CAMERA)
        page.clock.install()
        page.goto(address)
        state(page, "idle")
    expect(headline(page)).to_have_text("The connection is interrupted")
    page.keyboard.type("12345")
    page.keyboard.press("Enter")
    page.clock.fast_forward(9000)
    expect(keypad(page).get_by_role("alert")).to_contain_text("No connection")
    with stage(kiosk, port=port):
        expect(page.locator(".link")).to_have_attribute("data-link", "online", timeout=10_000)
        page.close()
    assert kiosk.typed == []


def test_many_people_leave_no_timers_behind_and_leaving_the_page_ends_everything(chromium, kiosk, port):
    def visit(page, number: int) -> None:
        kiosk.now = greeting(check_in(f"Person {number}"))
        expect(headline(page)).to_have_text(f"Welcome, Person {number}")
        page.keyboard.type("99")
        page.keyboard.press("Enter")
        expect(keypad(page).get_by_role("alert")).to_contain_text("not right")
        page.keyboard.press("Escape")
        leave(page, kiosk)

    with stage(kiosk, port=port) as address:
        page = chromium.new_page()
        for script in (TIMERS, CANVAS_CAMERA):
            page.add_init_script(script)
        page.goto(address)
        visit(page, 0)
        before = page.evaluate("running.size")
        assert before >= 2
        for number in range(1, 8):
            visit(page, number)
        wait_for(lambda: page.evaluate("running.size") <= before, seconds=10)

        page.evaluate("unmount()")
        wait_for(lambda: page.evaluate("running.size") == 1)  # the painter of the test's own camera
        assert not page.evaluate("document.querySelector('video').srcObject")
        kiosk.frames.clear()
        time.sleep(1.5)
        assert kiosk.frames == []
        page.close()
