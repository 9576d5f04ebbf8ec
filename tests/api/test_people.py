"""POST /register and everything below /people."""

from __future__ import annotations

import pytest

from ray_backend.domain.requests import PersonDraft
from tests.api.conftest import encoded
from tests.fakes import photo

ADA, ALAN, GRACE = 1, 2, 3
ALL = {"keep_punches": "true", "confirm": "E1"}


def kind_of(answer) -> str:
    return answer.json()["type"].removeprefix("urn:rollcall:problem:")


def test_a_person_is_registered_from_a_form_and_known_at_once(web):
    answer = web.register(
        ADA, photo(ADA), photo(ADA, variant=1), department=" Engines ", email="ada@example.org"
    )
    assert answer.status_code == 201
    person = answer.json()["person"]
    assert (person["employee_id"], person["department"], person["email"]) == (
        "E1",
        "Engines",
        "ada@example.org",
    )
    assert person["consent_at"] == person["created_at"]
    assert [(review["label"], review["accepted"]) for review in answer.json()["reviews"]] == [
        ("0.png", True),
        ("1.png", True),
    ]
    recognised = web.send_picture("/recognize", photo(ADA)).json()["faces"][0]
    assert recognised["person"] == {"employee_id": "E1", "name": "Person 1"}


def test_a_person_is_registered_from_json(web):
    document = {"employee_id": "E1", "name": "Ada", "consent": True, "photos": [encoded(photo(ADA))]}
    assert web.call("POST", "/register", json=document).status_code == 201
    assert web.get("/people/E1").json()["templates"] == 1


def test_the_key_that_registered_somebody_is_in_the_audit_log(web):
    web.register(ADA)
    (entry,) = [entry for entry in web.site.audit() if entry.action == "person.enrolled"]
    assert entry.actor == "API: admin"


def test_a_poor_photo_beside_a_good_one_is_reviewed_and_left_out(web):
    answer = web.register(ADA, photo(ADA), photo(ADA, blurred=True), b"no picture")
    assert answer.status_code == 201
    assert [review["reason"] for review in answer.json()["reviews"]] == [None, "blurred", "unreadable"]
    assert web.get("/people/E1").json()["templates"] == 1


def test_without_a_good_photo_each_one_has_its_reason_and_nothing_is_stored(web):
    answer = web.register(ADA, photo(), photo(ADA, blurred=True), b"no picture")
    assert (answer.status_code, kind_of(answer)) == (422, "photos-refused")
    assert [review["reason"] for review in answer.json()["reviews"]] == ["no_face", "blurred", "unreadable"]
    assert web.get("/people").json()["total"] == 0


def test_another_persons_face_is_refused_with_whom(web):
    web.register(ADA)
    answer = web.register(ALAN, photo(ADA))
    assert (answer.status_code, kind_of(answer)) == (409, "face-belongs-to-another")
    assert answer.json()["person"] == {"employee_id": "E1", "name": "Person 1"}


def test_an_employee_id_is_given_once(web):
    web.register(ADA)
    answer = web.register(ALAN, employee_id="E1")
    assert (answer.status_code, kind_of(answer)) == (409, "duplicate-employee-id")


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({"consent": "false"}, "consent-missing"),
        ({"employee_id": " "}, "invalid-input"),
        ({"name": "a\x00b"}, "invalid-input"),
        ({"name": "x" * 201}, "invalid-input"),
        ({"email": "nobody"}, "invalid-input"),
        ({"consent": "perhaps"}, "invalid-input"),
        ({"nickname": "Ada"}, "invalid-input"),
    ],
)
def test_a_registration_that_cannot_be_is_refused(web, changes, kind):
    answer = web.register(ADA, **changes)
    assert (answer.status_code, kind_of(answer)) == (422, kind)
    assert web.get("/people").json()["total"] == 0


def test_a_registration_without_photos_or_fields_is_refused(web):
    fields = {"employee_id": "E1", "name": "Ada", "consent": True}
    assert web.call("POST", "/register", json=fields).status_code == 422
    assert web.call("POST", "/register", json={"photos": [encoded(photo(ADA))]}).status_code == 422
    assert web.call("POST", "/register", json=fields | {"photos": "text"}).status_code == 422
    assert web.send_picture("/register", photo(ADA)).status_code == 415


def test_photos_are_added_and_sending_them_again_changes_nothing(web):
    web.register(ADA)
    files = [("photos", ("more.png", photo(ADA, variant=1)))]
    for _ in range(2):
        answer = web.call("POST", "/people/E1/photos", files=files)
        assert answer.status_code == 200
    assert [review["reason"] for review in answer.json()["reviews"]] == ["already_stored"]
    assert web.get("/people/E1").json()["templates"] == 2
    assert web.call("POST", "/people/E9/photos", files=files).status_code == 404


