"""A folder with a model pack: which of its files detects, which embeds, what it is called."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from ray_backend.domain.errors import PackUnavailable
from ray_backend.vision.onnx_signature import Signature, read_signature

DETECTOR_OUTPUTS = 9  # scores, boxes and five landmarks at three strides
LANDMARK_INPUT = 192  # insightface's landmark models take squares of this size
EMBEDDER_INPUTS = range(112, 257, 16)
CHUNK_BYTES = 1 << 20
NOTES = "rollcall-pack.json"


@dataclass(frozen=True, slots=True)
class PackFolder:
    """The two files of a folder that Rollcall runs."""

    folder: Path
    detector: Path
    embedder: Path

    @property
    def pack_id(self) -> str:
        """The folder's name and a digest of both files: other weights make another pack."""
        digest = hashlib.sha256()
        for path in (self.detector, self.embedder):
            with path.open("rb") as file:
                for chunk in iter(partial(file.read, CHUNK_BYTES), b""):
                    digest.update(chunk)
        return f"{self.folder.name}-{digest.hexdigest()[:8]}"


@dataclass(frozen=True, slots=True)
class PackNotes:
    """What `rollcall-pack.json` in a folder may say about the pack; None where it does not."""

    threshold: float | None = None
    margin: float | None = None
    licence: str | None = None


def open_folder(folder: Path) -> PackFolder:
    """Finds detector and embedder by what goes in and comes out. Raises PackUnavailable."""
    if not folder.is_dir():
        raise PackUnavailable(f"There is no folder {folder} with a model pack.")
    detectors, embedders = [], []
    for path in sorted(folder.glob("*.onnx")):
        signature = _signature(path)
        if _detects(signature):
            detectors.append(path)
        elif _embeds(signature):
            embedders.append(path)
    return PackFolder(
        folder,
        _only(folder, detectors, "face detector (SCRFD with five landmarks)"),
        _only(folder, embedders, "face embedder (ArcFace kind, 112 x 112 pixels)"),
    )


def read_notes(folder: Path) -> PackNotes:
    """The folder's `rollcall-pack.json`, all None without one. Raises PackUnavailable when wrong."""
    path = folder / NOTES
    if not path.is_file():
        return PackNotes()
    try:
        return _notes(json.loads(path.read_text("utf-8")))
    except (ValueError, TypeError) as error:
        raise PackUnavailable(f"{path} is not as it should be: {error}.") from error


def _notes(values: object) -> PackNotes:
    if not isinstance(values, dict):
        raise TypeError("it is not a JSON object")
    unknown = set(values) - {"threshold", "margin", "licence"}
    if unknown:
        raise ValueError(f"it has unknown keys: {', '.join(sorted(unknown))}")
    threshold, margin = (values.get(key) for key in ("threshold", "margin"))
    for key, number in (("threshold", threshold), ("margin", margin)):
        if number is not None and not -1 <= float(number) <= 1:
            raise ValueError(f"{key} is not between -1 and 1")
    return PackNotes(
        None if threshold is None else float(threshold),
        None if margin is None else float(margin),
        values.get("licence"),
    )


def _signature(path: Path) -> Signature:
    try:
        return read_signature(path)
    except ValueError as error:
        raise PackUnavailable(f"The model file {path} is damaged: {error}. Fetch it again.") from error


def _detects(signature: Signature) -> bool:
    return len(signature.outputs) == DETECTOR_OUTPUTS


def _embeds(signature: Signature) -> bool:
    """A square picture in, one row of numbers out; insightface's own models tell apart like this."""
    if not signature.inputs or len(signature.outputs) != 1 or len(signature.inputs[0]) != 4:
        return False
    height, width = signature.inputs[0][2:]
    square = height == width and height in EMBEDDER_INPUTS and height != LANDMARK_INPUT
    return square and len(signature.outputs[0]) == 2


def _only(folder: Path, paths: list[Path], what: str) -> Path:
    if not paths:
        raise PackUnavailable(f"The folder {folder} lacks a {what}.")
    if len(paths) > 1:
        names = ", ".join(path.name for path in paths)
        raise PackUnavailable(f"The folder {folder} has more than one {what}: {names}. Keep one.")
    return paths[0]
