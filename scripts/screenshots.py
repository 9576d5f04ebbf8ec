"""Takes pictures of every page at desktop and tablet size, of a Rollcall of its own with invented people.

Starts that one in a folder for the time being, so that nobody's data is touched. The faces come with the
packages scikit-image and insightface.
"""

from __future__ import annotations

import argparse
import io
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import insightface
import skimage.data
from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from ray_backend.client import Photo, local_backend
from ray_backend.domain.requests import PersonDraft
from ray_backend.settings import Settings
from tests.e2e.conftest import CHROMIUM_FLAGS, OFFLINE, Site, running_site

SIZES = {"desktop": (1280, 800), "tablet": (820, 1180)}
PEOPLE = {
    "1001": ("Person One", "Research"),
    "1002": ("Person Two", "Workshop"),
    "1003": ("Person Three", "Workshop"),
    "1004": ("Person Four", "Office"),
}
CODES = {"1001": "482916", "1003": "730518"}
COLOURS = 192  # of a picture's palette: a third of the size, and no difference to the eye
WAIT_MS = 60_000
_T1 = Path(insightface.__file__).parent / "data" / "images" / "t1.jpg"
# Where people stand in insightface's sample picture t1.jpg, in pixels.
_GROUP = {"1002": (10, 220, 230, 450), "1003": (400, 250, 630, 480), "1004": (670, 300, 890, 530)}
_STRANGER = (1060, 220, 1280, 450)
_SCENE_FRAMES = 180  # Chromium plays the file at 30 frames a second


@dataclass(frozen=True)
class Shots:
    """Where the pictures go, and how large the browser's window is."""

    folder: Path
    size: str

    def take(self, page: Page, name: str, state: str = "") -> None:
        """When the page has come to rest, and the kiosk's screen is in this state."""
        page.wait_for_function(
            "() => !document.querySelector('[data-testid=stApp][data-test-script-state=running]')"
        )
        # The sample pictures show real people, who did not ask to be in our documentation.
        page.add_style_tag(content='[data-testid="stMain"] img { filter: blur(0.3rem); }')
        page.wait_for_timeout(600)
        if state:
            # A busy machine answers late now and then, which the screen says.
            page.locator(f'.kiosk[data-state="{state}"] .link[data-link="online"]').wait_for(timeout=WAIT_MS)
        with Image.open(io.BytesIO(page.screenshot())) as picture:
            small = picture.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
        path = self.folder / f"{name}-{self.size}.png"
        small.save(path, optimize=True)
        print(f"{path}  {path.stat().st_size // 1024} kB", flush=True)


