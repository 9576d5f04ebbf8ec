"""Takes a picture of every state of the kiosk's screen, in landscape and portrait, without a backend.

The screen and its WebSocket are the real ones; what the kiosk says is set by `tests.kiosk_stage`.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import skimage.data
from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from ray_backend.domain.errors import BackendUnavailable, TooManyAttempts
from ray_backend.domain.kiosk.words import Move, Phase
from ray_backend.domain.model import DecisionKind, Direction, QualityIssue
from tests.kiosk_stage import NOBODY, ScriptedKiosk, check_in, greeting, prompt, refusal, stage

SIZES = {"landscape": (1280, 800), "portrait": (820, 1180), "phone": (390, 780)}
AWAY = BackendUnavailable("away")
# Name of the picture, what the kiosk says, the words to wait for.
SCENES = [
    ("idle", NOBODY, "Step in front"),
    ("closer", prompt(Phase.COME_CLOSER), "Come closer"),
    ("adjust", prompt(Phase.ADJUST, issue=QualityIssue.TOO_DARK), "More light"),
    ("hold", prompt(Phase.HOLD_STILL, progress=0.6), "Hold still"),
    ("left", prompt(Phase.CHALLENGE, move=Move.TURN_LEFT, progress=0.3), "to the left"),
    ("right", prompt(Phase.CHALLENGE, move=Move.TURN_RIGHT, progress=0.6), "to the right"),
    ("in", greeting(), "Welcome"),
    ("out", greeting(check_in("Ada Example-Longname von und zu Beispielhausen", Direction.OUT)), "Goodbye"),
    ("already", greeting(check_in(repeated=True)), "Already"),
    ("journal", greeting(check_in(delivered=False)), "Saved here"),
    ("unknown", refusal(DecisionKind.UNKNOWN), "Not recognised"),
    ("ambiguous", refusal(DecisionKind.AMBIGUOUS), "not sure"),
    ("spoof", refusal(DecisionKind.SPOOF), "make sure"),
    ("waiting", replace(prompt(Phase.HOLD_STILL, progress=0.3), offer_code=True), "Or type"),
    ("locked", replace(prompt(Phase.IDLE, locked=True), offer_code=True), "pauses"),
]
_NO_CAMERA = (
    'navigator.mediaDevices.getUserMedia = async () => { throw new DOMException("", "NotFoundError") };'
)


def main() -> None:
    """Takes all pictures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    out = parser.parse_args().out
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        sys.exit("Chromium is not installed. On Debian or Ubuntu: sudo apt-get install chromium")
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        film = Path(folder) / "film.mjpeg"
        _film(film)
        flags = ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]
        browser = playwright.chromium.launch(
            executable_path=chromium, args=[*flags, f"--use-file-for-fake-video-capture={film}"]
        )
        for size in SIZES:
            _tour(
                browser, lambda page, name, size=size: page.screenshot(path=out / f"{size}-{name}.png"), size
            )
        browser.close()


def _film(path: Path) -> None:
    """An astronaut, her face where `tests.kiosk_stage.FACE` is."""
    picture = Image.new("RGB", (640, 480), (96, 104, 112))
    picture.paste(
        Image.fromarray(skimage.data.astronaut()).crop((150, 30, 300, 220)).resize((379, 480)), (130, 0)
    )
    with path.open("wb") as file:
        for _ in range(5):
            picture.save(file, "JPEG", quality=92)


def _tour(browser: Browser, shoot: Callable[[Page, str], None], size: str) -> None:
    kiosk = ScriptedKiosk(codes={"1234": greeting()})
    width, height = SIZES[size]
    with stage(kiosk) as address:
        page = browser.new_page(viewport={"width": width, "height": height})
        page.goto(address)
        for name, answer, words in SCENES:
            kiosk.now = answer
            _shoot(page, shoot, name, words)
            if name == "in":
                page.get_by_text("I am not").wait_for()
                _shoot(page, shoot, "served", "Welcome")
            kiosk.now = NOBODY
            _wait(page, "Step in front")
        _keypad(page, kiosk, shoot)
        kiosk.trouble = AWAY
        _shoot(page, shoot, "away", "does not answer")
    _shoot(page, shoot, "network-lost", "interrupted")
    page.close()
    with stage(kiosk) as address:
        page = browser.new_page(viewport={"width": width, "height": height})
        page.add_init_script(_NO_CAMERA)
        page.goto(address)
        _shoot(page, shoot, "no-camera", "No camera was found")
        page.close()


def _keypad(page: Page, kiosk: ScriptedKiosk, shoot: Callable[[Page, str], None]) -> None:
    page.get_by_role("button", name="Code", exact=True).click()
    page.keyboard.type("999")
    _shoot(page, shoot, "keypad", "OK")
    page.keyboard.press("Enter")
    _shoot(page, shoot, "keypad-wrong", "not right")
    kiosk.trouble = TooManyAttempts("", 30.0)
    page.keyboard.type("9")
    page.keyboard.press("Enter")
    _shoot(page, shoot, "keypad-limited", "Too many")
    kiosk.trouble = None
    page.keyboard.press("Escape")


def _shoot(page: Page, shoot: Callable[[Page, str], None], name: str, words: str) -> None:
    _wait(page, words)
    page.wait_for_timeout(350)  # transitions
    shoot(page, name)


def _wait(page: Page, words: str) -> None:
    page.locator(".kiosk").get_by_text(words).locator("visible=true").first.wait_for(timeout=10_000)


if __name__ == "__main__":
    main()
