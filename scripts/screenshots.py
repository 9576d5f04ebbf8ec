"""Takes pictures of every page of a running Rollcall, at desktop and tablet size, with invented people.

Starts nothing itself: give it a fresh Rollcall's address, the admin password and a kiosk token, as
options or as ROLLCALL_URL, ROLLCALL_ADMIN_PASSWORD and ROLLCALL_KIOSK_TOKEN. The faces come with the
packages scikit-image and insightface.
"""

from __future__ import annotations

import argparse
import io
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import insightface
import skimage.data
from PIL import Image
from playwright.sync_api import Browser, Page, expect, sync_playwright

SIZES = {"desktop": (1280, 800), "tablet": (820, 1180)}
PEOPLE = {
    "1001": ("Person One", "Research"),
    "1002": ("Person Two", "Workshop"),
    "1003": ("Person Three", "Workshop"),
    "1004": ("Person Four", "Office"),
}
# Where people stand in insightface's sample picture t1.jpg, in pixels.
_GROUP = {"1002": (10, 220, 230, 450), "1003": (400, 250, 630, 480), "1004": (670, 300, 890, 530)}
_SCENE_FRAMES = 180  # Chromium plays the file at 30 frames a second
_STRANGER = (1060, 220, 1280, 450)
_NO_CAMERA = """
navigator.mediaDevices.getUserMedia = async () => { throw new DOMException("", "NotFoundError") };
"""


def main() -> None:
    """Takes all pictures."""
    options = _options()
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        sys.exit("Chromium is not installed. On Debian or Ubuntu: sudo apt-get install chromium")
    options.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        video = Path(folder) / "kiosk.mjpeg"
        _write_video(video)
        arguments = [
            "--use-fake-device-for-media-stream",
            "--use-fake-ui-for-media-stream",
            f"--use-file-for-fake-video-capture={video}",
            "--no-proxy-server",
            "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE localhost , EXCLUDE 127.0.0.1",
        ]
        browser = playwright.chromium.launch(executable_path=chromium, args=arguments)
        _tour(browser, options)
        browser.close()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    environment = os.environ
    parser.add_argument("--url", default=environment.get("ROLLCALL_URL", "http://localhost:8501"))
    parser.add_argument("--password", default=environment.get("ROLLCALL_ADMIN_PASSWORD"))
    parser.add_argument("--token", default=environment.get("ROLLCALL_KIOSK_TOKEN"))
    parser.add_argument("--out", type=Path, default=Path("docs/screenshots"))
    options = parser.parse_args()
    if not options.password or not options.token:
        parser.error("give --password and --token, or ROLLCALL_ADMIN_PASSWORD and ROLLCALL_KIOSK_TOKEN")
    return options


def _tour(browser: Browser, options: argparse.Namespace) -> None:
    with _page(browser, "desktop") as page:
        page.goto(options.url)
        _wait(page, "Sign in")
        _register_everybody(page, options)
    for size in SIZES:
        _kiosk(browser, size, options)
        _admin(browser, size, options)


def _register_everybody(page: Page, options: argparse.Namespace) -> None:
    _sign_in(page, options)
    for employee_id, (name, department) in PEOPLE.items():
        page.get_by_role("link", name="Register face").first.click()
        _fill_in(page, employee_id, name, department)
        page.get_by_text("agreed that their face").click()
        page.get_by_role("button", name="Save this person").click()
        _wait(page, f"{name} ({employee_id})", "is taken", "is registered as")
        if not page.get_by_text(f"{name} ({employee_id})").is_visible():
            # An earlier run registered them.
            return


def _kiosk(browser: Browser, size: str, options: argparse.Namespace) -> None:
    with _page(browser, size) as page:
        page.goto(f"{options.url}/check-in")
        _wait(page, "not set up as a kiosk")
        _shoot(page, options, f"kiosk-refused-{size}")
        page.goto(f"{options.url}/check-in?token={options.token}")
        _wait(page, "Step in front of the camera")
        _shoot(page, options, f"kiosk-idle-{size}")
        _wait(page, "More light")
        _shoot(page, options, f"kiosk-hint-{size}")
        _wait(page, "Welcome,", "Goodbye,", "Already checked")
        _shoot(page, options, f"kiosk-result-{size}")
        _wait(page, "Not recognised")
        _shoot(page, options, f"kiosk-unknown-{size}")
    with _page(browser, size, camera=False) as page:
        page.goto(f"{options.url}/check-in?token={options.token}")
        _wait(page, "camera")
        page.get_by_role("button", name="Use a photo instead").wait_for()
        _shoot(page, options, f"kiosk-no-camera-{size}")
        page.get_by_role("button", name="Use a photo instead").click()
        _wait(page, "Check in with a photo")
        page.get_by_text("This computer has no camera").click()
        page.locator("input[type=file]").set_input_files(_files("1002"))
        _wait(page, "Welcome,", "Goodbye,", "Already checked")
        _shoot(page, options, f"kiosk-photo-{size}")


