"""The reports on the page, one filter for all of them, and the files."""

from __future__ import annotations

import io
import json
from datetime import date, time, timedelta

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from ray_backend.domain.errors import NotFound, StoreUnavailable
from ray_backend.domain.model import DecisionKind, DecisionRecord, Direction
from ray_backend.domain.permissions import Role
from ray_backend.domain.reporting.periods import Period, days_of
from ray_backend.domain.worktime.corrections import Correction, CorrectionKind
from ray_backend.domain.worktime.schedule import Assignment, Level, Rulebook, Site
from ray_backend.domain.worktime.shifts import OvertimeStep, Shift
from ray_backend.services.file_jobs import FileState
from streamlit_app.reports import long_files, tables
from streamlit_app.views import reports
from tests.fakes import photo
from tests.ui.conftest import account, enrol, page, words

MONDAY = date(2026, 3, 2)


@pytest.fixture
def people(backend):
    return enrol(backend, 1, name="Ada Example"), enrol(backend, 2, name="Grace Example", department="Office")


@pytest.fixture
def day_of_work(backend, clock, people):
    """Ada (Workshop) from 09:00 to 17:00, Grace (Office) in at 09:00 only; it is 17:00."""
    backend.check_in(photo(1), kiosk="entrance")
    backend.check_in(photo(2), kiosk="entrance")
    clock.move(hours=8)
    backend.check_in(photo(1), kiosk="entrance")


@pytest.fixture
def schedule(backend):
    """Everybody from 08:30 to 16:00 on weekdays since the Monday before, overtime from the first minute."""
    shift = Shift("day", "Day shift", start=time(8, 30), end=time(16), overtime=(OvertimeStep(0, 125),))
    week = Assignment(Level.EVERYBODY, "", MONDAY - timedelta(days=7), (("day",),) * 5 + ((), ()))
    sites = (
        Site("north", "North", "Europe/Berlin", ("Workshop",)),
        Site("south", "South", "Europe/Lisbon", ("Office",)),
    )
    book = Rulebook(shifts={"day": shift}, assignments=(week,), sites=sites)
    return backend.rules.change(book, actor="admin")


def opened(backend, report: str = "days", *, username: str = "admin", **address: str) -> AppTest:
    """The page at an address, run once."""
    test = page(reports.render, backend, username=username)
    for name, value in ({"report": report} | address).items():
        test.query_params[name] = value
    test.run()
    assert not test.exception
    return test


def shown(test: AppTest) -> pd.DataFrame:
    """The table of the report; those of plots come after it or in an expander."""
    return next(one.value for one in test.dataframe if "Name" in one.value.columns)


def address(test: AppTest) -> dict[str, str]:
    return {name: value[0] if isinstance(value, list) else value for name, value in test.query_params.items()}


def go_to(test: AppTest, report: str) -> AppTest:
    return test.pills(key="reports_report").set_value(report).run()


# The day sheet


def test_a_range_without_attendance_says_where_records_come_from(backend):
    test = opened(backend)

    assert "No attendance in this range" in words(test)
    assert len(test.download_button) == 0


def test_without_any_schedule_there_are_first_in_last_out_and_hours(backend, day_of_work):
    rows = shown(opened(backend))

    assert rows[["Name", "First in", "Last out", "Worked", "Status"]].values.tolist() == [
        ["Ada Example", "09:00", "17:00", "8:00", "Present"],
        ["Grace Example", "09:00", "", "0:00", "At work"],
    ]
    assert not {"Target", "Balance", "Late", "Overtime", "Shift"} & set(rows.columns)


def test_with_a_schedule_the_columns_of_schedules_come(backend, schedule, day_of_work):
    rows = shown(opened(backend, **{"from": "2026-03-02", "to": "2026-03-02"}))

    ada = rows[rows["Name"] == "Ada Example"].iloc[0]
    assert (ada["Status"], ada["Late"], ada["Target"], ada["Balance"]) == ("Late", "0:30", "7:30", "0:30")


