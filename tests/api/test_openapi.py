"""The OpenAPI document against the API itself: no 5xx, no status or shape that it does not name."""

from __future__ import annotations

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis import checks
from schemathesis.config import SchemathesisConfig
from schemathesis.specs.openapi import checks as openapi_checks
from starlette.testclient import TestClient

from ray_backend.api.access import ANYBODY, ROLES, documented
from ray_backend.api.app import create_app
from ray_backend.client import local_backend
from ray_backend.domain.permissions import Role
from ray_backend.settings import Settings
from ray_backend.storage.memory import MemoryStore
from tests.api.local import LocalRecogniser
from tests.fakes import FakeEngine, photo
from tests.unit.services.conftest import photos

# Who is let in is walked in test_access: here every request has the same good key.
CHECKS = [
    checks.not_a_server_error,
    openapi_checks.status_code_conformance,
    openapi_checks.content_type_conformance,
    openapi_checks.response_headers_conformance,
    openapi_checks.response_schema_conformance,
    openapi_checks.negative_data_rejection,
    openapi_checks.missing_required_header,
    openapi_checks.unsupported_method,
]
EXAMPLES = 25


def app_and_headers():
    """An API with somebody enrolled, and the headers of an admin."""
    from ray_backend.domain.requests import PersonDraft

    site_settings = Settings(store="memory", time_zone="Europe/Berlin", max_image_bytes=100_000)
    backend = local_backend(site_settings, store=MemoryStore(), engine=FakeEngine())
    draft = PersonDraft("E017", "Ada Example", consent=True)
    backend.enrol(draft, photos(photo(1)), source="upload", actor="test")
    backend.check_in(photo(1), kiosk="entrance")
    secret = backend.access.issue_key("schemathesis", Role.ADMIN, actor="test")
    app = create_app(backend, LocalRecogniser(backend), site_settings)
    return app, {"Authorization": f"Bearer {secret}"}


APP, HEADERS = app_and_headers()
CONFIG = SchemathesisConfig.from_dict(
    {"generation": {"max-examples": EXAMPLES, "database": "none"}, "headers": HEADERS}
)
SCHEMA = schemathesis.openapi.from_asgi("/openapi.json", APP, config=CONFIG)
DOCUMENT = TestClient(APP).get("/openapi.json").json()
OPERATIONS = {
    (method.upper(), path): operation
    for path, methods in DOCUMENT["paths"].items()
    for method, operation in methods.items()
}


@SCHEMA.parametrize()
@settings(max_examples=EXAMPLES, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_the_api_does_what_its_document_says(case):
    case.call_and_validate(checks=CHECKS)


def test_the_document_names_every_route_that_is_no_document_itself():
    named = {(method, documented(path)) for method, path in ROLES}
    documents = {("GET", "/openapi.json"), ("GET", "/docs"), ("GET", "/docs/{asset}")}
    assert set(OPERATIONS) == named - documents


@pytest.mark.parametrize(("method", "template"), sorted(ROLES))
def test_the_document_says_who_may_call_what(method, template):
    operation = OPERATIONS.get((method, documented(template)))
    if operation is None:
        return
    roles = ROLES[method, template]
    if roles is ANYBODY:
        assert operation["security"] == []
        return
    assert operation["security"] == [{"bearer": []}]
    assert {"401", "403", "429", "503"} <= set(operation["responses"])
    assert all(f"`{role.value}`" in operation["description"] for role in roles)


@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=map(str, OPERATIONS))
def test_every_operation_is_described_and_every_problem_is_a_problem_document(operation):
    assert operation["summary"]
    assert operation["description"]
    for status, response in operation["responses"].items():
        if int(status) >= 400:
            assert list(response["content"]) == ["application/problem+json"]
            assert response["content"]["application/problem+json"]["schema"]["$ref"].endswith("/Problem")


def test_every_reference_of_the_document_leads_somewhere():
    def references(part):
        if isinstance(part, dict):
            for name, value in part.items():
                if name == "$ref":
                    yield value
                else:
                    yield from references(value)
        elif isinstance(part, list):
            for value in part:
                yield from references(value)

    found = set(references(DOCUMENT))
    assert "#/components/schemas/Problem" in found
    for reference in found:
        assert reference.removeprefix("#/components/schemas/") in DOCUMENT["components"]["schemas"]


def test_a_picture_may_come_in_each_of_the_forms_that_the_document_names():
    content = OPERATIONS["POST", "/recognize"]["requestBody"]["content"]
    assert set(content) == {
        "image/jpeg", "image/png", "image/webp", "multipart/form-data", "application/json",
    }  # fmt: skip
