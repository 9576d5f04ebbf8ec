"""The database: `open_store` is the one place that chooses which."""

from __future__ import annotations

import re
from pathlib import Path

from ray_backend.domain.errors import InvalidInput
from ray_backend.ports import Store
from ray_backend.settings import Settings

DEFAULT_FILE = "rollcall.sqlite3"
ACCEPTED = "`sqlite`, `sqlite:///path/to/file`, `mongodb://host/database`, `mongodb+srv://...` or `memory`"


def open_store(settings: Settings) -> Store:
    """The store that `settings.store` names. Raises InvalidInput, StoreUnavailable."""
    return open_store_url(settings.store, settings)


def open_store_url(url: str, settings: Settings) -> Store:
    """The store at `url`, written as `Settings.store` is. Raises InvalidInput, StoreUnavailable.

    The adapters are imported only here, so that a site pays for the driver that it uses. A MongoDB
    server that is away is noticed by the first call, not by this one.
    """
    scheme = url.strip().partition(":")[0].lower()
    if scheme == "sqlite":
        from ray_backend.storage.sqlite import SqliteStore

        return SqliteStore(_sqlite_path(url.strip(), settings), timeout_s=settings.store_timeout_s)
    if scheme in ("mongodb", "mongodb+srv"):
        from ray_backend.storage.mongo import MongoStore

        return MongoStore(url.strip(), timeout_s=settings.store_timeout_s)
    if url.strip().lower() == "memory":
        from ray_backend.storage.memory import MemoryStore

        return MemoryStore()
    raise InvalidInput(f"The store setting names no database that Rollcall knows. Use {ACCEPTED}.")


def _sqlite_path(url: str, settings: Settings) -> Path:
    """The file behind `sqlite` or `sqlite:///path`; `~` as the first folder is the user's home."""
    if url.lower() == "sqlite":
        return settings.data_dir / DEFAULT_FILE
    match = re.fullmatch(r"(?i:sqlite):///+(.*[^/])", url)
    if match is None:
        raise InvalidInput(f"The store setting names no file. Use {ACCEPTED}.")
    path = match[1]
    is_windows_drive = re.match(r"[A-Za-z]:[/\\]", path)
    return Path(path if is_windows_drive or path.startswith("~") else f"/{path}").expanduser()
