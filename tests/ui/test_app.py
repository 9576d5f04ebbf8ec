"""The app as a whole: navigation, waiting for the backend, the first page."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from ray_backend.client import Backend
from ray_backend.domain.errors import BackendUnavailable, StoreUnavailable, WrongCredentials
from streamlit_app import deps
from streamlit_app.deps import BackendSource
from streamlit_app.views import home
from tests.fakes import photo
from tests.ui.conftest import PASSWORD, TIMEOUT_S, enrol, page, sign_in, words

APP = Path(__file__).parents[2] / "streamlit_app" / "app.py"


@pytest.fixture
def app(backend, monkeypatch) -> AppTest:
    """The app over this backend, not run yet."""
    monkeypatch.setattr(deps, "backend", lambda: backend)
    return AppTest.from_file(str(APP), default_timeout=TIMEOUT_S)


def test_the_app_asks_for_the_password_and_then_shows_where_one_is(app):
    app.run()
    assert app.title[0].value == "Sign in to Example Works"
    assert not app.sidebar.button

    app.text_input[0].set_value("admin")
    app.text_input[1].set_value(PASSWORD)
    app.button[0].click().run()

    assert app.title[0].value == "Example Works"
    assert [button.label for button in app.sidebar.button] == ["Sign out"]
    captions = "\n".join(caption.value for caption in app.sidebar.caption)
    assert "Signed in as **Administrator**" in captions
    assert "a test fake" in captions


def test_signing_out_ends_it_here_and_on_the_server(app, backend):
    token = sign_in(app, backend)
    app.run()

    app.sidebar.button[0].click().run()

    assert [field.label for field in app.text_input] == ["Username", "Password"]
    with pytest.raises(WrongCredentials):
        backend.sign_ins.who(token)


def test_a_session_that_ends_while_a_page_is_open_ends_in_the_form(app, backend):
    sign_in(app, backend)
    app.run()

    backend.sign_ins.sign_out_everywhere(actor="admin")
    app.run()

    assert not app.exception
    assert [field.label for field in app.text_input] == ["Username", "Password"]


@pytest.mark.parametrize("where", ["connecting", "in the middle of a page"])
def test_while_a_part_is_away_the_page_says_so_and_comes_back(app, backend, monkeypatch, where):
    sign_in(app, backend)

    def away(*_):
        raise StoreUnavailable("The database does not answer.")

    with monkeypatch.context() as broken:
        if where == "connecting":
            broken.setattr(deps, "backend", away)
        else:
            broken.setattr(Backend, "overview", away)
        app.run()
        assert not app.exception
        assert app.info[0].value == "The database does not answer."

    app.run()
    assert app.title[0].value == "Example Works"


def test_everybody_gets_the_same_backend_and_it_is_made_once():
    made = []
    source = BackendSource(lambda: made.append(1) or object())

    assert source.get() is source.get()
    assert made == [1]


def test_while_it_connects_others_are_told_that_it_starts():
    let_go = threading.Event()
    source = BackendSource(lambda: let_go.wait(10) and "backend")

    with pytest.raises(BackendUnavailable, match="starting"):
        source.get(wait_s=0.01)
    let_go.set()

    assert source.get(wait_s=10) == "backend"


def test_while_it_tries_again_the_reason_of_the_last_failure_is_told():
    let_go = threading.Event()
    attempts = []

    def connect():
        attempts.append(1)
        if len(attempts) > 1:
            let_go.wait(10)
        raise StoreUnavailable("The database does not answer.")

    source = BackendSource(connect)
    for wait_s in (10, 0.01):
        with pytest.raises(StoreUnavailable, match="database"):
            source.get(wait_s)
    let_go.set()


def test_a_failed_attempt_is_not_kept():
    answers = iter([StoreUnavailable("away"), "backend"])

    def connect():
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    source = BackendSource(connect)
    with pytest.raises(StoreUnavailable):
        source.get(wait_s=10)

    assert source.get(wait_s=10) == "backend"


def test_the_first_page_of_a_new_site_tells_the_first_steps(backend):
    assert "Your first day" in words(page(home.render, backend).run())


def test_the_first_page_shows_who_came_today(backend):
    enrol(backend, 1, name="Ada Example")
    backend.check_in(photo(1), kiosk="entrance")

    test = page(home.render, backend).run()

    assert {metric.label: metric.value for metric in test.metric} == {
        "People registered": "1", "Came in today": "1", "Left again": "0",
    }  # fmt: skip
    assert test.dataframe[0].value["Name"].to_list() == ["Ada Example"]


@pytest.mark.parametrize(("waiting", "said"), [(1, "1 punch waits"), (3, "3 punches wait")])
def test_punches_that_wait_for_the_database_are_told_before_anything_that_needs_it(
    backend, monkeypatch, waiting, said
):
    def away(_):
        raise StoreUnavailable("The database does not answer.")

    monkeypatch.setattr(Backend, "journal_depth", lambda _: waiting)
    monkeypatch.setattr(Backend, "overview", away)
    assert said in words(page(home.render, backend).run())