def test_totals_belong_to_the_rows(backend, day_of_work):
    test = opened(backend)

    assert {metric.label: metric.value for metric in test.metric} == {
        "People who came": "2", "Days with attendance": "2", "Hours worked": "8:00", "Incomplete": "0",
    }  # fmt: skip


def test_arrivals_are_told_in_a_sentence_and_as_a_table(backend, day_of_work):
    test = opened(backend)

    assert "Most, 2, came in the quarter hour from 09:00." in words(test)
    assert ["09:00", 2] in [one.value.values.tolist()[0] for one in test.dataframe]


# The filter


def test_department_person_and_status_filter_the_rows(backend, day_of_work):
    test = opened(backend)

    test.selectbox(key="reports_department").set_value("Office").run()
    assert shown(test)["Name"].to_list() == ["Grace Example"]

    test.selectbox(key="reports_department").set_value("\x00")
    test.text_input(key="reports_person").set_value("ada").run()
    assert shown(test)["Name"].to_list() == ["Ada Example"]

    test.text_input(key="reports_person").set_value("")
    test.multiselect(key="reports_status").set_value(["at_work"]).run()
    assert shown(test)["Name"].to_list() == ["Grace Example"]


def test_an_address_shows_the_same_to_whoever_opens_it(backend, schedule, day_of_work):
    first = opened(backend)
    first.selectbox(key="reports_department").set_value("Office")
    first.selectbox(key="reports_site").set_value("south")
    first.multiselect(key="reports_status").set_value(["late", "at_work"])
    first.text_input(key="reports_person").set_value("grace").run()
    first.date_input(key="reports_days").set_value((MONDAY, MONDAY)).run()
    go_to(first, "late")

    link = address(first)
    assert link == {
        "report": "late", "from": "2026-03-02", "to": "2026-03-02", "department": "Office", "site": "south",
        "person": "grace", "status": "late,at_work",
    }  # fmt: skip
    second = opened(backend, **link)
    assert address(second) == link
    assert second.selectbox(key="reports_site").value == "south"
    assert second.date_input(key="reports_days").value == (MONDAY, MONDAY)


def test_the_filter_stays_when_the_report_is_switched(backend, day_of_work):
    test = opened(backend)
    test.text_input(key="reports_person").set_value("ada").run()

    go_to(test, "kiosks")
    assert test.text_input(key="reports_person").disabled
    assert shown(go_to(test, "days"))["Name"].to_list() == ["Ada Example"]


def test_a_new_address_in_an_open_tab_counts(backend, day_of_work):
    test = opened(backend)
    test.query_params["person"] = "grace"
    test.run()

    assert shown(test)["Name"].to_list() == ["Grace Example"]


@pytest.mark.parametrize(
    "spoilt",
    [
        {"report": "salaries", "from": "yesterday", "to": "2026-03-02"},
        {"department": "Nowhere", "site": "moon", "status": "rich"},
        {"from": "2026-03-03", "to": "2026-03-02"},
    ],
)
def test_an_address_that_says_nonsense_shows_the_usual_report(backend, day_of_work, spoilt):
    assert len(shown(opened(backend, **({"report": "days"} | spoilt)))) == 2


@pytest.mark.parametrize(
    ("choice", "today", "days"),
    [
        (Period.TODAY, date(2026, 3, 4), (date(2026, 3, 4), date(2026, 3, 4))),
        (Period.THIS_WEEK, date(2026, 3, 4), (date(2026, 3, 2), date(2026, 3, 4))),
        (Period.THIS_WEEK, date(2026, 3, 2), (date(2026, 3, 2), date(2026, 3, 2))),
        (Period.THIS_MONTH, date(2026, 3, 4), (date(2026, 3, 1), date(2026, 3, 4))),
        (Period.LAST_MONTH, date(2026, 3, 31), (date(2026, 2, 1), date(2026, 2, 28))),
        (Period.LAST_MONTH, date(2026, 1, 1), (date(2025, 12, 1), date(2025, 12, 31))),
    ],
)
def test_quick_choices_end_today_at_the_latest(choice, today, days):
    assert days_of(choice, today) == days


