"""The face gallery: search over templates, in memory, in mapped files or in a Qdrant server."""

from __future__ import annotations

import logging
import re
from pathlib import Path

from ray_backend.domain.errors import StoreUnavailable
from ray_backend.ports import GalleryIndex
from ray_backend.settings import Settings

log = logging.getLogger(__name__)


def open_gallery(
    settings: Settings, dimension: int, *, expected: int = 0, pack_id: str = "pack"
) -> GalleryIndex:
    """The gallery that the settings choose, to be filled by `replace`.

    `expected` is the number of templates to come: beyond `gallery_exact_limit` they are kept in files
    under the data folder, for a fast start; up to it there are no files. Templates of another
    `pack_id` are kept apart in a server. Raises StoreUnavailable, and ValueError when there are
    vectors of another dimension there.
    """
    folder = settings.data_dir / "gallery"
    if settings.gallery == "qdrant":
        _forget(folder)
        return _qdrant(settings, dimension, pack_id)
    _one_blas_thread()
    if expected > settings.gallery_exact_limit and settings.store != "memory":
        return _in_files(folder, dimension, settings.gallery_exact_limit)
    _forget(folder)
    return _in_memory(dimension, settings.gallery_exact_limit)


def _in_memory(dimension: int, exact_limit: int) -> GalleryIndex:
    from ray_backend.gallery.approximate import ApproximateGallery

    return ApproximateGallery(dimension, exact_limit)


def _in_files(folder: Path, dimension: int, exact_limit: int) -> GalleryIndex:
    from ray_backend.gallery.approximate import ApproximateGallery
    from ray_backend.gallery.files import FileBlocks

    try:
        files = FileBlocks(folder, dimension)
    except OSError as error:
        log.warning("the gallery is kept in memory only: %s", error)
        return _in_memory(dimension, exact_limit)
    return ApproximateGallery(
        dimension, exact_limit, files, codebook=files.codebook(), remember=files.remember
    )


def _forget(folder: Path) -> None:
    """Removes the files of a gallery that has become small."""
    if not folder.is_dir():
        return
    from ray_backend.gallery.files import shred

    try:
        shred(folder)
    except OSError as error:
        log.warning("the files in %s could not be removed: %s", folder, error)


def _qdrant(settings: Settings, dimension: int, pack_id: str) -> GalleryIndex:
    try:
        from qdrant_client import QdrantClient
    except ModuleNotFoundError as error:
        raise StoreUnavailable(
            "ROLLCALL_GALLERY is qdrant, but its client is not installed: pip install -e '.[qdrant]'"
        ) from error

    from ray_backend.gallery.qdrant import QdrantGallery

    key = settings.qdrant_api_key.get_secret_value() if settings.qdrant_api_key else None
    client = QdrantClient(
        url=settings.qdrant_url,
        api_key=key,
        timeout=max(1, round(settings.store_timeout_s)),
        check_compatibility=False,  # it would ask the server here, and only warn when there is none
    )
    # A server takes no slash or colon in a name.
    collection = re.sub(r"[^\w.-]", "-", f"{settings.qdrant_collection}-{pack_id}")
    return QdrantGallery(client, collection, dimension)


def _one_blas_thread() -> None:
    """Numpy's BLAS on the calling thread only, in this process.

    Measured on two busy cores: a product of 10,000 x 128 took 8 ms with two threads, which is how long
    one waits for the other to be scheduled, and 0.07 ms with one. At a million rows of 512, where the
    memory is the limit, two threads took 69 ms and one 72.
    """
    from threadpoolctl import threadpool_limits

    threadpool_limits(1, user_api="blas")
