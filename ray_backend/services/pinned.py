"""The pack of a site: which one its templates were made with."""

from __future__ import annotations

from ray_backend.domain.errors import PackMismatch
from ray_backend.domain.model import Pack, Person
from ray_backend.domain.queries import PeopleQuery
from ray_backend.ports import Clock, Store
from ray_backend.services.audit import Auditor
from ray_backend.services.enrol import PACK_SETTING
from ray_backend.services.identity import live_templates
from ray_backend.services.report import pages


def pinned_pack(store: Store) -> dict | None:
    """`{"id", "spec"}` of the pack that the site's templates were made with, or None while it has none."""
    pinned = store.get_setting(PACK_SETTING)
    if pinned is None or (not pinned.get("chosen") and not store.count_templates().get(pinned["id"])):
        return None
    return pinned


def check_pack(store: Store, pack: Pack) -> None:
    """Raises PackMismatch when the site's templates come from another pack than this one.

    A pin that nothing hangs on any more, because everybody was erased, is taken away.
    """
    pinned = pinned_pack(store)
    if pinned is None:
        store.put_setting(PACK_SETTING, None)
    elif pinned["id"] != pack.pack_id:
        raise PackMismatch(
            f"This site's templates are made with the pack {pinned['id']}, but ROLLCALL_PACK chooses "
            f"{pack.pack_id}. Remove ROLLCALL_PACK, or change the pack with `rollcall pack use`."
        )


def pin_pack(store: Store, clock: Clock, pack: Pack, spec: str) -> tuple[Person, ...]:
    """Makes this the site's pack from the next start on; returns the active people who lack a template."""
    store.put_setting(PACK_SETTING, {"id": pack.pack_id, "spec": spec, "chosen": True})
    Auditor(store, clock).record("command line", "pack.changed", pack.pack_id)
    return people_without(store, pack.pack_id)


def people_without(store: Store, pack_id: str) -> tuple[Person, ...]:
    """The active people who have no template of this pack, by employee id."""
    enrolled = {template.person_id for template in live_templates(store, pack_id)}
    everybody = pages(store.list_people, PeopleQuery(active=True, limit=1000))
    return tuple(person for person in everybody if person.person_id not in enrolled)
