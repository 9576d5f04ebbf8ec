"""A process's figures at one moment, small enough to be sent every few seconds; many of them as one text."""

from __future__ import annotations

import socket
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import Metric
from prometheus_client.registry import Collector
from prometheus_client.samples import Sample

_CREATED = "_created"  # when each counter began: half as much again, which nobody asks for


class Figure(NamedTuple):
    """One number under its name and labels; `family` is the metric that it belongs to."""

    name: str
    labels: dict[str, str]
    value: float


class Family(NamedTuple):
    """A metric: what it is called, what it means, and its kind in Prometheus' words."""

    name: str
    meaning: str
    kind: str
    figures: tuple[Figure, ...]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All figures of one process. `process` is its name in the site, `node` the machine's name."""

    process: str
    node: str
    families: tuple[Family, ...]

    def figures(self, name: str) -> list[Figure]:
        """The figures of this full name, such as `rollcall_batches_total`."""
        return [one for family in self.families for one in family.figures if one.name == name]


def snapshot(process: str, *registries: CollectorRegistry | Collector) -> Snapshot:
    """What these registries or collectors say now. Metrics without any figure are left out."""
    families = tuple(
        Family(metric.name, metric.documentation, metric.type, figures)
        for registry in registries
        for metric in registry.collect()
        if (figures := _figures(metric))
    )
    return Snapshot(process, socket.gethostname(), families)


def _figures(metric: Metric) -> tuple[Figure, ...]:
    return tuple(
        Figure(sample.name, sample.labels, sample.value)
        for sample in metric.samples
        if not sample.name.endswith(_CREATED)
    )


def exposition(snapshots: Iterable[Snapshot]) -> bytes:
    """All of them in Prometheus' text format. Labels say which process and node each figure is of."""
    return generate_latest(_Union(snapshots))


class _Union:
    """Looks like a registry."""

    def __init__(self, snapshots: Iterable[Snapshot]) -> None:
        self._snapshots = snapshots

    def collect(self) -> Iterable[Metric]:
        together: dict[str, Metric] = {}
        for one in self._snapshots:
            whose = {"process": one.process, "node": one.node}
            for name, meaning, kind, figures in one.families:
                metric = together.get(name)
                if metric is None:
                    metric = together[name] = Metric(name, meaning, kind)
                metric.samples += [_sample(figure, whose) for figure in figures]
        return together.values()


def _sample(figure: Figure, whose: Mapping[str, str]) -> Sample:
    return Sample(figure.name, {**figure.labels, **whose}, figure.value)
