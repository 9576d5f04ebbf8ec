"""What `ray start` is told for a head and a worker, and which ports have to be free for that."""

from __future__ import annotations

import json
import socket

import pytest

from ray_backend.domain.errors import InvalidInput
from ray_backend.serving.node_plans import (
    HeadPlan,
    HeadWishes,
    NodeWishes,
    WorkerPlan,
    head_address,
    joined,
    plan_node,
)
from ray_backend.settings import Settings


def option(arguments: list[str], name: str) -> str:
    return arguments[arguments.index(name) + 1]


def test_the_head_has_the_records_and_as_many_places_as_cores():
    told = HeadPlan(plan_node(NodeWishes(), "10.0.0.5", 4), HeadWishes()).arguments()
    assert "--head" in told
    assert json.loads(option(told, "--resources")) == {"rollcall_records": 1, "rollcall_faces": 4}
    assert option(told, "--node-ip-address") == "10.0.0.5"
    assert option(told, "--dashboard-host") == "127.0.0.1"
    ports = {name: option(told, name) for name in ("--port", "--ray-client-server-port", "--dashboard-port")}
    assert ports == {"--port": "6379", "--ray-client-server-port": "10001", "--dashboard-port": "8265"}


def test_a_worker_has_places_alone():
    told = WorkerPlan(plan_node(NodeWishes(), "10.0.0.6", 8), "10.0.0.5:6379").arguments()
    assert option(told, "--address") == "10.0.0.5:6379"
    assert json.loads(option(told, "--resources")) == {"rollcall_faces": 8}
    assert "--head" not in told


@pytest.mark.parametrize("faces", [0, 3])
def test_what_is_wished_counts_more_than_the_cores(faces):
    assert plan_node(NodeWishes(faces=faces), "10.0.0.6", 8).faces == faces


def test_the_ports_of_a_machine_follow_each_other_so_that_a_firewall_can_name_them():
    node = plan_node(NodeWishes(first_port=7000), "10.0.0.6", 1)
    told = node.arguments()
    assert node.ports == (7000, 7001, 7002, 7003, 7004)
    assert option(told, "--node-manager-port") == "7000"
    assert option(told, "--metrics-export-port") == "8080"


def test_zero_is_any_free_port():
    node = plan_node(NodeWishes(first_port=0, metrics_port=0), "10.0.0.6", 1)
    assert len({*node.ports, node.metrics_port}) == 6
    for port in (*node.ports, node.metrics_port):
        with socket.create_server(("127.0.0.1", port)):
            pass


def test_each_port_that_has_to_be_free_says_what_changes_it():
    head = HeadPlan(plan_node(NodeWishes(), "10.0.0.5", 1), HeadWishes())
    wanted = {port: what for port, (_, what) in head.wanted_ports(Settings(api_port=8000)).items()}
    assert wanted == {
        6379: "--port",
        **dict.fromkeys(range(6380, 6385), "--first-port"),
        8000: "ROLLCALL_API_PORT",
        8080: "--metrics-port",
        8265: "--dashboard-port",
        10001: "--client-port",
    }
    assert 8000 not in head.wanted_ports(Settings(api_port=0))


@pytest.mark.parametrize("text", ["10.0.0.5:6379", " head:6379 ", "[::1]:6379"])
def test_the_address_of_a_head_is_taken(text):
    assert head_address(text) == text.strip()


@pytest.mark.parametrize("text", ["", "10.0.0.5", "6379", ":6379", "head:port"])
def test_what_is_no_address_of_a_head_is_refused_with_an_example(text):
    with pytest.raises(InvalidInput, match=r"10\.0\.0\.5:6379"):
        head_address(text)


def test_an_address_of_the_sixth_version_stands_in_brackets():
    assert joined("10.0.0.5", 1) == "10.0.0.5:1"
    assert joined("fe80::1", 1) == "[fe80::1]:1"
