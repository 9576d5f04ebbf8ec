"""`python -m streamlit_app`: the web app as a process that ends when its starter does.

The starter holds the other end of standard input. When it dies, even by kill -9, reading ends, and so
does the app: it must not keep the port from the next start.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from pathlib import Path

from streamlit.web.cli import main


def _end_with_starter() -> None:
    while os.read(sys.stdin.fileno(), 1024):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    threading.Thread(target=_end_with_starter, daemon=True).start()
    sys.argv = ["streamlit", "run", str(Path(__file__).with_name("asgi.py")), *sys.argv[1:]]
    main(prog_name="streamlit")
