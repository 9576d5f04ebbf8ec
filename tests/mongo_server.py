"""Starts a server that speaks MongoDB's protocol for a test or a bench, and kills it again.

A server of one's own is `mongod` where it is on the PATH, else the PyPI package nx-27017; FerretDB where
its binary is named. All of them keep their files in the folder given, so a server can be killed and
started again on the same port with the same data.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

START_TIMEOUT_S = 30.0
POLL_S = 0.05
NX_PROGRAM = "import sys; from nx_27017.nx_27017 import main; sys.exit(main())"


@dataclass
class MongoServer:
    """One server process. `kind` is `mongod`, `nx-27017` or `ferretdb`."""

    kind: str
    command: list[str]
    port: int
    folder: Path
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """The server's address without a database."""
        return f"mongodb://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Returns when the server takes connections. Raises RuntimeError with the end of its log."""
        with (self.folder / "server.log").open("ab") as log:
            self.process = subprocess.Popen(
                self.command, stdout=log, stderr=subprocess.STDOUT, cwd=self.folder
            )
        deadline = time.monotonic() + START_TIMEOUT_S
        while not _answers(self.port):
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.kill()
                tail = (self.folder / "server.log").read_text(errors="replace")[-2000:]
                raise RuntimeError(f"{self.kind} did not start:\n{tail}")
            time.sleep(POLL_S)

    def kill(self) -> None:
        """SIGKILL, as a crash would. Calling it twice is no error."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None


@contextmanager
def running_server(folder: Path, *, ferretdb: Path | None = None) -> Iterator[MongoServer]:
    """A started server with its files in `folder`, killed at the end of the block."""
    server = new_server(folder, ferretdb=ferretdb)
    server.start()
    try:
        yield server
    finally:
        server.kill()


def new_server(folder: Path, *, ferretdb: Path | None = None) -> MongoServer:
    """A server that is not started yet, on a free port of the loopback."""
    folder.mkdir(parents=True, exist_ok=True)
    port = _free_port()
    if ferretdb is not None:
        return MongoServer("ferretdb", _ferretdb_command(ferretdb, port, folder), port, folder)
    if mongod := shutil.which("mongod"):
        command = [mongod, "--bind_ip=127.0.0.1", f"--port={port}", f"--dbpath={folder}"]
        return MongoServer("mongod", command, port, folder)
    command = [sys.executable, "-c", NX_PROGRAM, "-p", str(port), "--data-dir", str(folder)]
    # Its default is one file for the whole machine, which lets only one server run.
    command += ["--pid-file", str(folder / "server.pid")]
    return MongoServer("nx-27017", command, port, folder)


def external_url() -> str | None:
    """The server that ROLLCALL_TEST_MONGODB_URI names, without a database."""
    return os.environ.get("ROLLCALL_TEST_MONGODB_URI", "").rstrip("/") or None


def ferretdb_binary() -> Path | None:
    """The program that ROLLCALL_TEST_FERRETDB names. Raises RuntimeError when it is not there."""
    name = os.environ.get("ROLLCALL_TEST_FERRETDB")
    if not name:
        return None
    if not Path(name).is_file():
        raise RuntimeError(f"ROLLCALL_TEST_FERRETDB names {name}, which is no file.")
    return Path(name).absolute()


def _ferretdb_command(program: Path, port: int, folder: Path) -> list[str]:
    return [
        str(program),
        "--handler=sqlite",
        f"--sqlite-url=file:{folder}/",
        f"--listen-addr=127.0.0.1:{port}",
        "--debug-addr=-",
        "--telemetry=disable",
        f"--state-dir={folder}",
        "--log-level=error",
    ]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1.0)
        return probe.connect_ex(("127.0.0.1", port)) == 0
