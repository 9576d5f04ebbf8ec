"""`rollcall doctor`: looks over this machine and says what is missing."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement

from ray_backend import runfile
from ray_backend.domain.errors import RollcallError
from ray_backend.machine import check_system_libraries, liveness_words, port_is_free
from ray_backend.settings import Settings

_REQUIREMENTS = Path(__file__).parent.parent / "requirements.txt"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report. `advice` says what to do, or is empty."""

    ok: bool
    what: str
    found: str
    advice: str = ""


def examine(settings: Settings) -> list[Finding]:
    """All findings, the ones that stop Rollcall from starting as not ok."""
    return [
        _python(),
        _packages(),
        _attempt("system libraries", _libraries),
        _attempt("face models", lambda: _pack(settings)),
        _attempt("database", lambda: _database(settings)),
        _port(settings, settings.address, settings.port, "ROLLCALL_PORT"),
        _port(settings, settings.api_address, settings.api_port, "ROLLCALL_API_PORT"),
        _camera(settings),
        _attempt("held-up pictures", lambda: _held_up(settings)),
    ]


def _attempt(what: str, work: Callable[[], str]) -> Finding:
    try:
        return Finding(True, what, work())
    except RollcallError as error:
        return Finding(False, what, type(error).__name__, error.message)


def _python() -> Finding:
    version = ".".join(str(part) for part in sys.version_info[:3])
    ok = sys.version_info >= (3, 11)
    return Finding(ok, "Python", version, "" if ok else "Install Python 3.11 or newer.")


def _packages() -> Finding:
    wrong = [
        f"{name} {_version(name) or 'missing'} instead of {wanted}"
        for name, wanted in _pinned()
        if _version(name) != wanted
    ]
    if wrong:
        return Finding(False, "packages", "; ".join(wrong), "Run `make install`.")
    return Finding(True, "packages", "as pinned")


def _pinned() -> list[tuple[str, str]]:
    """Name and version of each package that this kind of machine has to have."""
    lines = _REQUIREMENTS.read_text().splitlines() if _REQUIREMENTS.exists() else []
    wanted = [Requirement(line) for line in lines if line.strip() and not line.startswith("#")]
    return [
        (one.name, pin.version)
        for one in wanted
        for pin in one.specifier
        if one.marker is None or one.marker.evaluate()
    ]


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _libraries() -> str:
    check_system_libraries()
    return "OpenCV loads"


def _pack(settings: Settings) -> str:
    from ray_backend import bootstrap
    from ray_backend.services.pinned import check_pack
    from ray_backend.vision import bfloat16

    store = bootstrap.open_store(settings)
    try:
        pack = bootstrap.build_faces(settings, bootstrap.find_pack(settings, store)).pack
        check_pack(store, pack)
    finally:
        store.close()
    fast = settings.inference == "fast" and bfloat16.is_quicker()
    reckons = "bfloat16, in half the time" if fast else "float32"
    return f"{pack.pack_id}: {pack.origin} Licence: {pack.licence} Embeds in {reckons}."


def _database(settings: Settings) -> str:
    from ray_backend import bootstrap
    from ray_backend.domain.queries import PeopleQuery

    store = bootstrap.open_store(settings)
    try:
        store.ping()
        return f"{settings.store.split('://')[0]}, {store.list_people(PeopleQuery(limit=1)).total} people"
    finally:
        store.close()


def _held_up(settings: Settings) -> str:
    """By the settings in force: those of the app count more than the environment's."""
    from ray_backend import bootstrap
    from ray_backend.domain.site import from_environment
    from ray_backend.services import site

    store = bootstrap.open_store(settings)
    try:
        current = site.over_defaults(from_environment(settings), store.get_setting(site.KEY))
    finally:
        store.close()
    in_force = {"liveness": current.liveness, "liveness_way": current.liveness_way}
    return liveness_words(settings.model_copy(update=in_force))


def _port(settings: Settings, address: str, port: int, setting: str) -> Finding:
    if not port:
        return Finding(True, setting, "off")
    if runfile.running_address(settings.data_dir):
        return Finding(True, f"port {port}", "Rollcall is running")
    if port_is_free(address, port):
        return Finding(True, f"port {port}", "free")
    advice = f"Stop the program that uses it, or choose another port with {setting}."
    return Finding(False, f"port {port}", "in use", advice)


def _camera(settings: Settings) -> Finding:
    if settings.address in {"localhost", "127.0.0.1", "::1"}:
        return Finding(True, "camera", "allowed by browsers on this machine")
    advice = "Browsers give a camera to https or localhost only: put a TLS proxy in front for other machines."
    return Finding(True, "camera", f"address {settings.address}", advice)
