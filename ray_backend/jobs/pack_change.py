"""Changing the pack of a site, which is more than a setting: templates of two packs are never compared."""

from __future__ import annotations

from dataclasses import dataclass

from ray_backend.domain.errors import Conflict
from ray_backend.domain.model import Person
from ray_backend.runfile import running_address
from ray_backend.settings import Settings


@dataclass(frozen=True, slots=True)
class PackChange:
    """What a change of the pack means. `to_enrol_again` are active people without a template of it."""

    pack_id: str
    licence: str
    to_enrol_again: tuple[Person, ...]


def change_pack(settings: Settings, spec: str) -> PackChange:
    """Pins another pack. Templates of the old one stay stored, so changing back loses nothing.

    Raises PackUnavailable, StoreUnavailable, and Conflict while Rollcall runs on this data folder.
    """
    from ray_backend import bootstrap
    from ray_backend.clock import SystemClock
    from ray_backend.services.pinned import pin_pack

    if settings.ray_address or running_address(settings.data_dir):
        raise Conflict("Rollcall is running with its present pack. Stop it, then change the pack.")
    settings = settings.model_copy(update={"pack": spec})
    store = bootstrap.open_store(settings)
    try:
        choice = bootstrap.find_pack(settings, store)
        pack = bootstrap.build_faces(settings, choice).pack
        missing = pin_pack(store, SystemClock(), pack, choice.spec)
        return PackChange(pack.pack_id, pack.licence, missing)
    finally:
        store.close()
