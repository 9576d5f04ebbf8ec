"""A real local Ray with the real actors, the built-in pack and a SQLite file."""

from __future__ import annotations

from pathlib import Path

import pytest

from ray_backend import client
from ray_backend.serving import environment
from ray_backend.settings import Settings
from tests.e2e.conftest import free_port

environment.prepare("")


@pytest.fixture(scope="session")
def api_port() -> int:
    """Where the API answers: Serve starts once for a Ray, and stays at its port."""
    return free_port()


@pytest.fixture(scope="session")
def ray_address(tmp_path_factory, api_port):
    """Ray runs once for all cluster tests, with places for two FaceEmbeddingActors."""
    from ray_backend.serving import cluster

    # Serve's proxy is chosen before Ray starts, and with it the ports that no other Rollcall may use.
    environment.prepare_api(Settings(api_port=api_port))
    address = cluster.start_ray(Settings(data_dir=tmp_path_factory.mktemp("ray"), threads=2))
    yield address
    cluster.stop_ray()


def site_settings(folder: Path, ray_address: str, **others) -> Settings:
    """A site of its own, with an actor for each of two threads."""
    return Settings(
        data_dir=folder,
        store=f"sqlite:///{folder}/rollcall.sqlite3",
        pack="dlib-resnet",
        time_zone="Europe/Berlin",
        ray_address=ray_address,
        **{"actors": 2, "cooldown_s": 0} | others,
    )


@pytest.fixture
def settings(ray_address, tmp_path):
    """A site of its own for each test."""
    return site_settings(tmp_path, ray_address)


@pytest.fixture
def backend(settings):
    """A backend over freshly started actors, which are ended after the test."""
    from ray_backend.serving import cluster

    cluster.start_actors(settings)
    yield client.ray_backend(settings)
    cluster.stop_actors()
