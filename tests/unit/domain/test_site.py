"""The site's settings: what is accepted, and the words for what is not."""

from __future__ import annotations

from datetime import timedelta
from typing import get_args
from zoneinfo import ZoneInfo

import pytest

from ray_backend.domain.consent import CONSENT_TEXTS, Language
from ray_backend.domain.errors import InvalidInput
from ray_backend.domain.site import (
    FIELDS,
    SiteSettings,
    consent_version,
    from_environment,
    with_changes,
)
from ray_backend.settings import Settings

SITE = SiteSettings("Works", "Europe/Berlin")


@pytest.mark.parametrize(
    ("name", "value", "kept"),
    [
        ("site_name", "  Example Works ", "Example Works"),
        ("time_zone", "Asia/Kathmandu", "Asia/Kathmandu"),
        ("threshold", None, None),
        ("threshold", 1, 1.0),
        ("threshold", -1.0, -1.0),
        ("cooldown_s", 0, 0.0),
        ("cooldown_s", 86400, 86400.0),
        ("kiosk_name", "initials", "initials"),
        ("liveness", "require", "require"),
        ("liveness_way", "active", "active"),
        ("consent_text", "I agree.\r\nToday.\n", "I agree.\nToday."),
        ("keep_unknown_hours", 720, 720),
        ("keep_decisions_days", 1, 1),
        ("people_unseen_months", 120, 120),
        ("unseen_punches", "remove", "remove"),
        ("language", "de", "de"),
    ],
)
def test_what_is_good_is_taken(name, value, kept):
    assert getattr(with_changes(SITE, {name: value}), name) == kept


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("site_name", "  ", "name of the site is missing"),
        ("site_name", "x" * 81, "at most 80"),
        ("site_name", "two\nlines", "control character"),
        ("site_name", 7, "is missing"),
        ("time_zone", "Europe/Atlantis", "no time zone"),
        ("time_zone", "../../etc/passwd", "no time zone"),
        ("time_zone", "", "no time zone"),
        ("time_zone", None, "no time zone"),
        ("threshold", 1.01, "between -1 and 1"),
        ("threshold", float("nan"), "is no number"),
        ("threshold", "0.5", "is no number"),
        ("threshold", True, "is no number"),
        ("cooldown_s", -1, "0 seconds to 24 hours"),
        ("cooldown_s", float("inf"), "is no number"),
        ("kiosk_name", "nickname", "one of: full, first, initials, none"),
        ("liveness", "on", "one of: off, observe, require"),
        ("liveness_way", "", "one of: passive, active"),
        ("consent_text", "", "consent text is missing"),
        ("consent_text", "x\x00", "control character"),
        ("consent_text", "x" * 5001, "at most 5,000"),
        ("keep_unknown_hours", 721, "0 to 720"),
        ("keep_unknown_hours", 1.5, "whole number"),
        ("keep_decisions_days", 0, "from 1"),
        ("people_unseen_months", -1, "from 0"),
        ("people_unseen_months", True, "whole number"),
        ("unseen_punches", "sell", "one of: keep, remove"),
        ("language", "fr", "one of: en, de"),
        ("admin_password", "x", "no setting admin_password"),
    ],
)
def test_what_is_not_is_refused_with_the_reason(name, value, words):
    with pytest.raises(InvalidInput, match=words):
        with_changes(SITE, {name: value})


def test_every_setting_has_a_check():
    for name in FIELDS:
        assert with_changes(SITE, {name: getattr(SITE, name)}) == SITE


def test_another_consent_text_is_another_version():
    other = with_changes(SITE, {"consent_text": "I agree."})
    assert other.consent_version != SITE.consent_version
    assert other.consent_version == consent_version("I agree.")
    assert with_changes(other, {"site_name": "Mill"}).consent_version == other.consent_version


def test_a_site_without_a_consent_text_of_its_own_has_that_of_its_language():
    german = with_changes(SITE, {"language": "de"})
    assert german.consent_text == CONSENT_TEXTS["de"] != SITE.consent_text
    assert with_changes(german, {"language": "en"}) == SITE
    assert with_changes(german, {"site_name": "Works"}) == german
    own = with_changes(SITE, {"consent_text": "I agree."})
    assert with_changes(own, {"language": "de"}).consent_text == "I agree."
    both = with_changes(SITE, {"language": "de", "consent_text": CONSENT_TEXTS["en"]})
    assert both.consent_text == CONSENT_TEXTS["en"]


@pytest.mark.parametrize(("language", "first"), [("en", "I agree that my"), ("de", "Ich bin damit")])
def test_the_default_texts_are_said_by_whoever_is_registered(language, first):
    assert CONSENT_TEXTS[language].startswith(first)
    assert set(CONSENT_TEXTS) == set(get_args(Language))


def test_what_the_environment_says_is_the_default(monkeypatch):
    monkeypatch.setenv("ROLLCALL_SITE_NAME", "Mill")
    monkeypatch.setenv("ROLLCALL_TIME_ZONE", "Asia/Tokyo")
    monkeypatch.setenv("ROLLCALL_THRESHOLD", "0.61")
    monkeypatch.setenv("ROLLCALL_KIOSK_NAME", "none")
    site = from_environment(Settings())
    assert (site.site_name, site.threshold, site.kiosk_name) == ("Mill", 0.61, "none")
    assert site.zone == ZoneInfo("Asia/Tokyo")
    assert (site.keep_unknown_hours, site.people_unseen_months) == (0, 0)
    assert timedelta(seconds=site.cooldown_s) == timedelta(minutes=1)
