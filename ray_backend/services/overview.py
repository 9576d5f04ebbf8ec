"""What runs and how much there is, for pages and `rollcall doctor`."""

from __future__ import annotations

from typing import Any

from ray_backend.domain.answers import Overview
from ray_backend.domain.errors import Unavailable
from ray_backend.domain.model import Pack
from ray_backend.domain.queries import PeopleQuery
from ray_backend.ports import GalleryIndex, Store
from ray_backend.services.punch_log import PunchLog


class OverviewService:
    """Counts."""

    def __init__(self, store: Store, gallery: GalleryIndex, pack: Pack, punches: PunchLog) -> None:
        self._store = store
        self._gallery = gallery
        self._pack = pack
        self._punches = punches

    def overview(self) -> Overview:
        """Raises StoreUnavailable."""
        self._store.ping()
        people = self._store.list_people(PeopleQuery(limit=1)).total
        return Overview(self._pack, people, *self.gallery(), journal_depth=self.journal_depth())

    def gallery(self) -> tuple[int, int]:
        """How many templates it holds and its version; needs no database."""
        return len(self._gallery), self._gallery.version

    def away(self) -> bool:
        """Whether the database does not answer; waits a second for it at most."""
        return self._punches.away()

    def ready(self) -> None:
        """Whether faces can be found and punches kept now. Raises StoreUnavailable, and Unavailable while
        the gallery is empty though faces are stored."""
        self._punches.check()
        templates, _ = self.gallery()
        if not templates and self.stored_templates():
            raise Unavailable("The gallery is empty, though faces are stored. Start Rollcall again.")

    def state(self) -> dict[str, Any]:
        """`database`: "ok" or "away"; `journal`: how many punches wait for it; `gallery`: how many
        `templates` it holds, and its `version`."""
        templates, version = self.gallery()
        return {
            "database": "away" if self.away() else "ok",
            "journal": self.journal_depth(),
            "gallery": {"templates": templates, "version": version},
        }

    def stored_templates(self) -> int:
        """How many templates of the running pack the database has. Raises StoreUnavailable."""
        return self._store.count_templates().get(self._pack.pack_id, 0)

    def journal_depth(self) -> int:
        """How many punches wait on this machine for the database; needs no database."""
        return len(self._punches)
