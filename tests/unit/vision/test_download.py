"""Downloading packs, from a server on this machine: what arrives is whole, checked and in place."""

from __future__ import annotations

import hashlib
import io
import json
import threading
import time
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from ray_backend.domain.errors import PackUnavailable
from ray_backend.vision import download
from ray_backend.vision.download import download_pack, file_sha256, unpack, verify_digests

FILES = {"det.onnx": b"detector" * 1000, "rec.onnx": b"embedder" * 5000}


def zipped(files: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return out.getvalue()


class Server:
    """Serves one archive, and can be told to answer badly."""

    def __init__(self) -> None:
        self.body, self.status, self.cut, self.stall = zipped(FILES), 200, False, threading.Event()
        self.stall.set()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(outer.status)
                self.send_header("Content-Length", str(len(outer.body)))
                self.end_headers()
                half = len(outer.body) // 2
                self.wfile.write(outer.body[:half])
                self.wfile.flush()
                outer.stall.wait(10)
                if not outer.cut:
                    self.wfile.write(outer.body[half:])

            def log_message(self, *_: object) -> None:
                pass

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._http.serve_forever, daemon=True)
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._http.server_port}/test_pack.zip"

    def close(self) -> None:
        self.stall.set()
        self._http.shutdown()
        self._http.server_close()


@pytest.fixture
def server():
    server = Server()
    yield server
    server.close()


def fetch(server: Server, models_dir: Path, **options) -> Path:
    return download_pack("test_pack", models_dir, **({"timeout_s": 5, "url": server.url} | options))


def nothing_left(models_dir: Path) -> bool:
    return not list((models_dir / "models").iterdir())


def test_a_pack_lands_where_insightface_looks_for_it(server, tmp_path):
    folder = fetch(server, tmp_path)
    assert folder == tmp_path / "models" / "test_pack"
    assert {path.name: path.read_bytes() for path in folder.glob("*.onnx")} == FILES
    assert [path.name for path in folder.parent.iterdir()] == ["test_pack"]


def test_progress_is_told_up_to_the_end(server, tmp_path):
    told = []
    fetch(server, tmp_path, progress=lambda done, total: told.append((done, total)))
    assert told[-1] == (len(server.body), len(server.body))


def test_a_folder_inside_of_the_archive_is_taken_off(server, tmp_path):
    server.body = zipped({f"test_pack/{name}": content for name, content in FILES.items()})
    assert (fetch(server, tmp_path) / "det.onnx").read_bytes() == FILES["det.onnx"]


def test_the_known_digest_is_asked_for(server, tmp_path, monkeypatch):
    right = hashlib.sha256(server.body).hexdigest()
    monkeypatch.setitem(download.KNOWN_ARCHIVES, "test_pack", "0" * 64)
    with pytest.raises(PackUnavailable, match="not the known one"):
        fetch(server, tmp_path)
    assert nothing_left(tmp_path)
    assert fetch(server, tmp_path, sha256=right).is_dir()


def test_files_changed_later_are_noticed(server, tmp_path):
    folder = fetch(server, tmp_path)
    files = tuple(folder.glob("*.onnx"))
    verify_digests(folder, files)
    assert json.loads((folder / "rollcall-sha256.json").read_text())["det.onnx"] == file_sha256(
        folder / "det.onnx"
    )
    (folder / "det.onnx").write_bytes(b"something else")
    with pytest.raises(PackUnavailable, match="not the file that was downloaded"):
        verify_digests(folder, files)


def test_a_folder_without_notes_is_not_checked(tmp_path):
    verify_digests(tmp_path, (tmp_path / "any.onnx",))


def test_damaged_notes_are_reported(tmp_path):
    (tmp_path / "rollcall-sha256.json").write_text("{")
    with pytest.raises(PackUnavailable, match="damaged"):
        verify_digests(tmp_path, ())


@pytest.mark.parametrize(("status", "said"), [(404, "no pack of this name"), (503, "status 503")])
def test_a_refusal_says_why(server, tmp_path, status, said):
    server.status = status
    with pytest.raises(PackUnavailable, match=said):
        fetch(server, tmp_path)
    assert nothing_left(tmp_path)


def test_a_cut_off_download_leaves_nothing(server, tmp_path):
    server.cut = True
    with pytest.raises(PackUnavailable):
        fetch(server, tmp_path)
    assert nothing_left(tmp_path)


def test_a_server_that_stalls_is_given_up(server, tmp_path):
    server.stall.clear()
    start = time.monotonic()
    with pytest.raises(PackUnavailable):
        fetch(server, tmp_path, timeout_s=0.5)
    assert time.monotonic() - start < 4
    assert nothing_left(tmp_path)


def test_a_caller_that_interrupts_leaves_nothing(server, tmp_path):
    def stop(_done: int, _total: int | None) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fetch(server, tmp_path, progress=stop)
    assert nothing_left(tmp_path)


def test_nobody_listening_is_told_at_once(tmp_path):
    start = time.monotonic()
    with pytest.raises(PackUnavailable, match="cannot be reached"):
        download_pack("test_pack", tmp_path, timeout_s=5, url="http://127.0.0.1:9/test_pack.zip")
    assert time.monotonic() - start < 2


def test_what_is_no_zip_is_refused(server, tmp_path):
    server.body = b"<html>please sign in to this network</html>"
    with pytest.raises(PackUnavailable, match="not a sound zip"):
        fetch(server, tmp_path)
    assert nothing_left(tmp_path)


def test_a_pack_that_is_there_already_stays(server, tmp_path):
    """Two processes may download the same pack: the second to finish changes nothing."""
    folder = tmp_path / "models" / "test_pack"
    folder.mkdir(parents=True)
    (folder / "det.onnx").write_bytes(b"first")
    fetch(server, tmp_path)
    assert (folder / "det.onnx").read_bytes() == b"first"


def test_a_folder_that_cannot_be_written_is_reported(server, tmp_path):
    (tmp_path / "models").write_text("a file in the way")
    with pytest.raises(PackUnavailable, match="cannot be stored"):
        fetch(server, tmp_path)


@pytest.mark.parametrize("member", ["../evil.onnx", "/evil.onnx", "a/b/evil.onnx", "..\\evil.onnx", "C:evil"])
def test_members_outside_of_the_folder_are_refused(tmp_path, member):
    archive = tmp_path / "archive.zip"
    archive.write_bytes(zipped({member: b"x"}))
    with pytest.raises(PackUnavailable, match="unexpected place"):
        unpack(archive, tmp_path / "pack", "test_pack")
    assert not list(tmp_path.rglob("*evil*"))


def test_archives_of_no_sensible_size_are_refused(tmp_path, monkeypatch):
    archive = tmp_path / "archive.zip"
    archive.write_bytes(zipped(FILES))
    monkeypatch.setattr(download, "MAX_UNPACKED_BYTES", 1000)
    with pytest.raises(PackUnavailable, match="larger than"):
        unpack(archive, tmp_path / "pack", "test_pack")