def test_a_quick_choice_sets_the_days(backend, day_of_work):
    test = opened(backend)
    test.button(key="reports-last_month").click().run()

    assert test.date_input(key="reports_days").value == (date(2026, 2, 1), date(2026, 2, 28))
    assert "No attendance" in words(test)


def test_half_a_range_asks_for_the_other_date(backend):
    test = opened(backend)

    test.date_input(key="reports_days").set_value((date(2026, 3, 1),)).run()

    assert "Choose the last day" in words(test)


def test_a_range_of_more_than_a_year_is_refused_in_words(backend):
    test = opened(backend, **{"from": "2024-01-01", "to": "2026-03-02"})

    assert "at most a year" in test.error[0].value


# How often it is worked out, and for whom


@pytest.fixture
def derivations(backend, monkeypatch):
    """The queries that were worked out."""
    service, asked = backend._records.timesheets, []
    derive = service.sheet
    monkeypatch.setattr(service, "sheet", lambda query: (asked.append(query), derive(query))[1])
    return asked


def test_a_filter_is_worked_out_once_for_all_reports_and_statuses(
    backend, schedule, day_of_work, derivations
):
    test = opened(backend)
    test.run()
    for report in ("grid", "person", "late", "absences", "overtime"):
        go_to(test, report)
    test.multiselect(key="reports_status").set_value(["late"]).run()
    assert len(derivations) == 1

    test.text_input(key="reports_person").set_value("ada").run()
    assert len(derivations) == 2


def test_refresh_works_it_out_anew(backend, day_of_work, clock, derivations):
    test = opened(backend)
    clock.move(hours=1)
    backend.check_in(photo(2), kiosk="entrance")
    next(button for button in test.button if button.label == "Refresh").click().run()

    assert len(derivations) == 2
    assert "18:00" in shown(test)["Last out"].to_list()


@pytest.mark.parametrize("report", reports.REPORTS)
def test_a_manager_sees_the_own_departments_only(backend, schedule, day_of_work, report):
    manager = account(backend, Role.MANAGER, "Workshop")
    test = opened(backend, report, username=manager, **{"from": "2026-03-02", "to": "2026-03-02"})

    everything = words(test) + "".join(one.value.to_string() for one in test.dataframe)
    assert "Grace" not in everything
    assert "E2" not in everything
    assert "Office" not in test.selectbox(key="reports_department").options


def test_another_department_in_the_address_shows_a_manager_nobody_else(backend, day_of_work):
    test = opened(backend, username=account(backend, Role.MANAGER, "Workshop"), department="Office")

    assert shown(test)["Name"].to_list() == ["Ada Example"]


@pytest.mark.parametrize("report", reports.REPORTS)
def test_a_viewer_may_read_every_report(backend, schedule, day_of_work, report):
    opened(backend, report, username=account(backend, Role.VIEWER), person="E1")


# The other reports


def test_the_grid_says_in_letters_and_words_what_each_day_was(backend, schedule, day_of_work):
    test = opened(backend, "grid", **{"from": "2026-02-27", "to": "2026-03-02"})

    (grid,) = [one.value for one in test.html if "rc-grid" in one.value and "<tbody>" in one.value]
    assert grid.count("<tr>") == 3  # the head, Ada and Grace
    assert "Fri 27 Feb: Absent" in grid
    assert "Mon 2 Mar: Late" in grid
    assert "People who came on each day. Most, 2, came on Monday 2 March 2026" in words(test)


def test_names_in_the_grid_are_text(backend, day_of_work):
    enrol(backend, 3, name="<script>x</script>")
    backend.check_in(photo(3), kiosk="entrance")
    test = opened(backend, "grid")

    assert "<script>" not in "".join(one.value for one in test.html)


def test_a_grid_of_half_a_year_asks_for_fewer_days(backend, schedule, people):
    test = opened(backend, "grid", **{"from": "2025-12-01", "to": "2026-03-02"})
    assert "Too many days" not in words(test)  # the schedule began a week ago

    backend.rules.change(
        Rulebook(
            version=1,
            shifts=schedule.shifts,
            assignments=(Assignment(Level.EVERYBODY, "", date(2025, 1, 6), (("day",),)),),
        ),
        actor="admin",
    )
    test = opened(backend, "grid", **{"from": "2025-12-01", "to": "2026-03-02"})
    assert "Too many days for a grid" in words(test)


