"""A person's page: photos side by side, look-alikes, last attendance, merging, and the certificate."""

from __future__ import annotations

import json

import pytest

from ray_backend.client import Photo
from ray_backend.domain.errors import PersonNotFound
from ray_backend.domain.queries import PeopleQuery
from streamlit_app import certificate_words
from streamlit_app.person import merging
from streamlit_app.person.erasing import confirm_erasure
from streamlit_app.person.merging import merge
from streamlit_app.views import people
from tests.fakes import photo
from tests.ui.conftest import enrol, page, words
from tests.unit.services.conftest import look_alike, stored_template


def button(test, label):
    return next(button for button in test.button if button.label == label)


@pytest.fixture
def ada(backend):
    return enrol(backend, 1, name="Ada Example")


def page_of(backend, someone):
    test = page(people.render, backend)
    test.query_params["person"] = someone.person_id
    return test.run()


def add_template(backend, someone, embedding, template_id):
    """As if it had been made before anybody looked whose face it is."""
    backend._records.store.add_templates([stored_template(someone, embedding, template_id=template_id)])


def embedding_of(backend, someone):
    return backend.people.details(someone.person_id).templates[0].embedding


def test_one_photo_has_nothing_to_be_compared_with(backend, ada):
    assert "The only photo" in words(page_of(backend, ada))


def test_a_photo_of_somebody_else_is_marked(backend, ada):
    own = embedding_of(backend, ada)
    add_template(backend, ada, look_alike(own, 0.95, seed=5), "same")
    add_template(backend, ada, look_alike(own, 0.1), "other")

    test = page_of(backend, ada)

    assert [one.value for one in test.warning] == ["Does this photo show somebody else?"]
    removals = [one.key for one in test.button if str(one.key).startswith("remove-")]
    assert removals[-1] == "remove-other"
    test.button(key="remove-other").click().run()
    assert not test.warning


def test_two_photos_that_differ_are_both_in_question(backend, ada):
    add_template(backend, ada, look_alike(embedding_of(backend, ada), 0.1), "other")
    asked = [one.value for one in page_of(backend, ada).warning]
    assert asked == ["The two photos do not look like one person."] * 2


def test_a_look_alike_is_named_with_what_the_kiosk_does(backend, ada):
    twin = enrol(backend, 2, name="Twin Example")
    assert "Nobody else looks much alike" in words(page_of(backend, ada))
    backend._records.enrolments.add_template(
        stored_template(twin, look_alike(embedding_of(backend, ada), 0.47), template_id="twin")
    )

    asked = page_of(backend, ada).warning[0].value
    assert "Looks much like Twin Example \\(E2\\)" in asked
    assert "has no code yet" in asked
    backend.people.set_code(ada.person_id, "482913", actor="test")
    assert "has no code yet" not in page_of(backend, ada).warning[0].value


def test_the_last_attendance_is_listed_newest_first(backend, ada, clock):
    assert "has not checked in yet" in words(page_of(backend, ada))
    for _ in range(12):
        backend.check_in(photo(1), kiosk="entrance")
        clock.move(hours=25)

    shown = page_of(backend, ada).table[0].value

    assert len(shown) == 10
    assert list(shown["Time"]) == sorted(shown["Time"], reverse=True)
    assert shown.iloc[0].to_dict() == {
        "Time": "2026-03-13 20:00", "Direction": "In", "Kiosk": "entrance", "How": "Face",
    }  # fmt: skip


@pytest.fixture
def second(backend, clock):
    """Ada once more, by mistake; she checked in as that record, too."""
    record = enrol(backend, 2, name="Ada Twice")
    backend.check_in(photo(2), kiosk="entrance")
    return record


@pytest.fixture
def dialog(backend, ada):
    """The dialog by itself: AppTest closes a dialog at the next click."""
    return page(lambda backend: merge(backend, ada), backend).run()


def choose(test, record):
    test.session_state[merging._OTHER] = record.person_id
    return test.run()


def test_the_other_record_is_found_by_search(backend, ada, second, dialog):
    assert "Type a name" in words(dialog)
    dialog.text_input(key="merge-text").set_value("exam").run()
    assert "No other record matches" in words(dialog)
    dialog.text_input(key="merge-text").set_value("twice").run()
    assert button(dialog, "Ada Twice (E2)").key == f"merge-choose-{second.person_id}"


def test_a_merge_shows_what_moves_and_wants_to_be_sure_about_different_faces(backend, ada, second, dialog):
    choose(dialog, second)
    assert "1 photo and 1 attendance record of Ada Twice will count for Ada Example" in words(dialog)
    assert "do not look alike" in dialog.warning[0].value
    assert button(dialog, "Merge").disabled
    dialog.checkbox(key="merge-sure").check().run()
    button(dialog, "Merge").click().run()

    details = backend.people.details(ada.person_id)
    assert [record.person_id for record in details.merged] == [second.person_id]
    assert len(details.templates) == 2
    assert backend.people.find(PeopleQuery()).total == 1


