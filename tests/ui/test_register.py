"""Registering a face on the page."""

from __future__ import annotations

import pytest

from streamlit_app.views import register
from tests.fakes import photo
from tests.ui.conftest import enrol, page, words


@pytest.fixture
def form(backend):
    """The form, filled in except for the photos."""
    test = page(register.render, backend).run()
    field(test, "Employee id").set_value("E7")
    field(test, "Name").set_value("Ada Example")
    test.checkbox[0].check()
    return test


def field(test, label):
    return next(field for field in test.text_input if field.label == label)


def add_files(test, *pictures):
    test.file_uploader[0].set_value([(f"{n}.png", data, "image/png") for n, data in enumerate(pictures)])
    return test.run()


def save(test):
    return next(button for button in test.button if button.key == "register-save").click().run()


def test_a_person_with_a_good_photo_is_stored_and_the_form_is_empty_again(backend, form):
    save(add_files(form, photo(7)))

    stored = backend.people.by_employee_id("E7")
    assert (stored.name, stored.consent_at is not None) == ("Ada Example", True)
    assert "Ada Example (E7) is registered with one photo" in form.success[0].value
    assert field(form, "Name").value == ""
    assert form.checkbox[0].value is False


def test_each_photo_is_judged_at_once_with_its_reason(form):
    add_files(form, photo(7), photo(7, blurred=True, variant=1), b"no picture at all")

    text = words(form)
    assert "1 of 3 photos will be used." in text
    assert "Hold still" in text
    assert "not a JPEG, PNG or WebP picture" in text


def test_photos_are_judged_once_however_often_the_page_runs(backend, form, monkeypatch):
    calls = []
    judge = backend.review
    monkeypatch.setattr(backend, "review", lambda *args: calls.append(1) or judge(*args))
    add_files(form, photo(7))

    field(form, "Name").set_value("Another Name").run()
    form.run()

    assert len(calls) == 1


def test_a_file_name_cannot_bring_markup_into_the_page(form):
    form.file_uploader[0].set_value([("<img src=x onerror=alert(1)>.png", photo(7), "image/png")]).run()

    assert "<img src=x" not in "".join(element.value for element in form.html)


def test_without_consent_nothing_is_stored_and_the_form_keeps_its_content(backend, form):
    form.checkbox[0].uncheck()

    save(add_files(form, photo(7)))

    assert "Tick the consent box" in form.error[0].value
    assert field(form, "Name").value == "Ada Example"
    assert backend.people.by_employee_id("E7") is None


def test_somebody_elses_face_is_refused_with_their_name(backend, form):
    enrol(backend, 3, name="Grace Example")

    save(add_files(form, photo(3, variant=2)))

    assert "Grace Example" in form.error[0].value
    assert backend.people.by_employee_id("E7") is None


def test_a_taken_employee_id_is_refused(backend, form):
    enrol(backend, 1)
    field(form, "Employee id").set_value("E1")

    save(add_files(form, photo(7)))

    assert "E1 is taken" in form.error[0].value


def test_a_form_without_photos_asks_for_one(form):
    save(form)

    assert "Add at least one photo" in form.error[0].value


def test_shots_of_the_camera_add_up_and_can_be_removed(backend, form):
    form.toggle[0].set_value(True).run()
    form.camera_input[0].set_value(("shot.jpg", photo(7), "image/jpeg")).run()
    form.camera_input[0].set_value(("shot.jpg", photo(7, variant=1), "image/jpeg")).run()
    assert "2 photos will be used." in words(form)

    next(button for button in form.button if button.label == "Remove").click().run()
    assert "1 photo will be used." in words(form)

    save(form)
    person = backend.people.by_employee_id("E7")
    assert [template.source for template in backend.people.details(person.person_id).templates] == ["camera"]
