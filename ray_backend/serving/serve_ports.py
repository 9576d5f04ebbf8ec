"""Ports of this machine that belong to one Rollcall alone.

Behind the API's port Ray Serve opens others: one for each replica, and one of a proxy of its own that
answers while no replica does. Ray's defaults for these are the same for everybody, and that proxy shares
its port with whoever opens it, too: while one Rollcall's replica was away, another one answered its requests.
"""

from __future__ import annotations

import socket
from dataclasses import dataclass

# Below the ports that systems hand out by themselves, above those that Ray gives to its workers.
_FIRST, _SIZE, _BLOCKS = 20_000, 32, 300
_REPLICAS = 26
_GRPC_REPLICAS = 40_000 - _FIRST
# Held for as long as this process lives.
_locks: list[socket.socket] = []


@dataclass(frozen=True, slots=True)
class PortBlock:
    """Ports side by side from `first` on."""

    first: int

    @property
    def environment(self) -> dict[str, str]:
        """What Ray Serve has to find in its environment to keep to these."""
        end = self.first + _REPLICAS
        grpc = self.first + _GRPC_REPLICAS
        ports = {
            "RAY_SERVE_DIRECT_INGRESS_MIN_HTTP_PORT": self.first,
            "RAY_SERVE_DIRECT_INGRESS_MAX_HTTP_PORT": end,
            "RAY_SERVE_DIRECT_INGRESS_MIN_GRPC_PORT": grpc,
            "RAY_SERVE_DIRECT_INGRESS_MAX_GRPC_PORT": grpc + _REPLICAS,
            "RAY_SERVE_HAPROXY_METRICS_PORT": end,
            "RAY_SERVE_HAPROXY_STATS_PORT": end + 1,
            "RAY_SERVE_FALLBACK_PROXY_HTTP_PORT": end + 2,
            "RAY_SERVE_FALLBACK_PROXY_GRPC_PORT": end + 3,
        }
        return {name: str(port) for name, port in ports.items()}

    def claim(self) -> bool:
        """Takes the block for this process, unless another one has it or uses a port of it."""
        lock = socket.socket()
        try:
            lock.bind(("127.0.0.1", self.first + _SIZE - 1))
            lock.listen(1)
        except OSError:
            lock.close()
            return False
        if not all(_is_free(port) for port in range(self.first, self.first + _SIZE - 1)):
            lock.close()
            return False
        _locks.append(lock)
        return True


def claim_ports(api_port: int) -> PortBlock:
    """A block that nobody else uses, the same one for the same port wherever that is possible.

    Where all are taken it is that one nevertheless: Ray then says which port it cannot have.
    """
    blocks = [PortBlock(_FIRST + (api_port + step) % _BLOCKS * _SIZE) for step in range(_BLOCKS)]
    return next((block for block in blocks if block.claim()), blocks[0])


def _is_free(port: int) -> bool:
    """Whether nobody listens there, at whatever address."""
    with socket.socket() as probe:
        try:
            probe.bind(("", port))
        except OSError:
            return False
    return True
