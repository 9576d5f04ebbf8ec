"""Chooses the model pack and opens its engine, and says in plain words why this one."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from ray_backend.domain.errors import PackUnavailable
from ray_backend.domain.model import Pack
from ray_backend.ports import FaceEngine
from ray_backend.settings import Settings
from ray_backend.vision import calibration

log = logging.getLogger(__name__)

AUTO, BUILT_IN, PREFERRED = "auto", "dlib-resnet", "buffalo_l"
INSIGHTFACE_LICENCE = (
    "InsightFace's model weights are for non-commercial research only; "
    "any other use needs a licence from insightface.ai."
)
FOLDER_LICENCE = "Not known to Rollcall: see the folder's owner."
PACK_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
Progress = Callable[[int, int | None], None]


class Source(StrEnum):
    """Where a pack comes from."""

    BUILT_IN = "built in"
    CACHE = "cache"
    FOLDER = "folder"
    DOWNLOAD = "download"


@dataclass(frozen=True, slots=True)
class Choice:
    """A pack and where it is to be had. `folder` is None for the built-in one."""

    name: str
    source: Source
    reason: str
    folder: Path | None = None

    @property
    def spec(self) -> str:
        """What `Settings.pack` has to be so that this pack is found again."""
        return str(self.folder) if self.source is Source.FOLDER else self.name


def load_engine(settings: Settings, *, pinned: str | None = None) -> FaceEngine:
    """The engine of the pack that the settings ask for: `find_pack`, then `open_pack`."""
    return open_pack(find_pack(settings, pinned=pinned), plain=settings.inference == "plain")


def find_pack(settings: Settings, *, pinned: str | None = None, progress: Progress | None = None) -> Choice:
    """The pack that the settings ask for, downloaded if need be: what is returned lies on this machine.

    With `pack` = `auto` that is the one that `pinned` names as `Settings.pack` would, the one that the
    stored templates were made with; without it a cached buffalo_l, else a downloaded one, else the
    built-in dlib-resnet. A pack that is named in the settings is taken whatever is pinned.
    `progress(done_bytes, total_bytes)` follows a download.

    Raises PackUnavailable, which says what to do; a pinned or a named pack is never replaced.
    """
    choice = choose(settings, pinned)
    if choice.source is not Source.DOWNLOAD:
        return choice
    try:
        folder = _download(choice, settings, progress)
    except PackUnavailable as error:
        if not _may_fall_back(settings, pinned):
            raise
        why = f"it runs instead of {PREFERRED}, because {error.message}"
        log.warning("The face model pack is %s: %s", BUILT_IN, why)
        return Choice(BUILT_IN, Source.BUILT_IN, why)
    return Choice(choice.name, Source.CACHE, f"{choice.reason}; downloaded", folder)


def open_pack(choice: Choice, *, plain: bool = False) -> FaceEngine:
    """Opens the models of a choice that `find_pack` made; `plain` as in `Settings.inference`.

    Raises PackUnavailable.
    """
    origin = f"{choice.name}: {choice.reason}"
    match choice.source:
        case Source.BUILT_IN:
            # Imports are here because each pack's libraries take a second, and one pack runs.
            from ray_backend.vision.dlib_pack import DlibPack

            return DlibPack(origin=origin, bfloat16=not plain)
        case Source.FOLDER:
            return _open_folder(choice.folder, f"{origin}; found in {choice.folder}", plain)
        case Source.CACHE:
            return _open_named(choice.name, choice.folder, f"{origin}; found in {choice.folder}", plain)
        case Source.DOWNLOAD:
            raise PackUnavailable(f"{choice.name} is not downloaded yet. Start Rollcall to download it.")


def choose(settings: Settings, pinned: str | None = None) -> Choice:
    """Which pack `find_pack` takes, or downloads first. Opens no model and no connection."""
    wanted, reason = settings.pack, "set in ROLLCALL_PACK"
    if wanted == AUTO and pinned is not None:
        wanted, reason = pinned, "this site's templates were made with it"
    elif wanted == AUTO:
        wanted, reason = PREFERRED, "the best pack for most sites"
    if wanted == BUILT_IN:
        return Choice(BUILT_IN, Source.BUILT_IN, f"{reason}; built in")
    if _is_path(wanted):
        return Choice(Path(wanted).name, Source.FOLDER, reason, Path(wanted).expanduser().absolute())
    if not PACK_NAME.fullmatch(wanted):
        raise PackUnavailable(f"{wanted!r} is no name of a model pack. Set ROLLCALL_PACK to another.")
    cached = settings.models_dir / "models" / wanted
    if cached.is_dir():
        return Choice(wanted, Source.CACHE, reason, cached)
    if settings.pack == wanted and Path(wanted).is_dir():
        return Choice(wanted, Source.FOLDER, reason, Path(wanted).absolute())
    return Choice(wanted, Source.DOWNLOAD, reason, cached)


def _may_fall_back(settings: Settings, pinned: str | None) -> bool:
    return settings.pack == AUTO and pinned is None


def _download(choice: Choice, settings: Settings, progress: Progress | None) -> Path:
    from ray_backend.vision.download import download_pack

    try:
        return download_pack(
            choice.name,
            settings.models_dir,
            timeout_s=settings.download_timeout_s,
            progress=progress,
        )
    except PackUnavailable as error:
        raise PackUnavailable(
            f"{error.message} To use {choice.name}, put its files into {choice.folder}, or set "
            f"ROLLCALL_PACK to the folder that holds them."
        ) from error


def _open_named(name: str, folder: Path, origin: str, plain: bool) -> FaceEngine:
    from ray_backend.vision.download import verify_digests
    from ray_backend.vision.insightface_pack import InsightfacePack
    from ray_backend.vision.pack_folder import open_folder

    files = open_folder(folder)
    verify_digests(folder, (files.detector, files.embedder))
    limits = calibration.NAMED
    pack = Pack(name, 0, limits.threshold, limits.margin, INSIGHTFACE_LICENCE, origin)
    return InsightfacePack(files, pack, bfloat16=not plain, square=plain)


def _open_folder(folder: Path, origin: str, plain: bool) -> FaceEngine:
    from ray_backend.vision.insightface_pack import InsightfacePack
    from ray_backend.vision.pack_folder import open_folder, read_notes

    files, notes, limits = open_folder(folder), read_notes(folder), calibration.FOLDER
    pack = Pack(
        files.pack_id,
        0,
        limits.threshold if notes.threshold is None else notes.threshold,
        limits.margin if notes.margin is None else notes.margin,
        notes.licence or FOLDER_LICENCE,
        origin,
    )
    return InsightfacePack(files, pack, bfloat16=not plain, square=plain)


def _is_path(text: str) -> bool:
    return text.startswith("~") or "/" in text or "\\" in text