def main() -> None:
    """Takes all pictures."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--out", type=Path, default=Path("docs/screenshots"))
    parser.add_argument("--size", choices=SIZES, action="append", help="default: all")
    options = parser.parse_args()
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        sys.exit("Chromium is not installed. On Debian or Ubuntu: sudo apt-get install chromium")
    options.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        root = Path(folder)
        _write_film(root / "kiosk.mjpeg")
        _register(root / "data")
        flags = [*CHROMIUM_FLAGS, OFFLINE, f"--use-file-for-fake-video-capture={root / 'kiosk.mjpeg'}"]
        browser = playwright.chromium.launch(executable_path=chromium, args=flags)
        with running_site(root / "data", ROLLCALL_SITE_NAME="Example Works") as site:
            for size in options.size or SIZES:
                _kiosk(browser, site, Shots(options.out, size))
                _pages(browser, site, Shots(options.out, size))
        browser.close()


def _register(data_dir: Path) -> None:
    """Everybody with two photos and some with a code, before the site starts."""
    with closing(local_backend(Settings(data_dir=data_dir, pack="dlib-resnet"))) as backend:
        for employee_id, (name, department) in PEOPLE.items():
            draft = PersonDraft(employee_id, name, department, consent=True)
            photos = [Photo(f"{light}.jpg", _jpeg(_portrait(employee_id, light))) for light in (1.0, 0.9)]
            person = backend.enrol(draft, photos, source="upload", actor="screenshots").person
            if employee_id in CODES:
                backend.people.set_code(person.person_id, CODES[employee_id], actor="screenshots")


def _kiosk(browser: Browser, site: Site, shots: Shots) -> None:
    with _page(browser, shots.size) as page:
        page.goto(f"{site.url}/check-in")
        _wait(page, "not set up as a kiosk")
        shots.take(page, "kiosk-refused")
        page.goto(site.kiosk_url)
        _wait(page, "Step in front of the camera")
        shots.take(page, "kiosk-idle", "idle")
        _wait(page, "More light")
        shots.take(page, "kiosk-hint")
        _wait(page, "Welcome,", "Goodbye,", "Already checked")
        shots.take(page, "kiosk-result")
        _wait(page, "Not recognised")
        shots.take(page, "kiosk-unknown")
        page.keyboard.type("12")
        shots.take(page, "kiosk-keypad")


def _pages(browser: Browser, site: Site, shots: Shots) -> None:
    """The sign-in, whatever the menu lists, and what lies behind some of the pages."""
    with _page(browser, shots.size) as page:
        page.goto(site.url)
        _wait(page, "Username")
        shots.take(page, "sign-in")
        page.get_by_label("Username", exact=True).fill("admin")
        page.get_by_label("Password", exact=True).fill(site.password)
        page.get_by_role("button", name="Sign in").click()
        page.get_by_test_id("stSidebarNavLink").first.wait_for(state="attached", timeout=WAIT_MS)
        further = {
            "Register face": _registering,
            "People": _person,
            "Calibration": _calibration,
        }
        for title in _titles(page):
            _open(page, title)
            name = re.sub(r"[^a-z]+", "-", title.lower()).strip("-")
            shots.take(page, name)
            if title in further:
                further[title](page, shots)


def _titles(page: Page) -> list[str]:
    """What the menu lists, without the names of its icons."""
    return page.get_by_test_id("stSidebarNavLink").evaluate_all(
        """links => links.map((link) => {
          const copy = link.cloneNode(true);
          copy.querySelectorAll("[data-testid=stIconMaterial]").forEach((icon) => icon.remove());
          return copy.textContent.trim();
        })"""
    )


def _open(page: Page, title: str) -> None:
    link = page.get_by_test_id("stSidebarNavLink").filter(has=page.get_by_text(title, exact=True))
    if not link.is_visible():
        page.get_by_test_id("stExpandSidebarButton").click()
    link.click()
    page.wait_for_timeout(800)
    page.get_by_test_id("stMain").get_by_role("heading").first.wait_for(timeout=WAIT_MS)


def _registering(page: Page, shots: Shots) -> None:
    """The steps up to the guided camera. Further on the page shows faces of real people, large."""
    page.get_by_text("The person has read this").click()
    page.get_by_role("button", name="Continue").click()
    page.get_by_label("Employee id", exact=True).fill("1009")
    page.get_by_label("Name", exact=True).fill("Person Nine")
    page.get_by_label("Name", exact=True).press("Tab")
    page.get_by_role("button", name="Continue").click()
    page.locator(".desk .targets li").first.wait_for(timeout=WAIT_MS)
    shots.take(page, "register-face-guided")


def _person(page: Page, shots: Shots) -> None:
    page.get_by_role("button", name="Person One").first.click()
    page.get_by_text("Person One").first.wait_for(timeout=WAIT_MS)
    page.wait_for_timeout(1000)
    shots.take(page, "person")


def _calibration(page: Page, shots: Shots) -> None:
    again = page.get_by_role("button", name=re.compile("Measure (now|again)"))
    again.click()
    _wait(page, "Measured")
    shots.take(page, "calibration-result")


def _portrait(employee_id: str, light: float = 1.0) -> Image.Image:
    if employee_id == "1001":
        whole = Image.fromarray(skimage.data.astronaut()).crop((60, 0, 400, 400))
    else:
        whole = Image.open(_T1).crop(_GROUP[employee_id]).resize((460, 460))
    return whole.point(lambda value: round(light * value))


def _stranger() -> Image.Image:
    return Image.open(_T1).crop(_STRANGER)


def _write_film(path: Path) -> None:
    """Nobody, somebody in the dark, the same in the light, a stranger."""
    scenes = [
        _blank((640, 480)),
        _placed(_portrait("1001"), 460).point(lambda value: value // 7),
        _placed(_portrait("1001"), 460),
        _placed(_stranger(), 330),
    ]
    with path.open("wb") as film:
        for scene in scenes:
            film.write(_jpeg(scene) * _SCENE_FRAMES)


def _placed(portrait: Image.Image, height: int) -> Image.Image:
    frame = _blank((640, 480))
    small = portrait.resize((round(portrait.width * height / portrait.height), height))
    frame.paste(small, ((640 - small.width) // 2, 480 - height))
    return frame


def _blank(size: tuple[int, int]) -> Image.Image:
    return Image.linear_gradient("L").resize(size).point(lambda value: 90 + value // 4).convert("RGB")


def _jpeg(picture: Image.Image) -> bytes:
    out = io.BytesIO()
    picture.convert("RGB").save(out, "JPEG", quality=92)
    return out.getvalue()


@contextmanager
def _page(browser: Browser, size: str) -> Iterator[Page]:
    width, height = SIZES[size]
    context = browser.new_context(
        viewport={"width": width, "height": height}, locale="en-GB", permissions=["camera"]
    )
    yield context.new_page()
    context.close()


def _wait(page: Page, *texts: str) -> None:
    """Until one of the texts stands on the page."""
    anyone = page.get_by_text(texts[0])
    for text in texts[1:]:
        anyone = anyone.or_(page.get_by_text(text))
    anyone.locator("visible=true").first.wait_for(timeout=WAIT_MS)


if __name__ == "__main__":
    main()
