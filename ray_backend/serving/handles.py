"""Handles to the actors: the one place that gets them, calls them and turns Ray's errors into ours."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import ray
from ray.exceptions import RayError, RayTaskError
from ray.util import list_named_actors

from ray_backend.domain.errors import BackendUnavailable
from ray_backend.domain.permissions import SYSTEM, Caller
from ray_backend.observing import origin
from ray_backend.services.report_records import REPORTS
from ray_backend.serving.connection import Connection
from ray_backend.serving.names import CLUSTER_ACTOR, DATABASE_ACTOR, FACE_ACTOR, NAMESPACE, REPORT_ACTOR
from ray_backend.settings import Settings

# Repeating these changes nothing, so a call that died with its actor is sent again. A check-in is among
# them because its idempotency key makes the database accept it once.
_REPEATABLE = frozenset(
    {
        "check_ins.check_in",
        "check_ins.punch_recognised",
        "check_ins.punch_by_code",
        "check_ins.dispute",
        "check_ins.note",
        "check_ins.look_alikes",
        "check_ins.recognise",
        "check_ins.find_similar",
        "enrolments.review",
        "enrolments.check",
        "people.find",
        "people.find_rows",
        "people.details",
        "people.by_employee_id",
        "people.departments",
        "merges.preview",
        "merges.merged",
        "timesheets.sheet",
        "timesheets.inside",
        "report_files.state",
        "report_files.take",
        "rule_trials.changes",
        "rules.current",
        "rules.version",
        "rules.checked",
        "corrections.find",
        "corrections.get",
        "corrections.punch",
        "corrections.attachment",
        "leave.between",
        "leave.get",
        "reports.today",
        "reports.recent_punches",
        "punch_trails.stories",
        "punch_trails.trail",
        "kiosk_figures.figures",
        "report_files.make",
        "saved_filters.usable",
        "exports.ways",
        "exports.all",
        "exports.get",
        "exports.runs",
        "access.verify_token",
        "access.verify_key",
        "access.api_keys",
        "access.tokens",
        "accounts.everybody",
        "audit_log.export",
        "audit_log.find",
        "sign_ins.own_account",
        "sign_ins.sign_out",
        "sign_ins.who",
        "person_file.read",
        "certificates.all",
        "certificates.find",
        "certificates.check",
        "certificates.public_key",
        "overview.overview",
        "overview.journal_depth",
        "overview.ready",
        "overview.state",
        "calibration.start",
        "calibration.state",
        "groups.record_present",
        "unknown.cards",
        "unknown.faces",
        "imports.known",
        "imports.end_rehearsal",
        "imports.take",
        "cluster.status",
        "cluster.history",
        "beside.current",
        "beside.state",
        "beside.missing",
        "beside.sources",
        "beside.add",
        "beside.recognise",
        "site.current",
        "site.defaults",
        "site.changed_names",
        "site.has_liveness_models",
        "site.change",
        "site.reset",
        "site.consent_text",
        "retention.due",
        "retention.last",
        "retention.sweep",
        "webhooks.hooks",
        "webhooks.messages",
        "shift_feeds.calendar",
        "shift_feeds.by_secret",
    }
)
_known: dict[str, Any] = {}
_connection = Connection(lost=_known.clear)
# A month of many thousand people takes its time.
REPORT_TIMEOUT_S = 600.0
AWAY = "The recognition service does not answer. It restarts by itself; try again in a few seconds."


def connect(settings: Settings) -> None:
    """Joins the Ray cluster at `settings.ray_address`. Raises BackendUnavailable."""
    _connection.join(settings.ray_address)


def get_handle(name: str):
    """The named actor. Raises BackendUnavailable.

    Asking Ray costs a round trip, so handles are kept; they stay good when an actor restarts.
    """
    _connection.require()
    if name not in _known:
        try:
            _known[name] = ray.get_actor(name, namespace=NAMESPACE)
        except (ValueError, RayError, ConnectionError) as error:
            raise BackendUnavailable(AWAY) from error
    return _known[name]


def actor_id(name: str) -> str:
    """The id of the named actor, which it keeps when it restarts. Raises BackendUnavailable."""
    return get_handle(name)._actor_id.hex()


def forget_handle(name: str) -> None:
    """Asks Ray for this actor again at the next call."""
    _known.pop(name, None)


def forget_handles() -> None:
    """Asks Ray again at the next call: an actor was replaced by another one of its name."""
    _known.clear()


@contextmanager
def our_errors() -> Iterator[None]:
    """Raises what an actor raised as the actor raised it, and what Ray raises as BackendUnavailable.

    Outside the cluster sending a call can fail like its answer.
    """
    try:
        yield
    except RayTaskError as error:
        cause = error.cause
        # What one actor waited for from another one that failed comes wrapped twice.
        while isinstance(cause, RayTaskError):
            cause = cause.cause
        if isinstance(cause, RayError):
            forget_handles()
            raise BackendUnavailable(AWAY) from error
        raise cause from None
    except (RayError, TimeoutError, ConnectionError) as error:
        forget_handles()
        raise BackendUnavailable(AWAY) from error


def result(reference, timeout_s: float) -> Any:
    """Waits for a call. Raises what the actor raised, or BackendUnavailable."""
    with our_errors():
        return ray.get(reference, timeout=timeout_s)


async def async_result(reference, timeout_s: float) -> Any:
    """As `result`, without holding up the event loop."""
    with our_errors():
        return await asyncio.wait_for(reference, timeout_s)


def use_case(service: str, method: str, caller: Caller = SYSTEM) -> Callable[[tuple, dict], Any]:
    """A use case of the DatabaseActor: called with args and kwargs it returns the call's reference."""
    retries = -1 if f"{service}.{method}" in _REPEATABLE else 0
    remote = get_handle(DATABASE_ACTOR).call.options(max_task_retries=retries)
    return lambda args, kwargs: remote.remote(_with_origin(caller), service, method, args, kwargs)