def test_people_come_in_pages_that_together_are_everybody(web):
    for who in range(1, 8):
        web.site.enrol(who)
    seen, cursor = [], None
    while True:
        page = web.get("/people", limit=3, **({"cursor": cursor} if cursor else {})).json()
        assert page["total"] == 7
        seen += [person["employee_id"] for person in page["people"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert seen == [f"E{who}" for who in range(1, 8)]


def test_people_are_found_by_text_department_and_state(web):
    web.site.enrol(ADA)
    web.site.enrol(ALAN, department="Codes")
    web.call("PATCH", "/people/E2", json={"active": False})

    def found(**query):
        return [person["employee_id"] for person in web.get("/people", **query).json()["people"]]

    assert found(q="person 2") == ["E2"]
    assert found(department="Engines") == ["E1"]
    assert found(active="false") == ["E2"]
    assert found(active="true", q="e") == ["E1"]
    assert found(q="nobody") == []


@pytest.mark.parametrize(
    "query", [{"limit": 0}, {"limit": 1001}, {"limit": "x"}, {"cursor": "x"}, {"cursor": "W1tbW1tb" * 150},
              {"q": "\x00"}, {"active": "perhaps"}, {"q": "x" * 201}]
)  # fmt: skip
def test_a_query_that_cannot_be_is_refused(web, query):
    answer = web.get("/people", **query)
    assert answer.status_code == 422
    assert answer.headers["Content-Type"] == "application/problem+json"


def test_nobody_is_not_found(web):
    for method, more in (("GET", {}), ("PATCH", {"json": {}}), ("DELETE", {"params": ALL})):
        assert web.call(method, "/people/E9", **more).status_code == 404


def test_an_employee_id_may_have_slashes_and_spaces(web):
    draft = PersonDraft("A/1 é", "Ada", consent=True)
    web.site.try_enrol(draft, photo(ADA))
    answer = web.get("/people/A%2F1%20%C3%A9")
    assert answer.json()["employee_id"] == "A/1 é"
    files = [("photos", ("more.png", photo(ADA, variant=1)))]
    assert web.call("POST", "/people/A%2F1%20%C3%A9/photos", files=files).status_code == 200


def test_patch_changes_what_is_sent_and_put_replaces_everything(web):
    web.site.enrol(ADA)
    patched = web.call("PATCH", "/people/E1", json={"name": " Ada  Example "}).json()
    assert (patched["name"], patched["department"]) == ("Ada Example", "Engines")
    put = web.call("PUT", "/people/E1", json={"employee_id": "E7", "name": "Ada"}).json()
    assert (put["employee_id"], put["name"], put["department"]) == ("E7", "Ada", "")
    assert web.get("/people/E1").status_code == 404
    assert web.get("/people/E7").json()["consent_at"]


def test_a_deactivated_person_is_not_recognised_until_activated(web):
    web.site.enrol(ADA)

    def decision():
        return web.send_picture("/recognize", photo(ADA)).json()["faces"][0]["decision"]

    assert web.call("PATCH", "/people/E1", json={"active": False}).json()["active"] is False
    assert decision() == "unknown"
    assert web.call("PUT", "/people/E1", json={"employee_id": "E1", "name": "Ada"}).json()["active"] is True
    assert decision() == "match"


def test_a_change_that_is_refused_changes_nothing(web):
    web.site.enrol(ADA)
    web.site.enrol(ALAN)
    before = web.get("/people/E1").json()
    changes = {"employee_id": "E2", "active": False}
    assert kind_of(web.call("PATCH", "/people/E1", json=changes)) == "duplicate-employee-id"
    for wrong in ({"name": ""}, {"name": None}, {"email": "nobody"}, {"active": False, "name": "a\x00"},
                  {"created_at": "2020"}, {"active": "perhaps"}):  # fmt: skip
        assert web.call("PATCH", "/people/E1", json=wrong).status_code == 422
    assert web.call("PUT", "/people/E1", json={"name": "Ada"}).status_code == 422
    assert web.call("PATCH", "/people/E1", content=b"{").status_code == 415
    assert web.call("PATCH", "/people/E1", json={"name": "x" * 70_000}).status_code == 413
    assert web.get("/people/E1").json() == before


def test_erasing_needs_the_id_once_more_and_a_word_about_the_punches(web):
    web.site.enrol(ADA)
    for wrong in ({}, {"keep_punches": "true"}, {"confirm": "E1"}, ALL | {"confirm": "E2"}):
        assert web.call("DELETE", "/people/E1", params=wrong).status_code == 422
    assert web.get("/people/E1").status_code == 200


@pytest.mark.parametrize(("keep", "kept"), [("true", 1), ("false", 0)])
def test_erasing_leaves_nobody_and_the_punches_as_asked(web, keep, kept):
    ada = web.site.enrol(ADA)
    web.site.check_in(ADA)
    answer = web.call("DELETE", "/people/E1", params=ALL | {"keep_punches": keep})
    [certificate] = web.site.backend.certificates.all()
    assert answer.json() == {
        "templates": 1,
        "punches_removed": 1 - kept,
        "punches_kept": kept,
        "certificate": certificate.certificate_id,
        "verified": True,
    }
    assert web.get("/people/E1").status_code == 404
    assert web.send_picture("/recognize", photo(ADA)).json()["faces"][0]["decision"] == "unknown"
    assert len(web.site.punches(ada)) == kept


def test_a_merged_record_is_listed_and_answers_as_the_person_it_is(web):
    ada, twice = web.site.enrol(ADA), web.site.enrol(ALAN)
    web.site.check_in(ALAN)
    web.site.backend.merges.merge(twice.person_id, ada.person_id, actor="test")
    listed = web.get("/people").json()
    assert ([one["employee_id"] for one in listed["people"]], listed["total"]) == (["E1"], 1)
    assert web.get("/people/E2").json() == web.get("/people/E1").json()
    assert web.get("/people/E2").json()["templates"] == 2
    for employee_id in ("E1", "E2"):
        [punch] = web.get("/attendance", person=employee_id).json()["punches"]
        assert punch["person"]["employee_id"] == "E1"
    assert web.get("/people/E3").status_code == 404


def test_people_are_paged_by_activity(web):
    for who in (ADA, ALAN, GRACE):
        web.site.enrol(who)
    web.call("PATCH", "/people/E2", json={"active": False})
    first = web.get("/people", active="true", limit=1).json()
    second = web.get("/people", active="true", limit=1, cursor=first["next_cursor"]).json()
    ids = [one["employee_id"] for page in (first, second) for one in page["people"]]
    assert (ids, first["total"], second["next_cursor"]) == (["E1", "E3"], 2, None)