def _admin(browser: Browser, size: str, options: argparse.Namespace) -> None:
    with _page(browser, size) as page:
        page.goto(options.url)
        _wait(page, "Sign in")
        _shoot(page, options, f"sign-in-{size}")
        _sign_in(page, options)
        _shoot(page, options, f"start-{size}")
        _open(page, "Register face")
        _fill_in(page, "1005", "Person Five", "Research")
        _shoot(page, options, f"register-{size}")
        _open(page, "People")
        _wait(page, "Person One")
        _shoot(page, options, f"people-{size}")
        page.get_by_role("button", name="Person One").click()
        _wait(page, "Photos (")
        _shoot(page, options, f"person-{size}")
        _open(page, "Reports")
        _wait(page, "Download CSV")
        _shoot(page, options, f"reports-{size}")


def _sign_in(page: Page, options: argparse.Namespace) -> None:
    page.get_by_label("Admin password", exact=True).fill(options.password)
    page.get_by_role("button", name="Sign in").click()
    _wait(page, "People registered")


def _open(page: Page, title: str) -> None:
    link = page.get_by_test_id("stSidebarNavLink").filter(has_text=title)
    if not link.is_visible():
        page.get_by_test_id("stExpandSidebarButton").click()
    link.click()
    expect(page.get_by_role("heading", name=title, exact=True)).to_be_visible()
    if page.viewport_size["width"] < 768:
        page.get_by_test_id("stSidebarCollapseButton").click()


def _fill_in(page: Page, employee_id: str, name: str, department: str) -> None:
    page.get_by_role("textbox", name="Employee id").fill(employee_id)
    page.get_by_role("textbox", name="Name", exact=True).fill(name)
    box = page.get_by_role("combobox")
    box.fill(department)
    box.press("Enter")
    page.locator("input[type=file]").set_input_files(_files(employee_id))
    _wait(page, "will be used.")


def _files(employee_id: str) -> list[dict]:
    """Photos as uploads; a newcomer also hands in one without a face."""
    files = [_file(f"person-{employee_id}.jpg", _portrait(employee_id))]
    return files if employee_id in PEOPLE else [*files, _file("empty-chair.jpg", _blank((640, 480)))]


def _file(name: str, picture: Image.Image) -> dict:
    return {"name": name, "mimeType": "image/jpeg", "buffer": _jpeg(picture)}


def _portrait(employee_id: str) -> Image.Image:
    if employee_id == "1001":
        return Image.fromarray(skimage.data.astronaut()).crop((60, 0, 400, 400))
    group = Image.open(Path(insightface.__file__).parent / "data" / "images" / "t1.jpg")
    return group.crop(_GROUP.get(employee_id, _STRANGER)).resize((460, 460))


def _write_video(path: Path) -> None:
    """Nobody, somebody in the dark, the same in the light, a stranger."""
    group = Image.open(Path(insightface.__file__).parent / "data" / "images" / "t1.jpg")
    scenes = [
        _blank((640, 480)),
        _placed(_portrait("1001"), 460).point(lambda value: value // 7),
        _placed(_portrait("1001"), 460),
        _placed(group.crop(_STRANGER), 330),
    ]
    with path.open("wb") as video:
        for scene in scenes:
            video.write(_jpeg(scene) * _SCENE_FRAMES)


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
def _page(browser: Browser, size: str, camera: bool = True) -> Iterator[Page]:
    width, height = SIZES[size]
    context = browser.new_context(
        viewport={"width": width, "height": height}, locale="en-GB", permissions=["camera"] if camera else []
    )
    page = context.new_page()
    if not camera:
        page.add_init_script(_NO_CAMERA)
    yield page
    context.close()


def _wait(page: Page, *texts: str) -> None:
    """Until one of the texts stands on the page, and the page is done."""
    anyone = page.get_by_text(texts[0])
    for text in texts[1:]:
        anyone = anyone.or_(page.get_by_text(text))
    anyone.first.wait_for(timeout=30_000)


def _shoot(page: Page, options: argparse.Namespace, name: str) -> None:
    page.wait_for_function(
        "() => !document.querySelector('[data-testid=stApp][data-test-script-state=running]')"
    )
    page.wait_for_timeout(400)
    page.screenshot(path=options.out / f"{name}.png")
    print(options.out / f"{name}.png")


if __name__ == "__main__":
    main()
