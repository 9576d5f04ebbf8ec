"""The guide on real photos with real packs: which way people look, and a whole enrolment of a real person."""

from __future__ import annotations

import io
from functools import cache

import numpy as np
import pytest
from PIL import Image, ImageEnhance, ImageFilter

from ray_backend.client import Photo as Upload
from ray_backend.client import local_backend
from ray_backend.domain.enrolment.guide import Guide
from ray_backend.domain.enrolment.poses import GuideRules, find_fix, poses_of
from ray_backend.domain.enrolment.words import Fix, Target
from ray_backend.domain.requests import PersonDraft
from ray_backend.services.faces import Embed, FaceService
from ray_backend.services.guided import GuidedEnrolment
from ray_backend.settings import Settings
from ray_backend.vision.images import PillowCodec
from ray_backend.vision.packs import load_engine
from tests import faces, people

PACKS = ["dlib-resnet", pytest.param("edge", marks=faces.needs_shared)]
FRONT = ("alex_lacamoire/1", "biden/2", "obama/1", "rose_leslie/1", "rose_leslie/2")
FRONT_PHOTOS = tuple(f"enrol/{name}.jpg" for name in FRONT)
# The person's own left is on the right of the picture.
TURNED_LEFT = ("probe/obama_1.jpg", "probe/john_snow_unknown.jpg", "many/holland/Image_21.jpg")
TURNED_RIGHT = ("enrol/obama/2.jpg", "many/holland/Image_15.jpg")
RAISED = ("pose/rise_face.jpg", "many/holland/Image_10.jpg", "many/holland/Image_22.jpg")
# One man, on other days: what a camera would see of him one after the other.
HIS_POSES = {Target.FRONT: 12, Target.LEFT: 21, Target.RIGHT: 15, Target.UP: 10}


@cache
def service(pack: str) -> FaceService:
    engine = load_engine(settings(pack))
    return FaceService(engine, PillowCodec(max_bytes=50_000_000, max_pixels=100_000_000))


def settings(pack: str, **values) -> Settings:
    return Settings(pack=str(faces.EDGE_PACK) if pack == "edge" else pack, **values)


def rules(pack: str) -> GuideRules:
    return GuideRules(poses_of(service(pack).pack.pack_id))


def picture(name: str, *, flipped: bool = False) -> bytes:
    data = (faces.FACES / name).read_bytes()
    if not flipped:
        return data
    return as_jpeg(Image.open(io.BytesIO(data)).transpose(Image.Transpose.FLIP_LEFT_RIGHT))


def alone(pack: str, photo: bytes) -> bytes:
    """The largest face of a photo, without what stands farther off."""
    x1, y1, x2, y2 = service(pack).analyse(photo, Embed.NOTHING).faces[0].box
    margin = 0.5 * (x2 - x1)
    with Image.open(io.BytesIO(photo)) as image:
        left, top = max(0, x1 - margin), max(0, y1 - margin)
        right, bottom = min(image.width, x2 + margin), min(image.height, y2 + margin)
        return as_jpeg(image.crop((int(left), int(top), int(right), int(bottom))))


def as_jpeg(image: Image.Image) -> bytes:
    out = io.BytesIO()
    image.convert("RGB").save(out, "JPEG", quality=95)
    return out.getvalue()


def fixes(pack: str, photo: bytes) -> dict[Target, Fix | None]:
    """What each target lacks in this photo, for somebody whose own pitch is 0."""
    analysis = service(pack).analyse(photo, Embed.NOTHING)
    return {target: find_fix(analysis, target, rules(pack), 0.0) for target in Target}


def passing(pack: str, photo: bytes) -> set[Target]:
    return {target for target, fix in fixes(pack, photo).items() if fix is None}


def guided(pack: str) -> tuple[GuidedEnrolment, list[float]]:
    """A guided enrolment with a clock to be set."""
    about, now = service(pack).pack, [0.0]
    guide = Guide(rules(pack), threshold=about.threshold, margin=about.margin)
    return GuidedEnrolment(service(pack), guide, elapsed_s=lambda: now[0]), now


def film(photo: bytes, frames: int = 8):
    """Frames of a camera that sees this photo: each a little different."""
    with Image.open(io.BytesIO(photo)) as image:
        image = image.convert("RGB")
        image.thumbnail((640, 640))
        for number in range(frames):
            moved = image.crop((number % 3, number % 2, image.width, image.height))
            yield as_jpeg(ImageEnhance.Brightness(moved).enhance(1 + 0.01 * (number % 4)))


@faces.needs_shared
@pytest.mark.parametrize("name", FRONT_PHOTOS)
@pytest.mark.parametrize("pack", ["dlib-resnet", "edge"])
def test_people_who_look_at_the_camera_pass_for_the_front_and_for_no_side(pack, name):
    for flipped in (False, True):
        sides = {Target.FRONT, Target.LEFT, Target.RIGHT}
        assert passing(pack, picture(name, flipped=flipped)) & sides == {Target.FRONT}


