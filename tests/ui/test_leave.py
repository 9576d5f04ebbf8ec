"""The page of leave."""

from __future__ import annotations

import io
from datetime import UTC, date, datetime, timedelta

from ray_backend.domain.permissions import Caller, Role
from ray_backend.domain.worktime.schedule import Leave
from ray_backend.services.bulk_import.entries import ImportLimits
from ray_backend.services.leave_import import read
from streamlit_app.leave import entering, importing
from streamlit_app.views import leave
from tests.ui.conftest import account, enrol, page, words

TODAY = datetime.now(UTC).date()

ADMIN = Caller("admin", Role.ADMIN)


def by_key(test, key: str):
    return next(button for button in test.button if button.key == key)


def part(render, backend, caller=ADMIN):
    return page(render, backend.acting_as(caller)).run()


def kept(backend) -> list[Leave]:
    return backend.leave.between(date(2020, 1, 1), TODAY + timedelta(days=400))


def test_viewers_do_not_see_it_and_managers_do(backend):
    viewer = page(leave.render, backend, username=account(backend, Role.VIEWER)).run()
    assert "may not see this page" in words(viewer)
    manager = page(leave.render, backend, username=account(backend, Role.MANAGER)).run()
    assert not manager.exception
    assert "may not see" not in words(manager)


def test_leave_is_entered_listed_and_removed(backend):
    ada = enrol(backend, 1, name="Ada *Example*")
    test = part(entering.enter, backend)
    test.text_input(key="leave-text").set_value("ada").run()
    assert by_key(test, "leave-enter").disabled
    test.selectbox(key="leave-kind").set_value("Vacation").run()
    by_key(test, "leave-enter").click().run()
    [one] = kept(backend)
    assert (one.person_id, one.kind) == (ada.person_id, "Vacation")

    test = part(entering.listed, backend)
    assert r"Ada \*Example\* \(E1\), " in words(test)
    by_key(test, f"leave-remove-{one.leave_id}").click().run()
    assert kept(backend) == []
    assert "Nobody is on leave" in words(test)


def test_managers_see_leave_of_their_departments_only(backend):
    ada = enrol(backend, 1, name="Ada Example")
    backend.leave.add([Leave("l", ada.person_id, TODAY, TODAY, "Sick")], actor="test")
    test = part(entering.listed, backend, Caller("mia", Role.MANAGER, ("Kitchen",)))
    assert "Ada" not in words(test)


def test_a_file_is_imported_once_however_often(backend):
    enrol(backend, 1, name="Ada Example")
    table = b"Personalnummer;von;bis;Art\nE1;02.03.2026;06.03.2026;Urlaub\nE9;02.03.2026;;Urlaub\nE1;x;;y\n"

    def both(backend):
        importing.show(backend, read(io.BytesIO(table), "leave.csv", ImportLimits(10**6)))

    test = part(both, backend)
    outcomes = list(test.dataframe[0].value["Outcome"])
    assert outcomes[0] == "Can be imported"
    assert "employee id" in outcomes[1]
    assert "Write days as" in outcomes[2]
    assert "1 of 3 rows can be imported." in words(test)
    by_key(test, "leave-import").click().run()
    assert test.session_state["note_of_a_change"] == "New: 1. There already: 0."
    by_key(test, "leave-import").click().run()
    assert test.session_state["note_of_a_change"] == "New: 0. There already: 1."
    assert [one.kind for one in kept(backend)] == ["Urlaub"]
