"""The page of corrections."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from ray_backend.domain.model import Direction, Receipt
from ray_backend.domain.permissions import Caller, Role
from ray_backend.domain.worktime.corrections import Correction, CorrectionKind
from ray_backend.services.attachments import Attachment
from streamlit_app.corrections import asking, day, history, outage, requests
from streamlit_app.views import corrections
from tests.fakes import photo
from tests.ui.conftest import account, enrol, page, words

ADA, ALAN = 1, 50


def by_key(test, key: str):
    return next(button for button in test.button if button.key == key)


def has(test, key: str) -> bool:
    return any(button.key == key for button in test.button)


def part(render, backend, **values):
    """One section, without the tabs and the guard."""
    admin = backend.acting_as(Caller("admin", Role.ADMIN))
    return page(lambda backend: render(backend, **values), admin).run()


@pytest.fixture
def ada(backend):
    return enrol(backend, ADA, name="Ada *Example*")


@pytest.fixture
def punch(backend, ada, clock):
    made = backend.check_in(photo(ADA), kiosk="entrance").punch
    clock.move(seconds=10)
    return made


def dispute(backend, punch) -> str:
    """Somebody touches "This is not me"; returns the request's id."""
    backend._records.check_ins.dispute(punch.punch_id, kiosk=punch.kiosk)
    return f"dispute-{punch.punch_id}"


def missed(backend, person, clock, **more) -> Correction:
    at = clock.now() - timedelta(hours=1)
    asked = Correction(
        CorrectionKind.ADD, person.person_id, "Forgot [it]", "", at, at, direction=Direction.OUT
    )
    return backend.corrections.request(asked, actor="anna", **more)


def open_requests(backend) -> list[str]:
    return [one.correction_id for one in backend.corrections.find(states=("requested",)).items]


def test_without_requests_the_page_says_when_there_would_be_one(backend):
    test = page(corrections.render, backend).run()
    assert not test.exception
    assert "Nothing is waiting for a decision" in words(test)


def test_viewers_do_not_see_it(backend, ada, punch):
    dispute(backend, punch)
    test = page(corrections.render, backend, username=account(backend, Role.VIEWER)).run()
    assert "may not see this page" in words(test)
    assert "Ada" not in words(test)


def test_managers_see_requests_of_their_departments_only(backend, ada, clock):
    missed(backend, ada, clock)
    username = account(backend, Role.MANAGER, "Kitchen")
    assert "Nothing is waiting" in words(page(corrections.render, backend, username=username).run())


def test_a_request_says_who_what_when_and_why(backend, ada, clock):
    missed(backend, ada, clock, attachment=Attachment("note.txt", "text/plain", b"Train was late"))
    test = page(corrections.render, backend).run()
    said = words(test)
    assert r"Ada \*Example\* \(E1\)" in said
    assert "A punch is missing: Out at 2026-03-02 08:00." in said
    assert r"Reason: Forgot \[it\]" in said
    assert "Asked for by anna" in said
    assert test.download_button[0].label == "Open the file"


def test_approving_with_a_note_makes_the_punch_count(backend, ada, clock):
    asked = missed(backend, ada, clock)
    test = page(corrections.render, backend).run()
    test.text_input(key=f"note-{asked.correction_id}").set_value("Seen at work")
    by_key(test, f"approve-{asked.correction_id}").click().run()
    decided = backend.corrections.get(asked.correction_id)
    assert (decided.state, decided.decided_by, decided.decision_note) == (
        "approved", "admin", "Seen at work",
    )  # fmt: skip
    assert "The request is approved" in words(test)
    assert "Nothing is waiting" in words(test)


def test_refusing_leaves_everything_as_it_was(backend, ada, clock):
    asked = missed(backend, ada, clock)
    test = page(corrections.render, backend).run()
    by_key(test, f"refuse-{asked.correction_id}").click().run()
    assert backend.corrections.get(asked.correction_id).state == "refused"


def test_who_decides_second_is_told(backend, ada, clock):
    asked = missed(backend, ada, clock)
    test = page(corrections.render, backend).run()
    backend.corrections.decide(asked.correction_id, approve=False, actor="other")
    test.session_state["correction_cursors"] = [None]
    by_key(test, f"approve-{asked.correction_id}").click().run()
    assert backend.corrections.get(asked.correction_id).state == "refused"


def test_a_dispute_shows_its_receipt_and_asks_whose_punch_it_is(backend, ada, clock):
    alan = enrol(backend, ALAN, name="Alan Example")
    receipt = Receipt("fake", 0.5, 0.61, 0.42, 4)
    punch = backend._records.check_ins.punch_recognised(
        ada.person_id, kiosk="entrance", idempotency_key="k", receipt=receipt
    ).punch
    key = dispute(backend, punch)
    test = page(corrections.render, backend).run()
    facts = str(test.table[0].value)
    assert "0\\.61" in facts
    assert "0\\.42" in facts
    assert "the punch counts for nobody" in words(test)
    test.text_input(key=f"{key}-text").set_value("alan").run()
    assert "It will count for Alan Example" in words(test)
    by_key(test, f"approve-{key}").click().run()
    assert backend.corrections.get(key).to_person_id == alan.person_id


def test_long_lists_are_paged(backend, ada, clock, monkeypatch):
    monkeypatch.setattr(requests, "PAGE_SIZE", 1)
    first = missed(backend, ada, clock)
    clock.move(hours=1)
    second = missed(backend, ada, clock)
    test = page(corrections.render, backend).run()
    assert has(test, f"approve-{first.correction_id}")
    next(button for button in test.button if button.label == "Next").click().run()
    assert has(test, f"approve-{second.correction_id}")
    by_key(test, f"approve-{second.correction_id}").click().run()
    assert has(test, f"approve-{first.correction_id}")


