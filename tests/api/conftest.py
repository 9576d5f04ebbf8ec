"""The API over a site of its own for each test: real services, the memory store, the fake engine."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from starlette.testclient import TestClient

from ray_backend.api.app import create_app
from ray_backend.domain.permissions import Role
from tests.api.local import LocalRecogniser
from tests.fakes import photo
from tests.unit.services.conftest import (  # noqa: F401  (fixtures)
    Site,
    _no_settings_from_outside,
    open_site,
    site,
)

IMAGE = "image/png"


@dataclass
class Web:
    """The API as its clients see it, and what lies behind it."""

    site: Site
    recogniser: LocalRecogniser
    client: TestClient
    secrets: dict[Role, str] = field(default_factory=dict)

    def headers(self, role: Role) -> dict[str, str]:
        """The header of a key with this role."""
        if role not in self.secrets:
            self.secrets[role] = self.site.backend.access.issue_key(role.value, role, actor="test")
        return {"Authorization": f"Bearer {self.secrets[role]}"}

    def call(self, method: str, path: str, role: Role = Role.ADMIN, **request: Any):
        """One request with a key of this role."""
        headers = self.headers(role) | request.pop("headers", {})
        return self.client.request(method, path, headers=headers, **request)

    def get(self, path: str, role: Role = Role.ADMIN, **params: Any):
        return self.call("GET", path, role, params=params)

    def send_picture(self, path: str, data: bytes, **request: Any):
        """The picture as the body itself."""
        headers = {"Content-Type": IMAGE} | request.pop("headers", {})
        return self.call("POST", path, content=data, headers=headers, **request)

    def register(self, who: int, *files: bytes, **changes: Any):
        """Person number `who` as E<who>, from a form."""
        fields = {"employee_id": f"E{who}", "name": f"Person {who}", "consent": "true"} | changes
        given = [
            ("photos", (f"{index}.png", data, IMAGE)) for index, data in enumerate(files or (photo(who),))
        ]
        return self.call("POST", "/register", data=fields, files=given)


def encoded(data: bytes) -> str:
    return base64.b64encode(data).decode()


@pytest.fixture
def open_web(open_site) -> Callable[..., Web]:  # noqa: F811
    """Makes an API; settings and `create_app`'s options may be given."""

    def make(cluster_status=None, registry=None, whole_site=None, **settings: Any) -> Web:
        made = open_site(**settings)
        recogniser = LocalRecogniser(made.backend)
        app = create_app(
            made.backend,
            recogniser,
            made.settings,
            cluster_status=cluster_status,
            registry=registry,
            whole_site=whole_site,
        )
        return Web(made, recogniser, TestClient(app, raise_server_exceptions=False))

    return make


@pytest.fixture
def web(open_web) -> Web:
    return open_web()
