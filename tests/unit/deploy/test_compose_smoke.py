"""The smoke run's last word: what it takes for a lost or a doubled punch, and whose faces it uses."""

from __future__ import annotations

from scripts.compose_smoke.database import compare
from scripts.compose_smoke.doors import Ledger
from scripts.compose_smoke.people import everybody
from tests.people import face_photo


def test_every_acknowledged_punch_once_is_well_and_more_in_the_database_too():
    assert compare({"a", "b"}, [("a", "door/1"), ("b", "door/2"), ("c", "door/3")]) == []


def test_a_lost_punch_is_named():
    assert compare({"a", "b"}, [("a", "door/1")]) == ["punch b was acknowledged and is not in the database"]


def test_a_doubled_punch_is_named_by_its_id_and_by_its_check_in():
    assert compare({"a"}, [("a", "door/1"), ("a", "door/2")]) == ["punch a is in the database 2 times"]
    assert compare({"a"}, [("a", "door/1"), ("b", "door/1")]) == ["check-in door/1 was recorded 2 times"]


def test_somebody_taken_for_somebody_else_is_a_fault():
    ledger = Ledger()
    answer = {"decision": "match", "person": {"employee_id": "BOB"}, "punch": {"punch_id": "a"}}
    ledger.note("ADA", answer | {"repeated": False}, 0.1)
    assert ledger.faults == ["ADA was taken for BOB"]
    assert set(ledger.punches) == {"a"}


def test_a_folder_of_photos_is_one_person_who_checks_in_with_the_last(tmp_path):
    for person, photos in {"ada": 2, "bob": 1, "nobody": 0}.items():
        (tmp_path / person).mkdir()
        for number in range(photos):
            (tmp_path / person / f"{number}.jpg").write_bytes(face_photo(0, number))
    (ada, bob), origin = everybody(tmp_path)
    assert origin == "3 folders of photos"
    assert (ada.employee_id, ada.photos, ada.at_the_door) == (
        "SMOKE-ada",
        (face_photo(0, 0),),
        face_photo(0, 1),
    )
    assert bob.photos == (bob.at_the_door,)
