"""The route that sets the cookies: a page of ours gets them, nobody else does."""

from __future__ import annotations

import pytest
from starlette.applications import Starlette
from starlette.routing import Route
from starlette.testclient import TestClient

from streamlit_app import cookies
from streamlit_app.tickets import Secrets, tickets

OURS = {
    "Origin": "http://rollcall.test:8501",
    "Host": "rollcall.test:8501",
    "Content-Type": "application/json",
}


@pytest.fixture
def client() -> TestClient:
    return TestClient(Starlette(routes=[Route(cookies.ROUTE, cookies.keep, methods=["POST"])]))


def ticket() -> str:
    return tickets.issue(Secrets("the-session", "the-device"))


def post(client: TestClient, body: dict | None = None, **headers: str):
    body = {"ticket": ticket()} if body is None else body
    sent = {name: value for name, value in (OURS | headers).items() if value}
    return client.post(cookies.ROUTE, json=body, headers=sent)


def test_a_ticket_gives_cookies_that_no_script_can_read(client):
    answer = post(client)
    assert answer.status_code == 204
    session, device = answer.headers.get_list("set-cookie")
    assert session.startswith("rollcall_session_8501=the-session;")
    assert device.startswith("rollcall_device_8501=the-device;")
    for cookie in (session, device):
        assert {"HttpOnly", "SameSite=strict", "Path=/"} <= {part.strip() for part in cookie.split(";")}
        assert "Domain" not in cookie
    assert "Max-Age" not in session
    assert answer.headers["cache-control"] == "no-store"


def test_with_https_the_cookies_are_for_https_only(client):
    answer = post(client, Origin="https://rollcall.test", Host="rollcall.test")
    session, device = answer.headers.get_list("set-cookie")
    assert session.startswith("__Host-rollcall_session_443=")
    assert "Secure" in session
    assert "Secure" in device


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.test"},
        {"Origin": "http://rollcall.test:9000"},
        {"Origin": "null"},
        {"Origin": ""},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"},
        {"Content-Type": "text/plain"},
        {"Content-Type": "application/x-www-form-urlencoded"},
    ],
)
def test_another_site_gets_nothing_and_the_ticket_stays_good(client, headers):
    good = ticket()
    answer = post(client, {"ticket": good}, **headers)
    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers
    assert post(client, {"ticket": good}).status_code == 204


def test_a_ticket_is_good_once(client):
    good = ticket()
    assert post(client, {"ticket": good}).status_code == 204
    assert post(client, {"ticket": good}).status_code == 403


@pytest.mark.parametrize("body", [{"ticket": "made up"}, {}, {"ticket": 1}, [], {"ticket": "x" * 5000}, "x"])
def test_anything_else_is_refused(client, body):
    answer = post(client, body)
    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers


def test_what_is_no_json_is_refused(client):
    assert client.post(cookies.ROUTE, content=b"\xff{", headers=OURS).status_code == 403


def test_an_empty_ticket_takes_the_session_away_and_leaves_the_device_known(client):
    [cookie] = post(client, {"ticket": ""}).headers.get_list("set-cookie")
    assert cookie.startswith('rollcall_session_8501="";')
    assert "Max-Age=0" in cookie


def test_the_route_takes_no_address_with_a_ticket_in_it(client):
    assert client.get(f"{cookies.ROUTE}?ticket={ticket()}", headers=OURS).status_code == 405
