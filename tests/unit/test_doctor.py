"""What `rollcall doctor` says of the site."""

from __future__ import annotations

from contextlib import closing

import pytest

from ray_backend import doctor
from ray_backend.services.site import KEY
from ray_backend.settings import Settings
from ray_backend.storage import open_store


@pytest.fixture
def settings(tmp_path) -> Settings:
    return Settings(data_dir=tmp_path, liveness="require", liveness_way="active")


def held_up(settings: Settings) -> doctor.Finding:
    return next(one for one in doctor.examine(settings) if one.what == "held-up pictures")


def test_held_up_pictures_are_told_as_the_environment_has_it(settings):
    assert held_up(settings).found == "refused, found by asking for movements"


def test_what_was_changed_in_the_app_counts_more(settings):
    with closing(open_store(settings)) as store:
        store.put_setting(KEY, {"liveness": "off"})
    assert held_up(settings).found == "not looked for (switched off)"


def test_a_database_that_does_not_answer_is_said(tmp_path):
    (tmp_path / "broken.sqlite3").write_bytes(b"no database" * 100)
    settings = Settings(data_dir=tmp_path, store=f"sqlite:///{tmp_path}/broken.sqlite3")
    finding = held_up(settings)
    assert not finding.ok
    assert "not a database" in finding.advice


def packages(tmp_path, monkeypatch, *lines: str) -> doctor.Finding:
    file = tmp_path / "requirements.txt"
    file.write_text("\n".join(["# What it runs on.", *lines, ""]))
    monkeypatch.setattr(doctor, "_REQUIREMENTS", file)
    return next(one for one in doctor.examine(Settings(data_dir=tmp_path)) if one.what == "packages")


def test_packages_of_another_version_or_none_are_named(tmp_path, monkeypatch):
    finding = packages(tmp_path, monkeypatch, "ray[serve]==1.0", "no-such-package==2.1")
    assert not finding.ok
    assert "ray 2." in finding.found
    assert "instead of 1.0; no-such-package missing instead of 2.1" in finding.found


def test_packages_for_other_machines_are_not_missed(tmp_path, monkeypatch):
    assert packages(tmp_path, monkeypatch, 'no-such-package==2.1; platform_machine == "pdp11"').ok
    here = 'no-such-package==2.1; platform_machine != "pdp11"'
    assert not packages(tmp_path, monkeypatch, here).ok
