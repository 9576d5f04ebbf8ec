"""A site of one's own for each test: the real services over the memory store and the fake engine."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pytest

from ray_backend.client import Backend, Photo, local_backend
from ray_backend.domain.answers import Enrolment
from ray_backend.domain.attendance import cooldown_slots
from ray_backend.domain.model import AuditEntry, Direction, Person, Punch, Template
from ray_backend.domain.queries import AuditQuery, PunchQuery
from ray_backend.domain.requests import PersonDraft
from ray_backend.ports import Store
from ray_backend.settings import Settings
from ray_backend.storage.memory import MemoryStore
from tests.fakes import FAKE_PACK, FakeEngine, SetClock, photo


@dataclass
class Site:
    """Everything a test wants to look at, and short ways to bring it about."""

    backend: Backend
    store: Store
    clock: SetClock
    settings: Settings
    engine: FakeEngine = field(default_factory=FakeEngine)

    def enrol(self, who: int, *files: bytes, **changes: object) -> Person:
        """Registers person number `who` as E<who>, from one good photo if no others are given."""
        draft = replace(PersonDraft(f"E{who}", f"Person {who}", "Engines", consent=True), **changes)
        return self.try_enrol(draft, *(files or (photo(who),))).person

    def try_enrol(self, draft: PersonDraft, *files: bytes, **options: object) -> Enrolment:
        """The call as a page makes it."""
        return self.backend.enrol(draft, photos(*files), source="upload", actor="admin", **options)

    def check_in(self, who: int, **options: object):
        """Person number `who` steps up to the door."""
        return self.backend.check_in(photo(who), **{"kiosk": "door", **options})

    def punches(self, person: Person | None = None) -> list[Punch]:
        """All punches, or one person's."""
        query = PunchQuery(people=(person.person_id,) if person else None)
        return list(self.store.list_punches(query).items)

    def punch(self, person_id: str, at, key: str | None = None) -> Punch:
        """Puts a punch into the store as if it had been made."""
        key = key or f"{person_id}@{at}"
        slots = cooldown_slots(person_id, at, 0, unless=key)
        punch = Punch(person_id, at, Direction.IN, "door", "face", key, slots)
        self.store.add_punch(punch)
        return punch

    def audit(self) -> list[AuditEntry]:
        """The whole audit log, oldest first."""
        return list(self.store.list_audit(AuditQuery(limit=1000)).items)[::-1]

    def counts(self) -> tuple[int, int, int]:
        """People and templates stored, templates in the gallery."""
        overview = self.backend.overview()
        return overview.people, sum(self.store.count_templates().values()), overview.templates

    def restarted(self) -> Site:
        """The same database under a new process."""
        backend = local_backend(self.settings, store=self.store, engine=self.engine, clock=self.clock)
        return replace(self, backend=backend)


def photos(*files: bytes) -> list[Photo]:
    """Files with the labels 0.png, 1.png, ..."""
    return [Photo(f"{index}.png", data) for index, data in enumerate(files)]


def look_alike(embedding: np.ndarray, similarity: float, seed: int = 1) -> np.ndarray:
    """A unit vector (D,) float32 of this cosine to a unit vector."""
    other = np.random.default_rng(seed).standard_normal(len(embedding))
    other -= (other @ embedding) * embedding
    other /= np.linalg.norm(other)
    mixed = similarity * embedding + np.sqrt(1 - similarity**2) * other
    return (mixed / np.linalg.norm(mixed)).astype(np.float32)


def stored_template(person: Person, embedding: np.ndarray, **changes: object) -> Template:
    """A template of the fake pack."""
    made = Template(person.person_id, FAKE_PACK.pack_id, embedding, 0.9, "upload", person.created_at)
    return replace(made, **changes)


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch):
    for name in [name for name in os.environ if name.startswith("ROLLCALL_")]:
        monkeypatch.delenv(name)


@pytest.fixture
def open_site(tmp_path: Path) -> Callable[..., Site]:
    """Makes a site; `store` and settings may be given."""

    def make(store: Store | None = None, engine: FakeEngine | None = None, **changes: object) -> Site:
        options = {"store": "memory", "time_zone": "Europe/Berlin", "data_dir": tmp_path, "cooldown_s": 60}
        settings = Settings(**(options | changes))
        store, clock, engine = store or MemoryStore(), SetClock(), engine or FakeEngine()
        backend = local_backend(settings, store=store, engine=engine, clock=clock)
        return Site(backend, store, clock, settings, engine)

    return make


@pytest.fixture
def site(open_site) -> Site:
    """A site in Berlin with a cooldown of a minute, on a Monday at nine o'clock."""
    return open_site()
