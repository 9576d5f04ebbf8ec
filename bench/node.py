"""A further node for a Rollcall's own Ray, on the same machine and seen by nobody else, until it is ended.

    python -m bench.node HOST:PORT PLACES

It takes so many FaceEmbeddingActors. `ray start` cannot do this: a Ray that was told to stay on the loopback
address lets no other node of the machine in by that command.
"""

from __future__ import annotations

import os
import signal
import sys
import threading

from ray_backend.serving import environment

_OBJECT_STORE_BYTES = 128 * 1024 * 1024
_LOOK_S = 0.2


def main() -> None:
    """Runs until it is told to stop, or until its raylet is gone."""
    address, places = sys.argv[1], int(sys.argv[2])
    environment.prepare(address)
    environment.interrupt_nobody()
    from ray._private.node import Node
    from ray._private.parameter import RayParams

    params = RayParams(
        gcs_address=address,
        node_ip_address="127.0.0.1",
        num_cpus=0,
        num_gpus=0,
        resources={"rollcall_faces": places},
        object_store_memory=_OBJECT_STORE_BYTES,
        min_worker_port=0,
        max_worker_port=0,
        node_manager_port=0,
        include_log_monitor=False,
    )
    params.dashboard_agent_listen_port = None
    node = Node(params, head=False, shutdown_at_exit=False, spawn_reaper=False)
    raylet = node.all_processes["raylet"][0].process
    told_to_stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda number, frame: told_to_stop.set())
    while raylet.poll() is None and not told_to_stop.wait(_LOOK_S):
        pass
    node.kill_all_processes(check_alive=False, allow_graceful=raylet.poll() is None)
    # Ray's own threads would hold up the end of this process.
    os._exit(0)


if __name__ == "__main__":
    main()
