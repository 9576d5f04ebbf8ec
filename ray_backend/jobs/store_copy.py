"""Copying a site's database to another one."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from typing import TYPE_CHECKING

from ray_backend.domain.errors import Conflict
from ray_backend.runfile import running_address
from ray_backend.settings import Settings

if TYPE_CHECKING:
    from ray_backend.storage.copy import CopyReport


_WAITING = (
    "{left} punches and notes that were taken while the database was away still wait in {folder}, and would "
    "be missing from the copy. Start Rollcall with the old database: it delivers them by itself within "
    "seconds. Then stop it and copy."
)


def copy(
    settings: Settings, source: str, target: str, progress: Callable[[str, int, int], None]
) -> CopyReport:
    """Copies and verifies; may be repeated after an interruption. `progress` gets kind, done and total.

    Raises InvalidInput for a wrong address, StoreUnavailable, and Conflict while Rollcall runs on this
    data folder, while punches wait there for the database, or when the target holds other data.
    """
    from ray_backend.storage import open_store_url
    from ray_backend.storage.copy import copy_store
    from ray_backend.storage.journals import waiting

    if running_address(settings.data_dir):
        raise Conflict("Rollcall is running and may still write. Stop it, then copy.")
    if left := waiting(settings):
        raise Conflict(_WAITING.format(left=left, folder=settings.data_dir / "journal"))
    with closing(open_store_url(source, settings)) as old, closing(open_store_url(target, settings)) as new:
        return copy_store(old, new, progress)
