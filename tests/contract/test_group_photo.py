"""The group photo with real models: two people of a picture are registered, and found in it again."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ray_backend.client import Backend, Photo, local_backend
from ray_backend.domain.model import Box, Direction, Person
from ray_backend.domain.quality import CHECK_IN_LIMITS, ENROL_LIMITS, find_issue
from ray_backend.domain.queries import PunchQuery
from ray_backend.domain.requests import PersonDraft
from ray_backend.settings import Settings
from streamlit_app.group_picture import group_html
from streamlit_app.group_words import group_faces, missing
from tests import faces

# In the larger ones all faces are smaller than the 48 px that a check-in asks for.
GROUPS = [photo for photo in faces.labelled("group") if photo.faces in range(3, 6)]
TOO_FAR = [photo for photo in faces.labelled("group") if (photo.faces or 0) >= 6]
SIDE = 160  # smaller cut-outs are enlarged to this


def cut_out(picture: bytes, box: Box) -> bytes:
    """The face alone, on grey, as somebody would take it at the desk."""
    x1, y1, x2, y2 = box
    margin = 0.3 * (x2 - x1)
    with Image.open(io.BytesIO(picture)) as image:
        face = image.convert("RGB").crop(
            tuple(map(int, (x1 - margin, y1 - margin, x2 + margin, y2 + margin)))
        )
    scale = max(1.0, SIDE / face.width)
    face = face.resize((round(face.width * scale), round(face.height * scale)))
    canvas = Image.new("RGB", (2 * face.width, 2 * face.height), (110, 110, 110))
    canvas.paste(face, (face.width // 2, face.height // 2))
    out = io.BytesIO()
    canvas.save(out, "JPEG", quality=95)
    return out.getvalue()


def two_of(backend: Backend, picture: bytes) -> list[Box]:
    """The two largest faces that can be registered and that no other face of the picture looks like."""
    (photo,) = backend.analyse([Photo("group", picture)])
    found = photo.analysis.faces
    alike = np.stack([face.embedding for face in found])
    alike = alike @ alike.T - np.eye(len(found))
    good = [
        face.box
        for face, row in zip(found, alike, strict=True)
        if find_issue(face.quality, CHECK_IN_LIMITS) is None
        and find_issue(replace(face.quality, size_px=SIDE), ENROL_LIMITS) is None
        and row.max() < backend.overview().pack.threshold
    ]
    assert len(good) >= 2, "choose another picture"
    return good[:2]


def register(backend: Backend, picture: bytes, boxes: list[Box]) -> list[Person]:
    made = []
    for number, box in enumerate(boxes):
        draft = PersonDraft(f"E{number}", f"Person {number}", "Crew", consent=True)
        photo = Photo("cut-out.jpg", cut_out(picture, box))
        made.append(backend.enrol(draft, [photo], source="upload", actor="test").person)
    return made


def check(pack: str, path: Path, expected_faces: int | None) -> None:
    backend = local_backend(Settings(store="memory", pack=pack))
    picture = path.read_bytes()
    before = backend.recognise(picture)
    assert expected_faces is None or len(before.faces) == expected_faces
    assert [face.person for face in before.faces if face.person] == []
    good = two_of(backend, picture)
    people = register(backend, picture, good)
    absent = backend.enrol(
        PersonDraft("E9", "Somebody Else", "Crew", consent=True),
        [Photo("else.png", faces.astronaut().read_bytes())],
        source="upload",
        actor="test",
    ).person

    seen = backend.recognise(picture)
    found = group_faces(seen)

    by_person = {face.person.person_id: face.box for face in seen.faces if face.person}
    assert by_person == {person.person_id: box for person, box in zip(people, good, strict=True)}
    assert sum(face.person is None for face in found) == len(seen.faces) - 2
    assert missing([*people, absent], found) == [absent]
    marked, others = group_html(picture, found)
    assert all(person.name in marked for person in people)
    assert others.count("<li>") == len(seen.faces) - 2

    ids = [face.person.person_id for face in found if face.person]
    answers = backend.record_present(ids, picture_sha256="0" * 64, actor="test")
    assert [answer.repeated for answer in answers] == [False, False]
    punches = [punch for punch, _ in backend.reports.recent_punches(PunchQuery())]
    assert {punch.person_id for punch in punches} == {person.person_id for person in people}
    assert {punch.direction for punch in punches} == {Direction.IN}


def test_two_of_six_people_are_found_with_the_built_in_pack():
    check("dlib-resnet", faces.six_people(), None)


@faces.needs_shared
@pytest.mark.parametrize("photo", GROUPS, ids=lambda photo: photo.name)
def test_two_of_a_group_are_found_with_a_better_pack(photo):
    check(str(faces.EDGE_PACK), photo.path, photo.faces)


@faces.needs_shared
@pytest.mark.parametrize("photo", TOO_FAR, ids=lambda photo: photo.name)
def test_of_a_group_too_far_away_nobody_is_guessed_and_the_reason_is_told(photo):
    backend = local_backend(Settings(store="memory", pack=str(faces.EDGE_PACK)))
    found = group_faces(backend.recognise(photo.path.read_bytes()))
    assert len(found) == photo.faces
    assert {face.person for face in found} == {None}
    assert all("too small" in face.reason for face in found)
