"""Pages and the kiosk in German, and every text of these pages through a catalogue."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from streamlit_app import cookies, deps, i18n
from streamlit_app.camera.live import screen_data
from streamlit_app.camera.modes import Mode, failure_words, runs_words
from streamlit_app.views import accounts, audit, calibration, check_in, group, home, my_account, settings
from tests.ui import pseudo
from tests.ui.conftest import PASSWORD, TIMEOUT_S, enrol, page, sign_in, words

APP = Path(__file__).parents[2] / "streamlit_app" / "app.py"
VIEWS = (home, accounts, audit, my_account, group, calibration)
SECTIONS = ("Site", "Recognition", "Liveness", "Kiosks", "Privacy")


@pytest.fixture
def app(backend, monkeypatch) -> AppTest:
    """The app over this backend, not run yet."""
    monkeypatch.setattr(deps, "backend", lambda: backend)
    monkeypatch.setattr(i18n, "_site_language", lambda: i18n.ENGLISH)  # put back afterwards
    return AppTest.from_file(str(APP), default_timeout=TIMEOUT_S)


def german(backend):
    backend.site.change({"language": "de"}, actor="test")


def test_the_sites_language_is_that_of_its_pages(app, backend):
    german(backend)
    sign_in(app, backend)

    app.run()

    assert not app.exception
    assert [metric.label for metric in app.metric] == [
        "Erfasste Personen",
        "Heute gekommen",
        "Wieder gegangen",
    ]
    assert "Montag, 2. März 2026" in words(app)
    assert [button.label for button in app.sidebar.button] == ["Abmelden"]


def test_whoever_signs_in_chooses_a_language_of_their_own(app, backend):
    app.run()
    assert app.title[0].value == "Sign in to Example Works"

    app.selectbox[0].set_value("de").run()
    assert app.title[0].value == "Anmelden bei Example Works"
    app.text_input[0].set_value("admin")
    app.text_input[1].set_value(PASSWORD)
    app.button[0].click().run()

    assert [button.label for button in app.sidebar.button] == ["Abmelden"]
    app.sidebar.button[0].click().run()
    assert app.title[0].value == "Anmelden bei Example Works"


def test_a_browser_remembers_the_choice(app, backend, monkeypatch):
    german(backend)
    monkeypatch.setattr(cookies, "read", lambda kind: "en" if kind == "language" else "")

    app.run()

    assert app.title[0].value == "Sign in to Example Works"


@pytest.mark.parametrize("kept", ["../../etc", "fr", "", "DE"])
def test_a_cookie_that_names_no_language_counts_for_nothing(app, backend, monkeypatch, kept):
    monkeypatch.setattr(cookies, "read", lambda kind: kept if kind == "language" else "")

    app.run()

    assert app.title[0].value == "Sign in to Example Works"


def test_a_wrong_password_is_refused_in_german(app, backend):
    german(backend)
    app.run()

    app.text_input[0].set_value("admin")
    app.text_input[1].set_value("wrong")
    app.button[0].click().run()

    assert app.error[0].value.startswith("Benutzername oder Passwort stimmt nicht.")


def test_a_kiosk_keeps_to_the_sites_language(backend):
    test = page(check_in.render, backend, signed_in=False)
    german(backend)
    test.session_state["language_shown"] = "en"

    test.run()

    assert "nicht als Kiosk eingerichtet" in words(test)


def test_the_kiosks_screen_gets_german_words(backend):
    german(backend)
    with i18n.in_language("de"):
        data = screen_data(deps.site(), Mode.PHOTO, runs_words(Mode.PHOTO, failure_words(Mode.WEBRTC)))

    assert (data["language"], data["texts"]["notMe"]) == ("de", "Das bin ich nicht")
    assert data["problems"]["NotFoundError"][0] == "Keine Kamera gefunden"
    assert data["why"] == (
        "Dieser Kiosk nutzt einzelne Fotos, weil weder eine direkte Verbindung noch ein Videostrom "
        "durchkommt."
    )


def test_a_refusal_of_the_settings_is_said_in_german(backend):
    test = page(settings.render, backend)
    test.session_state["language_shown"] = "de"
    test.run()

    test.text_input[0].set_value("")
    next(button for button in test.button if button.label == "Speichern").click().run()

    assert test.error[0].value == "Es fehlt noch: Name des Standorts."


@pytest.mark.parametrize("view", VIEWS, ids=lambda view: view.__name__)
def test_every_text_goes_through_a_catalogue(backend, monkeypatch, view):
    enrol(backend, 1)
    enrol(backend, 2)
    backend.access.issue_token("entrance", actor="test")
    pseudo.speak(monkeypatch)

    test = page(view.render, backend).run()

    assert pseudo.english(test, *DATA) == set()


@pytest.mark.parametrize("section", SECTIONS)
def test_every_text_of_the_settings_goes_through_a_catalogue(backend, monkeypatch, section):
    backend.site.change({"site_name": "Mill"}, actor="test")
    pseudo.speak(monkeypatch)
    test = page(settings.render, backend)
    test.query_params["section"] = f"{pseudo.OPEN}{section}{pseudo.CLOSE}"

    test.run()

    site = backend.site.current()
    assert pseudo.english(test, *DATA, site.consent_text, site.time_zone, "Mill") == set()


# Names, and what the test's models and log say of themselves.
DATA = (
    "Example Works", "Administrator", "Person 1", "Person 2", "Workshop", "E1", "E2", "entrance", "admin",
    "fake", "English", "Deutsch", "Monday", "March",
)  # fmt: skip