def choose_ada(test):
    test.text_input(key="day-text").set_value("ada").run()
    test.date_input(key="day-date").set_value(datetime(2026, 3, 2, tzinfo=UTC).date()).run()
    return test


def test_a_day_shows_old_and_new_side_by_side(backend, ada, punch):
    turned = Correction(
        CorrectionKind.DIRECTION, ada.person_id, "Was leaving", "", punch.at, punch.at,
        punch_id=punch.punch_id, direction=Direction.OUT,
    )  # fmt: skip
    asked = backend.corrections.request(turned, actor="anna")
    backend.corrections.decide(asked.correction_id, approve=True, note="Saw it", actor="chief")
    test = choose_ada(part(day.render, backend))
    assert not test.exception
    shown = [text.value for text in test.text]
    assert shown == ["09:00", "In", "Face, entrance", "Out"]
    assert r"asked for by anna\: Was leaving" in words(test)
    assert "Approved by chief" in words(test)
    assert has(test, "correct-0")
    assert has(test, "day-add")


def test_a_day_without_punches_says_so(backend, ada):
    assert "There is no punch on this day." in words(choose_ada(part(day.render, backend)))


def ask(test, reason: str, *, at_once: bool = False):
    test.text_input(key="ask-reason").set_value(reason)
    if at_once:
        test.checkbox(key="ask-at-once").check()
    return by_key(test, "ask").click().run()


@pytest.mark.parametrize("at_once", [False, True])
def test_a_missing_punch_is_asked_for(backend, ada, clock, at_once):
    zone = backend.site.current().zone
    test = part(
        asking.ask_for_missing, backend, person=ada, day=clock.now().date() - timedelta(days=1), zone=zone
    )
    ask(test, "Kiosk was off", at_once=at_once)
    [asked] = backend.corrections.find().items
    assert (asked.at.isoformat(), asked.direction) == ("2026-03-01T07:00:00+00:00", Direction.IN)
    assert (asked.requested_by, asked.state) == ("admin", "approved" if at_once else "requested")


def test_without_a_reason_nothing_is_asked_for(backend, ada, clock):
    zone = backend.site.current().zone
    test = part(asking.ask_for_missing, backend, person=ada, day=clock.now().date(), zone=zone)
    ask(test, " ")
    assert "Give a reason" in words(test)
    assert backend.corrections.find().total == 0


@pytest.mark.parametrize("kind", ["direction", "person", "void"])
def test_each_way_of_being_wrong_can_be_asked_for(backend, ada, punch, kind):
    zone = backend.site.current().zone
    test = part(asking.ask_for_change, backend, person=ada, punch=punch, zone=zone)
    test.radio(key="ask-kind").set_value(CorrectionKind(kind)).run()
    ask(test, "As seen")
    [asked] = backend.corrections.find().items
    assert (asked.kind, asked.punch_id) == (kind, punch.punch_id)
    assert asked.direction == (Direction.OUT if kind == "direction" else None)


def outage_of(backend, department: str = "Workshop"):
    test = part(outage.render, backend)
    test.selectbox(key="outage-department").set_value(department).run()
    test.date_input(key="outage-day").set_value(datetime(2026, 3, 1, tzinfo=UTC).date())
    test.text_input(key="outage-reason").set_value("Power cut").run()
    return test


def test_many_punches_are_shown_before_they_are_written(backend, ada):
    alan = enrol(backend, ALAN, name="Alan Example")
    enrol(backend, 3, name="Grace Kitchen", department="Kitchen")
    test = outage_of(backend)
    assert not has(test, "outage-write")
    by_key(test, "outage-preview").click().run()
    assert list(test.dataframe[0].value["Name"]) == ["Ada *Example*", "Alan Example"]
    by_key(test, "outage-write").click().run()
    written = backend.corrections.find(states=("approved",)).items
    assert {one.person_id for one in written} == {ada.person_id, alan.person_id}
    assert {one.at.isoformat() for one in written} == {"2026-03-01T07:00:00+00:00"}
    assert {(one.reason, one.decided_by) for one in written} == {("Power cut", "admin")}
    assert not has(test, "outage-write")


def test_whoever_changes_something_has_to_look_again(backend, ada):
    test = outage_of(backend)
    by_key(test, "outage-preview").click().run()
    test.text_input(key="outage-reason").set_value("Something else").run()
    assert not has(test, "outage-write")


def test_many_punches_need_a_reason(backend, ada):
    test = outage_of(backend)
    test.text_input(key="outage-reason").set_value("").run()
    by_key(test, "outage-preview").click().run()
    by_key(test, "outage-write").click().run()
    assert "Give a reason" in words(test)
    assert backend.corrections.find().total == 0


def test_the_history_tells_what_became_of_requests(backend, ada, clock, monkeypatch):
    asked = missed(backend, ada, clock)
    backend.corrections.decide(asked.correction_id, approve=False, note="Not seen", actor="chief")
    test = part(history.render, backend)
    days = (datetime(2026, 3, 1, tzinfo=UTC).date(), datetime(2026, 3, 3, tzinfo=UTC).date())
    test.date_input(key="history-days").set_value(days).run()
    [row] = test.dataframe[0].value.to_dict("records")
    assert (row["Person"], row["Decision"], row["Decided by"], row["Note"]) == (
        "Ada *Example* (E1)", "Refused", "chief", "Not seen",
    )  # fmt: skip
    test.selectbox(key="history-state").set_value("approved").run()
    assert "Nothing was corrected" in words(test)
