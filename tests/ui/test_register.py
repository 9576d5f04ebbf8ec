"""Registering a face on the page, step by step."""

from __future__ import annotations

import numpy as np
import pytest

from ray_backend.client import Backend
from ray_backend.domain.enrolment.words import Target
from ray_backend.domain.model import Template, new_id
from ray_backend.domain.queries import PunchQuery
from ray_backend.domain.requests import PersonDraft
from ray_backend.vision.images import decode
from streamlit_app.camera import desk as desk_component
from streamlit_app.camera.desks import desks
from streamlit_app.registration import done, photos
from streamlit_app.views import register
from tests.fakes import FakeEngine, photo
from tests.ui.conftest import enrol, page, words


@pytest.fixture
def cameras(monkeypatch):
    """The permits of the cameras that the page shows; nothing is mounted."""
    shown = []

    def camera(permit, *, key, guided):
        shown.append(permit)
        return False

    for module in (desk_component, photos, done):
        monkeypatch.setattr(module, "desk_camera", camera)
    return shown


@pytest.fixture
def form(backend, cameras):
    """The page, not run yet."""
    return page(register.render, backend)


def field(test, label):
    return next(field for field in test.text_input if field.label == label)


def press(test, key):
    return next(button for button in test.button if button.key == key).click().run()


def labelled(test, label):
    return next(button for button in test.button if button.label == label)


def agree(test):
    test.run()
    test.checkbox[0].check().run()
    return press(test, "register-next")


def name_them(test, employee_id="E7", name="Ada Example"):
    agree(test)
    field(test, "Employee id").set_value(employee_id)
    field(test, "Name").set_value(name)
    return press(test, "register-next")


def by_files(test, *pictures):
    """Photos from files, up to the last look."""
    test.segmented_control[0].set_value(photos.SINGLE).run()
    return add_files(test, *pictures)


def add_files(test, *pictures):
    test.file_uploader[0].set_value([(f"{n}.png", data, "image/png") for n, data in enumerate(pictures)])
    return test.run()


def looked_over(test, *pictures, **who):
    by_files(name_them(test, **who), *pictures)
    return press(test, "register-next")


def save(test):
    return press(test, "register-save")


def step(test):
    return next(line for line in words(test).splitlines() if "rc-steps" in line).split('aria-current="step"')[
        1
    ]


def look_alike(backend, who, similarity, employee_id="E9"):
    """A person whose template has just this similarity to person number `who` of the fakes."""
    person = enrol(backend, 190, name="Alan Example")
    (template,) = backend.people.details(person.person_id).templates
    engine = FakeEngine()
    picture = decode(photo(who), max_bytes=10**7, max_pixels=10**7)
    target = engine.embed([engine.align(picture, engine.detect(picture)[0])])[0]
    other = np.random.default_rng(5).standard_normal(target.shape).astype(np.float32)
    other -= (other @ target) * target
    other /= np.linalg.norm(other)
    mixed = (similarity * target + (1 - similarity**2) ** 0.5 * other).astype(np.float32)
    made = Template(
        person.person_id, template.pack_id, mixed / np.linalg.norm(mixed), 1.0, "test", template.created_at,
        thumbnail=template.thumbnail, template_id=new_id(),
    )  # fmt: skip
    backend._enrolments.add_template(made)
    return person


def test_no_camera_runs_before_the_person_has_agreed(form, cameras):
    form.run()

    assert form.checkbox[0].value is False
    assert next(button for button in form.button if button.key == "register-next").disabled
    assert cameras == []
    assert "used to record attendance" in words(form)


def test_what_was_agreed_to_is_stored_with_its_version(backend, form):
    save(looked_over(form, photo(7)))

    stored = backend.people.by_employee_id("E7")
    assert stored.consent_at is not None
    assert backend.site.consent_text(stored.consent_version) == backend.site.current().consent_text
    assert stored.consent_version == backend.site.current().consent_version


def test_a_text_that_changes_while_it_is_read_has_to_be_read_again(backend, form):
    form.run()
    form.checkbox[0].check().run()
    backend.site.change({"consent_text": "Another text."}, actor="test")

    press(form, "register-next")

    assert "Another text" in words(form)
    assert form.checkbox[0].value is False
    assert "Consent" in step(form)


