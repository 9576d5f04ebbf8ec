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


def copy(
    settings: Settings, source: str, target: str, progress: Callable[[str, int, int], None]
) -> CopyReport:
    """Copies and verifies; may be repeated after an interruption. `progress` gets kind, done and total.

    Raises InvalidInput for a wrong address, StoreUnavailable, and Conflict while Rollcall runs on this
    data folder or when the target holds other data.
    """
    from ray_backend.storage import open_store_url
    from ray_backend.storage.copy import copy_store

    if running_address(settings.data_dir):
        raise Conflict("Rollcall is running and may still write. Stop it, then copy.")
    with closing(open_store_url(source, settings)) as old, closing(open_store_url(target, settings)) as new:
        return copy_store(old, new, progress)
