"""The face pipeline: which faces are embedded, what it costs, and that a bad picture spoils no other."""

from __future__ import annotations

import io
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import Image

from ray_backend.domain.errors import (
    BrokenImage,
    ImageRejected,
    ImageTooLarge,
    InvalidInput,
    UnsupportedImage,
)
from ray_backend.services.faces import Embed, FaceService
from ray_backend.vision.images import PillowCodec
from tests.fakes import FAKE_PACK, FakeEngine, photo

ADA, ALAN, GRACE = 1, 2, 3


class CountingEngine(FakeEngine):
    """Notes how many faces each call was to embed."""

    def __init__(self) -> None:
        self.embedded: list[int] = []

    def embed(self, crops):
        self.embedded.append(len(crops))
        return super().embed(crops)


@pytest.fixture
def engine() -> CountingEngine:
    return CountingEngine()


@pytest.fixture
def faces(engine) -> FaceService:
    return FaceService(engine, PillowCodec(max_bytes=1_000_000, max_pixels=1_000_000))


def test_a_check_in_embeds_the_nearest_face_only(faces, engine):
    analysis = faces.analyse(photo(ADA, ALAN, GRACE))
    nearest, *behind = analysis.faces
    assert nearest.box == (20, 40, 170, 190)
    assert nearest.embedding.shape == (FAKE_PACK.dimension,)
    assert [face.embedding for face in behind] == [None, None]
    assert engine.embedded == [1]


def test_a_crowd_behind_the_nearest_face_is_left_out(faces):
    assert len(faces.analyse(photo(ADA, ALAN, GRACE, 4, 5, 6)).faces) == 4


def test_an_idle_kiosk_has_faces_measured_and_nothing_embedded(faces, engine):
    analysis = faces.analyse(photo(ADA, ALAN), Embed.NOTHING)
    assert [face.embedding for face in analysis.faces] == [None, None]
    assert sum(engine.embedded) == 0
    assert analysis.faces[0].quality.size_px > 0


class BrightIsLive:
    model_id = "bright"

    def score(self, image_bgr, face):
        return float(image_bgr.mean() > 0) * (face.box[2] - face.box[0]) / 1000


def test_the_nearest_face_is_asked_for_its_liveness_where_that_is_wanted(engine):
    codec = PillowCodec(max_bytes=1_000_000, max_pixels=1_000_000)
    faces = FaceService(engine, codec, BrightIsLive())
    asked = faces.analyse(photo(ADA, ALAN), liveness=True)
    assert [face.liveness for face in asked.faces] == [0.15, None]
    assert "liveness" in asked.timings_ms
    assert [face.liveness for face in faces.analyse(photo(ADA)).faces] == [None]


def test_without_a_liveness_model_nobody_is_called_live(faces):
    assert [face.liveness for face in faces.analyse(photo(ADA), liveness=True).faces] == [None]


def test_a_nearest_face_that_is_not_good_enough_is_not_embedded_and_no_other_stands_in(faces, engine):
    analysis = faces.analyse(photo(ADA, ALAN, blurred=True))
    assert [face.embedding for face in analysis.faces] == [None, None]
    assert analysis.faces[0].quality.sharpness == 0
    assert sum(engine.embedded) == 0


def test_all_faces_are_embedded_at_once_the_largest_first(faces, engine):
    analysis = faces.analyse(photo(ADA, ALAN, GRACE), Embed.ALL)
    widths = [face.box[2] - face.box[0] for face in analysis.faces]
    assert widths == [150, 130, 110]
    assert engine.embedded == [3]
    for face, who in zip(analysis.faces, (ADA, ALAN, GRACE), strict=True):
        np.testing.assert_allclose(face.embedding, faces.compute_embedding(photo(who)), atol=1e-6)


def test_poor_faces_are_embedded_too_where_all_are_asked_for(faces):
    [face] = faces.analyse(photo(ADA, blurred=True), Embed.ALL).faces
    assert face.embedding is not None


def test_the_analysis_says_how_large_the_picture_is_and_which_pack_ran(faces):
    analysis = faces.analyse(photo(ADA, variant=3))
    assert (analysis.width, analysis.height, analysis.pack_id) == (203, 240, FAKE_PACK.pack_id)
    assert faces.pack is FAKE_PACK


@pytest.mark.parametrize("embed", list(Embed))
def test_each_stage_is_timed(faces, embed):
    timings = faces.analyse(photo(ADA, ALAN), embed).timings_ms
    assert set(timings) == {"decode", "detect", "quality", "embed"}
    assert all(value >= 0 for value in timings.values())
    assert timings["detect"] > 0


def test_thumbnails_are_made_only_where_asked_for(faces):
    assert faces.analyse(photo(ADA)).faces[0].thumbnail == b""
    assert faces.analyse(photo(ADA), thumbnails=True).faces[0].thumbnail.startswith(b"\xff\xd8")


@pytest.mark.parametrize("embed", list(Embed))
def test_a_picture_of_nobody_has_no_faces(faces, embed):
    assert faces.analyse(photo(), embed).faces == ()


def test_of_many_pictures_a_bad_one_spoils_no_other(faces):
    good, bad, empty, last = faces.analyse_many([photo(ADA), b"GIF89a", photo(), photo(ALAN)])
    assert [len(analysis.faces) for analysis in (good, empty, last)] == [1, 0, 1]
    assert isinstance(bad, UnsupportedImage)
    assert faces.analyse_many([]) == []