def test_a_taken_employee_id_is_said_at_once_and_goes_no_further(backend, form):
    enrol(backend, 1, name="Grace Example")
    agree(form)
    field(form, "Employee id").set_value("E1").run()
    assert "Grace Example" in form.warning[0].value

    field(form, "Name").set_value("Ada Example")
    press(form, "register-next")

    assert "not taken" in form.error[0].value
    assert "Person" in step(form)


def test_a_wrong_e_mail_address_loses_nothing_that_was_typed(form):
    agree(form)
    field(form, "Employee id").set_value("E7")
    field(form, "Name").set_value("Ada Example")
    field(form, "E-mail (optional)").set_value("ada@")
    press(form, "register-next")

    assert "e-mail address is not complete" in form.error[0].value
    assert [one.value for one in form.text_input] == ["E7", "Ada Example", "ada@"]


def test_going_back_finds_everything_as_it_was(form):
    by_files(name_them(form), photo(7))
    press(form, "register-back")
    assert [field(form, label).value for label in ("Employee id", "Name")] == ["E7", "Ada Example"]

    press(form, "register-next")
    assert "1 photo will be used." in words(form)


def test_each_photo_is_judged_at_once_with_its_reason(form):
    by_files(name_them(form), photo(7), photo(7, blurred=True, variant=1), b"no picture at all")

    text = words(form)
    assert "1 of 3 photos will be used." in text
    assert "Hold still" in text
    assert "not a JPEG, PNG or WebP picture" in text


def test_photos_are_judged_once_however_often_the_page_runs(backend, form, monkeypatch):
    calls = []
    judge = Backend.review
    monkeypatch.setattr(Backend, "review", lambda *args: calls.append(1) or judge(*args))
    by_files(name_them(form), photo(7))

    form.run()
    form.run()

    assert len(calls) == 1


def test_a_file_name_cannot_bring_markup_into_the_page(form):
    name_them(form).segmented_control[0].set_value(photos.SINGLE).run()
    form.file_uploader[0].set_value([("<img src=x onerror=alert(1)>.png", photo(7), "image/png")]).run()

    assert "<img src=x" not in "".join(element.value for element in form.html)


def test_without_a_photo_there_is_nothing_to_save(form):
    press(name_them(form), "register-next")

    assert "at least one photo" in form.error[0].value
    assert "Photos" in step(form)


def test_poor_photos_alone_cannot_be_saved(backend, form):
    looked_over(form, photo(7, blurred=True))

    assert "None of these photos can be used" in form.error[0].value
    assert not [button for button in form.button if button.key == "register-save"]
    assert "Hold still" in words(form)


def test_shots_of_the_camera_add_up_and_can_be_removed(backend, form):
    name_them(form).segmented_control[0].set_value(photos.SINGLE).run()
    form.toggle[0].set_value(True).run()
    form.camera_input[0].set_value(("shot.jpg", photo(7), "image/jpeg")).run()
    form.camera_input[0].set_value(("shot.jpg", photo(7, variant=1), "image/jpeg")).run()
    assert "2 photos will be used." in words(form)

    labelled(form, "Remove").click().run()
    assert "1 photo will be used." in words(form)

    save(press(form, "register-next"))
    person = backend.people.by_employee_id("E7")
    assert [template.source for template in backend.people.details(person.person_id).templates] == ["camera"]


def test_the_guided_camera_begins_by_itself_and_its_photos_are_kept(backend, form, cameras):
    name_them(form)
    (permit,) = set(cameras)
    desk = desks.get(permit)
    clock = iter(range(100))
    desk._guided._elapsed_s = lambda: 0.2 * next(clock)
    for _ in range(5):
        said = desk.frame(photo(7))
    assert [one["state"] for one in said["targets"]] == ["taken", "now", "open", "open"]
    for _ in (Target.LEFT, Target.RIGHT, Target.UP):
        desk._guided.skip()
    form.run()

    assert "The guided photos are taken." in words(form)
    assert "1 photo will be used." in words(form)
    assert desks.get(permit) is None

    save(press(form, "register-next"))
    person = backend.people.by_employee_id("E7")
    (template,) = backend.people.details(person.person_id).templates
    assert template.source == "camera"


