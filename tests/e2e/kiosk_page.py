"""Looks into the kiosk's page, and scripts that tests put into it."""

from __future__ import annotations

import json
import time
from base64 import b64encode

from playwright.sync_api import expect

from tests.kiosk_stage import NOBODY

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
_POINTED_CAMERA = """
const canvas = document.createElement("canvas");
Object.assign(canvas, { width: 640, height: 480 });
const paint = canvas.getContext("2d");
const pictures = {};
for (const [name, picture] of Object.entries(PICTURES)) (pictures[name] = new Image()).src = picture;
let shown = "", step = 0;
window.show = (name) => { shown = name };
setInterval(() => {
  step = (step + 1) % 5;
  paint.fillStyle = "rgb(96, 104, 112)";
  paint.fillRect(0, 0, 640, 480);
  if (shown) paint.drawImage(pictures[shown], 140 + step, 60, 360, 360);
}, 66);
navigator.mediaDevices.getUserMedia = async () => canvas.captureStream(15);
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


def pointed_camera(pictures: dict[str, bytes]) -> str:
    """The script of a camera that a test points at square JPEGs: `show(name)`, or `show("")` for an empty
    room."""
    ready = {name: "data:image/jpeg;base64," + b64encode(jpeg).decode() for name, jpeg in pictures.items()}
    return _POINTED_CAMERA.replace("PICTURES", json.dumps(ready))


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
