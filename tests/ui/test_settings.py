"""The settings page: each section saves at once, says so, refuses what cannot be, and is audited."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from ray_backend.client import Backend, local_backend
from ray_backend.domain.queries import AuditQuery, PeopleQuery
from ray_backend.services import certificates
from streamlit_app import deps, settings_words
from streamlit_app.site_settings import kiosks, privacy
from streamlit_app.views import settings as view
from tests.fakes import FakeEngine, photo
from tests.ui.conftest import enrol, page, words
from tests.ui.test_calibration import add_people


def section(backend: Backend, name: str) -> AppTest:
    """One section of the page, as its address opens it."""
    test = page(view.render, backend)
    test.query_params["section"] = name
    return test.run()


def button(test: AppTest, key: str):
    return test.button(key=key)


def number(test: AppTest, label: str):
    return next(field for field in test.number_input if field.label == label)


def radio(test: AppTest, label: str):
    return next(field for field in test.radio if field.label == label)


def last_change(backend: Backend) -> tuple[str, dict]:
    entry = backend._records.store.list_audit(AuditQuery(action="site.")).items[0]
    return entry.actor, entry.detail


def test_the_site_gets_another_name_and_zone_at_once(backend):
    test = section(backend, "Site")
    assert test.text_input[0].value == "Example Works"
    test.text_input[0].set_value("Example Mill")
    test.selectbox[0].set_value("Asia/Kathmandu")
    radio(test, "Language").set_value("de")
    button(test, "save-site").click().run()

    assert "The site's settings are saved." in words(test)
    now = backend.site.current()
    assert (now.site_name, now.time_zone, now.language) == ("Example Mill", "Asia/Kathmandu", "de")
    assert deps.site().site_name == "Example Mill"
    actor, detail = last_change(backend)
    assert actor
    assert detail["before"]["site_name"] == "Example Works"
    assert detail["after"]["site_name"] == "Example Mill"


def test_a_site_without_a_name_is_refused_and_nothing_of_it_is_kept(backend):
    before = backend.site.current()
    test = section(backend, "Site")
    test.text_input[0].set_value("   ")
    test.selectbox[0].set_value("Asia/Kathmandu")
    button(test, "save-site").click().run()

    assert "The name of the site is missing." in [error.value for error in test.error]
    assert backend.site.current() == before


def test_saving_what_is_so_already_changes_nothing_and_says_so(backend):
    test = section(backend, "Site")
    button(test, "save-site").click().run()

    assert "Nothing was changed" in words(test)
    assert backend.site.changed_names() == ()


def test_what_was_changed_can_be_given_back_to_the_server(backend):
    backend.site.change({"site_name": "Example Mill", "cooldown_s": 5}, actor="test")
    test = section(backend, "Site")
    assert "Now Example Mill. The server's own: Example Works." in words(test)
    button(test, "reset-site_name").click().run()

    assert "Name of the site: the server's own setting counts again." in words(test)
    assert backend.site.current().site_name == "Example Works"
    assert backend.site.current().cooldown_s == 5


def test_the_pack_is_told_with_its_licence_and_what_the_threshold_means_is_not_claimed(backend):
    test = section(backend, "Recognition")
    assert "**fake**" in words(test)
    assert "Licence: none" in words(test)
    assert settings_words.NOT_MEASURED in words(test)
    assert "wrong match" not in words(test)
    # Without a measurement nobody can choose by a rate.
    assert len(radio(test, "What is a match?").options) == 2


def test_a_threshold_of_ones_own_is_saved_and_counts_at_once(backend):
    test = section(backend, "Recognition")
    radio(test, "What is a match?").set_value("number").run()
    number(test, "Similarity of a match").set_value(0.61).run()
    button(test, "save-recognition").click().run()

    assert "Saved. It counts for the next face." in words(test)
    assert backend.site.current().threshold == 0.61
    assert backend._records.enrolments._policy.threshold == 0.61


def test_after_a_measurement_the_threshold_is_told_as_wrong_matches_with_its_trials(backend, clock):
    add_people(backend, clock, 60, photos=2)
    backend.calibration.start()
    backend._records.calibration._run.result(20)
    test = section(backend, "Recognition")

    said = words(test)
    assert "wrong match" in said
    assert "with your 60 people" in said
    # Sixty people met one another: 30 trials, and no more is claimed than they support.
    assert "on 120 photos of 60 people: 30 trials of strangers" in said
    radio(test, "What is a match?").set_value("rate").run()
    test.select_slider[0].set_value(10).run()
    assert "60 people are too few to promise 1 wrong match in 10 attempts" in words(test)
    assert "save-recognition" not in [one.key for one in test.button]
    test.select_slider[0].set_value(5).run()
    button(test, "save-recognition").click().run()
    assert backend.site.current().threshold is not None


def test_pictures_cannot_be_looked_at_without_models_and_the_page_says_what_to_do(backend):
    test = section(backend, "Liveness")
    assert "Nothing is checked at present" in words(test)
    assert "ROLLCALL_LIVENESS_MODELS" in words(test)
    radio(test, "What happens then?").set_value("require")
    button(test, "save-liveness").click().run()
    assert "ROLLCALL_LIVENESS_MODELS" in test.error[0].value
    assert backend.site.current().liveness == "observe"

    radio(test, "How is it found out?").set_value("active")
    button(test, "save-liveness").click().run()
    assert "Saved. Kiosks go by it with the next person." in words(test)
    assert (backend.site.current().liveness, backend.site.current().liveness_way) == ("require", "active")
    assert "Nothing is checked" not in words(test)


def test_with_models_they_may_be_looked_at(settings, clock, monkeypatch):
    monkeypatch.setattr("ray_backend.vision.liveness.open_liveness", lambda *args, **kwargs: None)
    made = local_backend(
        settings.model_copy(update={"liveness_models": "there"}), engine=FakeEngine(), clock=clock
    )
    made.site.change({"liveness": "require", "liveness_way": "passive"}, actor="test")
    assert made.site.current().liveness == "require"


def test_kiosks_are_listed_and_behave_as_they_are_told(backend):
    test = section(backend, "Kiosks")
    assert "No kiosk is let in yet." in words(test)
    backend.access.issue_token("entrance", actor="test")
    test.run()
    assert "**entrance**" in words(test)
    radio(test, "How is somebody named who was recognised?").set_value("initials")
    test.number_input[0].set_value(15)
    button(test, "save-kiosks").click().run()

    assert "All kiosks go by it within a few seconds." in words(test)
    assert (backend.site.current().kiosk_name, backend.site.current().cooldown_s) == ("initials", 15)


def test_a_new_kiosk_address_lets_that_kiosk_in(backend):
    test = page(kiosks.new_address, backend).run()
    test.text_input(key="kiosk_name").set_value("entrance")
    next(one for one in test.button if one.label == "Make the address").click().run()

    address = test.session_state["new_kiosk_address"]
    assert "/check-in?token=" in address
    assert backend.access.verify_token(address.partition("token=")[2]) == "entrance"


def test_a_kiosk_without_a_name_gets_no_address(backend):
    test = page(kiosks.new_address, backend).run()
    next(one for one in test.button if one.label == "Make the address").click().run()

    assert "Give the kiosk a name" in test.error[0].value
    assert backend.access.tokens() == []


def test_a_kiosk_that_is_shut_out_has_no_access_any_more(backend):
    backend.access.issue_token("entrance", actor="test")
    (record,) = backend.access.tokens()
    test = page(lambda backend: kiosks.confirm_revoke(backend, record), backend).run()
    button(test, "revoke-yes").click().run()

    assert backend.access.tokens() == []


def test_a_changed_consent_text_is_shown_before_it_is_saved_and_has_another_version(backend):
    test = section(backend, "Privacy")
    before = backend.site.current().consent_version
    assert f"Version {before}, in force." in words(test)
    test.text_area[0].set_value("I agree to be *recognised*.").run()
    preview = test.checkbox(key="consent_preview")
    assert preview.disabled
    # It is shown as it is typed: stars are stars.
    assert preview.label == "I agree to be \\*recognised\\*\\."
    button(test, "save-consent").click().run()

    after = backend.site.current().consent_version
    assert after != before
    assert f"The consent text is saved as version {after}." in words(test)
    assert last_change(backend)[1] == {
        "before": {"consent_version": before},
        "after": {"consent_version": after},
    }


def test_retention_shows_what_would_go_before_it_is_saved(backend, clock):
    for who in range(1, 21):
        enrol(backend, who)
    clock.move(days=40)
    for who in range(2, 21):
        backend.check_in(photo(who), kiosk="door")
    test = section(backend, "Privacy")
    number(test, "Months after which people who were not seen are erased").set_value(1).run()
    next(one for one in test.button if one.label == "Show what is due").click().run()

    assert "What would be due if you save" in words(test)
    assert "People: 1 of 20." in words(test)
    assert test.dataframe[0].value["Employee id"].to_list() == ["E1"]
    assert backend.site.current().people_unseen_months == 0

    button(test, "save-retention").click().run()
    assert backend.site.current().people_unseen_months == 1
    assert "**What is due**" in words(test)
    assert len(backend.people.find(PeopleQuery(limit=50)).items) == 20


def test_what_is_held_back_is_said_and_goes_with_an_admins_word(backend, clock, monkeypatch):
    monkeypatch.setitem(certificates._SCRYPT, "n", 16)
    for who in range(1, 6):
        enrol(backend, who)
    backend.site.change({"people_unseen_months": 1}, actor="test")
    clock.move(days=400)
    backend.retention.sweep()
    test = section(backend, "Privacy")
    assert "5 of 5 people are due at once, and no more than 1 go by themselves." in test.error[0].value

    dialog = page(lambda backend: privacy.confirm_erasure(backend, 5), backend).run()
    button(dialog, "erase-due-yes").click().run()
    assert "Type the number exactly as shown: 5." in dialog.error[0].value
    assert len(backend.people.find(PeopleQuery()).items) == 5
    dialog.text_input(key="erase-due-number").set_value("5")
    button(dialog, "erase-due-yes").click().run()
    assert backend.people.find(PeopleQuery()).items == ()


@pytest.mark.parametrize("name", ["Site", "Recognition", "Liveness", "Kiosks", "Privacy"])
def test_every_field_of_every_section_has_a_label(backend, name):
    test = section(backend, name)
    fields = [*test.text_input, *test.text_area, *test.number_input, *test.radio, *test.selectbox]
    assert all(field.label for field in fields)
    assert fields or name == "Recognition"
