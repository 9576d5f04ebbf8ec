"""`rollcall cluster`: many machines as one Rollcall."""

from __future__ import annotations

import sys
from typing import Annotated

import typer
from rich.console import Console

from ray_backend import background, cluster_node, cluster_report, node_health
from ray_backend.node_notes import Role
from ray_backend.serving.node_plans import HeadWishes, NodeWishes
from ray_backend.settings import Settings
from ray_backend.supervisor import Stopped

app = typer.Typer(no_args_is_help=True, help="Rollcall on many machines.")
start_app = typer.Typer(no_args_is_help=True, help="Make this machine a part of a cluster.")
app.add_typer(start_app, name="start")
console = Console()
errors = Console(stderr=True)

Address = Annotated[
    str, typer.Option(help="What the other machines reach this one by; default: found out by itself.")
]
Faces = Annotated[
    int | None,
    typer.Option(min=0, help="How many FaceEmbeddingActors this machine takes; default: one for each core."),
]
Block = Annotated[
    bool, typer.Option("--block", help="Stay in the foreground, and end when this machine's part does.")
]
FirstPort = Annotated[
    int,
    typer.Option(min=0, max=65530, help="First of five ports that Ray has on each machine; 0: free ones."),
]
MetricsPort = Annotated[
    int, typer.Option(min=0, max=65535, help="Port of Ray's own figures of this machine; 0: a free one.")
]


@start_app.command("head")
def start_head(
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port that the workers join.")] = 6379,
    address: Address = "",
    faces: Faces = None,
    block: Block = False,
    client_port: Annotated[
        int, typer.Option(min=1, max=65535, help="Port for programs outside the cluster, as ray://HEAD:PORT.")
    ] = 10001,
    dashboard_address: Annotated[
        str, typer.Option(help="Address that Ray's dashboard listens on; it can run code on the cluster.")
    ] = "127.0.0.1",
    dashboard_port: Annotated[int, typer.Option(min=1, max=65535, help="Port of Ray's dashboard.")] = 8265,
    first_port: FirstPort = 6380,
    metrics_port: MetricsPort = 8080,
) -> None:
    """Start a cluster: this machine has the records, and the API answers here."""
    wishes = NodeWishes(address, faces, first_port, metrics_port)
    head = HeadWishes(port, client_port, dashboard_address, dashboard_port)
    if block:
        _until_stopped(lambda settings: cluster_node.keep_head(settings, wishes, head, _say))
    else:
        _in_background(Role.HEAD)


@start_app.command("worker")
def start_worker(
    head: Annotated[str, typer.Argument(help="The head's address and port, such as 10.0.0.5:6379.")],
    address: Address = "",
    faces: Faces = None,
    block: Block = False,
    first_port: FirstPort = 6380,
    metrics_port: MetricsPort = 8080,
    again: Annotated[bool, typer.Option("--again", help="Join anew instead of ending.")] = False,
) -> None:
    """Let this machine recognise faces for a cluster; waits for its head."""
    wishes = NodeWishes(address, faces, first_port, metrics_port)
    if block:
        _until_stopped(lambda settings: cluster_node.keep_worker(settings, head, wishes, _say, again))
    else:
        _in_background(Role.WORKER, "--again")


@app.command()
def status(
    as_json: Annotated[bool, typer.Option("--json", help="Print it for programs.")] = False,
) -> None:
    """Show the machines, actors, queues and the gallery's version."""
    with errors.status("Asking the cluster"):
        settings = cluster_node.known_cluster(Settings())
        found = cluster_node.view(settings).status(settings)
    if as_json:
        console.print_json(data=cluster_report.as_json(found))
    else:
        cluster_report.show(found, console)


@app.command()
def drain(
    node: Annotated[str, typer.Argument(help="Its name, its address, or the beginning of its id.")],
) -> None:
    """Take a worker out of service: its work moves to others, and it gets nothing new."""
    settings = cluster_node.known_cluster(Settings())
    cluster_node.view(settings).drain(settings, node, _say)


@app.command()
def stop() -> None:
    """End what was started of a cluster from this data folder, and nothing else on this machine."""
    background.stop(Settings().data_dir, _say)


@app.command()
def health() -> None:
    """Say whether what runs here does its work; exit code 1 if not. For the health checks of containers."""
    found = node_health.look(Settings())
    if not found:
        _say("Nothing of a cluster runs from this data folder.")
    for each in found:
        _say(f"The {each.role} {each.words.rstrip('.')}.")
    if not found or not all(each.well for each in found):
        raise SystemExit(1)


def _say(words: str) -> None:
    console.print(words, soft_wrap=True, markup=False, highlight=False)


def _until_stopped(keep) -> None:
    try:
        keep(Settings())
    except Stopped:
        _say("Rollcall has stopped. Everything recorded is kept.")


def _in_background(role: Role, *more: str) -> None:
    arguments = [*sys.argv[1:], "--block", *more]
    _until_stopped(lambda settings: background.start(settings, role, arguments, _say))
