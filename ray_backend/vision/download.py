"""Fetches a pack of insightface: streamed, checked, unpacked safely, and put in place at once.

A pack lies in `<models_dir>/models/<name>`, where insightface itself looks for it. An interrupted
download leaves nothing there.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path, PurePosixPath

import requests
from insightface.utils.storage import model_zoo_download_url

from ray_backend.domain.errors import PackUnavailable

# Called with the bytes fetched so far and the whole number, if the server told it.
Progress = Callable[[int, int | None], None]

# insightface publishes no digests. These are of the archives of its release, as several independent
# projects pin them; any other pack is trusted when it first comes and held to that afterwards.
KNOWN_ARCHIVES = {
    "antelopev2": "8e182f14fc6e80b3bfa375b33eb6cff7ee05d8ef7633e738d1c89021dcf0c5c5",
    "buffalo_l": "80ffe37d8a5940d59a7384c201a2a38d4741f2f3c51eef46ebb28218a7b0ca2f",
    "buffalo_s": "d85a87f503f691807cd8bb97128bdf7a0660326cd9cd02657127fa978bab8b5e",
    "buffalo_sc": "57d31b56b6ffa911c8a73cfc1707c73cab76efe7f13b675a05223bf42de47c72",
}
DIGESTS = "rollcall-sha256.json"
CONNECT_TIMEOUT_S = 4.0  # somebody waits for the start; a host that is there answers sooner
CHUNK_BYTES = 1 << 20
MAX_ARCHIVE_BYTES = 2 << 30
MAX_UNPACKED_BYTES = 4 << 30
MAX_MEMBERS = 100


def download_pack(
    name: str,
    models_dir: Path,
    *,
    timeout_s: float,
    progress: Progress | None = None,
    url: str | None = None,
    sha256: str | None = None,
) -> Path:
    """Fetches pack `name` into `<models_dir>/models/<name>` and returns that folder.

    `timeout_s` bounds the time without a byte. `url` and `sha256` (of the archive) default to
    insightface's release and to what is known of it. Raises PackUnavailable, which says why.
    """
    url = url or model_zoo_download_url(f"{name}.zip")
    target = models_dir / "models" / name
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{name}-", dir=target.parent) as scratch:
            archive, unpacked = Path(scratch, "archive.zip"), Path(scratch, "pack")
            found = _fetch(url, archive, timeout_s, progress)
            _check_archive(name, found, sha256 or KNOWN_ARCHIVES.get(name))
            unpack(archive, unpacked, name)
            write_digests(unpacked)
            _put_in_place(unpacked, target)
    except requests.RequestException as error:
        raise PackUnavailable(f"{name} cannot be downloaded from {url}: {_reason(error)}.") from error
    except zipfile.BadZipFile as error:
        raise PackUnavailable(f"What {url} sent for {name} is not a sound zip file.") from error
    except OSError as error:
        raise PackUnavailable(
            f"{name} cannot be stored in {target.parent}: {error.strerror or error}."
        ) from error
    return target


def write_digests(folder: Path) -> None:
    """Notes the SHA-256 of every model file of a folder beside them."""
    digests = {path.name: file_sha256(path) for path in sorted(folder.glob("*.onnx"))}
    (folder / DIGESTS).write_text(json.dumps(digests, indent=1), "utf-8")


def verify_digests(folder: Path, files: tuple[Path, ...]) -> None:
    """Compares files with what `write_digests` noted; a folder without notes passes.

    Raises PackUnavailable when a file is not the one that was downloaded.
    """
    notes = folder / DIGESTS
    if not notes.is_file():
        return
    try:
        digests = dict(json.loads(notes.read_text("utf-8")))
    except (ValueError, TypeError) as error:
        raise PackUnavailable(f"{notes} is damaged. Delete the folder {folder}.") from error
    for path in files:
        if digests.get(path.name) != file_sha256(path):
            raise PackUnavailable(
                f"{path} is not the file that was downloaded. Delete the folder {folder} to fetch "
                f"the pack again, or delete {DIGESTS} in it if you changed the file yourself."
            )


def file_sha256(path: Path) -> str:
    """The SHA-256 of a file in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def unpack(archive: Path, folder: Path, name: str) -> None:
    """Unpacks a pack's archive into `folder`; files may lie in a folder `name` inside of it.

    Raises PackUnavailable for members that lie anywhere else, and for too many or too large ones.
    """
    folder.mkdir()
    with zipfile.ZipFile(archive) as zipped:
        members = [member for member in zipped.infolist() if not member.is_dir()]
        if len(members) > MAX_MEMBERS or sum(m.file_size for m in members) > MAX_UNPACKED_BYTES:
            raise PackUnavailable(f"The archive of {name} is larger than a model pack can be.")
        for member in members:
            path = folder / _file_name(member.filename, name)
            with zipped.open(member) as source, path.open("xb") as out:
                shutil.copyfileobj(source, out, CHUNK_BYTES)


def _file_name(member: str, name: str) -> str:
    parts = PurePosixPath(member.replace("\\", "/")).parts
    if len(parts) == 2 and parts[0] == name:
        parts = parts[1:]
    if len(parts) != 1 or parts[0] in ("..", "/") or ":" in parts[0]:
        raise PackUnavailable(f"The archive of {name} has a file at an unexpected place: {member}.")
    return parts[0]


def _fetch(url: str, path: Path, timeout_s: float, progress: Progress | None) -> str:
    """Streams `url` into `path` and returns the SHA-256 of what came."""
    timeouts = (min(CONNECT_TIMEOUT_S, timeout_s), timeout_s)
    digest, done = hashlib.sha256(), 0
    with requests.get(url, stream=True, timeout=timeouts) as answer, path.open("xb") as out:
        answer.raise_for_status()
        length = answer.headers.get("Content-Length", "")
        total = int(length) if length.isdigit() else None
        for chunk in answer.iter_content(CHUNK_BYTES):
            done += len(chunk)
            if done > MAX_ARCHIVE_BYTES:
                raise PackUnavailable(f"{url} sends more than a model pack can be.")
            digest.update(chunk)
            out.write(chunk)
            if progress:
                progress(done, total)
    if total is not None and done != total:
        raise PackUnavailable(f"The download from {url} was cut off after {done} of {total} bytes.")
    return digest.hexdigest()


def _check_archive(name: str, found: str, wanted: str | None) -> None:
    if wanted is not None and found != wanted:
        raise PackUnavailable(
            f"The archive of {name} is not the known one (SHA-256 {found} instead of {wanted}); "
            "it was thrown away."
        )


def _put_in_place(unpacked: Path, target: Path) -> None:
    """Another process may have been faster: then its pack stays."""
    if not target.exists():
        unpacked.rename(target)


def _reason(error: requests.RequestException) -> str:
    match error:
        case requests.HTTPError() if error.response.status_code == 404:
            return "there is no pack of this name"
        case requests.HTTPError():
            return f"the server answers with status {error.response.status_code}"
        case requests.Timeout():
            return "the server does not answer in time"
        case requests.ConnectionError():
            return "the server cannot be reached from this machine"
        case _:
            return str(error)
