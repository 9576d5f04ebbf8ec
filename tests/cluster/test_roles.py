"""The gate stands before the actor: who calls travels with each call."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ray_backend.client import Photo
from ray_backend.domain.accounts import AccountDraft
from ray_backend.domain.errors import Forbidden, WrongCredentials
from ray_backend.domain.permissions import SYSTEM, Caller, Role
from ray_backend.domain.queries import AuditQuery, PeopleQuery
from ray_backend.domain.requests import PersonDraft
from ray_backend.serving import handles
from ray_backend.serving.names import DATABASE_ACTOR
from tests.people import face_photo

PASSWORD = "correct horse battery"


@pytest.fixture
def backend(backend):
    """With somebody in the workshop."""
    draft = PersonDraft("E0", "Ada Example", "Workshop", consent=True)
    backend.enrol(draft, [Photo("1.jpg", face_photo(0))], source="upload", actor="test")
    return backend


def test_a_role_is_checked_where_the_services_run(backend):
    viewer = backend.acting_as(Caller("vera", Role.VIEWER))
    with pytest.raises(Forbidden):
        viewer.people.find(PeopleQuery())
    database = handles.get_handle(DATABASE_ACTOR)
    for caller, expected in ((viewer.caller, Forbidden), (SYSTEM, None)):
        call = database.call.remote(caller, "people", "find", (PeopleQuery(),), {})
        if expected is None:
            assert handles.result(call, 30).total
        else:
            with pytest.raises(expected):
                handles.result(call, 30)


def test_departments_bind_over_actors_too(backend):
    nobodys = backend.acting_as(Caller("maria", Role.MANAGER, ("No such department",)))
    assert nobodys.people.find(PeopleQuery()).total == 0
    assert backend.people.find(PeopleQuery()).total


def test_a_session_ends_at_once_over_actors(backend):
    backend.accounts.ensure_admin(PASSWORD)
    made = backend.accounts.create("ada", AccountDraft("Ada", Role.ADMIN), actor="test")
    backend.sign_ins.change_password(made.password, PASSWORD, actor="ada")
    signed_in = backend.sign_ins.sign_in("ada", PASSWORD)
    ada = backend.acting_as(replace(signed_in.account.caller, session=signed_in.token))
    ada.access.issue_token("gate", actor="somebody else")
    entry = backend.audit_log.find(AuditQuery(action="kiosk_token.issued")).items[0]
    assert entry.actor == "ada"

    backend.accounts.set_active("ada", False, actor="test")
    with pytest.raises(WrongCredentials):
        ada.people.find(PeopleQuery())
