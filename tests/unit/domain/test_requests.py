"""What people type in, checked."""

from datetime import date

import pytest

from ray_backend.domain.errors import InvalidInput
from ray_backend.domain.requests import PersonDraft, ReportQuery

ADA = PersonDraft("E1", "Ada Lovelace", "Engines", "ada@example.org", consent=True)


def test_a_complete_draft_comes_back_as_it_is():
    assert ADA.checked() == ADA


def test_only_employee_id_and_name_are_needed():
    assert PersonDraft("E1", "Ada").checked() == PersonDraft("E1", "Ada")


def test_outer_spaces_go_and_inner_ones_are_single():
    typed = PersonDraft("  E1 ", " Ada \t  Lovelace\n", "  The   Engines ", " ada@example.org ", True)
    assert typed.checked() == PersonDraft("E1", "Ada Lovelace", "The Engines", "ada@example.org", True)


@pytest.mark.parametrize("name", ["Zoë Ångström", "李小龙", "O'Neill-Şahin", "محمد"])
def test_names_of_any_script_pass(name):
    assert PersonDraft("E1", name).checked().name == name


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"employee_id": ""}, "employee id"),
        ({"employee_id": "   "}, "employee id"),
        ({"employee_id": "x" * 65}, "employee id"),
        ({"employee_id": "E\x001"}, "employee id"),
        ({"name": " \n"}, "name"),
        ({"name": "x" * 201}, "name"),
        ({"name": "Ada\x1b[31m"}, "name"),
        ({"name": "Ada\ud800"}, "name"),  # half a character: no database and no file takes it
        ({"department": "x" * 201}, "department"),
        ({"department": "Eng\x01ines"}, "department"),  # no spreadsheet takes it
        ({"department": "Engines\uffff"}, "department"),
        ({"email": "ada"}, "e-mail"),
        ({"email": "ada@example"}, "e-mail"),
        ({"email": "ada@@example.org"}, "e-mail"),
        ({"email": "ada lovelace@example.org"}, "e-mail"),
        ({"email": "x" * 250 + "@e.org"}, "e-mail"),
        ({"email": "a\x00da@example.org"}, "e-mail"),
    ],
)
def test_the_field_to_mend_is_named(changes, field):
    draft = PersonDraft(**({"employee_id": "E1", "name": "Ada"} | changes))
    with pytest.raises(InvalidInput, match=field):
        draft.checked()


@pytest.mark.parametrize(
    "draft",
    [
        PersonDraft("x" * 64, "x" * 200, "x" * 200),
        PersonDraft("E1", "Ada", email="x" * 248 + "@e.org"),
    ],
)
def test_the_longest_texts_pass(draft):
    assert draft.checked() == draft


@pytest.mark.parametrize(
    ("start", "end"),
    [
        (date(2026, 3, 2), date(2026, 3, 2)),
        (date(2026, 1, 1), date(2026, 12, 31)),
        (date(2024, 1, 1), date(2025, 1, 1)),  # a leap year and a day
    ],
)
def test_ranges_up_to_a_year_pass(start, end):
    assert ReportQuery(start, end).checked() == ReportQuery(start, end)


@pytest.mark.parametrize(
    ("start", "end", "says"),
    [
        (date(2026, 3, 3), date(2026, 3, 2), "Swap"),
        (date(2024, 1, 1), date(2025, 1, 2), "at most a year"),
        (date(9999, 12, 1), date(9999, 12, 31), "year"),  # there is no day after it
        (date(1, 1, 1), date(1, 1, 2), "year"),
    ],
)
def test_ranges_that_cannot_be_reported_are_refused(start, end, says):
    with pytest.raises(InvalidInput, match=says):
        ReportQuery(start, end).checked()


def test_the_searched_text_is_cleaned_like_the_names_that_it_is_compared_with():
    query = ReportQuery(date(2026, 3, 2), date(2026, 3, 2), text="  Ada \t Lovelace ")
    assert query.checked().text == "Ada Lovelace"


def test_a_searched_text_that_no_file_could_hold_is_refused():
    with pytest.raises(InvalidInput, match="control character"):
        ReportQuery(date(2026, 3, 2), date(2026, 3, 2), text="a\x01").checked()
