"""Which machine is meant, whether the cluster can do without it, and what is told of all of them."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from rich.console import Console

from ray_backend import cluster_report
from ray_backend.domain.cluster import ClusterStatus, GalleryStatus, Node, Part, PartState, PoolStatus, Queue
from ray_backend.domain.errors import InvalidInput, NotFound
from ray_backend.serving.cluster_view import pick, require_others, summed_up

HEAD = Node("aa11", "desk-1", "10.0.0.5", True, False, {"CPU": 4, "rollcall_records": 1, "rollcall_faces": 4})
WORKER = Node("ab22", "desk-2", "10.0.0.6", True, False, {"CPU": 8, "GPU": 1, "rollcall_faces": 8})
GONE = Node("ac33", "desk-3", "10.0.0.7", False, False, {})
NODES = (HEAD, WORKER, GONE)
STATUS = ClusterStatus(
    datetime(2026, 3, 2, 8, tzinfo=UTC),
    NODES,
    PoolStatus(1, 12, 12, 2, (Part("FaceEmbeddingActor-0", "x", PartState.READY, "ab22", 7),)),
    (Part("DatabaseActor", "y", PartState.AWAY, "aa11", 8),),
    (Queue("API", 3, 4),),
    (GalleryStatus("DatabaseActor", 10, 2),),
    5,
)


@pytest.mark.parametrize("name", ["desk-2", "10.0.0.6", "ab", "ab22"])
def test_a_machine_is_found_by_name_address_or_the_beginning_of_its_id(name):
    assert pick(NODES, name) is WORKER


@pytest.mark.parametrize("name", ["desk-3", "nobody"])
def test_one_that_is_gone_or_unknown_is_not_found_and_the_others_are_named(name):
    with pytest.raises(NotFound, match=r"aa11 \(desk-1, 10.0.0.5\)"):
        pick(NODES, name)


def test_two_of_one_name_have_to_be_told_apart():
    with pytest.raises(InvalidInput, match=r"aa11.*ab22"):
        pick(NODES, "a")


def test_the_head_is_not_drained():
    with pytest.raises(InvalidInput, match="desk-1 is the head"):
        require_others(NODES, HEAD)


def test_the_last_machine_that_finds_faces_is_not_drained():
    require_others(NODES, WORKER)
    bare = replace(HEAD, resources={"rollcall_records": 1})
    with pytest.raises(InvalidInput, match="Start another worker first"):
        require_others((bare, WORKER, replace(WORKER, node_id="ad44", draining=True)), WORKER)


def test_programs_get_all_of_it():
    found = json.loads(json.dumps(cluster_report.as_json(STATUS)))
    assert found["at"] == "2026-03-02T08:00:00+00:00"
    assert [node["host"] for node in found["nodes"]] == ["desk-1", "desk-2", "desk-3"]
    assert found["pool"]["parts"][0]["state"] == "ready"


def shown(status: ClusterStatus) -> str:
    console = Console(width=200, file=io.StringIO())
    cluster_report.show(status, console)
    return console.file.getvalue()


def test_people_read_it_in_words():
    text = shown(STATUS)
    for words in (
        "desk-3",
        "gone",
        "FaceEmbeddingActors: 1 ready, 2 wanted, between 1 and 12; there is room for 12.",
        "Queue of API: 3 wait, 4 are under way.",
        "Gallery in DatabaseActor: 10 templates, version 2.",
        "5 punches wait for the database.",
    ):
        assert words in text
    assert "The DatabaseActor does not answer" in shown(replace(STATUS, journal=None))


def test_the_api_tells_sums():
    assert summed_up(STATUS) == {
        "nodes": 2,
        "draining": 0,
        "cpus": 12,
        "gpus": 1,
        "pool": {"ready": 1, "wanted": 2, "fewest": 1, "most": 12, "room": 12},
        "actors": {"DatabaseActor": "away", "FaceEmbeddingActor-0": "ready"},
    }
