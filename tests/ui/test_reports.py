"""The report on the page and in the files."""

from __future__ import annotations

import io
from datetime import date

import pandas as pd
import pytest
from streamlit.runtime.scriptrunner_utils import script_run_context  # noqa: F401

from streamlit_app.views import reports
from tests.fakes import photo
from tests.ui.conftest import enrol, page, words


@pytest.fixture
def day_of_work(backend, clock):
    """Ada (Workshop) from 09:00 to 17:00, Grace (Office) in at 09:00 only."""
    enrol(backend, 1, name="Ada Example")
    enrol(backend, 2, name="Grace Example", department="Office")
    backend.check_in(photo(1), kiosk="entrance")
    backend.check_in(photo(2), kiosk="entrance")
    clock.move(hours=8)
    backend.check_in(photo(1), kiosk="entrance")


def shown(test) -> pd.DataFrame:
    return test.dataframe[0].value


def test_a_range_without_attendance_says_where_records_come_from(backend):
    test = page(reports.render, backend).run()

    assert "No attendance in this range" in words(test)
    assert len(test.download_button) == 0


def test_days_are_shown_in_the_sites_time(backend, day_of_work):
    rows = shown(page(reports.render, backend).run())

    assert rows[["Name", "First in", "Last out", "Hours"]].values.tolist() == [
        ["Ada Example", "09:00", "17:00", "8.00"],
        ["Grace Example", "09:00", "", ""],
    ]


def test_totals_belong_to_the_rows(backend, day_of_work):
    test = page(reports.render, backend).run()

    assert {metric.label: metric.value for metric in test.metric} == {
        "People": "2", "Days": "2", "Hours": "8.0", "Incomplete": "1",
    }  # fmt: skip


def test_department_and_name_filter_the_rows(backend, day_of_work):
    test = page(reports.render, backend).run()

    test.selectbox[0].set_value("Office").run()
    assert shown(test)["Name"].to_list() == ["Grace Example"]

    test.selectbox[0].set_value("All")
    test.text_input[0].set_value("ada").run()
    assert shown(test)["Name"].to_list() == ["Ada Example"]
    assert "matching “ada”" in words(test)


@pytest.mark.parametrize(
    ("file_format", "read"),
    [
        ("csv", lambda data: pd.read_csv(io.BytesIO(data))),
        ("xlsx", lambda data: pd.read_excel(io.BytesIO(data))),
    ],
)
def test_the_files_hold_exactly_the_filtered_rows(backend, day_of_work, monkeypatch, file_format, read):
    made = {}
    monkeypatch.setattr(
        reports.st.delta_generator.DeltaGenerator,
        "download_button",
        lambda self, label, data, name, mime, **rest: made.update({name: data()}),
    )
    test = page(reports.render, backend).run()
    test.text_input[0].set_value("grace").run()

    table = read(made[f"attendance_2026-02-24_2026-03-02.{file_format}"])
    assert table["Name"].to_list() == ["Grace Example"]


def test_half_a_range_asks_for_the_other_date(backend):
    test = page(reports.render, backend).run()

    test.date_input[0].set_value((date(2026, 3, 1),)).run()

    assert "Choose the last day" in words(test)


def test_a_range_of_more_than_a_year_is_refused_in_words(backend):
    test = page(reports.render, backend).run()

    test.date_input[0].set_value((date(2024, 1, 1), date(2026, 3, 2))).run()

    assert "at most a year" in test.error[0].value
