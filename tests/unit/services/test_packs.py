"""Templates of different packs are never compared, and a ready-made one has to be comparable."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ray_backend.domain.errors import (
    FaceBelongsToAnother,
    InvalidInput,
    PackMismatch,
    PersonNotFound,
)
from ray_backend.domain.model import new_id
from tests.fakes import FAKE_PACK, FakeEngine
from tests.unit.services.conftest import look_alike, stored_template

ADA, ALAN = 1, 2


def test_the_first_enrolment_pins_the_pack(site):
    assert site.store.get_setting("pack") is None
    site.enrol(ADA)
    assert site.store.get_setting("pack") == {"id": "fake", "spec": "fake"}


class OtherEngine(FakeEngine):
    pack = replace(FAKE_PACK, pack_id="other")


def test_with_another_pack_a_site_does_not_open(site, open_site):
    site.enrol(ADA)
    with pytest.raises(PackMismatch, match="fake"):
        open_site(store=site.store, engine=OtherEngine())


def test_a_process_that_still_runs_another_pack_cannot_enrol(site, open_site):
    late = open_site(store=site.store, engine=OtherEngine())
    site.enrol(ADA)
    with pytest.raises(PackMismatch, match="fake"):
        late.enrol(ALAN)
    assert sum(site.store.count_templates().values()) == 1
    assert late.backend.overview().templates == 0


def test_the_pack_may_change_once_nobody_is_enrolled_any_more(site, open_site):
    ada = site.enrol(ADA)
    site.backend.people.erase(ada.person_id, typed_employee_id="E1", keep_punches=True, actor="admin")
    other = open_site(store=site.store, engine=OtherEngine())
    alan = other.enrol(ALAN)
    assert other.check_in(ALAN).person == alan
    assert site.store.get_setting("pack")["id"] == "other"
    with pytest.raises(PackMismatch):
        site.enrol(ADA)


def test_a_pack_that_was_chosen_stays_without_templates(site, open_site):
    site.store.put_setting("pack", {"id": "fake", "spec": "fake", "chosen": True})
    with pytest.raises(PackMismatch):
        open_site(store=site.store, engine=OtherEngine())


def test_a_gallery_holds_the_running_packs_templates_only(site):
    ada = site.enrol(ADA)
    [template] = site.store.templates_of(ada.person_id)
    old = stored_template(ada, np.ones(8, np.float32), pack_id="older")
    site.store.add_templates([old])
    again = site.restarted()
    assert again.counts() == (1, 2, 1)
    assert again.check_in(ADA).person == ada
    assert template in site.store.templates_of(ada.person_id)


def ready_template(site, person, similarity: float = 0.9):
    """A template that a program made of its own photo of the person."""
    [first] = site.store.templates_of(person.person_id)
    return stored_template(person, look_alike(first.embedding, similarity))


def test_a_ready_template_of_a_program_is_used_at_once(site):
    ada = site.enrol(ADA)
    site.backend._records.enrolments.add_template(ready_template(site, ada))
    assert site.counts() == (1, 2, 2)
    assert site.restarted().counts() == (1, 2, 2)


@pytest.mark.parametrize(
    ("spoil", "error"),
    [
        (lambda t: replace(t, person_id=new_id()), PersonNotFound),
        (lambda t: replace(t, pack_id="other"), PackMismatch),
        (lambda t: replace(t, embedding=t.embedding[:-1]), InvalidInput),
        (lambda t: replace(t, embedding=t.embedding[None]), InvalidInput),
        (lambda t: replace(t, embedding=t.embedding.astype(np.float64)), InvalidInput),
        (lambda t: replace(t, embedding=t.embedding * 3), InvalidInput),
        (lambda t: replace(t, embedding=np.full_like(t.embedding, np.nan)), InvalidInput),
        (lambda t: replace(t, embedding=np.zeros_like(t.embedding)), InvalidInput),
    ],
    ids=["person", "pack", "dimension", "shape", "dtype", "length", "nan", "zero"],
)
def test_a_ready_template_that_cannot_be_compared_is_refused_and_not_stored(site, spoil, error):
    ada = site.enrol(ADA)
    with pytest.raises(error):
        site.backend._records.enrolments.add_template(spoil(ready_template(site, ada)))
    assert site.counts() == (1, 1, 1)
    assert site.restarted().check_in(ADA).person == ada


def test_a_ready_template_with_another_persons_face_is_refused(site):
    ada, alan = site.enrol(ADA), site.enrol(ALAN)
    mixed_up = replace(ready_template(site, ada), person_id=alan.person_id)
    with pytest.raises(FaceBelongsToAnother) as refusal:
        site.backend._records.enrolments.add_template(mixed_up)
    assert refusal.value.employee_id == "E1"
    assert site.counts() == (2, 2, 2)
