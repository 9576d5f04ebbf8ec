"""The other way at the kiosk's screen: codes and "This is not me", in a real browser."""

from __future__ import annotations

import time

from playwright.sync_api import expect

from ray_backend.domain.errors import TooManyAttempts
from ray_backend.domain.model import DecisionKind
from tests.e2e.kiosk_page import (
    headline,
    keypad,
    leave,
    state,
)
from tests.e2e.test_kiosk_screen import STATES
from tests.kiosk_stage import check_in, greeting, refusal


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
    # The same greeting comes again and again while the person stands there: it does not take the keys away.
    time.sleep(1.5)
    expect(keypad(screen)).to_be_visible()
    screen.keyboard.press("Escape")
    expect(headline(screen)).to_have_text("Please check in with your code")
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
