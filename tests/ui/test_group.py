"""The group photo's page, over the real services with the fake engine."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from ray_backend.client import Backend
from ray_backend.domain.answers import RecognisedFace, Recognition
from ray_backend.domain.errors import StoreUnavailable
from ray_backend.domain.model import Candidate, Decision, DecisionKind, Quality, QualityIssue
from ray_backend.domain.queries import PunchQuery
from streamlit_app import group_words
from streamlit_app.group_picture import group_html
from streamlit_app.group_words import GroupFace, group_faces
from streamlit_app.views import group
from tests.fakes import photo
from tests.ui.conftest import enrol, page, words

ADA, ALAN, GRACE, STRANGER = 1, 2, 3, 9
GOOD = Quality(100, 200, 120, 0, 0, 0, 1, 0.9)


@pytest.fixture
def crew(backend):
    """Ada and Alan of the workshop, Grace of the office."""
    return {
        "Ada": enrol(backend, ADA, name="Ada Example"),
        "Alan": enrol(backend, ALAN, name="Alan Example"),
        "Grace": enrol(backend, GRACE, name="Grace Example", department="Office"),
    }


@pytest.fixture
def test(backend, crew):
    """The page, run once."""
    return page(group.render, backend).run()


def choose(test, picture, name="crew.png"):
    test.file_uploader[0].set_value((name, picture, "image/png"))
    return test.run()


def press(test, key):
    next(button for button in test.button if button.key == key).click()
    return test.run()


@pytest.fixture
def record(backend, monkeypatch):
    """Records what is ticked on the page, and runs the page again.

    AppTest runs the whole page at every press, a browser the dialog alone: so the dialog is a page here.
    """
    asked, confirm = [], group.confirm
    monkeypatch.setattr(group, "confirm", lambda *question: asked.append(question))

    def press_both(test):
        press(test, "group-record")
        dialog = page(lambda backend: confirm(*asked[-1]), backend).run()
        press(dialog, "group-yes")
        if dialog.error:
            return dialog
        for name in ("group_done", "group_form"):
            test.session_state[name] = dialog.session_state[name]
        return test.run()

    return press_both


def punches(backend):
    return [punch for punch, _ in backend.reports.recent_punches(PunchQuery())]


def headings(test):
    return [heading.value for heading in test.subheader]


def missing(test):
    return list(test.dataframe[0].value["Name"])


def test_without_having_signed_in_there_is_nothing(backend):
    stranger = page(group.render, backend, signed_in=False).run()
    assert len(stranger.file_uploader) == 0
    assert "Group photo" not in words(stranger)


def test_it_shows_who_is_there_who_is_missing_and_who_is_not_known(test):
    choose(test, photo(ADA, STRANGER))

    assert headings(test) == ["Present (1)", "Missing (2)", "Not recognised (1)"]
    assert [box.label for box in test.checkbox] == ["Ada Example (E1)"]
    assert missing(test) == ["Alan Example", "Grace Example"]
    assert "Nobody registered looks like this." in words(test)


def test_a_department_alone_is_expected_when_it_is_chosen(test):
    test.selectbox[0].set_value("Workshop")
    choose(test, photo(ADA, GRACE))

    assert missing(test) == ["Alan Example"]
    # Whoever came along from elsewhere is present all the same.
    assert [box.label for box in test.checkbox] == [
        "Ada Example (E1)",
        "Grace Example (E3)",
    ]


def test_nothing_is_recorded_before_it_is_confirmed(backend, test):
    choose(test, photo(ADA, ALAN))
    press(test, "group-record")

    assert "2 people" in words(test)
    assert punches(backend) == []


def test_confirmed_everybody_is_recorded_once_and_the_form_is_empty_again(backend, crew, test, record):
    record(choose(test, photo(ADA, ALAN)))

    assert "2 people recorded as present" in test.success[0].value
    assert {punch.person_id for punch in punches(backend)} == {
        crew["Ada"].person_id,
        crew["Alan"].person_id,
    }
    assert {punch.source for punch in punches(backend)} == {"group"}
    assert len(test.checkbox) == 0


def test_the_same_picture_again_records_nothing_and_says_so(backend, test, clock, record):
    record(choose(test, photo(ADA)))
    clock.move(hours=2)
    record(choose(test, photo(ADA)))

    assert len(test.success) == 0
    assert "not recorded again: Ada Example (IN at 09:00)" in test.info[0].value.replace("\\", "")
    assert len(punches(backend)) == 1


def test_who_is_unticked_is_not_recorded(backend, crew, test, record):
    choose(test, photo(ADA, ALAN))
    test.checkbox[0].uncheck()
    record(test)

    (punch,) = punches(backend)
    assert punch.person_id == crew["Alan"].person_id


def test_with_nobody_left_there_is_nothing_to_record(test):
    choose(test, photo(ADA))
    test.checkbox[0].uncheck().run()

    assert next(button for button in test.button if button.key == "group-record").disabled


def test_who_came_by_the_door_before_is_named_with_the_time(backend, test, clock, record):
    backend.check_in(photo(ADA), kiosk="door")
    clock.move(minutes=30)
    record(choose(test, photo(ADA, ALAN)))

    assert "1 person recorded as present: Alan Example" in test.success[0].value.replace("\\", "")
    assert "Ada Example (IN at 09:00)" in test.info[0].value.replace("\\", "")


def test_a_new_picture_takes_the_old_news_away(test, record):
    record(choose(test, photo(ADA)))
    choose(test, photo(ALAN)).run()

    assert len(test.success) == 0


@pytest.mark.parametrize(
    ("picture", "answer"),
    [(photo(), "No face was found"), (b"no picture at all", "not a JPEG, PNG or WebP picture")],
    ids=["nobody", "no picture"],
)
def test_what_cannot_be_used_is_told(test, picture, answer):
    choose(test, picture)

    assert answer in words(test)
    assert [button.key for button in test.button] == []


def test_a_face_too_poor_says_what_is_wrong(test):
    choose(test, photo(ADA, blurred=True))

    assert "The face is blurred." in words(test)
    assert "Nobody in this picture was recognised." in words(test)


def test_a_picture_is_looked_at_once_however_often_the_page_runs(backend, test, monkeypatch):
    looks = []
    recognise = Backend.recognise
    monkeypatch.setattr(
        Backend, "recognise", lambda backend, picture: looks.append(1) or recognise(backend, picture)
    )
    choose(test, photo(ADA, ALAN))
    test.checkbox[0].uncheck().run()
    test.run()

    assert len(looks) == 1


def test_when_the_database_is_away_the_question_stays_and_says_so(backend, test, monkeypatch, record):
    def away(*args, **kwargs):
        raise StoreUnavailable("The database does not answer.")

    choose(test, photo(ADA))
    monkeypatch.setattr(Backend, "record_present", away)

    assert record(test).error[0].value == "The database does not answer."


def test_a_name_cannot_bring_markup_onto_the_page(backend):
    enrol(backend, ADA, name="<img src=x onerror=alert(1)>")
    test = choose(page(group.render, backend).run(), photo(ADA))

    assert "<img src=x" not in "".join(element.value for element in test.html)


def face(left: int, decision: Decision, person=None) -> RecognisedFace:
    return RecognisedFace((left, 10, left + 40, 50), GOOD, decision, person)


def match(person, similarity: float) -> Decision:
    return Decision(DecisionKind.MATCH, Candidate(person.person_id, similarity))


def test_of_two_faces_of_one_person_the_more_similar_counts(crew):
    ada = crew["Ada"]
    faces = group_faces(
        Recognition(
            (face(0, match(ada, 0.6), ada), face(100, match(ada, 0.9), ada), face(50, match(ada, 0.7), ada)),
            "fake",
            1,
            picture_size=(200, 100),
        )
    )
    assert [(one.box[0], one.person, one.number) for one in faces] == [
        (0.0, None, 1), (0.25, None, 2), (0.5, ada, 0),
    ]  # fmt: skip
    assert "Ada Example, too" in faces[0].reason


@pytest.mark.parametrize("issue", [*QualityIssue, None])
@pytest.mark.parametrize("kind", [kind for kind in DecisionKind if kind is not DecisionKind.MATCH])
def test_there_is_a_reason_for_every_face_that_does_not_count(kind, issue):
    if kind is DecisionKind.NO_FACE:
        return
    recognition = Recognition((face(0, Decision(kind, issue=issue)),), "fake", 1, picture_size=(200, 100))
    (one,) = group_faces(recognition)
    assert one.reason.endswith(".")


def jpeg(width: int, height: int, orientation: int = 1) -> bytes:
    picture = Image.new("RGB", (width, height), (90, 120, 150))
    exif = picture.getexif()
    exif[0x0112] = orientation
    out = io.BytesIO()
    picture.save(out, "JPEG", exif=exif)
    return out.getvalue()


@pytest.mark.parametrize("orientation", [1, 6])
def test_marks_and_cut_outs_lie_within_the_picture_even_at_its_edge(crew, orientation):
    faces = [
        GroupFace((0.0, 0.0, 0.002, 0.002), reason="The face is too small.", number=1),
        GroupFace((0.9, 0.9, 1.0, 1.0), crew["Ada"]),
    ]
    marked, others = group_html(jpeg(3000, 2000, orientation), faces)
    assert "Ada Example" in marked
    assert marked.count("</i>") == 2
    assert others.count("<li>") == 1
    assert "The face is too small." in others


def test_nobody_recorded_and_nobody_before_says_nothing():
    assert group_words.recorded_words([]) == ("", "")
