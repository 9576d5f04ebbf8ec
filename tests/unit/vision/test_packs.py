"""Which pack runs, and what is said when it cannot."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import pytest

from ray_backend.domain.errors import PackUnavailable
from ray_backend.settings import Settings
from ray_backend.vision import download
from ray_backend.vision.insightface_pack import input_size
from ray_backend.vision.packs import Source, choose, load_engine
from tests import faces
from tests.unit.vision import models


@pytest.fixture
def no_network(monkeypatch):
    """Downloads fail as they do without a network; returns the names that were asked for."""
    asked: list[str] = []

    def fail(name: str, *_: object, **__: object) -> Path:
        asked.append(name)
        raise PackUnavailable(f"{name} cannot be downloaded.")

    monkeypatch.setattr(download, "download_pack", fail)
    return asked


def settings(tmp_path: Path, pack: str = "auto") -> Settings:
    return Settings(pack=pack, models_dir=tmp_path)


def test_auto_takes_a_cached_buffalo_l(tmp_path, no_network):
    folder = models.save_pack(tmp_path / "models" / "buffalo_l")
    pack = load_engine(settings(tmp_path)).pack
    assert pack.pack_id == "buffalo_l"
    assert pack.dimension == 16
    assert str(folder) in pack.origin
    assert "non-commercial" in pack.licence
    assert no_network == []


def test_auto_downloads_when_nothing_is_cached(tmp_path, monkeypatch):
    def fetch(name: str, models_dir: Path, **options: object) -> Path:
        assert options["timeout_s"] == 10
        return models.save_pack(models_dir / "models" / name)

    monkeypatch.setattr(download, "download_pack", fetch)
    pack = load_engine(settings(tmp_path)).pack
    assert pack.pack_id == "buffalo_l"
    assert "downloaded" in pack.origin


def test_auto_falls_back_to_the_built_in_pack_and_says_why(tmp_path, no_network, caplog):
    with caplog.at_level(logging.WARNING):
        pack = load_engine(settings(tmp_path)).pack
    assert pack.pack_id == "dlib-resnet"
    assert "buffalo_l cannot be downloaded" in pack.origin
    (record,) = [record for record in caplog.records if record.name.startswith("ray_backend")]
    assert record.levelno == logging.WARNING
    assert "buffalo_l cannot be downloaded" in record.message


def test_a_damaged_cache_is_an_error_and_no_reason_to_change_the_pack(tmp_path, no_network):
    folder = models.save_pack(tmp_path / "models" / "buffalo_l")
    (folder / "det_test.onnx").write_bytes(b"")
    with pytest.raises(PackUnavailable, match="damaged"):
        load_engine(settings(tmp_path))


def test_the_pinned_pack_goes_before_a_better_one(tmp_path, no_network):
    models.save_pack(tmp_path / "models" / "buffalo_l")
    assert load_engine(settings(tmp_path), pinned="dlib-resnet").pack.pack_id == "dlib-resnet"


def test_a_pinned_pack_is_never_replaced(tmp_path, no_network):
    with pytest.raises(PackUnavailable, match=r"buffalo_s cannot be downloaded.*put its files into"):
        load_engine(settings(tmp_path), pinned="buffalo_s")
    assert no_network == ["buffalo_s"]


def test_a_pinned_pack_from_a_folder_is_found_again_by_its_spec(tmp_path, no_network):
    spec = choose(settings(tmp_path, str(models.save_pack(tmp_path / "office")))).spec
    pack = load_engine(settings(tmp_path), pinned=spec).pack
    assert pack.pack_id.startswith("office-")
    assert "templates were made with it" in pack.origin


def test_a_named_pack_is_never_replaced(tmp_path, no_network):
    with pytest.raises(PackUnavailable, match="put its files into"):
        load_engine(settings(tmp_path, "buffalo_l"))


@pytest.mark.parametrize("name", ["..", "a b", "-x", "", "x" * 100])
def test_names_that_cannot_be_packs_are_refused(tmp_path, name, no_network):
    with pytest.raises(PackUnavailable):
        load_engine(settings(tmp_path, name))
    assert no_network == []


def test_a_folder_has_its_own_id_licence_and_limits(tmp_path):
    folder = models.save_pack(tmp_path / "office")
    (folder / "rollcall-pack.json").write_text('{"threshold": 0.6, "margin": 0.1, "licence": "ours"}')
    pack = load_engine(settings(tmp_path, str(folder))).pack
    assert pack.pack_id.startswith("office-")
    assert (pack.threshold, pack.margin, pack.licence) == (0.6, 0.1, "ours")


def test_a_folder_without_notes_gets_careful_limits(tmp_path):
    pack = load_engine(settings(tmp_path, str(models.save_pack(tmp_path / "office")))).pack
    assert pack.threshold >= 0.4
    assert "owner" in pack.licence


def test_a_folder_that_is_not_there_is_named(tmp_path):
    with pytest.raises(PackUnavailable, match="nowhere"):
        load_engine(settings(tmp_path, str(tmp_path / "nowhere")))


def test_changed_files_of_a_downloaded_pack_are_refused(tmp_path):
    folder = models.save_pack(tmp_path / "models" / "buffalo_l")
    download.write_digests(folder)
    load_engine(settings(tmp_path, "buffalo_l"))
    models.save_embedder(folder / "w_test.onnx", dimension=32)
    with pytest.raises(PackUnavailable, match=r"w_test\.onnx is not the file"):
        load_engine(settings(tmp_path, "buffalo_l"))


def test_only_two_models_of_a_pack_are_opened(tmp_path, monkeypatch):
    from ray_backend.vision import insightface_pack

    opened, load = [], insightface_pack.get_model
    monkeypatch.setattr(
        insightface_pack,
        "get_model",
        lambda path, **kw: (opened.append(Path(path).name), load(path, **kw))[1],
    )
    load_engine(settings(tmp_path, str(models.save_pack(tmp_path / "office"))))
    assert opened == ["det_test.onnx", "w_test.onnx"]


def test_an_embedder_that_puts_out_zeros_is_an_error(tmp_path):
    engine = load_engine(settings(tmp_path, str(models.save_pack(tmp_path / "office"))))
    with pytest.raises(ValueError, match="zeros"):
        engine.embed([np.zeros((112, 112, 3), np.uint8)])


@pytest.mark.parametrize(
    ("pack", "pinned", "source"),
    [
        ("auto", None, Source.DOWNLOAD),
        ("auto", "dlib-resnet", Source.BUILT_IN),
        ("dlib-resnet", None, Source.BUILT_IN),
        ("dlib-resnet", "buffalo_l", Source.BUILT_IN),
        ("buffalo_s", None, Source.DOWNLOAD),
        ("./office", None, Source.FOLDER),
    ],
)
def test_choosing_downloads_nothing(tmp_path, pack, pinned, source, no_network):
    assert choose(settings(tmp_path, pack), pinned).source is source
    assert no_network == []


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ((640, 480), (640, 480)),
        ((1920, 1080), (640, 384)),
        ((480, 640), (480, 640)),
        ((100, 60), (128, 64)),
        ((1, 1), (32, 32)),
    ],
)
def test_the_detector_sees_the_pictures_own_shape(size, expected):
    assert input_size(*size) == expected


@faces.needs_shared
def test_the_pictures_own_shape_finds_what_a_square_finds():
    engine = load_engine(Settings(pack=str(faces.EDGE_PACK)))
    for photo in faces.labelled("enrol", "probe", "group"):
        picture = faces.open_photo(photo.path)
        square, _ = engine._detector.detect(picture, input_size=(640, 640))
        assert len(engine.detect(picture)) == len(square), photo.name
