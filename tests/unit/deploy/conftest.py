"""deploy/k8s, copied and built."""

from __future__ import annotations

import copy
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.unit.deploy.kustomized import K8S, OVERLAYS, Object, plainly


@pytest.fixture(scope="session")
def k8s(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of deploy/k8s with secrets."""
    folder = tmp_path_factory.mktemp("k8s") / "k8s"
    shutil.copytree(K8S, folder, ignore=shutil.ignore_patterns("secrets.env"))
    subprocess.run([folder / "make-secrets"], check=True, capture_output=True)
    return folder


@pytest.fixture(scope="session")
def _base(k8s: Path) -> list[Object]:
    return plainly(k8s / "base")


@pytest.fixture
def base(_base: list[Object]) -> list[Object]:
    """The objects without an overlay, to be damaged."""
    return copy.deepcopy(_base)


@pytest.fixture(scope="session", params=OVERLAYS)
def overlay(request: pytest.FixtureRequest, k8s: Path) -> list[Object]:
    """The objects of each overlay. Not to be changed: copy them."""
    return plainly(k8s / "overlays" / request.param)