@faces.needs_shared
@pytest.mark.parametrize("name", TURNED_LEFT + TURNED_RIGHT)
@pytest.mark.parametrize("pack", ["dlib-resnet", "edge"])
def test_a_turned_head_passes_for_its_own_side_and_its_mirror_picture_for_the_other(pack, name):
    own, other = (Target.LEFT, Target.RIGHT) if name in TURNED_LEFT else (Target.RIGHT, Target.LEFT)
    assert passing(pack, picture(name)) == {own}
    assert passing(pack, picture(name, flipped=True)) == {other}


@faces.needs_shared
@pytest.mark.parametrize("name", RAISED)
@pytest.mark.parametrize("pack", ["dlib-resnet", "edge"])
def test_a_raised_chin_passes_for_up(pack, name):
    assert Target.UP in passing(pack, picture(name))


@faces.needs_shared
@pytest.mark.parametrize("pack", ["dlib-resnet", "edge"])
def test_most_people_who_look_straight_ahead_do_not_pass_for_up(pack):
    names = [*FRONT_PHOTOS, *(f"many/holland/Image_{number}.jpg" for number in (1, 2, 3, 5, 8, 12, 16, 24))]
    assert [name for name in names if Target.UP in passing(pack, picture(name))] == []


@faces.needs_shared
def test_a_head_turned_too_far_is_asked_to_turn_back():
    found = fixes("edge", picture("pose/left_face.jpg"))
    assert found[Target.RIGHT] is Fix.TURN_BACK
    assert found[Target.LEFT] is Fix.TURN_LEFT


@pytest.mark.parametrize("pack", PACKS)
def test_a_blurred_a_dark_a_far_and_a_second_face_are_told_apart(pack):
    with Image.open(io.BytesIO(people.face_photo(3))) as photo:
        good = photo.convert("RGB").resize((480, 480))
    assert fixes(pack, as_jpeg(good))[Target.FRONT] is None

    soft = good.filter(ImageFilter.GaussianBlur(7))
    far = Image.new("RGB", (1280, 960), (96, 104, 112))
    far.paste(good.resize((240, 240)), (500, 300))
    two = Image.new("RGB", (960, 480))
    two.paste(good, (0, 0))
    two.paste(good, (480, 0))
    assert fixes(pack, as_jpeg(soft))[Target.FRONT] is Fix.HOLD_STILL
    assert fixes(pack, as_jpeg(far))[Target.FRONT] is Fix.COME_CLOSER
    assert fixes(pack, as_jpeg(two))[Target.FRONT] is Fix.ONE_PERSON


@pytest.mark.parametrize("pack", PACKS)
def test_a_dark_face_before_a_bright_window_has_the_light_behind_it_and_one_in_the_dark_has_none(pack):
    with Image.open(io.BytesIO(people.face_photo(3))) as photo:
        dark = ImageEnhance.Brightness(photo.convert("RGB").resize((320, 320))).enhance(0.22)
    found = []
    for around in ((235, 238, 240), (20, 20, 22)):
        scene = Image.new("RGB", (640, 480), around)
        scene.paste(dark, (160, 80))
        found.append(fixes(pack, as_jpeg(scene))[Target.FRONT])
    assert found == [Fix.LIGHT_BEHIND, Fix.MORE_LIGHT]


@faces.needs_shared
@pytest.mark.parametrize("pack", ["dlib-resnet", "edge"])
def test_a_real_person_goes_through_the_four_targets_and_is_stored_with_all_photos(pack, tmp_path):
    session, now = guided(pack)
    for target, number in HIS_POSES.items():
        for frame in film(alone(pack, picture(f"many/holland/Image_{number}.jpg"))):
            now[0] += 0.15
            answer = session.frame(frame)
        assert target in [shot.target for shot in answer.shots], f"{target}: {answer.state}"
    assert session.finished

    backend = local_backend(settings(pack, data_dir=tmp_path, store="memory"))
    uploads = [Upload(shot.target, shot.image) for shot in session.photos()]
    stored = backend.enrol(PersonDraft("E1", "One", consent=True), uploads, source="camera", actor="test")
    assert [review.reason for review in stored.reviews] == [None] * 4
    seen = backend.recognise(picture("many/holland/Image_2.jpg"))
    assert seen.faces[0].person == stored.person


@pytest.mark.parametrize("pack", PACKS)
def test_another_person_in_the_middle_is_refused(pack):
    session, now = guided(pack)
    for who in (3, 2):
        for frame in film(as_jpeg(Image.open(io.BytesIO(people.face_photo(who))).resize((480, 480))), 10):
            now[0] += 0.15
            answer = session.frame(frame)
    assert [shot.target for shot in answer.shots] == [Target.FRONT]
    assert answer.state.fix is Fix.ANOTHER_PERSON


def test_the_cameras_own_bytes_become_the_photo():
    session, now = guided("dlib-resnet")
    frames = list(film(as_jpeg(Image.open(io.BytesIO(people.face_photo(3))).resize((480, 480)))))
    for frame in frames:
        now[0] += 0.15
        session.frame(frame)
    (shot,) = session.photos()
    assert shot.image in frames
    assert np.asarray(Image.open(io.BytesIO(shot.thumbnail))).shape == (160, 160, 3)
