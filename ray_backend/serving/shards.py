"""A gallery whose parts lie in actors."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from ray_backend.domain.model import Candidate, Template
from ray_backend.serving import handles
from ray_backend.serving.names import SHARD_ACTOR


class RemoteShard:
    """Implements `GalleryIndex` over the GalleryShardActor of this index.

    All its calls may be repeated, so one that dies with its actor is sent again to the restarted one,
    which has filled itself from the database.
    """

    def __init__(self, index: int, timeout_s: float) -> None:
        self._name = f"{SHARD_ACTOR}-{index}"
        self._timeout_s = timeout_s

    @property
    def version(self) -> int:
        return self._call("version")

    def __len__(self) -> int:
        return self._call("__len__")

    def replace(self, templates: Iterator[Template]) -> None:
        self._call("replace", list(templates))

    def add(self, templates: Sequence[Template]) -> None:
        self._call("add", list(templates))

    def remove_template(self, template_id: str) -> None:
        self._call("remove_template", template_id)

    def remove_person(self, person_id: str) -> None:
        self._call("remove_person", person_id)

    def search(
        self, embeddings: np.ndarray, limit: int = 2, only: frozenset[str] | None = None
    ) -> list[list[Candidate]]:
        return self._call("search", embeddings, limit, only)

    def _call(self, method: str, *args: Any) -> Any:
        remote = handles.get_handle(self._name).call.options(max_task_retries=-1)
        return handles.result(remote.remote(method, *args), self._timeout_s)