def test_a_person_is_chosen_from_everybody_with_balances(backend, schedule, day_of_work):
    test = opened(backend, "person", **{"from": "2026-03-02", "to": "2026-03-02"})
    assert shown(test)["Balance"].to_list() == ["0:30", "-7:30"]

    test.selectbox(key="reports-whose").set_value("E1").run()
    test.run()
    assert "Ada Example" in test.subheader[0].value
    assert {metric.label: metric.value for metric in test.metric}["Balance"] == "+0:30"
    assert address(test)["person"] == "E1"


def test_an_employee_id_that_others_begin_with_is_the_one_person(backend, day_of_work):
    enrol(backend, 10, name="Edsger Example")
    backend.check_in(photo(10), kiosk="entrance")

    assert "Ada Example" in opened(backend, "person", person="E1").subheader[0].value


def test_every_punch_is_shown_with_who_and_why(backend, people, day_of_work, clock):
    noon = clock.now() - timedelta(hours=4)
    wanted = Correction(
        CorrectionKind.ADD, people[0].person_id, "Forgot.", "", noon, noon, direction=Direction.OUT
    )
    asked = backend.corrections.request(wanted, actor="anna")
    backend.corrections.decide(asked.correction_id, approve=True, actor="boss")

    test = opened(backend, "person", person="E1")
    punches = next(one.value for one in test.dataframe if "What became of it" in one.value.columns)
    assert punches["What became of it"].to_list() == ["Counts", "Added by a correction", "Counts"]
    assert punches[["Time", "Why", "Asked for by", "Decided by"]].iloc[1].to_list() == [
        "13:00", "Forgot.", "anna", "boss",
    ]  # fmt: skip


@pytest.mark.parametrize("report", ["late", "absences", "overtime"])
def test_without_a_schedule_a_list_says_what_to_do(backend, day_of_work, report):
    assert "Nobody has a schedule yet" in words(opened(backend, report))


@pytest.mark.parametrize(
    ("report", "names", "column", "value"),
    [
        # Where Grace works it was eight o'clock.
        ("late", ["Ada Example"], "Late", "0:30"),
        ("overtime", ["Ada Example"], "Overtime", "0:30"),
        ("absences", [], None, None),
    ],
)
def test_lists_name_whom_they_are_about(backend, schedule, day_of_work, report, names, column, value):
    test = opened(backend, report, **{"from": "2026-03-02", "to": "2026-03-02"})
    if not names:
        assert "Nobody who matches was absent" in words(test)
        return
    rows = shown(test)
    assert rows["Name"].to_list() == names
    assert rows[column].iloc[0] == value


def test_absences_come_with_the_rate_of_each_week(backend, schedule, day_of_work):
    test = opened(backend, "absences", **{"from": "2026-02-23", "to": "2026-03-02"})

    assert len(shown(test)) == 10
    assert "from 0% in the week of 2026-02-23 to 100% in the week of 2026-03-02" in words(test)


def test_who_is_in_now_is_counted_whatever_the_days_of_the_filter_are(backend, day_of_work, clock):
    test = opened(backend, "inside", **{"from": "2026-01-01", "to": "2026-01-02"})
    assert "1 person is in" in words(test)
    assert "Grace Example" in words(test)
    assert "Ada Example" not in words(test)
    assert "As of 2026-03-02, 17:00:00" in words(test)

    clock.move(hours=1)
    backend.check_in(photo(2), kiosk="entrance")
    assert "0 people are in" in words(test.run())


def test_the_list_stays_on_the_screen_while_the_database_is_away(backend, day_of_work, monkeypatch):
    test = opened(backend, "inside")

    def away(query):
        raise StoreUnavailable("The database is away.")

    monkeypatch.setattr(backend._records.timesheets, "inside", away)
    test.run()
    assert "This list is old" in test.error[0].value
    assert "Grace Example" in words(test)