def _with_origin(caller: Caller) -> Caller:
    carried = origin.carried()
    return replace(caller, origin=carried) if carried else caller


class RemoteRecords:
    """Stands for `bootstrap.Records`, whose services run in the DatabaseActor, behind the gate there."""

    def __init__(self, timeout_s: float) -> None:
        self._timeout_s = timeout_s
        self.store = _RemoteStore()

    def start_retention(self) -> None:
        """Nothing to start: the DatabaseActor does that by itself."""

    @our_errors()
    def call(self, caller: Caller, service: str, method: str, args: tuple, kwargs: dict) -> Any:
        """See `Gate.call`. Raises BackendUnavailable besides."""
        if service == "cluster":
            return self._cluster(caller, method)
        if service in REPORTS and REPORT_ACTOR in actor_names():
            return self._report(caller, service, method, args, kwargs)
        return result(use_case(service, method, caller)(args, kwargs), self._timeout_s)

    def _report(self, caller: Caller, service: str, method: str, args: tuple, kwargs: dict) -> Any:
        """From the actor that makes reports, once the one that keeps sessions has said who is asking."""
        caller = self._present(caller, service, method)
        remote = get_handle(REPORT_ACTOR).call.options(max_task_retries=-1)
        return result(remote.remote(caller, service, method, args, kwargs), REPORT_TIMEOUT_S)

    def _cluster(self, caller: Caller, method: str) -> Any:
        """From the ClusterActor, for whom the gate lets ask it."""
        self._present(caller, "cluster", method)
        return result(getattr(get_handle(CLUSTER_ACTOR), method).remote(), self._timeout_s)

    def _present(self, caller: Caller, service: str, method: str) -> Caller:
        asked = get_handle(DATABASE_ACTOR).present.options(max_task_retries=-1)
        return result(asked.remote(_with_origin(caller), service, method), self._timeout_s)


class _RemoteStore:
    def close(self) -> None:
        """Nothing to let go of: the actor owns the store."""


@our_errors()
def actor_names() -> list[str]:
    """The names of all of Rollcall's actors on this cluster."""
    _connection.require()
    actors = list_named_actors(all_namespaces=True)
    return sorted(actor["name"] for actor in actors if actor["namespace"] == NAMESPACE)


def face_actor_names() -> list[str]:
    """The names of all FaceEmbeddingActors of this cluster."""
    return [name for name in actor_names() if name.startswith(FACE_ACTOR)]
