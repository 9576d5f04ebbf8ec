"""What the kiosk's screen shows, in a real browser, over a kiosk that says what a test wants."""

from __future__ import annotations

import re
import time
from dataclasses import replace

from playwright.sync_api import expect

from ray_backend.domain.kiosk.words import Move, Phase
from ray_backend.domain.model import DecisionKind, Direction, QualityIssue
from ray_backend.domain.site import SiteSettings
from tests.e2e.kiosk_page import (
    CANVAS_CAMERA,
    CONTRAST,
    FITS,
    OVERLAPS,
    headline,
    keypad,
    leave,
    state,
    wait_for,
)
from tests.kiosk_stage import NOBODY, check_in, greeting, prompt, refusal, stage

SIZES = [(1280, 800), (820, 1180), (390, 780), (1920, 1080)]
STATES = {
    "idle": NOBODY,
    "closer": prompt(Phase.COME_CLOSER),
    "adjust": prompt(Phase.ADJUST, issue=QualityIssue.TURNED_AWAY),
    "hold": replace(prompt(Phase.HOLD_STILL, progress=0.5), offer_code=True),
    "challenge": prompt(Phase.CHALLENGE, move=Move.TURN_RIGHT, progress=0.5),
    "in": greeting(check_in(delivered=False)),
    "out": greeting(check_in("Ada Example-Longname von und zu Beispielhausen", Direction.OUT)),
    "already": greeting(check_in(repeated=True)),
    "unknown": refusal(DecisionKind.UNKNOWN),
    "ambiguous": refusal(DecisionKind.AMBIGUOUS),
    "spoof": refusal(DecisionKind.SPOOF),
    "locked": replace(prompt(Phase.IDLE, locked=True), offer_code=True),
}


def test_every_state_fits_every_screen_and_reads_well(screen, kiosk):
    for name, kiosk.now in STATES.items():
        for width, height in SIZES:
            screen.set_viewport_size({"width": width, "height": height})
            state(screen, name)
            expect(headline(screen)).not_to_be_empty()
            assert screen.evaluate(FITS) == [], (name, width)
            assert not screen.evaluate(OVERLAPS), (name, width)
        assert screen.evaluate(CONTRAST) >= 4.5, name
        screen.clock.fast_forward(3000)
        leave(screen, kiosk)


def test_a_result_takes_the_whole_screen_once_and_then_makes_room(screen, kiosk):
    kiosk.now = greeting()
    state(screen, "in", look="full")
    began = time.monotonic()
    expect(screen.locator(".time")).to_have_text("07:59")
    expect(screen.locator(".direction")).to_have_text("IN")
    expect(screen.locator("p.said").first).to_have_text("Welcome, Ada Example. 07:59. IN")
    state(screen, "in", look="panel")
    assert 1.8 < time.monotonic() - began < 3.2
    time.sleep(1)
    state(screen, "in", look="panel")
    assert len(screen.evaluate("tones")) == 2


def test_each_kind_of_result_has_its_own_tone_and_its_own_shape(screen, kiosk):
    heard, seen = set(), set()
    for name in ("in", "out", "already", "unknown"):
        kiosk.now = STATES[name]
        state(screen, name)
        wait_for(lambda: screen.evaluate("tones").__len__() > 0)
        heard.add(tuple(screen.evaluate("tones.splice(0)")))
        seen.add(screen.locator(".sign g:visible").inner_html())
        screen.clock.fast_forward(3000)
        leave(screen, kiosk)
    assert len(heard) == len(seen) == 4


def test_where_sound_is_forbidden_there_is_none_and_nothing_else_changes(screen, kiosk):
    screen.evaluate("void (AudioContext.prototype.createOscillator = () => { throw new Error('no') })")
    kiosk.now = greeting()
    state(screen, "in", look="full")


def test_the_next_person_is_greeted_although_the_first_is_still_on_the_screen(screen, kiosk):
    kiosk.now = greeting(check_in("Ada Example"))
    expect(headline(screen)).to_have_text("Welcome, Ada Example")
    kiosk.now = greeting(check_in("Grace Example"))
    expect(headline(screen)).to_have_text("Welcome, Grace Example", timeout=1500)


def test_no_number_on_the_screen_is_a_score(screen, kiosk):
    for name, kiosk.now in STATES.items():
        state(screen, name)
        words = screen.locator("body").inner_text().lower()
        assert not re.search(r"similarity|score|threshold|\b0[.,]\d|%", words), name
        screen.clock.fast_forward(3000)
        leave(screen, kiosk)


def test_the_first_touch_takes_the_full_screen_and_a_mouse_does_not(chromium, kiosk):
    with stage(kiosk) as address:
        context = chromium.new_context(has_touch=True)
        page = context.new_page()
        page.add_init_script(CANVAS_CAMERA)
        page.goto(address)
        state(page, "idle")
        page.mouse.click(300, 300)
        assert not page.evaluate("document.fullscreenElement")
        page.get_by_role("button", name="Code", exact=True).tap()
        wait_for(lambda: page.evaluate("document.fullscreenElement?.tagName") == "HTML")
        page.get_by_role("button", name="7", exact=True).tap()
        expect(keypad(page).locator(".dots")).to_have_text("●")
        context.close()


def test_an_open_screen_takes_another_name_and_zone_of_the_site(screen, kiosk):
    expect(screen.locator(".site")).to_have_text("Example Works")
    before = screen.locator(".large-clock").inner_text()
    kiosk.site = SiteSettings("Example Mill", "Asia/Tokyo")
    # The server looks for changes every other second, and an idle kiosk asks once a second.
    expect(screen.locator(".site")).to_have_text("Example Mill", timeout=10_000)
    assert screen.locator(".large-clock").inner_text()[:2] != before[:2]
