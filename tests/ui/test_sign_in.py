"""Nobody sees an admin's page without the password."""

from __future__ import annotations

import time

import pytest

from streamlit_app import session
from streamlit_app.views import home, people, register, reports
from tests.ui.conftest import PASSWORD, enrol, page, words

ADMIN_VIEWS = [home, people, register, reports]


@pytest.mark.parametrize("view", ADMIN_VIEWS, ids=lambda view: view.__name__.rpartition(".")[2])
def test_every_admin_page_shows_only_the_password_form_to_strangers(backend, view):
    enrol(backend, 1, name="Ada Example")

    test = page(view.render, backend, signed_in=False).run()

    assert [field.label for field in test.text_input] == ["Admin password"]
    assert [button.label for button in test.button] == ["Sign in"]
    assert "Ada Example" not in words(test)
    assert len(test.dataframe) == 0


@pytest.mark.parametrize("view", ADMIN_VIEWS, ids=lambda view: view.__name__.rpartition(".")[2])
def test_every_admin_page_opens_after_the_right_password(backend, view):
    test = page(view.render, backend, signed_in=False).run()

    test.text_input[0].set_value(PASSWORD)
    test.button[0].click().run()

    assert not test.exception
    assert "Admin password" not in [field.label for field in test.text_input]


def test_a_wrong_password_is_refused_in_the_words_of_the_service(backend):
    test = page(people.render, backend, signed_in=False).run()

    test.text_input[0].set_value("not this one")
    test.button[0].click().run()

    assert "This password is not right" in test.error[0].value
    assert session._SEEN not in test.session_state


def test_too_many_wrong_passwords_lock_even_the_right_one_out(backend):
    test = page(people.render, backend, signed_in=False).run()
    for _ in range(5):
        test.text_input[0].set_value("not this one")
        test.button[0].click().run()

    test.text_input[0].set_value(PASSWORD)
    test.button[0].click().run()

    assert "Too many wrong passwords" in test.error[0].value


def test_an_idle_admin_is_asked_again_and_told_why(backend):
    test = page(people.render, backend)
    test.session_state["admin_seen_at"] = time.time() - session.IDLE_S - 1

    test.run()

    assert "nothing happened for a long time" in test.info[0].value
    assert [field.label for field in test.text_input] == ["Admin password"]


def test_using_a_page_keeps_the_admin_signed_in(backend):
    test = page(people.render, backend)
    almost_over = time.time() - session.IDLE_S + 60
    test.session_state["admin_seen_at"] = almost_over

    test.run()

    assert test.session_state["admin_seen_at"] > almost_over