def test_many_pictures_are_answered_as_each_alone(faces):
    pictures = [photo(ADA, ALAN), photo(GRACE)]
    together = faces.analyse_many(pictures, thumbnails=True)
    for analysis, picture in zip(together, pictures, strict=True):
        alone = faces.analyse(picture, Embed.ALL, thumbnails=True)
        assert [face.thumbnail for face in analysis.faces] == [face.thumbnail for face in alone.faces]
        for one, other in zip(analysis.faces, alone.faces, strict=True):
            np.testing.assert_array_equal(one.embedding, other.embedding)


def test_a_picture_over_the_limits_is_refused(engine):
    faces = FaceService(engine, PillowCodec(max_bytes=1_000_000, max_pixels=100))
    with pytest.raises(ImageTooLarge):
        faces.analyse(photo(ADA))
    assert engine.embedded == []


def test_an_embedding_is_of_the_nearest_face_however_poor(faces):
    nearest = faces.compute_embedding(photo(ADA, ALAN, blurred=True))
    np.testing.assert_allclose(nearest, faces.compute_embedding(photo(ADA)), atol=1e-6)


def test_a_picture_without_a_face_has_no_embedding(faces):
    with pytest.raises(InvalidInput, match="No face"):
        faces.compute_embedding(photo())


def test_of_many_embeddings_each_failure_is_the_answer_in_its_place(faces):
    embedding, nobody, rejected = faces.compute_embeddings([photo(ADA), photo(), b"\x00"])
    assert embedding.shape == (FAKE_PACK.dimension,)
    assert type(nobody) is InvalidInput
    assert isinstance(rejected, ImageRejected)


def test_an_engine_that_breaks_is_not_hidden_as_a_bad_picture(faces, engine, monkeypatch):
    def broken(crops):
        raise RuntimeError("out of memory")

    monkeypatch.setattr(engine, "embed", broken)
    with pytest.raises(RuntimeError, match="out of memory"):
        faces.analyse_many([photo(ADA)])


def test_pictures_analysed_at_once_do_not_mix(faces):
    people = [1 + number % 4 for number in range(16)]
    alone = {who: faces.compute_embedding(photo(who)) for who in set(people)}
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda who: faces.analyse(photo(who)).faces[0].embedding, people))
    for who, embedding in zip(people, together, strict=True):
        np.testing.assert_array_equal(embedding, alone[who])


def test_a_batch_that_does_not_fit_into_memory_is_halved_until_it_does(faces, engine, monkeypatch):
    sizes = []
    embed = engine.embed

    def small_memory(crops):
        sizes.append(len(crops))
        if len(crops) > 2:
            raise MemoryError
        return embed(crops)

    images = [photo(who) for who in range(1, 6)]
    wanted = [answer.faces[0].embedding for answer in faces.analyse_many(images)]
    monkeypatch.setattr(engine, "embed", small_memory)
    answers = faces.analyse_many(images)
    assert all((a.faces[0].embedding == row).all() for a, row in zip(answers, wanted, strict=True))
    assert max(size for size in sizes if size <= 2) == 2
    assert faces.recoveries["out_of_memory"] == 2


def test_a_picture_that_breaks_a_library_spoils_no_other(faces, engine, monkeypatch):
    detect = engine.detect

    def brittle(picture, quick):
        if picture.shape[1] == 203:
            raise IndexError("deep inside")
        return detect(picture)

    monkeypatch.setattr(engine, "detect", brittle)
    good, poisoned, other = faces.analyse_many([photo(1), photo(2, variant=3), photo(4)])
    assert isinstance(poisoned, BrokenImage)
    assert (len(good.faces), len(other.faces)) == (1, 1)
    assert faces.recoveries["poisoned_image"] == 1


def test_a_face_that_cannot_be_measured_spoils_no_other_picture(faces, engine, monkeypatch):
    quality = engine.quality

    def brittle(picture, face, crop):
        if picture.shape[1] == 203:
            raise IndexError("deep inside")
        return quality(picture, face, crop)

    monkeypatch.setattr(engine, "quality", brittle)
    good, poisoned, other = faces.analyse_many([photo(1), photo(2, variant=3), photo(4)])
    assert isinstance(poisoned, BrokenImage)
    assert (len(good.faces), len(other.faces)) == (1, 1)


def test_many_pictures_that_do_not_wait_decoded_together_have_the_same_answers_in_order(faces, monkeypatch):
    pictures = [photo(ADA), b"GIF89a", photo(GRACE, ALAN), photo()]
    together = faces.analyse_many(pictures)
    monkeypatch.setattr("ray_backend.services.faces._MOST_DECODED_BYTES", 1)
    parted = faces.analyse_many(pictures)
    assert [type(one) for one in parted] == [type(one) for one in together]
    for one, other in zip((parted[0], *parted[2:]), (together[0], *together[2:]), strict=True):
        assert len(one.faces) == len(other.faces)
        for mine, theirs in zip(one.faces, other.faces, strict=True):
            np.testing.assert_array_equal(mine.embedding, theirs.embedding)


def test_the_brightness_of_the_whole_picture_is_told():
    service = FaceService(FakeEngine(), PillowCodec(max_bytes=10**7, max_pixels=10**7))
    for grey, size in ((0, (31, 40)), (128, (480, 640)), (255, (1000, 700))):
        picture = io.BytesIO()
        Image.fromarray(np.full(size, grey, np.uint8)).save(picture, "PNG")
        assert service.analyse(picture.getvalue(), Embed.NOTHING).brightness == pytest.approx(grey)
