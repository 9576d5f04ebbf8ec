"""The page of webhooks."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from ray_backend.domain.permissions import Role
from ray_backend.domain.queries import PunchQuery
from ray_backend.domain.webhooks import DeliveryState, Event
from streamlit_app.views import webhooks
from tests.ui.conftest import account, enrol, page, words
from tests.unit.services.webhook_stage import listening


@pytest.fixture
def ear():
    with listening() as heard:
        yield heard


@pytest.fixture
def service(backend):
    """The service, which may tell this machine."""
    made = backend._records.webhooks
    made._send._private = True
    return made


def press(test: AppTest, label: str) -> AppTest:
    return next(button for button in test.button if button.label == label).click().run()


def test_a_new_webhook_gets_a_secret_that_is_shown_once(backend):
    test = page(lambda backend: webhooks.new_webhook(backend), backend).run()
    test.text_input(key="webhook_name").set_value("payroll")
    test.text_input(key="webhook_url").set_value("https://hr.example.org/told")
    press(test, "Make the webhook")
    assert not test.exception
    (hook,) = backend.webhooks.hooks()
    assert (hook.name, hook.events) == ("payroll", (Event.PUNCH,))
    secret = backend._records.webhooks._book.hook(hook.hook_id)[1]
    assert test.code[0].value == secret
    press(test, "Done")
    assert secret not in words(page(webhooks.render, backend).run())


def test_an_address_that_cannot_be_is_refused_in_words(backend):
    test = page(lambda backend: webhooks.new_webhook(backend), backend).run()
    test.text_input(key="webhook_name").set_value("payroll")
    test.text_input(key="webhook_url").set_value("http://hr.example.org/told")
    press(test, "Make the webhook")
    assert "https://" in test.error[0].value
    assert backend.webhooks.hooks() == []


def test_a_test_says_whether_it_arrived(backend, service, ear):
    service.add("payroll", ear.url, [Event.PUNCH], actor="admin")
    test = page(webhooks.render, backend).run()
    press(test, "Send a test")
    assert test.success[0].value == "The message arrived."
    ear.status = 404
    press(test, "Send a test")
    assert test.error[0].value == "The server answered with 404."


def test_what_was_given_up_is_listed_with_its_reason_and_sent_again(backend, service, ear, clock):
    service.add("payroll", ear.url, [Event.PUNCH], actor="admin")
    person = enrol(backend, 1)
    backend._check_ins.record(person.person_id, kiosk="door", source="manual", idempotency_key="k")
    assert backend._records.store.list_punches(PunchQuery()).total == 1
    ear.status = 500
    service._courier.round()
    clock.move(hours=25)
    service._courier.round()
    test = page(webhooks.render, backend).run()
    assert "answered with 500" in words(test)
    assert "Person 1" not in words(test)
    press(test, "Send again")
    assert not test.exception
    assert service.messages(DeliveryState.DEAD).total == 0
    assert service.messages(DeliveryState.WAITING).total == 1


def test_removing_asks_once_more(backend, service, ear):
    service.add("payroll", ear.url, [Event.PUNCH], actor="admin")
    test = page(webhooks.render, backend).run()
    press(test, "Remove")
    assert len(service.hooks()) == 1
    # AppTest has no fragments: a click in a dialog runs the whole page, which closes it.
    dialog = page(lambda backend: webhooks.remove_webhook(backend, backend.webhooks.hooks()[0]), backend)
    press(dialog.run(), "Remove")
    assert service.hooks() == []


def test_a_manager_does_not_see_it(backend):
    test = page(webhooks.render, backend, username=account(backend, Role.MANAGER)).run()
    assert "may not see" in test.error[0].value
