"""Texts in the reader's language: looked up, filled in, and what the backend says recognised."""

from __future__ import annotations

import threading
from datetime import UTC, date, datetime

import pytest

from ray_backend.domain.errors import InvalidInput, NotFound, RollcallError
from ray_backend.domain.model import Person, QualityIssue
from ray_backend.domain.site import SiteSettings, with_changes
from ray_backend.services.owner import belongs_to
from streamlit_app import i18n, kiosk_words
from streamlit_app.i18n import _, in_language, message, n_
from streamlit_app.sentences import Sentences

SITE = SiteSettings("Works", "UTC")


def refused(change: dict) -> RollcallError:
    with pytest.raises(InvalidInput) as caught:
        with_changes(SITE, change)
    return caught.value


def test_without_a_page_texts_are_in_the_sites_language(monkeypatch):
    monkeypatch.setattr(i18n, "_site_language", lambda: "de")

    assert (_("Save"), i18n.language()) == ("Speichern", "de")


def test_places_are_filled_in():
    with in_language("de"):
        assert _("Signed in as **{name}**", name="Ada") == "Angemeldet als **Ada**"


def test_numbers_have_their_forms():
    with in_language("de"):
        assert [n_("{number} photo", "{number} photos", count) for count in (0, 1, 2)] == [
            "0 Fotos", "1 Foto", "2 Fotos",
        ]  # fmt: skip


def test_thousands_are_not_taken_for_decimals():
    text = "People: {number:,} of {registered:,}."

    assert _(text, number=1, registered=50_000) == "People: 1 of 50,000."
    with in_language("de"):
        assert _(text, number=1, registered=50_000) == "Personen: 1 von 50\u202f000."


def test_a_text_that_nobody_translated_is_english():
    with in_language("de"):
        assert _("Nobody will ever translate {this}", this=3) == "Nobody will ever translate 3"
        assert _("") == ""


def test_an_unknown_language_is_english():
    with in_language("tlh"):
        assert _("Save") == "Save"
        assert message("The database is closed.") == "The database is closed."


def test_a_spoilt_place_does_not_break_the_page():
    assert i18n._filled("Angemeldet als {nmae}", "Signed in as {name}", {"name": "Ada"}) == "Signed in as Ada"


def test_languages_go_by_their_own_names():
    assert i18n.languages().items() >= {("en", "English"), ("de", "Deutsch")}


def test_a_language_holds_in_its_own_thread_only():
    with in_language("de"):
        heard: list[str] = []
        thread = threading.Thread(target=lambda: heard.append(_("Save")))
        thread.start()
        thread.join()

        assert (heard, _("Save")) == (["Save"], "Speichern")


def test_days_have_their_names():
    with in_language("de"):
        assert i18n.day_words(date(2026, 3, 1), "EEEE, d. MMMM y") == "Sonntag, 1. März 2026"


@pytest.mark.parametrize(
    ("error", "german"),
    [
        (refused({"time_zone": "Mars"}), "Das ist keine Zeitzone. Nehmen Sie einen Namen wie Europe/Berlin."),
        (refused({"site_name": " "}), "Es fehlt noch: Name des Standorts."),
        (refused({"language": "fr"}), "Sprache: Möglich ist eines von diesen: en, de."),
        (
            refused({"keep_decisions_days": 0}),
            "Tage, die Entscheidungen behalten werden: Geben Sie eine ganze Zahl von 1 bis 3\u202f650 an.",
        ),
        (refused({"colour": 1}), "Es gibt keine Einstellung colour."),
    ],
    ids=lambda value: "" if isinstance(value, str) else value.message[:20],
)
def test_real_errors_are_said_in_german(error, german):
    with in_language("de"):
        assert message(error) == german


def test_names_in_an_error_stay_as_they_are():
    ada = Person("e-7", "Ada {x} Example.", datetime(2026, 3, 2, tzinfo=UTC))
    error = belongs_to("This photo", ada)

    with in_language("de"):
        assert message(error) == (
            "Dieses Foto zeigt Ada {x} Example., erfasst als e-7. Öffnen Sie diese Person unter „Personen“, "
            "um Fotos hinzuzufügen."
        )


def test_what_no_template_fits_stays_english():
    with in_language("de"):
        assert message(NotFound("The moon is full.")) == "The moon is full."


def test_english_readers_get_what_the_backend_said():
    assert message(refused({"site_name": " "})) == "The name of the site is missing."


def test_the_template_with_most_words_of_its_own_wins():
    sentences = Sentences(["{what} is missing.", "The file of {what} is missing.", "All is well."])

    assert sentences.fit("The file of Ada is missing.") == ("The file of {what} is missing.", {"what": "Ada"})
    assert sentences.fit("Ada is missing.") == ("{what} is missing.", {"what": "Ada"})
    assert sentences.fit("All is well.") == ("All is well.", {})
    assert sentences.fit("All is lost.") is None


def test_a_place_that_comes_twice_has_one_value():
    sentences = Sentences(["{name} is {name}."])

    assert sentences.fit("Ada is Ada.") == ("{name} is {name}.", {"name": "Ada"})
    assert sentences.fit("Ada is Bob.") is None


def test_the_kiosk_speaks_german():
    with in_language("de"):
        assert kiosk_words.in_words(kiosk_words.WRONG_CODE).headline == "Dieser Code stimmt nicht"
        assert _(kiosk_words._FIXES[QualityIssue.TOO_SMALL]) == "Näher kommen"
        assert kiosk_words.wait_words(90) == "90 Sekunden"
