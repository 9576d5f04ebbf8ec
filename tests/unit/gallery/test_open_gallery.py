"""Which gallery the settings open. The files are in test_files.py."""

from __future__ import annotations

import sys

import pytest

from ray_backend.domain.errors import StoreUnavailable
from ray_backend.gallery import open_gallery
from ray_backend.gallery.approximate import ApproximateGallery
from ray_backend.settings import Settings

# Port 9 is the discard service, which nobody runs: the connection is refused at once.
QDRANT = {"gallery": "qdrant", "qdrant_url": "http://127.0.0.1:9"}


def test_by_default_faces_are_searched_in_memory(tmp_path):
    gallery = open_gallery(Settings(data_dir=tmp_path), 16)
    assert isinstance(gallery, ApproximateGallery)
    assert list(tmp_path.iterdir()) == []


def test_a_store_in_memory_leaves_no_files_however_large_it_is(tmp_path):
    open_gallery(Settings(data_dir=tmp_path, store="memory"), 16, expected=10**9)
    assert list(tmp_path.iterdir()) == []


def test_a_qdrant_server_that_does_not_answer_is_named(tmp_path):
    with pytest.raises(StoreUnavailable, match="ROLLCALL_QDRANT_URL"):
        open_gallery(Settings(data_dir=tmp_path, **QDRANT), 16)


def test_a_missing_qdrant_client_is_answered_with_how_to_get_it(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "qdrant_client", None)
    with pytest.raises(StoreUnavailable, match="pip install"):
        open_gallery(Settings(data_dir=tmp_path, **QDRANT), 16)
