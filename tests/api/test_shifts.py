"""GET /people/{employee_id}/shifts.ics: shifts for calendar programs."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import icalendar
import pytest

from ray_backend.domain.permissions import Role
from ray_backend.domain.worktime.schedule import Assignment, Leave, Level, Rulebook
from ray_backend.domain.worktime.shifts import Shift

BERLIN = ZoneInfo("Europe/Berlin")
MONDAY = date(2026, 3, 2)
NIGHT = Shift("night", "Night, late", start=time(22), end=time(6))


@pytest.fixture
def person(web):
    """E1, who works nights from Monday to Friday."""
    week = Assignment(Level.EVERYBODY, "", MONDAY, (("night",),) * 5 + ((), ()))
    rules = web.site.backend.rules
    rules.change(
        Rulebook(version=rules.current().version, shifts={"night": NIGHT}, assignments=(week,)), actor="test"
    )
    return web.site.enrol(1)


def read(answer) -> dict[datetime, icalendar.Event]:
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "text/calendar; charset=utf-8"
    calendar = icalendar.Calendar.from_ical(answer.content)
    assert calendar["version"] == "2.0"
    return {event.start: event for event in calendar.events}


def with_token(web, person) -> dict:
    secret = web.site.backend.shift_feeds.issue(person.person_id, actor="test")
    return {"token": secret}


def test_a_calendar_reads_shifts_with_the_clock_of_the_site(web, person):
    answer = web.client.get("/people/E1/shifts.ics", params=with_token(web, person))
    events = read(answer)
    first = events[datetime(2026, 3, 2, 22, tzinfo=BERLIN)]
    assert (str(first["summary"]), first.end) == ("Night, late", datetime(2026, 3, 3, 6, tzinfo=BERLIN))
    assert first["dtstart"].params["TZID"] == "Europe/Berlin"
    assert all(event.start.weekday() < 5 for event in events.values())
    assert max(events).date() == MONDAY + timedelta(days=88), "the Friday before three months are over"


def test_a_night_in_which_clocks_change_ends_when_the_clock_says_so(web, person):
    week = Assignment(Level.PERSON, person.person_id, MONDAY, (("night",),))
    rules = web.site.backend.rules
    book = rules.current()
    rules.change(Rulebook(version=book.version, shifts=book.shifts, assignments=(week,)), actor="test")
    answer = web.client.get("/people/E1/shifts.ics", params=with_token(web, person))
    night = read(answer)[datetime(2026, 3, 28, 22, tzinfo=BERLIN)]
    assert night.end == datetime(2026, 3, 29, 6, tzinfo=BERLIN)
    assert night.end.timestamp() - night.start.timestamp() == 7 * 3600
    calendar = icalendar.Calendar.from_ical(answer.content)
    assert [str(zone["tzid"]) for zone in calendar.timezones] == ["Europe/Berlin"]


def test_events_keep_their_uid(web, person):
    token = with_token(web, person)
    before = read(web.client.get("/people/E1/shifts.ics", params=token))
    web.site.clock.move(days=3)
    after = read(web.client.get("/people/E1/shifts.ics", params=token))
    both = set(before) & set(after)
    assert len(both) > 50
    assert all(before[start]["uid"] == after[start]["uid"] for start in both)
    assert len({str(event["uid"]) for event in after.values()}) == len(after)


def test_whole_days_of_leave_are_free(web, person):
    web.site.backend.leave.add(
        [Leave("l1", person.person_id, MONDAY, MONDAY + timedelta(days=1), "vacation")], actor="test"
    )
    events = read(web.client.get("/people/E1/shifts.ics", params=with_token(web, person)))
    assert min(events).date() == MONDAY + timedelta(days=2)


def test_an_api_key_of_the_right_role_reads_it_too(web, person):
    assert read(web.get("/people/E1/shifts.ics", Role.MANAGER))
    assert web.get("/people/E1/shifts.ics", Role.KIOSK).status_code == 403
    assert web.get("/people/E2/shifts.ics", Role.ADMIN).status_code == 404
    assert web.client.get("/people/E1/shifts.ics").status_code == 401


def test_a_token_opens_one_persons_calendar_and_nothing_else(web, person):
    web.site.enrol(2)
    token = with_token(web, person)
    assert web.client.get("/people/E2/shifts.ics", params=token).status_code == 401
    assert web.client.get("/people/E1/shifts.ics", params={"token": "x"}).status_code == 401
    assert (
        web.client.get("/people/E1", headers={"Authorization": f"Bearer {token['token']}"}).status_code == 401
    )


def test_a_new_address_shuts_the_old_one_and_so_does_shutting_it(web, person):
    old, new = with_token(web, person), with_token(web, person)
    assert web.client.get("/people/E1/shifts.ics", params=old).status_code == 401
    assert web.client.get("/people/E1/shifts.ics", params=new).status_code == 200
    feeds = web.site.backend.shift_feeds
    assert feeds.revoke(person.person_id, actor="test")
    assert not feeds.revoke(person.person_id, actor="test")
    assert web.client.get("/people/E1/shifts.ics", params=new).status_code == 401


def test_nothing_is_left_of_it_after_an_erasure(web, person):
    token = with_token(web, person)
    erasure = web.site.backend.people.erase(
        person.person_id, typed_employee_id="E1", keep_punches=False, actor="test"
    )
    assert erasure.certificate.verified
    assert web.client.get("/people/E1/shifts.ics", params=token).status_code == 401
