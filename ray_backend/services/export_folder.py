"""Files in a folder of the server: whole or not at all, and never in the place of another one."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

from ray_backend.domain.errors import InvalidInput, Unavailable

_LONGEST, _DEEPEST = 200, 8
# A file that is not published yet; whoever fetches files by their ending does not see it.
_PENDING = ".rollcall-{run_id}.pending"
_NO_FOLDER = "This server has no folder for exports. The operator may name one with ROLLCALL_EXPORT_DIR."
_OUTSIDE = "Name a folder below the server's folder for exports, such as payroll/monthly."


class ExportFolder:
    """Writes below one folder of the server, `root`, and nowhere else."""

    def __init__(self, root: Path | None) -> None:
        """Without a root nothing can be written."""
        self._root = root

    @property
    def there(self) -> bool:
        """Whether this server has such a folder at all."""
        return self._root is not None

    def checked(self, text: str) -> str:
        """The name of a folder below the root, parts separated by `/`; empty for the root itself.

        Raises InvalidInput for one that could lie elsewhere, and where there is no root.
        """
        if self._root is None:
            raise InvalidInput(_NO_FOLDER)
        parts = [part.strip() for part in text.replace("\\", "/").split("/")]
        if parts[0] == "" and len(parts) > 1:
            raise InvalidInput(_OUTSIDE)
        parts = [part for part in parts if part]
        plain = all(part.isprintable() and not part.startswith(".") and ":" not in part for part in parts)
        if not plain or len(parts) > _DEEPEST or len(text) > _LONGEST:
            raise InvalidInput(_OUTSIDE)
        self._below_root("/".join(parts))
        return "/".join(parts)

    def publish(self, folder: str, stem: str, ending: str, run_id: str, data: bytes) -> str:
        """Puts a file there and returns its name below the root: `stem.ending`, or `stem-2.ending` where that
        is taken. May be repeated with the same `run_id` after a crash: a file that is there already is found
        again, until `settle`.

        Raises InvalidInput, and Unavailable when the disk does not take it.
        """
        place = self._existing(folder)
        pending = place / _PENDING.format(run_id=run_id)
        with _said():
            found = _published(place, pending)
            if found is None:
                _write(pending, data)
                found = _link(place, pending, stem, ending)
                _flush(place)
        return f"{folder}/{found}" if folder else found

    def settle(self, folder: str, run_id: str) -> None:
        """The run is noted as done: what would find its file again is not needed any more.

        Raises InvalidInput and Unavailable.
        """
        place = self._existing(folder)
        with _said():
            (place / _PENDING.format(run_id=run_id)).unlink(missing_ok=True)

    def _existing(self, folder: str) -> Path:
        place = self._below_root(folder)
        if not self._root.is_dir():
            # Not made here: it may be a disk that is not there at the moment.
            raise Unavailable("The folder for exports is not there. Look at the disk of the server.")
        with _said():
            place.mkdir(parents=True, exist_ok=True)
        return place

    def _below_root(self, folder: str) -> Path:
        """Where links lead to counts, too."""
        if self._root is None:
            raise InvalidInput(_NO_FOLDER)
        place = (self._root / folder).resolve()
        if not place.is_relative_to(self._root.resolve()):
            raise InvalidInput(_OUTSIDE)
        return place


@contextmanager
def _said() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise Unavailable(f"The file could not be written: {reason}.") from error


def _write(pending: Path, data: bytes) -> None:
    with pending.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _published(place: Path, pending: Path) -> str | None:
    """The other name of a pending file, which it has from the moment that it is published."""
    if not pending.exists() or pending.stat().st_nlink < 2:
        return None
    others = (one for one in place.iterdir() if one != pending and one.is_file())
    return next((one.name for one in others if one.samefile(pending)), None)


def _link(place: Path, pending: Path, stem: str, ending: str) -> str:
    """Gives the pending file the first free name, which fails where there is a file."""
    for number in count(1):
        name = f"{stem}.{ending}" if number == 1 else f"{stem}-{number}.{ending}"
        try:
            _take_name(pending, place / name)
        except FileExistsError:
            continue
        return name
    raise AssertionError("there is always a next number")


def _take_name(pending: Path, target: Path) -> None:
    try:
        os.link(pending, target)
    except FileExistsError:
        raise
    except OSError:
        # Some disks know no second names. Then the name is taken first, and filled at once.
        target.open("xb").close()
        pending.replace(target)


def _flush(place: Path) -> None:
    """Makes the new name last through a power cut, where a folder can be opened at all."""
    if hasattr(os, "O_DIRECTORY"):
        handle = os.open(place, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