def test_kiosk_statistics_count_decisions_by_kind(backend, clock):
    for kind, seconds in ((DecisionKind.MATCH, 0.5), (DecisionKind.MATCH, 1.5), (DecisionKind.SPOOF, 0.7)):
        backend._records.store.add_decision(
            DecisionRecord(clock.now(), "door", kind, "face", seconds=seconds)
        )
    test = opened(backend, "kiosks")

    table = next(one.value for one in test.dataframe if "Kiosk" in one.value.columns)
    assert table[["Kiosk", "Recognised", "Not a living face", "Decisions"]].values.tolist() == [
        ["door", 2, 1, 3]
    ]
    assert "2 of 3 decisions by face were made within a second." in words(test)


# The files


@pytest.fixture
def files(monkeypatch):
    """What the buttons of the last run would download, by file name."""
    made = {}
    monkeypatch.setattr(
        reports.st.delta_generator.DeltaGenerator,
        "download_button",
        lambda self, label, data, name, mime, **rest: made.update({name: data}),
    )
    return made


def test_the_files_hold_exactly_the_rows_of_the_screen(backend, day_of_work, files):
    test = opened(backend, person="grace")
    rows, name = shown(test), "attendance_2026-02-24_2026-03-02"

    csv = pd.read_csv(io.BytesIO(files[f"{name}.csv"]()))
    xlsx = pd.read_excel(io.BytesIO(files[f"{name}.xlsx"]()))
    told = json.loads(files[f"{name}.json"]())
    assert csv["Name"].to_list() == xlsx["Name"].to_list() == rows["Name"].to_list() == ["Grace Example"]
    assert [column["heading"] for column in told["columns"]] == list(rows.columns)
    assert "grace" in told["about"]["Filter"]
    assert files[f"{name}.pdf"]().startswith(b"%PDF")


@pytest.mark.parametrize("report", reports.REPORTS)
def test_every_report_downloads_in_every_format(backend, schedule, day_of_work, clock, files, report):
    backend._records.store.add_decision(DecisionRecord(clock.now(), "door", DecisionKind.MATCH, "face"))
    opened(backend, report, **{"from": "2026-02-23", "to": "2026-03-02"})

    endings = {name.rpartition(".")[2] for name in files}
    assert endings == {"csv", "xlsx", "pdf", "json"}
    assert all(make() for make in files.values())


def test_a_long_table_is_shown_in_pages_and_downloaded_as_a_whole(
    backend, schedule, people, monkeypatch, files
):
    monkeypatch.setattr(tables, "PAGE_ROWS", 5)
    test = opened(backend, **{"from": "2026-02-23", "to": "2026-03-01"})
    assert len(shown(test)) == 5
    assert "Rows 1 to 5 of 14" in words(test)

    test.number_input[0].set_value(3).run()
    assert len(shown(test)) == 4
    csv = pd.read_csv(io.BytesIO(files["attendance_2026-02-23_2026-03-01.csv"]()))
    assert len(csv) == 14


def test_a_very_long_file_is_made_elsewhere_with_a_bar_and_then_saved(
    backend, schedule, people, monkeypatch, files
):
    monkeypatch.setattr(long_files, "LONG_ROWS", 5)
    name, days = "attendance_2026-02-23_2026-03-01", {"from": "2026-02-23", "to": "2026-03-01"}
    test = opened(backend, **days)
    assert files == {}

    jobs = backend._records.report_files
    with monkeypatch.context() as slow:
        slow.setattr(jobs, "state", lambda name, *, actor: FileState(5, 14, False))
        press(test, "Make CSV")
        assert test.get("progress")[0].proto.text == "5 of 14 rows are written"
        assert files == {}
    for _attempt in range(100):
        test.run()
        if files:
            break
    assert len(pd.read_csv(io.BytesIO(files[f"{name}.csv"]))) == 14

    files.clear()
    monkeypatch.setattr(jobs, "state", gone)
    press(test, "Make Excel")
    assert "Make it again" in test.error[0].value
    assert files == {}


def press(test, label):
    next(one for one in test.button if one.label == label).click().run()


def gone(name, *, actor):
    raise NotFound("This file is not kept any more. Make it again.")
