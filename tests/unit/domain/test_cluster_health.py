"""What is wrong with a cluster."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from ray_backend.domain.cluster import ClusterStatus, Node, Part, PartState, PoolStatus
from ray_backend.domain.cluster_health import Complaint, Trouble, complaints
from ray_backend.domain.figures import Moment

NOW = datetime(2026, 3, 2, 8, tzinfo=UTC)
HEAD = Node("n1", "head", "10.0.0.1", True, False, {"CPU": 2})
WORKER = Node("n2", "worker", "10.0.0.2", True, False, {"CPU": 4})
FACES = tuple(Part(f"FaceEmbeddingActor-{n}", f"a{n}", PartState.READY, "n2", 10 + n) for n in range(2))
RECORDS = Part("DatabaseActor", "d", PartState.READY, "n1", 5)
WELL = ClusterStatus(NOW, (HEAD, WORKER), PoolStatus(2, 2, 2, 2, FACES), (RECORDS,), journal=0)


def moment(seconds_ago: float, **changes) -> Moment:
    quiet = Moment(NOW - timedelta(seconds=seconds_ago), 3.0, 0.1, 0.2, {"match": 3.0}, 0, 0.0)
    return replace(quiet, **changes)


def troubles(status: ClusterStatus, *moments: Moment) -> list[Trouble]:
    return [one.trouble for one in complaints(status, moments)]


def with_faces(*parts: Part) -> ClusterStatus:
    return replace(WELL, pool=replace(WELL.pool, parts=parts))


def test_nothing_is_wrong_where_all_is_well():
    assert complaints(WELL, [moment(5)]) == []


def test_without_a_part_that_looks_at_faces_nobody_is_recognised_and_that_is_urgent():
    away = [replace(part, state=PartState.AWAY) for part in FACES]
    (found,) = complaints(with_faces(*away), [])
    assert found == Complaint(Trouble.NOBODY_RECOGNISED)
    assert found.urgent


def test_one_of_two_makes_it_slower_only():
    (found,) = complaints(with_faces(FACES[0]), [])
    assert (found.trouble, found.number, found.urgent) == (Trouble.TOO_FEW, 1, False)


def test_punches_that_wait_are_counted_and_a_database_actor_that_is_away_is_told():
    assert complaints(replace(WELL, journal=7), []) == [Complaint(Trouble.JOURNAL, number=7)]
    away = replace(WELL, journal=None, others=(replace(RECORDS, state=PartState.AWAY),))
    assert troubles(away) == [Trouble.RECORDS_AWAY, Trouble.PART_AWAY]


def test_a_machine_that_came_back_is_not_missed():
    gone = replace(WORKER, alive=False)
    assert troubles(replace(WELL, nodes=(HEAD, gone))) == [Trouble.MACHINE_GONE]
    back = replace(WORKER, node_id="n3")
    assert troubles(replace(WELL, nodes=(HEAD, gone, back))) == []
    assert troubles(replace(WELL, nodes=(HEAD, replace(WORKER, draining=True)))) == [Trouble.DRAINING]


def test_load_counts_for_a_minute():
    assert troubles(WELL, moment(5, refused=2.0), moment(10)) == [Trouble.REFUSED]
    assert troubles(WELL, moment(61, refused=2.0)) == []
    assert complaints(WELL, [moment(5, p95_s=1.6), moment(10, p95_s=1.4)]) == [
        Complaint(Trouble.SLOW, number=1.6)
    ]
    assert troubles(WELL, moment(5, p95_s=None)) == []


def test_the_worst_comes_first():
    bad = replace(with_faces(), journal=3, nodes=(replace(HEAD, draining=True),))
    assert troubles(bad, moment(5, refused=1.0)) == [
        Trouble.NOBODY_RECOGNISED,
        Trouble.JOURNAL,
        Trouble.REFUSED,
        Trouble.DRAINING,
    ]
