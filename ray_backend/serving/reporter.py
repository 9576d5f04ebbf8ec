"""Hands the figures of a process that is no actor, such as the web app's, to the ClusterActor."""

from __future__ import annotations

import logging
import threading

from prometheus_client import CollectorRegistry

from ray_backend.domain.errors import BackendUnavailable
from ray_backend.observing.meters import REGISTRY
from ray_backend.observing.snapshots import Snapshot, exposition, snapshot
from ray_backend.serving import handles
from ray_backend.serving.names import CLUSTER_ACTOR

log = logging.getLogger(__name__)

_EVERY_S = 5.0
_ANSWERS_S = 3.0


class Reporter:
    """`process` is this process's name in the figures; `more` are registries besides its own."""

    def __init__(self, process: str, *more: CollectorRegistry) -> None:
        self._process = process
        self._registries = (REGISTRY, *more)

    def start(self) -> None:
        """Reports every few seconds from now on, in a thread that ends with the process."""
        threading.Thread(target=self._go_on, daemon=True, name="reporter").start()

    def report(self) -> None:
        """Once. Raises BackendUnavailable."""
        with handles.our_errors():
            call = handles.get_handle(CLUSTER_ACTOR).take_figures.remote(self._snapshot())
            handles.result(call, _ANSWERS_S)

    def exposition(self) -> bytes:
        """The figures of the whole site; of this process alone while the ClusterActor does not answer."""
        own = self._snapshot()
        try:
            return handles.result(handles.get_handle(CLUSTER_ACTOR).exposition.remote(own), _ANSWERS_S)
        except BackendUnavailable:
            return exposition([own])

    def _snapshot(self) -> Snapshot:
        return snapshot(self._process, *self._registries)

    def _go_on(self) -> None:
        tick = threading.Event()
        while not tick.wait(_EVERY_S):
            try:
                self.report()
            except BackendUnavailable:
                continue  # it starts again by itself; what is counted here is not lost
            except Exception:
                # Without this thread the process would be missing in the figures for good.
                log.exception("the figures could not be handed over; it is tried again")
