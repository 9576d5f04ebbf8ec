"""The kiosk's screen in a real browser, over its real WebSocket and a kiosk that says what a test wants."""

from __future__ import annotations

import os
import re
import time
from dataclasses import replace

import pytest
from playwright.sync_api import expect, sync_playwright

from ray_backend.domain.errors import BackendUnavailable, TooManyAttempts
from ray_backend.domain.kiosk.words import Move, Phase
from ray_backend.domain.model import DecisionKind, Direction, QualityIssue
from tests.e2e.conftest import CHROMIUM, CHROMIUM_FLAGS, OFFLINE, free_port
from tests.kiosk_stage import (
    NOBODY,
    ScriptedKiosk,
    check_in,
    greeting,
    prompt,
    refusal,
    stage,
)

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
# A camera that a test paints, with nothing else in the picture.
CANVAS_CAMERA = """
const canvas = document.createElement("canvas");
Object.assign(canvas, { width: 640, height: 480 });
const paint = canvas.getContext("2d");
let shade = 90, noise = 0;
window.setShade = (value) => { shade = value };
setInterval(() => {
  paint.fillStyle = `rgb(${shade}, ${shade}, ${shade})`;
  paint.fillRect(0, 0, 640, 480);
  noise = 1 - noise;
  paint.fillStyle = `rgb(${shade + 4 * noise}, ${shade}, ${shade})`;
  paint.fillRect(0, 0, 320, 240);
}, 40);
navigator.mediaDevices.getUserMedia = async () => canvas.captureStream(25);
"""
TONES = """
window.tones = [];
const create = AudioContext.prototype.createOscillator;
AudioContext.prototype.createOscillator = function () {
  const sound = create.call(this);
  const start = sound.start;
  sound.start = (...when) => { window.tones.push(sound.frequency.value); start.apply(sound, when) };
  return sound;
};
"""
TIMERS = """
window.running = new Set();
for (const [set, clear] of [["setTimeout", "clearTimeout"], ["setInterval", "clearInterval"]]) {
  const [realSet, realClear] = [window[set].bind(window), window[clear].bind(window)];
  window[set] = (work, ...rest) => {
    const once = (...what) => { running.delete(name); work(...what) };
    const name = realSet(set === "setTimeout" ? once : work, ...rest);
    running.add(name);
    return name;
  };
  window[clear] = (name) => { running.delete(name); realClear(name) };
}
"""
FITS = """() => [...document.querySelectorAll(".words *, footer button, header span, .quiet p")]
  .filter((part) => part.checkVisibility() && (part.textContent.trim() || part.matches("svg")))
  .filter((part) => {
    const { left, right, top, bottom } = part.getBoundingClientRect();
    return left < 0 || top < 0 || right > innerWidth + 1 || bottom > innerHeight + 1;
  }).map((part) => part.className)"""
OVERLAPS = """() => {
  const box = (place) => document.querySelector(place)?.getBoundingClientRect();
  const [words, foot] = [box(".words"), box("footer")];
  return words.bottom > foot.top + 1;
}"""
CONTRAST = """() => {
  const light = (colour) => {
    const [r, g, b] = colour.match(/[0-9.]+/g).map(Number).map((value) => {
      const share = value / 255;
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const panel = document.querySelector(".panel");
  const ground = [panel, document.querySelector(".kiosk")]
    .map((part) => getComputedStyle(part).backgroundColor).find((colour) => !colour.includes(", 0)"));
  const [one, other] = [light(getComputedStyle(document.querySelector(".headline")).color), light(ground)];
  return (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
}"""


@pytest.fixture(scope="module")
def chromium():
    if CHROMIUM is None:
        reason = "no Chromium on this machine: on Debian, apt-get install chromium"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(reason)
    flags = [*CHROMIUM_FLAGS, OFFLINE, "--autoplay-policy=no-user-gesture-required"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=flags)
        yield browser
        browser.close()


@pytest.fixture
def kiosk():
    return ScriptedKiosk(codes={"12345": greeting(check_in("Ada Example"))})


@pytest.fixture
def port():
    return free_port()


@pytest.fixture
def screen(chromium, kiosk, port):
    """The page, connected, with a camera that sees nothing. It must not throw."""
    problems = []
    with stage(kiosk, port=port) as address:
        page = chromium.new_page(viewport={"width": 1280, "height": 800})
        page.on("pageerror", lambda error: problems.append(str(error)))
        for script in (CANVAS_CAMERA, TONES):
            page.add_init_script(script)
        page.clock.install()
        page.goto(address)
        expect(page.locator(".link")).to_have_attribute("data-link", "online")
        yield page
        page.close()
    assert problems == []


def state(page, name: str, *, look: str | None = None) -> None:
    expect(page.locator(".kiosk")).to_have_attribute("data-state", name)
    if look:
        expect(page.locator(".kiosk")).to_have_attribute("data-look", look)


def headline(page):
    return page.locator(".headline")


def keypad(page):
    return page.locator("dialog.keypad")


def wait_for(condition, seconds: float = 5.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.02)


def leave(page, kiosk) -> None:
    kiosk.now = NOBODY
    state(page, "idle")


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


def test_who_is_not_recognised_types_the_code_on_large_keys(screen, kiosk):
    kiosk.now = refusal(DecisionKind.UNKNOWN)
    screen.get_by_role("button", name="Type your code").click()
    for key in "12345":
        screen.get_by_role("button", name=key, exact=True).click()
    box = screen.get_by_role("button", name="5", exact=True).bounding_box()
    assert min(box["width"], box["height"]) >= 80
    screen.get_by_role("button", name="OK").click()

    state(screen, "in", look="full")
    expect(keypad(screen)).to_be_hidden()
    assert [digits for digits, _ in kiosk.typed] == ["12345"]


