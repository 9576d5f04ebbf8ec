"""A kiosk's session on real pictures and real models: everybody who comes gets one verdict, their own.

The film of two people is shared data; the films of people who come one after the other are made here of
photos inside installed packages.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Sequence
from functools import cache

import cv2
import numpy as np
import pytest
from PIL import Image

from ray_backend.domain.kiosk.session import KioskRules, Session, Terms
from ray_backend.domain.kiosk.words import Phase, Scene, SeenFace, SeenFrame, Verdict
from ray_backend.domain.model import AnalysedFace, Template
from ray_backend.gallery.exact import ExactGallery
from ray_backend.services.faces import Embed, FaceService
from ray_backend.settings import Settings
from ray_backend.vision.images import PillowCodec
from ray_backend.vision.packs import load_engine
from tests import faces, people
from tests.fakes import SetClock

FILM = faces.FACES / "video" / "hamilton_clip.mp4"
SPEAKER = "lin_manuel_miranda"
PACKS = ["dlib-resnet", pytest.param("edge", marks=faces.needs_shared)]
WIDTH, HEIGHT = 640, 480


@cache
def service(pack: str) -> FaceService:
    engine = load_engine(Settings(pack=str(faces.EDGE_PACK) if pack == "edge" else pack))
    return FaceService(engine, PillowCodec(max_bytes=50_000_000, max_pixels=100_000_000))


def gallery_of(pack: str, photos: Iterable[tuple[str, bytes]]) -> ExactGallery:
    """A gallery of the nearest face of each named photo."""
    gallery = ExactGallery(service(pack).pack.dimension)
    gallery.add(
        [
            Template(name, pack, service(pack).compute_embedding(photo), 1.0, "test", SetClock().now())
            for name, photo in photos
        ]
    )
    return gallery


@cache
def enrolled(pack: str, without: str = "") -> ExactGallery:
    """The gallery of everybody of the shared folder's `enrol`."""
    photos = [(min(photo.people), photo.path.read_bytes()) for photo in faces.labelled("enrol")]
    return gallery_of(pack, [one for one in photos if one[0] != without])


def watch(
    pack: str, gallery: ExactGallery, film: Iterable[tuple[float, bytes]]
) -> tuple[list[Scene], list[Verdict]]:
    """Shows pictures with their times to a session, which is asked each time what it wants of the next."""
    about = service(pack).pack
    session = Session(KioskRules(), Terms(about.threshold, about.margin))
    scenes, verdicts = [], []
    for at_s, picture in film:
        embed = Embed.NEAREST_GOOD if session.wanted().embedding else Embed.NOTHING
        analysis = service(pack).analyse(picture, embed)
        seen = tuple(_seen(face, gallery) for face in analysis.faces)
        scene, verdict = session.observe(SeenFrame(at_s, analysis.width, analysis.height, seen))
        scenes.append(scene)
        verdicts += [] if verdict is None else [verdict]
    return scenes, verdicts


def _seen(face: AnalysedFace, gallery: ExactGallery) -> SeenFace:
    known = () if face.embedding is None else tuple(gallery.search(face.embedding[None], 3)[0])
    return SeenFace(face.box, face.landmarks, face.quality, face.embedding, known)


def clip(fps: float) -> Iterator[tuple[float, bytes]]:
    """The shared film as a camera of so many frames a second would send it, as JPEGs."""
    capture = cv2.VideoCapture(str(FILM))
    assert capture.isOpened(), f"{FILM.name} cannot be opened"
    rate, index, sent = capture.get(cv2.CAP_PROP_FPS), 0, 0
    while True:
        read, frame = capture.read()
        if not read:
            break
        if index / rate >= sent / fps:
            sent += 1
            yield index / rate, cv2.imencode(".jpg", frame)[1].tobytes()
        index += 1
    capture.release()


def queue(who: Sequence[int], fps: float, *, stays_s: float = 2.5, pause_s: float = 1.5) -> Iterator:
    """People who come one after the other: each pans through the picture a little, then nobody is there."""
    random = np.random.default_rng(3)
    at_s = 0.0
    for person in who:
        with Image.open(io.BytesIO(people.face_photo(person))) as photo:
            face = photo.convert("RGB").resize((300, 300))
        for index in range(round((stays_s + pause_s) * fps)):
            canvas = Image.new("RGB", (WIDTH, HEIGHT), (96, 104, 112))
            if index < stays_s * fps:
                canvas.paste(face, (120 + round(40 * index / fps), 90 + index % 3))
            noisy = np.asarray(canvas, np.float32) + random.normal(0, 3, (HEIGHT, WIDTH, 1))
            out = io.BytesIO()
            Image.fromarray(noisy.clip(0, 255).astype(np.uint8)).save(out, "JPEG", quality=90)
            yield at_s, out.getvalue()
            at_s += 1 / fps


def results(verdicts: Sequence[Verdict]) -> list[tuple[str, str]]:
    """What was decided about whom."""
    return [(str(verdict.decision.kind), verdict.decision.best.person_id) for verdict in verdicts]


@faces.needs_shared
@pytest.mark.parametrize("fps", [3, 5, 15])
@pytest.mark.parametrize("pack", ["edge", "dlib-resnet"])
def test_the_speaker_of_the_film_is_recognised_once(pack, fps):
    scenes, verdicts = watch(pack, enrolled(pack), clip(fps))
    assert results(verdicts) == [("match", SPEAKER)]
    (verdict,) = verdicts
    assert verdict.frames >= KioskRules().min_frames
    assert verdict.seconds <= 2.5
    assert any(scene.phase is Phase.DECIDED for scene in scenes)


@faces.needs_shared
@pytest.mark.parametrize("pack", ["edge", "dlib-resnet"])
def test_the_speaker_of_the_film_is_nobody_where_he_is_not_enrolled(pack):
    _, verdicts = watch(pack, enrolled(pack, without=SPEAKER), clip(10))
    assert {str(verdict.decision.kind) for verdict in verdicts} == {"unknown"}


@pytest.mark.parametrize("fps", [4, 10])
@pytest.mark.parametrize("pack", PACKS)
def test_people_who_come_one_after_the_other_are_recognised_in_their_order(pack, fps):
    gallery = gallery_of(pack, [(f"p{one}", people.face_photo(one, 2)) for one in range(people.PEOPLE)])
    _, verdicts = watch(pack, gallery, queue([0, 2, 1], fps))
    assert results(verdicts) == [("match", "p0"), ("match", "p2"), ("match", "p1")]


@pytest.mark.parametrize("pack", PACKS)
def test_people_who_step_into_each_others_place_are_not_taken_for_the_one_before(pack):
    gallery = gallery_of(pack, [(f"p{one}", people.face_photo(one, 2)) for one in range(people.PEOPLE)])
    _, verdicts = watch(pack, gallery, queue([3, 1], 5, stays_s=4, pause_s=0))
    assert results(verdicts) == [("match", "p3"), ("match", "p1")]


@pytest.mark.parametrize("pack", PACKS)
def test_a_stranger_is_told_so_and_taken_for_nobody(pack):
    gallery = gallery_of(pack, [(f"p{one}", people.face_photo(one, 2)) for one in (1, 2, 3)])
    _, verdicts = watch(pack, gallery, queue([0], 5, stays_s=4))
    assert [str(verdict.decision.kind) for verdict in verdicts] == ["unknown"]
