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
