"""The kiosk page: its token, and the photo instead of the live camera."""

from __future__ import annotations

import pytest

from ray_backend.domain.queries import PunchQuery
from streamlit_app.camera.modes import Mode
from streamlit_app.views import check_in
from tests.fakes import photo
from tests.ui.conftest import enrol, page, words


@pytest.fixture
def token(backend):
    return backend.access.issue_token("entrance", actor="test")


@pytest.fixture
def kiosk(backend, token):
    """The photo page of a kiosk, not run yet."""
    test = page(check_in.render, backend, signed_in=False)
    test.query_params["token"] = token
    test.session_state["kiosk_mode"] = (Mode.PHOTO, "")
    return test


def take(test, picture):
    test.camera_input[0].set_value(("shot.jpg", picture, "image/jpeg"))
    return test.run()


def punches(backend):
    return backend.reports.recent_punches(PunchQuery())


@pytest.mark.parametrize("signed_in", [False, True], ids=["stranger", "admin"])
@pytest.mark.parametrize("wrong", [None, "", "no-such-token"])
def test_without_a_valid_token_there_is_no_camera_for_anybody(backend, token, wrong, signed_in):
    test = page(check_in.render, backend, signed_in=signed_in)
    if wrong is not None:
        test.query_params["token"] = wrong

    test.run()

    assert "not set up as a kiosk" in words(test)
    assert len(test.camera_input) == 0
    assert len(test.get("bidi_component")) == 0


def test_with_its_token_the_page_is_the_live_camera_alone(backend, token):
    test = page(check_in.render, backend, signed_in=False)
    test.query_params["token"] = token

    test.run()

    assert len(test.get("bidi_component")) == 1
    assert '[data-testid="stSidebar"]' in words(test)
    assert len(test.button) == 0


def test_a_photo_checks_its_person_in(backend, kiosk):
    enrol(backend, 1, name="Ada Example")

    take(kiosk.run(), photo(1))

    assert "Welcome, Ada Example" in words(kiosk)
    assert "&quot;time&quot;: &quot;09:00&quot;, &quot;direction&quot;: &quot;IN&quot;" in words(kiosk)
    assert len(punches(backend)) == 1


def test_running_the_page_again_records_nothing_and_greets_the_same(backend, kiosk, clock):
    enrol(backend, 1, name="Ada Example")
    take(kiosk.run(), photo(1))
    clock.move(hours=1)
    kiosk.session_state["kiosk_answer"] = None

    kiosk.run()

    assert "Welcome, Ada Example" in words(kiosk)
    assert len(punches(backend)) == 1


def test_a_second_photo_within_the_minute_says_when_it_was_recorded(backend, kiosk, clock):
    enrol(backend, 1)
    take(kiosk.run(), photo(1))
    clock.move(seconds=20)

    take(kiosk, photo(1, variant=1))

    assert "Already checked in at 09:00" in words(kiosk)
    assert len(punches(backend)) == 1


@pytest.mark.parametrize(
    ("picture", "answer"),
    [
        (photo(9), "Not recognised"),
        (photo(), "No face was found"),
        (photo(1, blurred=True), "Hold still"),
        (b"no picture at all", "The photo cannot be used"),
    ],
    ids=["stranger", "nobody", "blurred", "no picture"],
)
def test_who_is_not_recognised_is_told_why_and_not_recorded(backend, kiosk, picture, answer):
    enrol(backend, 1)

    take(kiosk.run(), picture)

    assert answer in words(kiosk)
    assert punches(backend) == []


def test_a_name_cannot_bring_markup_onto_the_screen(backend, kiosk):
    enrol(backend, 1, name="<script>alert(1)</script>")

    take(kiosk.run(), photo(1))

    assert "<script>" not in words(kiosk)
    assert "&lt;script&gt;" in words(kiosk)
