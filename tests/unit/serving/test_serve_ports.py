"""Two Rollcalls on one machine never share a port behind their APIs."""

from __future__ import annotations

import socket
import subprocess
import sys

from ray_backend.serving.serve_ports import claim_ports


def ports(block) -> set[int]:
    numbers = {name: int(port) for name, port in block.environment.items()}
    replicas = range(
        numbers.pop("RAY_SERVE_DIRECT_INGRESS_MIN_HTTP_PORT"),
        numbers.pop("RAY_SERVE_DIRECT_INGRESS_MAX_HTTP_PORT"),
    )
    grpc = range(
        numbers.pop("RAY_SERVE_DIRECT_INGRESS_MIN_GRPC_PORT"),
        numbers.pop("RAY_SERVE_DIRECT_INGRESS_MAX_GRPC_PORT"),
    )
    assert len(replicas) == len(grpc) == 26
    assert len(numbers) == 4
    return {*replicas, *grpc, *numbers.values()}


def test_the_same_api_port_claimed_twice_gives_ports_apart():
    first, second = claim_ports(8000), claim_ports(8000)
    assert len(ports(first)) == 56
    assert not ports(first) & ports(second)


def test_neighbours_are_apart():
    assert not ports(claim_ports(8100)) & ports(claim_ports(8101))


def test_another_process_keeps_its_block_and_gives_it_back_when_it_ends():
    code = (
        "from ray_backend.serving.serve_ports import claim_ports\n"
        "print(claim_ports(8200).first, flush=True)\ninput()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        theirs = int(other.stdout.readline())
        while_it_runs = claim_ports(8200).first
        other.communicate("\n")
    assert while_it_runs != theirs
    assert claim_ports(8200).first == theirs


def test_a_port_that_somebody_shares_counts_as_used():
    """As Ray's own proxy opens its port: for everybody who does the same."""
    expected = claim_ports(8300)
    fallback = int(expected.environment["RAY_SERVE_FALLBACK_PROXY_HTTP_PORT"]) + 32
    with socket.socket() as shared:
        shared.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        shared.bind(("127.0.0.1", fallback))
        shared.listen(1)
        assert fallback not in ports(claim_ports(8300))
