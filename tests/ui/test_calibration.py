"""The calibration page: what it says of the site's own people, and that it changes nothing."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
import pytest

from ray_backend.client import Backend
from ray_backend.domain.model import Person, Template
from ray_backend.services.calibration import CalibrationState
from ray_backend.services.confidence import interval
from streamlit_app import calibration_words
from streamlit_app.views import calibration
from tests.fakes import FAKE_PACK
from tests.ui.conftest import enrol, page, words


def add_people(backend: Backend, clock, number: int, photos: int, spread: float = 0.15) -> None:
    """People whose photos lie around a point of their own."""
    random = np.random.default_rng(7)
    store = backend._records.store
    for who in range(number):
        centre = random.standard_normal(FAKE_PACK.dimension)
        centre /= np.linalg.norm(centre)
        person = Person(f"E{who}", f"Person {who}", clock.now())
        store.add_person(person, [_template(person, centre, spread, random) for _ in range(photos)])


def _template(person: Person, centre: np.ndarray, spread: float, random) -> Template:
    row = centre + spread * random.standard_normal(len(centre))
    row = (row / np.linalg.norm(row)).astype(np.float32)
    return Template(person.person_id, FAKE_PACK.pack_id, row, 0.9, "upload", person.created_at)


def measured(backend: Backend):
    """The page after a click on its button and the end of the measurement."""
    test = page(calibration.render, backend).run()
    test.button[0].click().run()
    deadline = time.monotonic() + 20
    while backend.calibration.state().running:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return test.run()


@pytest.mark.parametrize("people", [0, 1])
def test_with_fewer_than_two_people_it_says_what_to_do(backend, people):
    for who in range(people):
        enrol(backend, who + 1)

    test = page(calibration.render, backend).run()

    assert "Register two people at least, with two photos each" in words(test)
    assert len(test.button) == 0


def test_people_without_a_second_photo_are_told_what_is_missing(backend, clock):
    add_people(backend, clock, number=4, photos=1)

    test = measured(backend)

    assert not test.exception
    assert "nobody has two photos" in words(test)
    assert "People with a single photo (4)" in [expander.label for expander in test.expander]


def test_the_plain_sentence_comes_first_and_claims_no_more_than_the_people_support(backend, clock):
    add_people(backend, clock, number=60, photos=2)

    test = measured(backend)

    headline = test.markdown[1].value
    result = backend.calibration.state().result
    wrong = result.wrong(result.threshold)
    number = calibration_words.one_in(wrong.rate if wrong.errors else wrong.high).removeprefix("1 in ")
    assert (
        f"1 wrong match in {number} attempts by people who are not registered, with your 60 people"
        in headline
    )
    assert "60 people tried as strangers to the 59 others" in test.markdown[2].value
    assert "Of 100 attempts by registered people" in words(test)


def test_the_first_view_has_no_jargon(backend, clock):
    add_people(backend, clock, number=10, photos=2)

    test = measured(backend)

    explained = test.expander[-1].markdown[0].value
    assert "FMR" in explained
    first_view = words(test).replace(explained, "")
    assert not any(word in first_view for word in ("FMR", "FNMR", "FPIR", "Clopper", "genuine", "impostor"))


def test_the_slider_gives_the_value_to_set_and_changes_nothing(backend, clock):
    add_people(backend, clock, number=200, photos=2)
    test = measured(backend)
    result = backend.calibration.state().result

    test.select_slider[0].set_value(20).run()

    safe = result.threshold_for(1 / 20).safe
    assert calibration_words.setting_words(safe) in words(test)
    assert backend.calibration.state().result.threshold == FAKE_PACK.threshold


def test_a_rate_that_the_people_cannot_support_gets_no_value(backend, clock):
    add_people(backend, clock, number=20, photos=2)
    test = measured(backend)

    test.select_slider[0].set_value(500).run()

    assert "20 people are too few to promise 1 wrong match in 500 attempts" in words(test)
    assert len(test.code) == 0


def test_look_alikes_are_named(backend, clock):
    add_people(backend, clock, number=3, photos=2)
    store = backend._records.store
    (first,) = [t for t in store.templates() if store.get_person(t.person_id).employee_id == "E0"][:1]
    twin = Person("T1", "Twin", clock.now())
    store.add_person(twin, [replace(first, person_id=twin.person_id, template_id="twin")])

    test = measured(backend)

    (rows,) = [frame.value for frame in test.dataframe if "Looks like" in frame.value]
    assert {rows.iloc[0]["Person"], rows.iloc[0]["Looks like"]} == {"Person 0 (E0)", "Twin (T1)"}


def test_while_it_measures_the_bar_moves_and_the_button_is_gone(backend, monkeypatch):
    under_way = CalibrationState(running=True, share=0.4)
    monkeypatch.setattr(backend._records.calibration, "state", lambda: under_way)

    test = page(calibration.render, backend).run()

    assert not test.exception
    assert len(test.button) == 0
    (bar,) = test.get("progress")
    assert (bar.proto.value, bar.proto.text) == (40, "Comparing the photos of your people…")


def test_what_went_wrong_is_told_and_can_be_tried_again(backend, clock, monkeypatch):
    add_people(backend, clock, number=2, photos=1)
    failed = CalibrationState(running=False, share=1.0, problem="The database does not answer.")
    monkeypatch.setattr(backend._records.calibration, "state", lambda: failed)

    test = page(calibration.render, backend).run()

    assert test.error[0].value == "The database does not answer."
    assert [button.label for button in test.button] == ["Measure now"]


def test_strangers_to_the_page_are_asked_for_the_password(backend):
    test = page(calibration.render, backend, signed_in=False).run()

    assert [field.label for field in test.text_input] == ["Username", "Password"]


@pytest.mark.parametrize(
    ("rate", "text"),
    [
        (0, "none"), (1, "more than every second"), (0.5, "1 in 2"), (0.01, "1 in 100"),
        (1 / 56.9, "1 in 56"), (1 / 1399, "1 in 1,300"), (1 / 123456, "1 in 120,000"),
    ],
)  # fmt: skip
def test_rates_in_words(rate, text):
    assert calibration_words.one_in(rate) == text


def test_refusals_in_words():
    assert calibration_words.refused_words(interval(2, 40)) == (
        "Of 100 attempts by registered people, 5 would be refused (between 0.6 and 17; measured on 40 people "
        "with two photos or more)."
    )


def test_two_people_are_too_few_for_any_promise(backend, clock):
    add_people(backend, clock, number=2, photos=2)

    test = measured(backend)

    assert not test.exception
    assert "Too few people to tell wrong matches" in test.markdown[1].value
    assert "2 people are too few to promise" in words(test)
