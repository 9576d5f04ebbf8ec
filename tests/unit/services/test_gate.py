"""The gate: every use case has a rule, and every role may do what its rule says and nothing else."""

from __future__ import annotations

import inspect
from dataclasses import fields
from typing import get_type_hints

import pytest

from ray_backend import bootstrap
from ray_backend.domain.errors import Forbidden
from ray_backend.domain.permissions import SYSTEM, Caller, Role
from ray_backend.services.gate import RULES, GatedService, admit


def use_cases() -> set[str]:
    """`service.method` for each public method of each service."""
    services = get_type_hints(bootstrap.Records)
    names = [field.name for field in fields(bootstrap.Records) if field.name != "store"]
    return {
        f"{name}.{method}"
        for name in names
        for method, found in inspect.getmembers(services[name], inspect.isfunction)
        if not method.startswith("_")
    }


def test_every_public_use_case_has_a_rule_and_every_rule_a_use_case():
    assert set(RULES) == use_cases()


@pytest.mark.parametrize("name", ["store.close", "people._store", "__class__.mro", "people.gone", "people"])
@pytest.mark.parametrize("caller", [SYSTEM, Caller("ada", Role.ADMIN)], ids=["system", "admin"])
def test_what_has_no_rule_is_called_by_nobody(name, caller):
    with pytest.raises(Forbidden, match="no use case"):
        admit(caller, name)


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("name", sorted(RULES))
def test_each_role_may_call_what_its_rule_says(role, name):
    allowed = role in RULES[name].roles
    if allowed:
        admit(Caller("somebody", role), name)
    else:
        with pytest.raises(Forbidden):
            admit(Caller("somebody", role), name)


def test_every_use_case_that_takes_an_actor_is_told_who_called():
    told = []

    class People:
        def update(self, person_id, draft, *, actor):
            told.append(actor)

    class Records:
        people = People()

    call = bootstrap.Gate(Records()).call
    GatedService(call, Caller("ada", Role.ADMIN), "people").update("p", None, actor="somebody else")
    GatedService(call, SYSTEM, "people").update("p", None, actor="command line")
    assert told == ["ada", "command line"]
