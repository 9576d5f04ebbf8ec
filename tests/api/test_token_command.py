"""`rollcall token`: letting kiosks and programs in from the command line."""

from __future__ import annotations

from contextlib import contextmanager

import pytest
from typer.testing import CliRunner

from ray_backend import cli
from ray_backend.domain.errors import NotFound, WrongCredentials
from ray_backend.domain.permissions import Role


@pytest.fixture
def rollcall(web, monkeypatch):
    """The command over the site of this test."""

    @contextmanager
    def backend():
        yield web.site.backend

    monkeypatch.setattr(cli, "_backend", backend)
    monkeypatch.setattr(cli.console, "_width", 200)

    def run(*words: str):
        return CliRunner().invoke(cli.app, ["token", *words])

    return run


def test_without_a_role_it_is_a_kiosk_and_its_address_is_printed(rollcall, web):
    printed = rollcall("create", "door").stdout.strip()
    assert printed.startswith("http://localhost:8501/check-in?token=")
    assert web.site.backend.access.verify_token(printed.partition("token=")[2]) == "door"


def test_with_another_role_the_secret_alone_is_printed(rollcall, web):
    printed = rollcall("create", "payroll", "--role", "manager").stdout.strip()
    key = web.site.backend.access.verify_key(printed)
    assert (key.name, key.role) == ("payroll", Role.MANAGER)


def test_a_role_that_is_not_there_is_refused(rollcall, web):
    assert rollcall("create", "payroll", "--role", "root").exit_code == 2
    assert web.site.backend.access.api_keys() == []


def test_the_list_shows_roles_and_no_secrets(rollcall):
    secret = rollcall("create", "[b]payroll", "--role", "manager").stdout.strip()
    rollcall("create", "door")
    listed = rollcall("list").stdout
    assert "[b]payroll" in listed
    assert "manager" in listed
    assert "kiosk" in listed
    assert secret not in listed


def test_what_is_revoked_is_shut_out(rollcall, web):
    secret = rollcall("create", "payroll", "--role", "admin").stdout.strip()
    token_id = web.site.backend.access.verify_key(secret).token_id
    assert rollcall("revoke", token_id).exit_code == 0
    with pytest.raises(WrongCredentials):
        web.site.backend.access.verify_key(secret)
    assert isinstance(rollcall("revoke", token_id).exception, NotFound)
