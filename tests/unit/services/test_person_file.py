"""What a person's page shows: nearest people, photos compared, the last punches, merged records included."""

from __future__ import annotations

from datetime import timedelta

import pytest

from ray_backend.domain.errors import PersonNotFound
from ray_backend.domain.nearness import Fit
from tests.fakes import photo
from tests.unit.services.conftest import look_alike, stored_template

ADA, ALAN, TWIN = 1, 2, 11


def test_a_person_alone_has_nobody_near_and_no_punch(site):
    file = site.backend.person_file(site.enrol(ADA).person_id)
    assert (file.others, file.last_punches) == ((), ())
    assert [one.fit for one in file.photos] == [Fit.ONLY_ONE]
    assert file.threshold == 0.5


def test_nobody_has_no_file(site):
    with pytest.raises(PersonNotFound):
        site.backend.person_file("nobody")


def test_the_nearest_people_come_first_and_say_who_is_alike(site):
    ada, alan, twin = site.enrol(ADA), site.enrol(ALAN), site.enrol(TWIN)
    own = site.store.templates_of(ada.person_id)[0].embedding
    site.backend._records.enrolments.add_template(stored_template(twin, look_alike(own, 0.46)))
    others = site.backend.person_file(ada.person_id).others
    assert [one.person for one in others] == [twin, alan]
    assert [one.alike for one in others] == [True, False]
    assert others[0].similarity == pytest.approx(0.46, abs=1e-3)


def test_who_is_deactivated_is_near_to_nobody(site):
    ada, alan = site.enrol(ADA), site.enrol(ALAN)
    site.backend.people.set_active(alan.person_id, False, actor="admin")
    assert site.backend.person_file(ada.person_id).others == ()


def test_merged_records_count_for_the_person(site):
    ada, second, alan = site.enrol(ADA), site.enrol(ALAN), site.enrol(3)
    late = site.punch(ada.person_id, site.clock.now())
    early = site.punch(second.person_id, site.clock.now() - timedelta(hours=3))
    site.backend.merges.merge(second.person_id, ada.person_id, actor="admin")
    file = site.backend.person_file(ada.person_id)
    assert file.person == ada
    assert len(file.photos) == 2
    assert file.last_punches == (late, early)
    assert [one.person for one in file.others] == [alan]
    assert site.backend.person_file(second.person_id).person == ada
    assert [one.person for one in site.backend.person_file(alan.person_id).others] == [ada]


@pytest.mark.parametrize("apart", [timedelta(hours=1), timedelta(days=2), timedelta(days=40)])
def test_the_ten_last_punches_are_found_however_far_apart(site, apart):
    ada, alan = site.enrol(ADA, photo(ADA)), site.enrol(ALAN)
    made = [site.punch(ada.person_id, site.clock.now() - number * apart) for number in range(13)]
    site.punch(alan.person_id, site.clock.now())
    assert site.backend.person_file(ada.person_id).last_punches == tuple(made[:10])


def test_fewer_than_ten_are_all(site):
    ada = site.enrol(ADA)
    made = [site.punch(ada.person_id, site.clock.now() - timedelta(days=400 * n)) for n in range(3)]
    assert site.backend.person_file(ada.person_id).last_punches == tuple(made)
