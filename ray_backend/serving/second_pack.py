"""The models of the pack that stands beside the site's own, in a FaceEmbeddingActor."""

from __future__ import annotations

import threading

from ray_backend import bootstrap
from ray_backend.services.faces import FaceService
from ray_backend.settings import Settings
from ray_backend.vision import packs


def open_faces(settings: Settings, spec: str) -> FaceService:
    """The face pipeline over the pack of this spec, downloaded if need be. Raises PackUnavailable."""
    asked = _asking_for(settings, spec)
    return bootstrap.build_faces(asked, packs.find_pack(asked))


def find_spec(settings: Settings, pack: str) -> str:
    """What finds this pack again from anywhere on this machine, downloaded if need be. Raises
    PackUnavailable."""
    return packs.find_pack(_asking_for(settings, pack)).spec


def _asking_for(settings: Settings, spec: str) -> Settings:
    # It never decides about a punch, so nobody asks it whether a face is alive.
    return settings.model_copy(update={"pack": spec, "liveness": "off", "liveness_models": ""})


class SecondPack:
    """Loads a pack when it is first asked for, and keeps the last one. Safe to call from several threads."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._spec = ""
        self._faces: FaceService | None = None

    def faces(self, spec: str) -> FaceService:
        """See `open_faces`."""
        with self._lock:
            if self._faces is None or self._spec != spec:
                self._faces = None  # two packs in memory are enough
                self._faces, self._spec = open_faces(self._settings, spec), spec
            return self._faces
