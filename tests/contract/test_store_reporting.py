"""Saved filters and scheduled exports in every database: what is written comes back, once, and goes again."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

import pytest

from ray_backend.domain.entries import EXPORT, EXPORT_RUN, FILTER, EntryQuery
from ray_backend.domain.errors import Conflict, NotFound
from ray_backend.domain.reporting.exports import (
    ExportDraft,
    Report,
    Run,
    RunState,
    ScheduledExport,
    Step,
    run_id_of,
)
from ray_backend.domain.reporting.filters import ReportFilter
from ray_backend.domain.reporting.periods import Period
from ray_backend.domain.reporting.timing import Rhythm, Timing
from ray_backend.services.export_book import ExportBook
from ray_backend.services.saved_filters import SavedFilterService
from ray_backend.storage.copy import copy_store
from tests.fakes import SetClock

NOW = datetime(2026, 3, 2, 8, 0, 0, 123456, tzinfo=UTC)
FILTER_OF_ALL_PARTS = ReportFilter(
    Period.LAST_MONTH, site="north", department="Bäckerei", person="Åsa", statuses=("late", "absent")
)
DRAFT = ExportDraft(
    "Löhne", Report.LATE, FILTER_OF_ALL_PARTS, "xlsx", Timing(Rhythm.MONTHLY, time(6, 30), day=31),
    "payroll/monthly", ("hr@example.org", "ceo@example.org"),
)  # fmt: skip


@pytest.fixture
def filters(store) -> SavedFilterService:
    return SavedFilterService(store, SetClock(NOW))


@pytest.fixture
def book(store) -> ExportBook:
    return ExportBook(store)


def export(**changes: object) -> ScheduledExport:
    return replace(ScheduledExport(DRAFT, "ada", NOW, NOW + timedelta(days=1)), **changes)


def run_of(one: ScheduledExport, **changes: object) -> Run:
    due = one.due_at
    return replace(Run(one.export_id, due, due, due, run_id_of(one.export_id, due)), **changes)


def test_a_filter_comes_back_as_it_was(filters):
    fixed = ReportFilter(start=date(2026, 1, 1), end=date(2026, 1, 31))
    kept = [filters.save("a", FILTER_OF_ALL_PARTS, actor="ada"), filters.share("b", fixed, actor="ada")]
    assert filters.usable(actor="ada") == kept
    assert filters.usable(actor="bob") == kept[1:]


def test_a_name_is_taken_once_and_free_again(filters):
    kept = filters.save("Late", FILTER_OF_ALL_PARTS, actor="ada")
    with pytest.raises(Conflict):
        filters.save("LATE", FILTER_OF_ALL_PARTS, actor="ada")
    filters.remove(kept.filter_id, actor="ada")
    filters.save("LATE", FILTER_OF_ALL_PARTS, actor="ada")


def test_filters_that_name_an_erased_person_go(filters, store):
    filters.save("a", FILTER_OF_ALL_PARTS, actor="ada")
    filters.save("b", replace(FILTER_OF_ALL_PARTS, person=""), actor="ada")
    assert filters.forget("E-1", "Åsa Example") == 1
    assert [one.name for one in filters.usable(actor="ada")] == ["b"]
    assert store.list_entries(EntryQuery(FILTER)).total == 1


def test_an_export_comes_back_as_it_was_and_is_due_in_time(book):
    one, off = export(), export(off="Switched off by ada.", due_at=NOW)
    for each in (one, off):
        book.add(each)
    assert (book.get(one.export_id), book.get(off.export_id)) == (one, off)
    assert book.due(one.due_at - timedelta(microseconds=1)) == []
    assert book.due(one.due_at) == [one]
    with pytest.raises(NotFound):
        book.get("nothing")


def test_of_two_changes_only_the_first_counts(book):
    one = export()
    book.add(one)
    assert book.change(replace(one, off="why"), one)
    assert not book.change(replace(one, due_at=NOW), one)
    assert book.get(one.export_id).off == "why"


def test_a_due_time_has_one_run_whoever_notes_it(book):
    one = export()
    first = run_of(one)
    assert book.add_run(first)
    assert not book.add_run(run_of(one, missed=3))
    assert book.runs(one.export_id) == [first]
    assert book.waiting(first.again_at) == [first]
    assert book.waiting(first.again_at - timedelta(seconds=1)) == []


def test_a_run_is_taken_once_and_found_again_when_it_was_interrupted(book):
    waiting = run_of(export())
    book.add_run(waiting)
    running = replace(waiting, state=RunState.RUNNING, step=Step.MAKING, attempts=1, rows=7, file="a.csv")
    assert book.change_run(running, RunState.WAITING)
    assert not book.change_run(running, RunState.WAITING)
    assert book.waiting(NOW + timedelta(days=9)) == []
    assert book.interrupted() == [running]


def test_what_is_removed_takes_its_runs_along(book, store):
    one, other = export(), export()
    for each in (one, other):
        book.add(each)
        book.add_run(run_of(each))
    book.remove(one.export_id)
    assert book.all() == [other]
    assert store.list_entries(EntryQuery(EXPORT_RUN)).total == 1


def test_old_runs_go_when_they_are_many(book):
    one = export()
    for number in range(61):
        due = NOW + timedelta(days=number)
        book.add_run(replace(run_of(replace(one, due_at=due)), state=RunState.DONE))
    book.add_run(run_of(export(due_at=NOW)))
    book.tidy(one.export_id)
    left = book.runs(one.export_id)
    assert [run.due_at for run in left] == [NOW + timedelta(days=number) for number in range(60, 30, -1)]


def test_a_copy_of_the_site_has_them(filters, book, store, make_url, settings, tmp_path):
    from ray_backend.storage import open_store_url

    filters.save("a", FILTER_OF_ALL_PARTS, actor="ada")
    one = export()
    book.add(one)
    book.add_run(run_of(one))
    target = open_store_url(make_url("sqlite"), settings)
    copy_store(store, target)
    assert SavedFilterService(target, SetClock(NOW)).usable(actor="ada") == filters.usable(actor="ada")
    assert ExportBook(target).all() == [one]
    assert (
        target.list_entries(EntryQuery(EXPORT)).total
        == target.list_entries(EntryQuery(EXPORT_RUN)).total
        == 1
    )
    target.close()
