"""A real local Ray with the real actors, the built-in pack and a SQLite file."""

from __future__ import annotations

import pytest

from ray_backend import client
from ray_backend.serving import environment
from ray_backend.settings import Settings

environment.prepare("")


@pytest.fixture(scope="session")
def ray_address(tmp_path_factory):
    """Ray runs once for all cluster tests."""
    from ray_backend.serving import cluster

    address = cluster.start_ray(Settings(data_dir=tmp_path_factory.mktemp("ray")))
    yield address
    cluster.stop_ray()


@pytest.fixture
def settings(ray_address, tmp_path):
    """A site of its own for each test, with an actor for each of two threads."""
    return Settings(
        data_dir=tmp_path,
        store=f"sqlite:///{tmp_path}/rollcall.sqlite3",
        pack="dlib-resnet",
        time_zone="Europe/Berlin",
        ray_address=ray_address,
        actors=2,
        cooldown_s=0,
    )


@pytest.fixture
def backend(settings):
    """A backend over freshly started actors, which are ended after the test."""
    from ray_backend.serving import cluster

    cluster.start_actors(settings)
    yield client.ray_backend(settings)
    cluster.stop_actors()
