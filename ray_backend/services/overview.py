"""What runs and how much there is, for pages and `rollcall doctor`."""

from __future__ import annotations

from ray_backend.domain.answers import Overview
from ray_backend.domain.model import Pack, PeopleQuery
from ray_backend.ports import GalleryIndex, Store


class OverviewService:
    """Counts."""

    def __init__(self, store: Store, gallery: GalleryIndex, pack: Pack) -> None:
        self._store = store
        self._gallery = gallery
        self._pack = pack

    def overview(self) -> Overview:
        """Raises StoreUnavailable."""
        self._store.ping()
        people = self._store.list_people(PeopleQuery(limit=1)).total
        return Overview(self._pack, people, len(self._gallery), self._gallery.version)
