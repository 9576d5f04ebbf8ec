"""The settings: where they come from, what they refuse, and that README.md lists them all."""

from __future__ import annotations

import os
import runpy
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from pydantic import ValidationError

from ray_backend.settings import Settings

ROOT = Path(__file__).parents[2]
ROWS = runpy.run_path(str(ROOT / "scripts" / "settings_table.py"))["rows"]()


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch):
    for name in [name for name in os.environ if name.startswith("ROLLCALL_")]:
        monkeypatch.delenv(name)


def test_everything_has_a_default():
    settings = Settings()
    assert settings.store == "sqlite"
    assert settings.data_dir == Path.home() / ".rollcall"
    assert settings.pack == "auto"
    assert settings.port == 8501
    assert settings.address == "localhost"
    assert settings.cooldown_s == 60
    assert settings.threshold is None
    assert settings.ray_address == ""


def test_there_is_no_default_password():
    assert Settings().admin_password is None


@pytest.mark.parametrize(
    ("name", "text", "field", "value"),
    [
        ("ROLLCALL_PORT", "9000", "port", 9000),
        ("ROLLCALL_STORE", "mongodb://db/rollcall", "store", "mongodb://db/rollcall"),
        ("ROLLCALL_THRESHOLD", "0.42", "threshold", 0.42),
        ("ROLLCALL_COOLDOWN_S", "0", "cooldown_s", 0),
        ("ROLLCALL_TIME_ZONE", "Asia/Kolkata", "zone", ZoneInfo("Asia/Kolkata")),
        ("ROLLCALL_DATA_DIR", "~/elsewhere", "data_dir", Path.home() / "elsewhere"),
        ("rollcall_site_name", "Depot", "site_name", "Depot"),
    ],
)
def test_the_environment_overrides_a_default(monkeypatch, name, text, field, value):
    monkeypatch.setenv(name, text)
    assert getattr(Settings(), field) == value


def test_an_argument_overrides_the_environment(monkeypatch):
    monkeypatch.setenv("ROLLCALL_PORT", "9000")
    assert Settings(port=9001).port == 9001


@pytest.mark.parametrize(
    ("ours", "rays", "address"),
    [("a:1", "b:2", "a:1"), ("", "b:2", "b:2"), (None, "ray://b:2", "ray://b:2"), (None, None, "")],
)
def test_rays_own_variable_counts_where_ours_is_empty(monkeypatch, ours, rays, address):
    for name, value in {"ROLLCALL_RAY_ADDRESS": ours, "RAY_ADDRESS": rays}.items():
        monkeypatch.delenv(name, raising=False)
        if value is not None:
            monkeypatch.setenv(name, value)
    assert Settings().ray_address == address
    assert Settings(ray_address="c:3").ray_address == "c:3"


def test_other_variables_are_left_alone(monkeypatch):
    monkeypatch.setenv("PORT", "9000")
    monkeypatch.setenv("ROLLCALL_NO_SUCH_SETTING", "1")
    assert Settings().port == 8501


def test_a_relative_folder_is_taken_from_where_the_program_starts(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert Settings(data_dir="data").data_dir == tmp_path / "data"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("time_zone", "Berlin"),
        ("time_zone", ""),
        ("time_zone", "../../etc/passwd"),
        ("time_zone", "Europe"),
        ("port", 0),
        ("port", 65536),
        ("port", "web"),
        ("cooldown_s", -1),
        ("threshold", 1.1),
        ("threshold", -1.1),
        ("threads", -1),
        ("actors", -1),
        ("store_timeout_s", 0),
        ("call_timeout_s", 0),
        ("download_timeout_s", 0),
        ("max_image_bytes", 0),
        ("max_image_pixels", 0),
    ],
)
def test_values_that_cannot_be_are_refused_by_name(field, value):
    with pytest.raises(ValidationError, match=field):
        Settings(**{field: value})


def test_a_wrong_zone_is_answered_with_an_example():
    with pytest.raises(ValidationError, match="'Berlin' is no time zone name such as Europe/Berlin"):
        Settings(time_zone="Berlin")


def test_settings_cannot_be_changed():
    with pytest.raises(ValidationError, match="frozen"):
        Settings().port = 1


def test_the_password_is_not_shown_when_settings_are_printed():
    settings = Settings(admin_password="correct horse battery")
    assert "correct horse" not in f"{settings!r} {settings} {settings.model_dump()}"
    assert settings.admin_password.get_secret_value() == "correct horse battery"


@pytest.mark.parametrize("name", Settings.model_fields)
def test_a_setting_says_what_it_means(name):
    description = Settings.model_fields[name].description
    assert description
    assert "|" not in description, "it would end the cell of README.md's table"


@pytest.mark.parametrize("row", ROWS, ids=list(Settings.model_fields))
def test_the_readme_lists_every_setting_with_default_and_meaning(row):
    lines = (ROOT / "README.md").read_text().splitlines()
    assert row in lines, "`PYTHONPATH=. python scripts/settings_table.py` prints the table"


def test_the_readme_lists_no_setting_that_is_gone():
    listed = [
        line for line in (ROOT / "README.md").read_text().splitlines() if line.startswith("| `ROLLCALL_")
    ]
    assert set(listed) == set(ROWS)
