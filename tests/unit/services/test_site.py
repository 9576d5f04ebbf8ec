"""The composition root and the client: one site put together, opened again, and looked over."""

from __future__ import annotations

import os

import pytest

from ray_backend import bootstrap, runfile
from ray_backend.client import connect
from ray_backend.domain.answers import Overview
from ray_backend.domain.errors import InvalidInput, PackMismatch, StoreUnavailable
from ray_backend.services import pinned
from ray_backend.settings import Settings
from ray_backend.storage.memory import MemoryStore
from tests.fakes import FAKE_PACK, photo

ADA, ALAN = 1, 2


def test_the_overview_counts_people_and_templates_and_names_the_pack(site):
    assert site.backend.overview() == Overview(FAKE_PACK, people=0, templates=0, gallery_version=1)
    ada = site.enrol(ADA, photo(ADA), photo(ADA, variant=1))
    site.enrol(ALAN)
    site.backend.people.set_active(ada.person_id, False, actor="admin")
    overview = site.backend.overview()
    assert (overview.pack, overview.people, overview.templates) == (FAKE_PACK, 2, 1)


def test_the_overview_needs_a_database(site):
    site.backend.close()
    with pytest.raises(StoreUnavailable):
        site.backend.overview()


def test_whoever_was_enrolled_is_recognised_after_a_restart(site):
    ada, alan = site.enrol(ADA), site.enrol(ALAN)
    site.backend.people.set_active(alan.person_id, False, actor="admin")
    again = site.restarted()
    assert again.backend.overview().templates == 1
    assert again.check_in(ADA).person == ada
    assert again.check_in(ALAN).person is None


def test_a_local_backend_says_where_it_works(site):
    assert site.backend.where == "in this process"


def test_an_enrolment_form_is_checked_before_photos_are_analysed(site, monkeypatch):
    monkeypatch.setattr(site.engine, "detect", lambda picture: pytest.fail("analysed"), raising=False)
    with pytest.raises(InvalidInput):
        site.enrol(ADA, name="")


def test_auto_becomes_the_pinned_pack(site, tmp_path):
    site.store.put_setting("pack", {"id": "fake-1234", "spec": str(tmp_path / "fake"), "chosen": True})
    choice = bootstrap.find_pack(Settings(pack="auto"), site.store)
    assert (choice.name, choice.spec) == ("fake", str(tmp_path / "fake"))
    assert bootstrap.find_pack(Settings(pack="dlib-resnet"), site.store).spec == "dlib-resnet"


def test_a_pin_without_templates_is_taken_away_unless_it_was_chosen():
    store = MemoryStore()
    store.put_setting("pack", {"id": "older", "spec": "older"})
    assert pinned.pinned_pack(store) is None
    pinned.check_pack(store, FAKE_PACK)
    assert store.get_setting("pack") is None
    chosen = {"id": "older", "spec": "older", "chosen": True}
    store.put_setting("pack", chosen)
    with pytest.raises(PackMismatch, match="older"):
        pinned.check_pack(store, FAKE_PACK)
    assert store.get_setting("pack") == chosen


def test_a_chosen_pack_names_whoever_has_to_be_photographed_again(site):
    ada, alan = site.enrol(ADA), site.enrol(ALAN)
    site.backend.people.set_active(alan.person_id, False, actor="admin")
    assert pinned.pin_pack(site.store, site.clock, FAKE_PACK, "fake") == ()
    other = type(FAKE_PACK)("other", 8, 0.5, 0.05, "none")
    assert pinned.pin_pack(site.store, site.clock, other, "/models/other") == (ada,)
    assert pinned.pinned_pack(site.store)["spec"] == "/models/other"
    assert "pack.changed" in [entry.action for entry in site.audit()]


def test_a_note_of_a_running_rollcall_is_found_and_taken_away(tmp_path):
    assert runfile.running_address(tmp_path) == ""
    runfile.write(tmp_path, "127.0.0.1:6379")
    assert runfile.running_address(tmp_path) == "127.0.0.1:6379"
    runfile.remove(tmp_path)
    runfile.remove(tmp_path)
    assert runfile.running_address(tmp_path) == ""


@pytest.mark.parametrize("note", ["", "{", '{"pid": 1073741824, "ray_address": "127.0.0.1:1"}'])
def test_a_broken_note_or_one_of_a_killed_process_counts_for_nothing(tmp_path, note):
    (tmp_path / "running.json").write_text(note)
    assert runfile.running_address(tmp_path) == ""


def test_a_note_whose_process_id_went_to_another_user_counts_for_nothing(tmp_path, monkeypatch):
    def not_ours(pid, signal):
        raise PermissionError

    runfile.write(tmp_path, "127.0.0.1:6379")
    monkeypatch.setattr(os, "kill", not_ours)
    assert runfile.running_address(tmp_path) == ""


def test_without_a_running_rollcall_the_work_is_done_here(tmp_path, monkeypatch, site):
    opened = []
    monkeypatch.setattr("ray_backend.client.local_backend", lambda settings: opened.append("here"))
    monkeypatch.setattr(
        "ray_backend.client.ray_backend",
        lambda settings, report_as: opened.append(settings.ray_address),
    )
    connect(Settings(data_dir=tmp_path))
    runfile.write(tmp_path, "127.0.0.1:6379")
    connect(Settings(data_dir=tmp_path))
    connect(Settings(data_dir=tmp_path, ray_address="10.0.0.5:6379"))
    assert opened == ["here", "127.0.0.1:6379", "10.0.0.5:6379"]