def test_a_badge_reader_is_a_quick_keyboard_and_its_digits_are_never_shown(screen, kiosk):
    screen.keyboard.type("1234")
    expect(keypad(screen)).to_be_visible()
    expect(keypad(screen).locator(".dots")).to_have_text("●●●●")
    expect(keypad(screen).get_by_role("status")).to_have_text("4 digits typed")
    assert "1234" not in screen.locator("body").inner_text().replace("\n", " ")
    screen.keyboard.type("5")
    screen.keyboard.press("Enter")

    state(screen, "in", look="full")
    assert [digits for digits, _ in kiosk.typed] == ["12345"]


def test_two_badges_in_a_row_are_two_codes(screen, kiosk):
    kiosk.codes["777"] = greeting(check_in("Grace Example"))
    for digits, name in (("12345", "Ada Example"), ("777", "Grace Example")):
        screen.keyboard.type(digits)
        screen.keyboard.press("Enter")
        expect(headline(screen)).to_have_text(f"Welcome, {name}")
    assert [digits for digits, _ in kiosk.typed] == ["12345", "777"]


def test_the_small_key_in_the_corner_is_always_there_and_escape_closes_the_keypad(screen, kiosk):
    for name, kiosk.now in STATES.items():
        state(screen, name)
        screen.get_by_role("button", name="Code", exact=True).click()
        expect(keypad(screen)).to_be_visible()
        screen.keyboard.press("Escape")
        expect(keypad(screen)).to_be_hidden()
        screen.clock.fast_forward(3000)
        leave(screen, kiosk)


def test_a_wrong_code_is_told_and_the_next_one_counts(screen, kiosk):
    screen.keyboard.type("999")
    screen.keyboard.press("Enter")
    expect(keypad(screen).get_by_role("alert")).to_have_text("This code is not right. Please try again.")
    screen.keyboard.type("12345")
    screen.keyboard.press("Enter")
    state(screen, "in")


def test_who_guessed_too_often_waits_and_the_keys_come_back(screen, kiosk):
    kiosk.trouble = TooManyAttempts("no", 30)
    screen.keyboard.type("999")
    screen.keyboard.press("Enter")
    expect(keypad(screen).get_by_role("alert")).to_contain_text("Please wait 30 seconds")
    expect(screen.get_by_role("button", name="7", exact=True)).to_be_disabled()
    kiosk.trouble = None
    screen.clock.fast_forward(31_000)
    screen.keyboard.type("1")
    expect(screen.get_by_role("button", name="7", exact=True)).to_be_enabled()


def test_the_keypad_closes_by_itself_and_forgets(screen):
    screen.keyboard.type("12")
    screen.clock.fast_forward(14_000)
    expect(keypad(screen)).to_be_visible()
    screen.keyboard.type("3")
    screen.clock.fast_forward(14_000)
    expect(keypad(screen)).to_be_visible()
    screen.clock.fast_forward(2_000)
    expect(keypad(screen)).to_be_hidden()
    screen.keyboard.type("4")
    expect(keypad(screen).locator(".dots")).to_have_text("●")


def test_a_keyboard_alone_reaches_every_key_and_stays_inside(screen):
    screen.get_by_role("button", name="Code", exact=True).focus()
    screen.keyboard.press("Enter")
    names = []
    for _ in range(13):
        screen.keyboard.press("Tab")
        names.append(
            screen.evaluate("document.activeElement.ariaLabel || document.activeElement.textContent")
        )
    assert names == [*"123456789", "Delete the last digit", "0", "OK", "Close"]
    screen.keyboard.press("Enter")
    expect(keypad(screen)).to_be_hidden()
    expect(screen.get_by_role("button", name="Code", exact=True)).to_be_focused()


def test_a_greeting_closes_an_empty_keypad_but_not_one_in_use(screen, kiosk):
    screen.get_by_role("button", name="Code", exact=True).click()
    kiosk.now = greeting()
    expect(keypad(screen)).to_be_hidden()
    leave(screen, kiosk)
    screen.keyboard.type("1")
    kiosk.now = greeting()
    time.sleep(1.5)
    expect(keypad(screen)).to_be_visible()


def test_this_is_not_me_says_thank_you_and_offers_the_code(screen, kiosk):
    result = check_in()
    kiosk.now = greeting(result)
    screen.get_by_role("button", name="This is not me").click()

    expect(keypad(screen).get_by_role("alert")).to_contain_text("Thank you")
    assert kiosk.disputed == [result.punch.punch_id]
    screen.keyboard.press("Escape")
    expect(headline(screen)).to_have_text("Type your code")
    assert "Ada" not in screen.locator("body").inner_text()
    leave(screen, kiosk)
    kiosk.now = greeting(result)
    expect(headline(screen)).to_have_text("Welcome, Ada Example")


def test_this_is_not_me_is_there_for_ten_seconds(screen, kiosk):
    kiosk.now = greeting()
    button = screen.locator(".not-me")
    expect(button).to_have_text("This is not me")
    screen.clock.fast_forward(3000)
    expect(button).to_have_text("I am not Ada Example")
    screen.clock.fast_forward(5000)
    expect(button).to_be_visible()
    screen.clock.fast_forward(2500)
    expect(button).to_be_hidden()
    assert kiosk.disputed == []


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
