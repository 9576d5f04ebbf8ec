"""How a machine takes part in a cluster: what is wished of it, and what `ray start` is told."""

from __future__ import annotations

import json
import socket
from dataclasses import dataclass

from ray_backend.domain.errors import InvalidInput
from ray_backend.serving.names import FACES_RESOURCE, RECORDS_RESOURCE
from ray_backend.settings import Settings

# Pictures pass through quickly; Ray's default would take a third of the machine's memory.
_OBJECT_STORE_BYTES = 256 * 1024 * 1024
# What Ray wants ports for on each machine besides the cluster's own, in the order in which they are given.
_NODE_PORTS = (
    "--node-manager-port",
    "--object-manager-port",
    "--runtime-env-agent-port",
    "--dashboard-agent-grpc-port",
    "--dashboard-agent-listen-port",
)
_EVERY_ADDRESS = "0.0.0.0"

# Ports that have to be free, each with its address and what changes it; see `check_machine`.
Ports = dict[int, tuple[str, str]]


@dataclass(frozen=True, slots=True)
class NodeWishes:
    """What the command was told of a machine; see its help. `faces` is None for as many as it has cores;
    `first_port` and `metrics_port` are 0 for any free ones."""

    address: str = ""
    faces: int | None = None
    first_port: int = 6380
    metrics_port: int = 8080


@dataclass(frozen=True, slots=True)
class HeadWishes:
    """What the command was told of the head, besides."""

    port: int = 6379
    client_port: int = 10001
    dashboard_address: str = "127.0.0.1"
    dashboard_port: int = 8265


@dataclass(frozen=True, slots=True)
class NodePlan:
    """A machine of a cluster. `address` is what the others reach it by, `faces` how many
    FaceEmbeddingActors it takes, `ports` those of `_NODE_PORTS`, `metrics_port` that of Ray's own figures."""

    address: str
    faces: int
    ports: tuple[int, ...]
    metrics_port: int

    @property
    def answers_at(self) -> str:
        """`host:port` where Ray on this machine answers once it has started."""
        return joined(self.address, self.ports[0])

    def arguments(self) -> list[str]:
        """What `ray start` is told for every kind of node."""
        given = ["--node-ip-address", self.address, "--metrics-export-port", str(self.metrics_port)]
        given += ["--object-store-memory", str(_OBJECT_STORE_BYTES), "--disable-usage-stats", "--block"]
        # It reads the logs of all processes ten times a second, for drivers that want to see them.
        given += ["--include-log-monitor", "false"]
        for option, port in zip(_NODE_PORTS, self.ports, strict=True):
            given += [option, str(port)]
        return given

    def wanted_ports(self) -> Ports:
        """All that have to be free."""
        wanted = dict.fromkeys(self.ports, (_EVERY_ADDRESS, "--first-port"))
        return wanted | {self.metrics_port: (_EVERY_ADDRESS, "--metrics-port")}


@dataclass(frozen=True, slots=True)
class HeadPlan:
    """The head of a cluster: others join at its port, programs outside the cluster at its client port."""

    node: NodePlan
    head: HeadWishes

    @property
    def address(self) -> str:
        """`host:port` that the others join."""
        return joined(self.node.address, self.head.port)

    def arguments(self) -> list[str]:
        """What `ray start` is told."""
        head, resources = self.head, {RECORDS_RESOURCE: 1, FACES_RESOURCE: self.node.faces}
        return [
            *("--head", "--port", str(head.port), "--ray-client-server-port", str(head.client_port)),
            *("--include-dashboard", "true", "--dashboard-host", head.dashboard_address),
            *("--dashboard-port", str(head.dashboard_port), "--resources", json.dumps(resources)),
            *self.node.arguments(),
        ]

    def wanted_ports(self, settings: Settings) -> Ports:
        """All that have to be free, the API's too."""
        wanted = self.node.wanted_ports()
        if settings.api_port:
            wanted[settings.api_port] = (settings.api_address, "ROLLCALL_API_PORT")
        wanted[self.head.port] = (_EVERY_ADDRESS, "--port")
        wanted[self.head.client_port] = (_EVERY_ADDRESS, "--client-port")
        wanted[self.head.dashboard_port] = (self.head.dashboard_address, "--dashboard-port")
        return wanted


@dataclass(frozen=True, slots=True)
class WorkerPlan:
    """A worker of the cluster whose head answers at `head`, as `host:port`."""

    node: NodePlan
    head: str

    def arguments(self) -> list[str]:
        """What `ray start` is told."""
        resources = {FACES_RESOURCE: self.node.faces}
        return ["--address", self.head, "--resources", json.dumps(resources), *self.node.arguments()]


def plan_node(wishes: NodeWishes, address: str, faces: int) -> NodePlan:
    """`address` is this machine's, `faces` counts where nothing else is wished."""
    count = len(_NODE_PORTS)
    first = wishes.first_port
    ports = tuple(range(first, first + count)) if first else free_ports(count)
    (metrics_port,) = (wishes.metrics_port,) if wishes.metrics_port else free_ports(1)
    return NodePlan(address, faces if wishes.faces is None else wishes.faces, ports, metrics_port)


def head_address(text: str) -> str:
    """`host:port` as somebody typed it. Raises InvalidInput."""
    text = text.strip().removeprefix("ray://")
    host, _, port = text.rpartition(":")
    if not host or not port.isdigit():
        raise InvalidInput(f"{text or 'Nothing'} is no address of a head. One looks like 10.0.0.5:6379.")
    return text


def joined(host: str, port: int) -> str:
    """`host:port`, as addresses of Ray are written."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def free_ports(count: int) -> tuple[int, ...]:
    """So many ports that nobody listens at now."""
    probes = [socket.socket() for _ in range(count)]
    try:
        for probe in probes:
            probe.bind(("", 0))
        return tuple(probe.getsockname()[1] for probe in probes)
    finally:
        for probe in probes:
            probe.close()
