"""Opens a site's pack in other ways than Rollcall does, to compare with."""

from __future__ import annotations

from typing import Any

from ray_backend.ports import FaceEngine
from ray_backend.vision.packs import Choice, Source, open_pack


def open_with(choice: Choice, **options: Any) -> FaceEngine:
    """The pack with options that its class takes."""
    if choice.source is Source.BUILT_IN:
        from ray_backend.vision.dlib_pack import DlibPack

        return DlibPack(**options)
    from ray_backend.vision.insightface_pack import InsightfacePack
    from ray_backend.vision.pack_folder import open_folder

    return InsightfacePack(open_folder(choice.folder), open_pack(choice).pack, **options)
