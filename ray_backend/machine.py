"""What this machine has to have before Rollcall can start on it."""

from __future__ import annotations

import socket

from ray_backend.domain.errors import InvalidInput, Unavailable
from ray_backend.settings import Settings


def check_machine(settings: Settings, ports: dict[int, tuple[str, str]]) -> None:
    """Raises an error that says what to do when this machine cannot run Rollcall.

    `ports` are the ones that have to be free, each with its address and the setting that changes it.
    """
    try:
        settings.data_dir.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InvalidInput(
            f"The data folder {settings.data_dir} cannot be written ({error.strerror}). "
            "Choose another with ROLLCALL_DATA_DIR."
        ) from error
    for port, (address, setting) in ports.items():
        _require_port(address, port, setting)
    check_system_libraries()


def liveness_words(settings: Settings) -> str:
    """What is done about pictures held up to a kiosk's camera, as these settings have it."""
    if settings.liveness == "off":
        return "not looked for (switched off)"
    if settings.liveness_way == "passive" and not settings.liveness_models:
        return (
            "not looked for: set ROLLCALL_LIVENESS_MODELS, or ROLLCALL_LIVENESS_WAY=active, which needs none"
        )
    how = "by a model" if settings.liveness_way == "passive" else "by asking for movements"
    return f"{'refused' if settings.liveness == 'require' else 'noted with the punch'}, found {how}"


def _require_port(address: str, port: int, setting: str) -> None:
    if not port_is_free(address, port):
        raise Unavailable(
            f"Port {port} is in use: another Rollcall or another program listens there. "
            f"Stop it, or choose another port with {setting}."
        )


def check_system_libraries() -> None:
    """Raises Unavailable when the operating system lacks a library that OpenCV needs."""
    try:
        import cv2  # noqa: F401
    except ImportError as error:
        raise Unavailable(
            f"A system library is missing: {error}. On Debian or Ubuntu run "
            "`sudo apt-get install libgl1 libglib2.0-0` and try again."
        ) from error


def port_is_free(address: str, port: int) -> bool:
    """Whether a server could listen there now."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except OSError:
            return False
    return True
