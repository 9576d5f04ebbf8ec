"""What is wrong with a cluster, as an operator would put it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from ray_backend.domain.cluster import ClusterStatus, Part, PartState
from ray_backend.domain.figures import Moment

# Whoever stands at a kiosk is to be recognised within a second.
SLOW_S = 1.0
_LATELY = timedelta(minutes=1)


class Trouble(StrEnum):
    """The kinds of trouble, the worst first."""

    NOBODY_RECOGNISED = "nobody_recognised"
    RECORDS_AWAY = "records_away"
    JOURNAL = "journal"
    PART_AWAY = "part_away"
    MACHINE_GONE = "machine_gone"
    TOO_FEW = "too_few"
    REFUSED = "refused"
    SLOW = "slow"
    DRAINING = "draining"


@dataclass(frozen=True, slots=True)
class Complaint:
    """One thing that is wrong. `name` is the machine or part, `number` how many or how much of it."""

    trouble: Trouble
    name: str = ""
    number: float = 0.0

    @property
    def urgent(self) -> bool:
        """Whether people at kiosks feel it, or a punch waits on one disk only."""
        return self.trouble in (Trouble.NOBODY_RECOGNISED, Trouble.RECORDS_AWAY, Trouble.JOURNAL)


def complaints(status: ClusterStatus, moments: Sequence[Moment]) -> list[Complaint]:
    """Everything that is wrong at this moment, the worst first; empty: all is well."""
    order = list(Trouble)
    found = [*_of_parts(status), *_of_nodes(status), *_of_load(status.at, moments)]
    return sorted(found, key=lambda one: order.index(one.trouble))


def lately(at: datetime, moments: Iterable[Moment]) -> list[Moment]:
    """Those of the last minute before `at`."""
    return [moment for moment in moments if moment.at > at - _LATELY]


def _of_parts(status: ClusterStatus) -> Iterator[Complaint]:
    ready = sum(part.state is PartState.READY for part in status.pool.parts)
    if not ready:
        yield Complaint(Trouble.NOBODY_RECOGNISED)
    elif ready < status.pool.wanted:
        yield Complaint(Trouble.TOO_FEW, number=status.pool.wanted - ready)
    if status.journal is None:
        yield Complaint(Trouble.RECORDS_AWAY)
    elif status.journal:
        yield Complaint(Trouble.JOURNAL, number=status.journal)
    yield from (Complaint(Trouble.PART_AWAY, part.name) for part in status.others if _is_away(part))


def _is_away(part: Part) -> bool:
    return part.state is PartState.AWAY


def _of_nodes(status: ClusterStatus) -> Iterator[Complaint]:
    here = {node.host for node in status.nodes if node.alive}
    for host in sorted({node.host for node in status.nodes} - here):
        yield Complaint(Trouble.MACHINE_GONE, host)
    for node in status.nodes:
        if node.alive and node.draining:
            yield Complaint(Trouble.DRAINING, node.host)


def _of_load(at: datetime, moments: Sequence[Moment]) -> Iterator[Complaint]:
    recent = lately(at, moments)
    refused = sum(moment.refused for moment in recent)
    if refused:
        yield Complaint(Trouble.REFUSED, number=refused / len(recent))
    times = [moment.p95_s for moment in recent if moment.p95_s is not None]
    if times and sorted(times)[len(times) // 2] > SLOW_S:
        yield Complaint(Trouble.SLOW, number=sorted(times)[len(times) // 2])
