"""Who may call what: every route with every role, and with everything that is no credential."""

from __future__ import annotations

import time

import jwt
import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute

from ray_backend.api.access import ANYBODY, ROLES, GuardedRoute
from ray_backend.domain.permissions import Role

JWT_KEY = "a secret of at least thirty-two bytes"
ROUTES = sorted(ROLES)
GUARDED = [route for route in ROUTES if ROLES[route] is not ANYBODY]
REFUSED = {401, 403}


def path_of(template: str) -> str:
    return template.replace("{employee_id:employee_id}", "E1").replace("{asset}", "start.js")


def token(of_role: str, key: str = JWT_KEY, algorithm: str = "HS256", **changes) -> str:
    """A JSON Web Token; a claim that is changed to None is left out."""
    claims = {"sub": "payroll", "role": of_role, "exp": time.time() + 60} | changes
    return jwt.encode({name: value for name, value in claims.items() if value is not None}, key, algorithm)


@pytest.fixture
def walked(open_web):
    return open_web(jwt_key=JWT_KEY)


def test_the_table_names_every_route_and_no_other(web):
    routes = [route for route in web.client.app.routes if isinstance(route, APIRoute)]
    assert len(routes) == len(web.client.app.routes)
    assert sorted((method, route.path) for route in routes for method in route.methods) == ROUTES


def test_a_route_that_is_not_in_the_table_cannot_be_added():
    app = FastAPI()
    app.router.route_class = GuardedRoute
    with pytest.raises(KeyError, match="/forgotten"):
        app.get("/forgotten")(lambda: None)


@pytest.mark.parametrize(("method", "template"), ROUTES)
def test_every_route_lets_its_roles_in_and_nobody_else(walked, method, template):
    allowed = ROLES[method, template]
    for role in Role:
        by_key = walked.call(method, path_of(template), role)
        bearer = {"Authorization": f"Bearer {token(role.value)}"}
        by_token = walked.client.request(method, path_of(template), headers=bearer)
        for answer in (by_key, by_token):
            if allowed is ANYBODY or role in allowed:
                assert answer.status_code not in REFUSED, (role, answer.text)
                assert answer.status_code < 500
            else:
                assert answer.status_code == 403, role
                assert role.value in answer.json()["detail"]


def ask(walked, path: str, **claims):
    bearer = {"Authorization": f"Bearer {token('manager', **claims)}"}
    return walked.client.get(path, headers=bearer)


def test_a_token_that_is_bound_to_departments_sees_their_people_only(walked):
    walked.register(1, department="Sales")
    walked.register(2, department="Engines")
    for who in (1, 2):
        walked.site.check_in(who)

    for departments, seen in ((["Sales"], ["E1"]), ([], []), (None, ["E1", "E2"]), (["Gone"], [])):
        bound = {"departments": departments}
        people = ask(walked, "/people", **bound).json()
        assert [person["employee_id"] for person in people["people"]] == seen
        assert people["total"] == len(seen)
        for number in (1, 2):
            expected = 200 if f"E{number}" in seen else 404
            assert ask(walked, f"/people/E{number}", **bound).status_code == expected
            assert ask(walked, f"/attendance?person=E{number}", **bound).status_code == expected
        punches = ask(walked, "/attendance", **bound).json()["punches"]
        assert sorted(punch["person"]["employee_id"] for punch in punches) == seen
        exported = ask(walked, "/attendance/export", **bound).text
        assert [f"E{number}" in exported for number in (1, 2)] == [f"E{n}" in seen for n in (1, 2)]


@pytest.mark.parametrize("departments", ["Sales", [1], {"Sales": True}, [["Sales"]]])
def test_departments_that_are_no_list_of_names_let_nobody_in(walked, departments):
    assert ask(walked, "/people", departments=departments).status_code == 401


def test_a_viewer_reads_reports_without_addresses_of_people(web):
    web.register(1, email="ada@example.org")
    web.site.check_in(1)
    answer = web.get("/attendance", Role.VIEWER, person="E1")
    assert answer.status_code == 200
    assert "E1" in answer.text
    assert "example.org" not in answer.text + web.get("/attendance/export", Role.VIEWER).text


def test_what_is_done_over_the_api_is_noted_under_the_name_of_the_key(web):
    web.register(1)
    assert {entry.actor for entry in web.site.audit() if entry.action == "person.enrolled"} == {"API: admin"}


@pytest.mark.parametrize(("method", "template"), GUARDED)
def test_no_route_lets_anybody_in_without_a_good_credential(walked, method, template):
    revoked = walked.site.backend.access.issue_key("gone", Role.ADMIN, actor="test")
    (made,) = walked.site.backend.access.api_keys()
    walked.site.backend.access.revoke_token(made.token_id, actor="test")
    bad = [
        None,
        "Bearer",
        "Bearer ",
        "Bearer wrong",
        f"Bearer {revoked}",
        f"Bearer {made.token_id}",
        f"Basic {revoked}",
        f"Bearer {token('admin', exp=time.time() - 1)}",
        f"Bearer {token('admin', key='another secret of thirty-two bytes!')}",
        "Bearer a.b.c",
    ]
    for authorization in bad:
        headers = {"Authorization": authorization} if authorization else {}
        answer = walked.client.request(method, path_of(template), headers=headers)
        assert answer.status_code == 401, authorization
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")
        assert answer.headers["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize(("method", "template"), sorted(set(ROUTES) - set(GUARDED)))
def test_open_routes_need_no_credential(web, method, template):
    assert web.client.request(method, path_of(template)).status_code == 200


def test_a_stranger_is_refused_before_the_body_is_read(web):
    # A body of that length would be answered with 413 as soon as somebody looked.
    for path in ("/recognize", "/register", "/check_in"):
        sent = web.client.build_request("POST", path, headers={"Content-Length": "10000000000"})
        assert web.client.send(sent).status_code == 401
