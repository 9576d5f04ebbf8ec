"""Filters of the reports that are kept under a name."""

from __future__ import annotations

from pydantic import TypeAdapter

from ray_backend.domain.entries import FILTER, Entry, EntryQuery
from ray_backend.domain.errors import Conflict, InvalidInput, NotFound
from ray_backend.domain.reporting.filters import ReportFilter, SavedFilter
from ray_backend.ports import Clock, Store
from ray_backend.services.audit import Auditor

MOST_FILTERS = 50
_OWN, _SHARED = "own", "shared"
_SAVED = TypeAdapter(SavedFilter)


class SavedFilterService:
    """Keeps each account's own filters, and those that an administrator shares with everybody.

    A filter holds no rows: what it shows is asked for anew as whoever uses it, within their departments.
    """

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._audit = Auditor(store, clock)

    def usable(self, *, actor: str) -> list[SavedFilter]:
        """The account's own and the shared ones, by name."""
        found = [*self._all(actor, _OWN), *self._all(None, _SHARED)]
        return sorted(found, key=lambda one: (one.shared, one.name.casefold()))

    def save(self, name: str, chosen: ReportFilter, *, actor: str) -> SavedFilter:
        """Keeps a filter for this account alone. Raises InvalidInput, and Conflict for a name that it has
        already."""
        return self._add(SavedFilter(name, chosen, actor, self._clock.now()))

    def share(self, name: str, chosen: ReportFilter, *, actor: str) -> SavedFilter:
        """Keeps a filter for everybody. Raises InvalidInput, and Conflict for a name that is taken."""
        kept = self._add(SavedFilter(name, chosen, actor, self._clock.now(), shared=True))
        self._audit.record(actor, "filter.shared", kept.filter_id)
        return kept

    def remove(self, filter_id: str, *, actor: str) -> None:
        """Removes one of the account's own. Raises NotFound."""
        kept = self._get(filter_id)
        if kept.shared or kept.owner != actor:
            raise NotFound(_GONE)
        self._store.remove_entries(FILTER, [filter_id])

    def unshare(self, filter_id: str, *, actor: str) -> None:
        """Removes a shared one. Raises NotFound."""
        if not self._get(filter_id).shared:
            raise NotFound(_GONE)
        self._store.remove_entries(FILTER, [filter_id])
        self._audit.record(actor, "filter.unshared", filter_id)

    def forget(self, employee_id: str, name: str) -> int:
        """Removes all filters that look for this person, who is erased; says how many."""
        naming = [one.filter_id for one in self._all(None) if one.filter.names(employee_id, name)]
        return self._store.remove_entries(FILTER, naming) if naming else 0

    def _add(self, wanted: SavedFilter) -> SavedFilter:
        kept = wanted.checked()
        state = _SHARED if kept.shared else _OWN
        if len(self._all(None if kept.shared else kept.owner, state)) >= MOST_FILTERS:
            raise InvalidInput(f"There can be {MOST_FILTERS} saved filters. Delete one first.")
        body = _SAVED.dump_python(kept, mode="json")
        if not self._store.add_entry(Entry(FILTER, kept.created_at, body, kept.owner, state, kept.filter_id)):
            raise Conflict("There is a saved filter with this name. Choose another name, or delete that one.")
        return kept

    def _get(self, filter_id: str) -> SavedFilter:
        entry = self._store.get_entry(FILTER, filter_id)
        if entry is None:
            raise NotFound(_GONE)
        return _SAVED.validate_python(entry.body)

    def _all(self, owner: str | None, state: str | None = None) -> list[SavedFilter]:
        query = EntryQuery(
            FILTER,
            subjects=None if owner is None else (owner,),
            states=None if state is None else (state,),
            limit=100_000,
        )
        return [_SAVED.validate_python(entry.body) for entry in self._store.list_entries(query).items]


_GONE = "This filter does not exist, or was deleted."
