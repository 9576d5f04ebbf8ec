"""A second pack beside the site's own: its templates, its gallery, and whom it recognises. It records
nothing: attendance is decided by the site's own pack alone."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from uuid import NAMESPACE_OID, uuid5

from ray_backend.domain.answers import Recognition
from ray_backend.domain.beside import Beside, BesideState
from ray_backend.domain.errors import Conflict, ImageRejected, InvalidInput, NotFound, Unavailable
from ray_backend.domain.model import FrameAnalysis, Pack, Person, Template
from ray_backend.domain.queries import PeopleQuery
from ray_backend.domain.site import SiteSettings
from ray_backend.ports import Clock, GalleryIndex, Store
from ray_backend.services.audit import Auditor
from ray_backend.services.deciding import Decider
from ray_backend.services.identity import ids_of, live_templates
from ray_backend.services.pinned import people_without
from ray_backend.services.policy import Policy
from ray_backend.services.reach import RememberedSettings
from ray_backend.services.roster import Roster

KEY = "pack_beside"
# Counting is a query of its own; other processes add templates rarely.
_COUNT_EVERY_S = 5.0


class BesideService:
    """Its gallery is made when it is first asked for, lies in memory, and is made anew when the number of
    templates or of active people changes. Safe to call from several threads."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        remembered: RememberedSettings,
        roster: Roster,
        own_pack_id: str,
        site: Callable[[], SiteSettings],
        make_gallery: Callable[[int], GalleryIndex],
    ) -> None:
        self._store = store
        self._remembered = remembered
        self._roster = roster
        self._own_pack_id = own_pack_id
        self._site = site
        self._make_gallery = make_gallery
        self._audit = Auditor(store, clock)
        self._clock = clock
        self._lock = threading.Lock()
        self._filling = threading.Lock()
        self._generation = 0
        self._filled: _Filled | None = None

    def current(self) -> Beside | None:
        """What stands beside the site's own pack; None where nothing does, or it became the site's own."""
        note = self._remembered.get_setting(KEY)
        if note is None or note["id"] == self._own_pack_id:
            return None
        return Beside(Pack(**note["pack"]), note["spec"], note["share"])

    def state(self) -> BesideState | None:
        """How it stands, None where nothing does."""
        beside = self.current()
        if beside is None:
            return None
        pack_id = beside.pack.pack_id
        templates = self._store.count_templates().get(pack_id, 0)
        return BesideState(beside, templates, len(people_without(self._store, pack_id)))

    def put(self, beside: Beside, *, actor: str) -> None:
        """From now on this one. Raises InvalidInput for a share that is none, and Conflict for the site's
        own pack."""
        pack_id = beside.pack.pack_id
        if not 0 <= beside.share <= 1:
            raise InvalidInput("The share is a number from 0 to 1, such as 0.1 for every tenth picture.")
        if pack_id == self._own_pack_id:
            raise Conflict(f"{pack_id} is this site's own pack already.")
        note = {"id": pack_id, "spec": beside.spec, "share": beside.share, "pack": asdict(beside.pack)}
        self._store.put_setting(KEY, note)
        self._remembered.remember(KEY, note)
        self.forget()
        self._audit.record(actor, "pack.beside", pack_id, share=beside.share)

    def end(self, *, actor: str) -> bool:
        """Nothing stands beside the site's pack any more; says whether something did. Its templates stay, so
        that it may come back."""
        note = self._store.get_setting(KEY)
        self._store.put_setting(KEY, None)
        self._remembered.remember(KEY, None)
        self.forget()
        if note is not None:
            self._audit.record(actor, "pack.beside_ended", note["id"])
        return note is not None

    def missing(self) -> tuple[Person, ...]:
        """The active people without a template of the second pack. Raises NotFound without one."""
        return people_without(self._store, self._required().pack.pack_id)

    def sources(self, person_id: str) -> tuple[Template, ...]:
        """The person's templates of the site's own pack that have a picture."""
        stored = self._store.templates_of_many(ids_of(self._store, person_id))
        return tuple(one for one in stored if one.pack_id == self._own_pack_id and one.thumbnail)

    def add(self, analyses: Sequence[tuple[Template, FrameAnalysis]]) -> int:
        """Keeps what the second pack found in the pictures of these templates, the largest face of each, and
        says how many that were. May be repeated. Raises PersonNotFound, and Conflict for another pack."""
        beside = self._required()
        found = [(source, analysis) for source, analysis in analyses if analysis.faces]
        _require_pack(beside, [analysis for _, analysis in found])
        made = [self._template(source, analysis) for source, analysis in found]
        self._store.add_templates(made)
        self.forget()
        return len(made)

    def _template(self, source: Template, analysis: FrameAnalysis) -> Template:
        # Made in this way, a second run replaces what the first one made.
        own_id = uuid5(NAMESPACE_OID, f"{source.template_id}/{analysis.pack_id}").hex
        return replace(
            source,
            pack_id=analysis.pack_id,
            embedding=analysis.faces[0].embedding,
            template_id=own_id,
            created_at=self._clock.now(),
        )

    def recognise(
        self, answers: Sequence[FrameAnalysis | ImageRejected], departments: Sequence[str | None] = ()
    ) -> list[Recognition | ImageRejected]:
        """As `CheckInService.recognise`, by the second pack's templates and its own threshold and margin.

        Raises NotFound where nothing stands beside the site's pack, Conflict for analyses of a pack that it
        is not, and Unavailable while somebody else's question fills the gallery.
        """
        beside = self._required()
        _require_pack(beside, [one for one in answers if isinstance(one, FrameAnalysis)])
        return self._decider(beside).recognise(answers, departments)

    def forget(self) -> None:
        """Lets go of the gallery; the next question fills it again."""
        with self._lock:
            self._generation += 1
            self._filled = None

    def _required(self) -> Beside:
        beside = self.current()
        if beside is None:
            raise NotFound("No other pack stands beside this site's own. See `rollcall pack beside`.")
        return beside

    def _decider(self, beside: Beside) -> Decider:
        filled, generation = self._filled, self._generation
        if filled is not None and not filled.outdated(beside.pack, self._store):
            return filled.decider
        # Whoever waited here would take a thread from those who answer kiosks.
        if not self._filling.acquire(blocking=False):
            raise Unavailable("The faces of the second pack are being read. Try again in a moment.")
        try:
            filled = self._fill(beside.pack)
        finally:
            self._filling.release()
        with self._lock:
            if generation == self._generation:  # nobody was erased meanwhile
                self._filled = filled
        return filled.decider

    def _fill(self, pack: Pack) -> _Filled:
        counts = _counts(pack, self._store)
        gallery = self._make_gallery(pack.dimension)
        gallery.replace(live_templates(self._store, pack.pack_id))
        # A threshold that an admin set was measured with the site's own pack.
        rules = replace(self._site(), threshold=None)
        return _Filled(pack, counts, Decider(gallery, self._roster, Policy(pack, lambda: rules)))


class _Filled:
    """A gallery of one pack, and how many templates and active people there were when it was filled."""

    def __init__(self, pack: Pack, counts: tuple[int, int], decider: Decider) -> None:
        self.decider = decider
        self._pack = pack
        self._counts = counts
        self._counted_at = time.monotonic()

    def outdated(self, pack: Pack, store: Store) -> bool:
        if pack.pack_id != self._pack.pack_id:
            return True
        now = time.monotonic()
        if now - self._counted_at < _COUNT_EVERY_S:
            return False
        self._counted_at = now
        return _counts(pack, store) != self._counts


def _counts(pack: Pack, store: Store) -> tuple[int, int]:
    people = store.list_people(PeopleQuery(active=True, limit=1)).total
    return store.count_templates().get(pack.pack_id, 0), people


def _require_pack(beside: Beside, analyses: Sequence[FrameAnalysis]) -> None:
    if any(one.pack_id != beside.pack.pack_id for one in analyses):
        raise Conflict("Another pack stands beside this site's own since a moment ago. Try again.")
