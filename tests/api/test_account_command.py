"""`rollcall account`: letting people sign in from the command line."""

from __future__ import annotations

from contextlib import contextmanager

import pytest
from typer.testing import CliRunner

from ray_backend import cli
from ray_backend.domain.errors import Conflict, NotFound, WrongCredentials
from ray_backend.domain.permissions import Role


@pytest.fixture
def rollcall(web, monkeypatch):
    """The command over the site of this test."""

    @contextmanager
    def backend():
        yield web.site.backend

    monkeypatch.setattr(cli, "_backend", backend)
    monkeypatch.setattr(cli.console, "_width", 200)
    return lambda *words: CliRunner().invoke(cli.app, ["account", *words])


def test_an_account_that_is_made_signs_in_with_what_is_printed(rollcall, web):
    password = rollcall("create", "Ada", "--role", "manager", "--name", "Ada Example").stdout.strip()
    account = web.site.backend.sign_ins.sign_in("ada", password).account
    assert (account.role, account.name, account.must_change_password) == (Role.MANAGER, "Ada Example", True)
    assert "Ada Example" in rollcall("list").stdout
    assert isinstance(rollcall("create", "ada").exception, Conflict)


def test_a_reset_password_ends_the_lock(rollcall, web):
    rollcall("create", "ada")
    for _ in range(5):
        with pytest.raises(WrongCredentials):
            web.site.backend.sign_ins.sign_in("ada", "wrong password")
    password = rollcall("reset", "ada").stdout.strip()
    assert web.site.backend.sign_ins.sign_in("ada", password)
    assert isinstance(rollcall("reset", "nobody").exception, NotFound)


def test_a_machines_role_is_no_account(rollcall, web):
    assert rollcall("create", "door", "--role", "kiosk").exit_code == 1
    assert web.site.backend.accounts.everybody() == ()
