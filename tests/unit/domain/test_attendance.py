"""The rules of a punch: visits, cooldown slots, directions."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from ray_backend.domain.attendance import cooldown_slots, local_day, same_visit
from ray_backend.domain.model import Direction, Punch

BERLIN = ZoneInfo("Europe/Berlin")
EIGHT = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)


def punch_at(at: datetime, person_id: str = "ada") -> Punch:
    return Punch(person_id, at, Direction.IN, "door", "face", "key", ("a", "b"))


def berlin(*parts: int, fold: int = 0) -> datetime:
    """A moment given by Berlin's clocks, in UTC as the store has it."""
    return datetime(*parts, tzinfo=BERLIN, fold=fold).astimezone(UTC)


moments = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))
cooldowns = st.one_of(
    st.sampled_from([1.0, 30.0, 60.0, 3600.0, 0.3, 0.000001]),
    st.floats(0.001, 86400, allow_nan=False),
)


def share_a_slot(one: tuple[str, str], other: tuple[str, str]) -> bool:
    """As the database sees it: each of the two keys is unique among its own kind."""
    return one[0] == other[0] or one[1] == other[1]


@given(moments, st.data(), cooldowns)
def test_punches_less_than_half_a_cooldown_apart_always_share_a_slot(first, data, cooldown_s):
    cooldown = timedelta(seconds=cooldown_s)
    gap = data.draw(st.timedeltas(timedelta(0), cooldown / 2))
    assume(2 * gap < cooldown)
    slots = [cooldown_slots("ada", at, cooldown_s, unless=str(at)) for at in (first, first + gap)]
    assert share_a_slot(*slots)


@given(moments, st.data(), cooldowns)
def test_punches_that_share_a_slot_are_less_than_a_cooldown_apart(first, data, cooldown_s):
    cooldown = timedelta(seconds=cooldown_s)
    gap = data.draw(st.timedeltas(timedelta(0), 2 * cooldown))
    slots = [cooldown_slots("ada", at, cooldown_s, unless=str(at)) for at in (first, first + gap)]
    assume(share_a_slot(*slots))
    assert gap < cooldown


@given(moments, cooldowns)
def test_different_people_never_share_a_slot(at, cooldown_s):
    assert not set(cooldown_slots("ada", at, cooldown_s, unless="1")) & set(
        cooldown_slots("alan", at, cooldown_s, unless="1")
    )


@given(moments, st.text(min_size=1), st.text(min_size=1))
def test_without_a_cooldown_slots_are_unique_to_the_key(at, one, other):
    assume(one != other)
    slots = cooldown_slots("ada", at, 0, unless=one) + cooldown_slots("ada", at, 0, unless=other)
    assert len(set(slots)) == 4


def test_a_cooldown_raised_by_a_second_does_not_swallow_a_punch_of_last_year():
    # 29,508,197 slots of 61 s have passed since 1970 as of `now`; as many of 60 s as of `then`.
    slot = 29_508_197
    then, now = (datetime.fromtimestamp(slot * length_s + 1, UTC) for length_s in (60, 61))
    assert now - then > timedelta(days=300)
    assert not share_a_slot(
        cooldown_slots("ada", then, 60, unless="1"), cooldown_slots("ada", now, 61, unless="2")
    )


@pytest.mark.parametrize(
    ("after_s", "same"), [(0, True), (59.999, True), (60, False), (61, False), (-59.999, True), (-60, False)]
)
def test_a_visit_lasts_one_cooldown_and_a_clock_set_back_opens_no_new_one(after_s, same):
    assert same_visit(punch_at(EIGHT), EIGHT + timedelta(seconds=after_s), 60) is same


def test_the_first_punch_ever_opens_a_visit():
    assert not same_visit(None, EIGHT, 60)


def test_without_a_cooldown_even_the_same_moment_is_another_visit():
    assert not same_visit(punch_at(EIGHT), EIGHT, 0)


@pytest.mark.parametrize(
    ("zone", "day"), [("Europe/Berlin", date(2026, 3, 3)), ("America/New_York", date(2026, 3, 2))]
)
def test_the_local_day_is_the_sites(zone, day):
    assert local_day(datetime(2026, 3, 2, 23, 30, tzinfo=UTC), ZoneInfo(zone)) == day
