"""Registering with the guided camera, in a browser: photos take themselves, and then the face is known."""

from __future__ import annotations

import io
from pathlib import Path

from PIL import Image, ImageOps
from playwright.sync_api import Page, expect

from ray_backend.domain.enrolment.words import Target
from ray_backend.domain.queries import PeopleQuery
from ray_backend.storage import open_store
from tests import faces
from tests.contract.test_guided_enrolment import HIS_POSES, alone, as_jpeg, picture
from tests.e2e.conftest import running_site
from tests.e2e.kiosk_page import pointed_camera
from tests.e2e.test_first_day import SEEN_MS, begin_registering, sign_in
from tests.people import face_photo
from tests.video import HEIGHT, WIDTH, film_of_nobody

TAKEN_MS = 60_000
GREY = (96, 104, 112)


def film(path: Path, picture: Image.Image) -> Path:
    """This picture over and over, moving a little. 30 frames a second."""
    frames = []
    for step in range(5):
        canvas = Image.new("RGB", (WIDTH, HEIGHT), GREY)
        canvas.paste(picture, ((WIDTH - picture.width) // 2 + step, (HEIGHT - picture.height) // 2))
        frames.append(as_jpeg(canvas))
    with path.open("wb") as file:
        for number in range(90):
            file.write(frames[number // 3 % len(frames)])
    return path


def person_3() -> Image.Image:
    """Somebody of the package's photo who looks straight ahead."""
    with Image.open(io.BytesIO(face_photo(3))) as photo:
        return photo.convert("RGB").resize((380, 380))


def his_photo(number: int) -> bytes:
    """A labelled photo of one man: him alone, cut out as the built-in pack finds him, in a square."""
    with Image.open(io.BytesIO(alone("dlib-resnet", picture(f"many/holland/Image_{number}.jpg")))) as photo:
        return as_jpeg(ImageOps.pad(photo.convert("RGB"), (440, 440), color=GREY))


def up_to_the_camera(page: Page, site, employee_id: str, name: str) -> None:
    """Signs in, lets the person agree, and says who it is."""
    sign_in(page, site)
    expect(page.locator("video")).to_have_count(0)
    begin_registering(page, employee_id, name)


def save_and_try(page: Page, name: str) -> None:
    """From the photos to the camera's greeting."""
    page.get_by_role("button", name="Continue").click()
    page.get_by_role("button", name="Save this person").click(timeout=SEEN_MS)
    page.get_by_role("button", name="Start the camera").click(timeout=SEEN_MS)
    expect(page.locator(".desk .headline")).to_have_text(f"Recognised: {name}", timeout=TAKEN_MS)


def tile(page: Page, target: str):
    return page.locator(f".desk .targets li[data-name={target}]")


def stored(site, employee_id: str):
    """The person and the templates, as the database has them."""
    store = open_store(site.settings)
    try:
        (person,) = store.list_people(PeopleQuery(text=employee_id)).items
        return person, store.templates_of(person.person_id)
    finally:
        store.close()


def test_a_front_photo_takes_itself_and_the_other_targets_are_left_out(browser_with_film, tmp_path):
    with running_site(tmp_path / "data") as site:
        browser = browser_with_film(film(tmp_path / "film.mjpeg", person_3()))
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        problems: list[str] = []
        page.on("pageerror", lambda error: problems.append(str(error)))
        up_to_the_camera(page, site, "E3", "Ada Example")

        expect(tile(page, "front")).to_have_attribute("data-state", "taken", timeout=TAKEN_MS)
        expect(page.locator(".desk .headline")).to_have_text("Turn a little more to the left")
        expect(page.locator(".desk")).to_have_attribute("data-arrow", "left")
        for target in ("left", "right", "up"):
            expect(tile(page, target)).to_have_attribute("data-state", "now", timeout=SEEN_MS)
            page.get_by_role("button", name="Leave this one out").click(timeout=SEEN_MS)

        expect(page.get_by_text("The guided photos are taken.")).to_be_visible(timeout=SEEN_MS)
        expect(page.get_by_text("1 photo will be used.")).to_be_visible(timeout=SEEN_MS)
        save_and_try(page, "Ada Example")

        person, templates = stored(site, "E3")
        assert (person.name, len(templates), templates[0].source) == ("Ada Example", 1, "camera")
        assert person.consent_version
        assert site.punches() == []
        assert problems == []


@faces.needs_shared
def test_a_whole_guided_enrolment_of_a_real_person(browser_with_film, tmp_path):
    with running_site(tmp_path / "data") as site:
        page = browser_with_film(film_of_nobody(tmp_path / "film.mjpeg")).new_page(
            viewport={"width": 820, "height": 1180}
        )
        page.add_init_script(pointed_camera({pose: his_photo(number) for pose, number in HIS_POSES.items()}))
        up_to_the_camera(page, site, "E1", "Grace Example")

        # He looks ahead while his front photo is taken: after a front photo with the chin up, nobody gets it
        # higher still.
        for pose in HIS_POSES:
            expect(tile(page, pose)).to_have_attribute("data-state", "now", timeout=TAKEN_MS)
            page.evaluate("pose => show(pose)", pose)
            if pose is not Target.UP:
                expect(tile(page, pose)).to_have_attribute("data-state", "taken", timeout=TAKEN_MS)

        expect(page.get_by_text("The guided photos are taken.")).to_be_visible(timeout=TAKEN_MS)
        expect(page.get_by_text("4 photos will be used.")).to_be_visible(timeout=SEEN_MS)
        page.evaluate("pose => show(pose)", Target.FRONT)
        save_and_try(page, "Grace Example")

        _, templates = stored(site, "E1")
        assert len(templates) == 4
        assert site.punches() == []


def test_without_a_camera_the_page_says_so_and_takes_files(browser_with_film, tmp_path):
    none = 'navigator.mediaDevices.getUserMedia = async () => { throw new DOMException("", "NotFoundError") }'
    with running_site(tmp_path / "data") as site:
        page = browser_with_film(film(tmp_path / "film.mjpeg", person_3())).new_page()
        page.add_init_script(none)
        up_to_the_camera(page, site, "E3", "Ada Example")

        expect(page.locator(".desk .headline")).to_have_text("No camera was found", timeout=SEEN_MS)
        page.get_by_text("Single photos or files", exact=True).click()
        upload = {"name": "a.jpg", "mimeType": "image/jpeg", "buffer": face_photo(3, 1)}
        page.locator("input[type=file]").set_input_files([upload])
        expect(page.get_by_text("1 photo will be used.")).to_be_visible(timeout=SEEN_MS)