def test_the_same_face_under_another_id_is_shown_and_asked_about(backend, form):
    grace = enrol(backend, 3, name="Grace Example")

    looked_over(form, photo(3, variant=2))

    assert "registered already" in form.error[0].value
    assert "Is this Grace Example?" in words(form)
    assert len([one for one in form.html if "data:image/jpeg" in one.value]) >= 2
    assert not [button for button in form.button if button.key == "register-save"]

    labelled(form, "No, this is somebody else").click().run()
    assert "could not tell the two apart" in form.info[0].value
    assert backend.people.by_employee_id("E7") is None

    labelled(form, "Yes, add the photos to Grace Example").click().run()
    assert "One photo is added to Grace Example (E3)." in form.success[0].value
    assert len(backend.people.details(grace.person_id).templates) == 2


def test_a_look_alike_is_shown_and_both_are_offered_a_code(backend, form):
    alan = look_alike(backend, 7, similarity=0.47)

    looked_over(form, photo(7))

    assert "Ada Example looks like Alan Example" in form.warning[0].value
    assert form.radio[0].value == "made"
    field(form, "New code for Alan Example, who has none").set_value("824613")
    labelled(form, "Set the code").click().run()
    assert backend.people.details(alan.person_id).has_code
    assert "Alan Example has a code." in words(form)

    save(form)
    ada = backend.people.by_employee_id("E7")
    assert backend.people.details(ada.person_id).has_code


def test_nobody_who_looks_different_is_called_a_look_alike(backend, form):
    look_alike(backend, 7, similarity=0.40)

    looked_over(form, photo(7))

    assert not form.warning
    assert form.radio[0].value == "none"


def test_a_made_pin_is_shown_once_and_is_the_persons(backend, form):
    looked_over(form, photo(7))
    form.radio[0].set_value("made").run()
    save(form)

    pin = form.code[0].value
    assert len(pin) == 6
    assert pin.isdigit()
    token = backend.access.issue_token("entrance", actor="test")
    kiosk = backend.kiosk_session(backend.access.verify_token(token))
    assert kiosk.code(pin, "request-1").check_in.person.employee_id == "E7"

    press(form, "register-new")
    assert pin not in words(form)


def test_a_code_that_is_taken_is_said_after_the_person_is_stored_and_can_be_changed(backend, form):
    grace = enrol(backend, 3, name="Grace Example")
    backend.people.set_code(grace.person_id, "824613", actor="test")
    looked_over(form, photo(7))
    form.radio[0].set_value("own").run()
    field(form, "PIN or badge number").set_value("824613").run()

    save(form)

    assert "the code is not set" in form.warning[0].value
    field(form, "Another PIN or badge number").set_value("579024")
    labelled(form, "Set the code").click().run()
    person = backend.people.by_employee_id("E7")
    assert backend.people.details(person.person_id).has_code
    assert not form.warning


def test_a_refusal_when_saving_keeps_the_form(backend, form):
    looked_over(form, photo(7))
    enrol(backend, 5)
    backend.people.update(
        backend.people.by_employee_id("E5").person_id,
        PersonDraft("E7", "Somebody"),
        actor="test",
    )

    save(form)

    assert "E7 is taken" in form.error[0].value
    press(form, "register-back")
    press(form, "register-back")
    assert field(form, "Name").value == "Ada Example"


def test_the_try_opens_a_camera_of_its_own_and_ends_with_the_next_person(backend, form, cameras):
    save(looked_over(form, photo(7)))
    assert "Ada Example (E7) is registered with one photo." in form.success[0].value
    cameras.clear()

    press(form, "register-try")
    (permit,) = set(cameras)
    said = desks.get(permit).frame(photo(7))
    assert (said["look"], said["headline"]) == ("known", "Recognised: Ada Example")
    assert desks.get(permit).frame(photo(8))["look"] == "unknown"
    assert not backend.reports.recent_punches(PunchQuery())

    press(form, "register-new")
    assert desks.get(permit) is None
    assert form.checkbox[0].value is False


def test_starting_over_forgets_everything(form, cameras):
    by_files(name_them(form), photo(7))
    press(form, "register-over")

    assert form.checkbox[0].value is False
    agree(form)
    assert field(form, "Name").value == ""
