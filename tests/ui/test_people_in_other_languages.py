"""Every text of the pages about people goes through a catalogue, and so can be in another language."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from streamlit_app import i18n
from streamlit_app.camera import desks
from streamlit_app.camera.desk import desk_data
from streamlit_app.camera.desks import GuideDesk, TryDesk
from streamlit_app.person.erasing import confirm_erasure
from streamlit_app.person.merging import merge
from streamlit_app.registration import photos
from streamlit_app.unknown.assigning import assign
from streamlit_app.unknown.enrolling import enrol as enrol_unknown
from streamlit_app.unknown.single import pictures
from streamlit_app.views import import_people, people, register, unknown
from tests.fakes import photo
from tests.ui import pseudo
from tests.ui.conftest import enrol, page
from tests.ui.test_import_people import settle
from tests.ui.test_register import cameras as _cameras
from tests.ui.test_register import look_alike
from tests.ui.test_unknown import ADA, POOR, STRANGER, choose, seen

ADA_NAME, ALAN_NAME = "Ada Example", "Alan Example"
NAMES = (ADA_NAME, ALAN_NAME, "Workshop", "Works", "Example")
cameras = _cameras


@pytest.fixture(autouse=True)
def _pseudo(monkeypatch):
    pseudo.speak(monkeypatch)


@pytest.fixture
def ada(backend):
    return enrol(backend, ADA, name=ADA_NAME)


def press(test, key):
    return next(button for button in test.button if button.key == key).click().run()


def site_texts(backend) -> tuple[str, ...]:
    return (*NAMES, *backend.site.current().consent_text.splitlines())


def registered(backend, *pictures: bytes):
    """The registration of a second person up to the last look."""
    test = page(register.render, backend).run()
    test.checkbox[0].check().run()
    press(test, "register-next")
    test.text_input[0].set_value("E7")
    test.text_input[1].set_value("Example")
    press(test, "register-next")
    test.segmented_control[0].set_value(photos.SINGLE).run()
    test.file_uploader[0].set_value([(f"{n}.png", data, "image/png") for n, data in enumerate(pictures)])
    return press(test.run(), "register-next")


def test_the_first_steps_of_a_registration(backend, cameras):
    test = page(register.render, backend).run()
    texts = [line.replace(".", "\\.") for line in site_texts(backend)]
    assert pseudo.english(test, *texts) == set()
    test.checkbox[0].check().run()
    press(test, "register-next")
    assert pseudo.english(test) == set()
    test.text_input[0].set_value("E7")
    press(test, "register-next")
    assert pseudo.english(test) == set()
    test.text_input[1].set_value("Example")
    press(test, "register-next")
    assert pseudo.english(test) == set()
    press(test, "register-next")
    assert pseudo.english(test) == set()


def test_the_last_look_and_what_follows(backend, cameras):
    look_alike(backend, 7, 0.3)
    test = registered(backend, photo(7), photo(7, blurred=True, variant=1))
    assert pseudo.english(test, *NAMES, ".png", "png") == set()
    press(test, "register-save")
    assert pseudo.english(test, *NAMES) == set()


def test_a_face_that_is_registered_already(backend, ada, cameras):
    test = registered(backend, photo(ADA))
    press(test, f"other-{ada.person_id}")
    assert pseudo.english(test, *NAMES, "png") == set()


@pytest.mark.parametrize("filtered", ["", "nobody"])
def test_the_list_of_people(backend, ada, filtered):
    backend.people.set_active(ada.person_id, False, actor="test")
    test = page(people.render, backend).run()
    test.selectbox(key="people_active").set_value("Everybody").run()
    test.text_input(key="people_text").set_value(filtered).run()
    assert pseudo.english(test, *NAMES) == set()


def test_a_person_with_everything(backend, ada, clock):
    second = enrol(backend, 2, name=ALAN_NAME)
    third = enrol(backend, 3, name="Example")
    backend.merges.merge(third.person_id, ada.person_id, actor="test")
    backend.people.set_code(ada.person_id, "4711", actor="test")
    backend.check_in(photo(ADA), kiosk="entrance")
    test = page(people.render, backend)
    test.query_params["person"] = ada.person_id
    assert pseudo.english(test.run(), *NAMES, "entrance") == set()

    dialog = page(lambda backend: merge(backend, ada), backend).run()
    assert pseudo.english(dialog) == set()
    dialog.text_input(key="merge-text").set_value("exam").run()
    assert pseudo.english(dialog, *NAMES) == set()
    press(dialog, f"merge-choose-{second.person_id}")
    assert pseudo.english(dialog, *NAMES) == set()


def test_an_erasure_and_its_certificates(backend, ada):
    dialog = page(lambda backend: confirm_erasure(backend, ada), backend).run()
    assert pseudo.english(dialog, *NAMES) == set()
    backend.people.erase(ada.person_id, typed_employee_id="E1", keep_punches=True, actor="test")
    test = page(people.render, backend)
    test.query_params["certificates"] = "all"
    key = backend.certificates.public_key()
    (certificate,) = backend.certificates.all()
    assert pseudo.english(test.run(), *NAMES, key, certificate.certificate_id, "admin", "test") == set()


def test_unknown_faces(backend, ada, clock):
    assert pseudo.english(page(unknown.render, backend).run()) == set()
    backend.site.change({"keep_unknown_hours": 48}, actor="test")
    assert pseudo.english(page(unknown.render, backend).run()) == set()
    group = seen(backend, clock, STRANGER)
    seen(backend, clock, STRANGER, quality=POOR)
    test = choose(page(unknown.render, backend).run(), group)
    assert pseudo.english(test, *NAMES, "entrance") == set()

    dialog = page(lambda backend: pictures(backend, group), backend).run()
    assert pseudo.english(dialog, *NAMES, "entrance") == set()
    dialog = page(lambda backend: assign(backend, (group,)), backend).run()
    assert pseudo.english(dialog) == set()
    dialog.text_input(key="unknown-text").set_value("exam").run()
    press(dialog, f"unknown-choose-{ada.person_id}")
    assert pseudo.english(dialog, *NAMES) == set()
    dialog = page(lambda backend: enrol_unknown(backend, (group,)), backend).run()
    texts = [line.replace(".", "\\.") for line in site_texts(backend)]
    assert pseudo.english(dialog, *texts) == set()


def test_an_import(backend, tmp_path):
    test = page(import_people.render, backend).run()
    assert pseudo.english(test, *site_texts(backend)) == set()
    table = b"Employee id,Name,Photo\nE1,Ada Example,one.png\n"
    test.file_uploader[0].set_value([("staff.csv", table, "text/csv")])
    start = next(button for button in test.run().button if "dry run" in button.label)
    start.click().run()
    settle(test, backend)
    assert "but it is not there" in test.dataframe[0].value.iloc[0, -1]
    assert pseudo.english(test, *NAMES, "staff", "csv", "one.png", "line") == set()


def test_the_camera_of_a_registration_speaks_the_language_of_its_page(backend, monkeypatch):
    spoken = []
    monkeypatch.setattr(i18n, "_texts", lambda code: spoken.append(code) or pseudo.Pseudo)
    with i18n.in_language("de"):
        desk = GuideDesk(backend.guided_enrolment())
        other = TryDesk(backend, enrol(backend, ADA, name=ADA_NAME))
    del spoken[:]
    answers = [desks.answer(desk, photo(7)), desks.answer(other, photo(7)), desks.answer(desk, b"no picture")]
    with ThreadPoolExecutor(1) as pool:
        answers.append(pool.submit(desks.answer, desk, photo(ADA)).result())
    assert set(spoken) == {"de"}
    said = [answer[name] for answer in answers for name in ("headline", "hint") if answer[name]]
    said += [target["label"] for target in answers[0]["targets"]]
    assert [text for text in said if not text.startswith(pseudo.OPEN)] == []


def test_what_the_camera_of_a_registration_says():
    data = desk_data("permit", guided=True)
    said = [*data["texts"].values(), *(words for pair in data["problems"].values() for words in pair)]
    assert [text for text in said if text and not text.startswith(pseudo.OPEN)] == []
