"""The API as KubeRay starts it: its RayService names `app`, which has everything running that the API needs.

Where `rollcall cluster start head` is not there to start the parts one after the other, this does.
"""

from __future__ import annotations

import logging
import time
from typing import Any

import ray
from ray import serve

from ray_backend import client
from ray_backend.domain.errors import InvalidInput, StoreUnavailable
from ray_backend.serving import cluster, deployment, handles
from ray_backend.serving.names import RECORDS_RESOURCE, SLIVER
from ray_backend.settings import Settings

log = logging.getLogger(__name__)

_ASK_AGAIN_S = 2.0


def app(args: dict[str, Any]) -> serve.Application:
    """The API for Serve, once the actors run; called by Serve itself with the `args` of its configuration.

    Waits for the database and for a node that recognises faces: KubeRay does not ask again after an error.
    Raises InvalidInput for any `args`, since settings come from the environment of the head, PackUnavailable
    and PackMismatch.
    """
    if args:
        raise InvalidInput(f"Serve's args are not read ({', '.join(args)}); set ROLLCALL_... instead.")
    # Serve may call this on any node, but only the head has the settings, the data folder and the database.
    task = ray.remote(_start_parts).options(num_cpus=0, resources={RECORDS_RESOURCE: SLIVER}, max_retries=0)
    with handles.our_errors():
        settings = ray.get(task.remote())
    return deployment.application(settings)


def _start_parts() -> Settings:
    """Starts what does not run yet, and the first account; returns the settings of the head."""
    settings = Settings()
    while True:
        try:
            cluster.start_actors(settings, log.warning)
            client.ray_backend(settings).accounts.ensure_admin(_secret(settings))
        except StoreUnavailable as error:
            log.warning("Waiting for the database. %s", error.message)
            time.sleep(_ASK_AGAIN_S)
        else:
            return settings


def _secret(settings: Settings) -> str | None:
    return settings.admin_password.get_secret_value() if settings.admin_password else None
