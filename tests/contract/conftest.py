"""The stores under the contract suite: memory, sqlite, mongo, and ferretdb where its binary is named."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from pymongo import MongoClient

from ray_backend.ports import Store
from ray_backend.settings import Settings
from ray_backend.storage import open_store_url
from tests.mongo_server import MongoServer, external_url, ferretdb_binary, new_server, running_server

ADAPTERS = ["memory", "sqlite", "mongo", *(["ferretdb"] if ferretdb_binary() else [])]
DURABLE = ADAPTERS[1:]
SERVERS = ADAPTERS[2:]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path, store_timeout_s=10.0)


@pytest.fixture(scope="session")
def mongo_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server for the whole session, without a database."""
    if url := external_url():
        yield url
        return
    with running_server(tmp_path_factory.mktemp("mongo")) as server:
        yield server.url


@pytest.fixture(scope="session")
def ferretdb_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """FerretDB for the whole session, without a database."""
    with running_server(tmp_path_factory.mktemp("ferretdb"), ferretdb=ferretdb_binary()) as server:
        yield server.url


@pytest.fixture
def make_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[object]:
    """A function from an adapter's name to the address of a new, empty database."""
    made: list[tuple[str, str]] = []

    def make(adapter: str) -> str:
        if adapter == "memory":
            return "memory"
        if adapter == "sqlite":
            return f"sqlite://{tmp_path}/{uuid4().hex}.sqlite3"
        server = request.getfixturevalue("mongo_url" if adapter == "mongo" else "ferretdb_url")
        made.append((server, f"rollcall_test_{uuid4().hex}"))
        return "/".join(made[-1])

    yield make
    for server, database in made:
        with MongoClient(server) as client:
            client.drop_database(database)


@pytest.fixture(params=ADAPTERS)
def store(request: pytest.FixtureRequest, make_url, settings: Settings) -> Iterator[Store]:
    """Every adapter, empty."""
    opened = open_store_url(make_url(request.param), settings)
    yield opened
    opened.close()


@pytest.fixture(params=DURABLE)
def durable_url(request: pytest.FixtureRequest, make_url) -> str:
    """The address of an empty database that outlives its process."""
    return make_url(request.param)


@pytest.fixture(params=SERVERS)
def own_server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[MongoServer]:
    """A started server that the test may kill."""
    ferretdb = ferretdb_binary() if request.param == "ferretdb" else None
    server = new_server(tmp_path / "server", ferretdb=ferretdb)
    server.start()
    yield server
    server.kill()


@pytest.fixture(autouse=True)
def _patience() -> None:
    """The patience of production: outages are what is tested here."""