def test_the_other_record_may_be_the_one_that_stays(backend, ada, second, dialog):
    choose(dialog, second)
    dialog.radio(key="merge-stays").set_value("other").run()
    assert "1 photo and no attendance record of Ada Example will count for Ada Twice" in words(dialog)
    dialog.checkbox(key="merge-sure").check().run()
    button(dialog, "Merge").click().run()
    assert [p.name for p in backend.people.find(PeopleQuery()).items] == ["Ada Twice"]


def test_a_merge_is_undone_from_the_page(backend, ada, second):
    backend.merges.merge(second.person_id, ada.person_id, actor="test")
    test = page_of(backend, ada)
    assert "Ada Twice (E2)" in words(test)
    assert "Photos (2)" in words(test)

    test.button(key=f"undo-{second.person_id}").click().run()

    assert "The merge is undone" in words(test)
    assert backend.people.find(PeopleQuery()).total == 2
    assert "Photos (1)" in words(test)


def test_a_merge_that_is_not_possible_says_why(backend, ada, second, dialog):
    third = enrol(backend, 3)
    backend.merges.merge(second.person_id, third.person_id, actor="test")
    choose(dialog, second)
    assert dialog.error
    assert "Merge" not in [one.label for one in dialog.button]


def erased(backend, someone):
    """The list as it is after the dialog erased somebody."""
    dialog = page(lambda backend: confirm_erasure(backend, someone), backend).run()
    dialog.text_input(key="erase-typed").set_value(someone.employee_id)
    button(dialog, "Erase for good").click().run()
    test = page(people.render, backend)
    test.session_state["people_farewell"] = dialog.session_state["people_farewell"]
    return test.run()


def test_an_erasure_hands_out_its_certificate_and_keeps_it_in_the_list(backend, ada):
    test = erased(backend, ada)
    assert "nothing was found" in words(test)
    labels = [one.label for one in test.get("download_button")]
    assert labels == ["Certificate (JSON)", "To print (HTML)"]

    button(test, "Deletion certificates").click().run()
    [certificate] = backend.certificates.all()
    assert certificate.certificate_id in words(test)
    assert backend.certificates.public_key() in [one.value for one in test.code]
    with pytest.raises(PersonNotFound):
        backend.people.details(ada.person_id)


def test_a_certificate_is_checked_on_the_page(backend, ada):
    from ray_backend.services.certificates import to_file

    erasure = backend.people.erase(ada.person_id, typed_employee_id="E1", keep_punches=True, actor="test")
    file = to_file(erasure.certificate)
    test = page(people.render, backend)
    test.query_params["certificates"] = "all"
    test.run()

    def upload(content, employee_id=""):
        test.text_input(key="certificate-employee").set_value(employee_id)
        test.file_uploader[0].set_value([("c.json", content, "application/json")]).run()

    upload(file, "E1")
    assert [one.value for one in test.success][1:] == ["It is about this employee id."]
    upload(file, "E2")
    assert test.error[0].value == "It is about another employee id."
    record = json.loads(file)
    record["certificate"]["removed"]["templates"] = 7
    upload(json.dumps(record).encode())
    assert "not genuine" in test.error[0].value


def test_what_was_found_after_an_erasure_is_an_error_on_the_page(backend, ada):
    backend._records.store.put_setting("left-behind", ada.person_id)
    test = erased(backend, ada)
    assert "the erasure is not complete" in test.error[0].value
    assert "any other note about the person" in words(test)


def test_photos_of_a_merged_record_can_be_removed_here(backend, ada, second):
    backend.add_photos(second.person_id, [Photo("b.png", photo(2, variant=4))], source="upload", actor="test")
    backend.merges.merge(second.person_id, ada.person_id, actor="test")
    test = page_of(backend, ada)
    [first, *_] = backend.people.details(second.person_id).templates
    test.button(key=f"remove-{first.template_id}").click().run()
    assert "Photos (2)" in words(test)


def test_everything_in_a_real_certificate_has_words(backend, ada):
    erasure = backend.people.erase(ada.person_id, typed_employee_id="E1", keep_punches=False, actor="test")
    content = erasure.certificate.content
    assert set(content["removed"]) <= set(certificate_words._REMOVED)
    assert {check["what"] for check in content["checks"]} <= set(certificate_words._CHECKS)
    assert set(content["kept_without_a_name"]) == set(certificate_words._KEPT)
    assert set(content["where"]["files"]) == set(certificate_words._FILES)
