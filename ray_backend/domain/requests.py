"""What people ask for, checked: the forms behind the pages and the API."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import date, timedelta

from ray_backend.domain.errors import InvalidInput

_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
# Control characters, halves of characters and what XML forbids: some database or spreadsheet fails on each.
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_LONGEST_REPORT = timedelta(days=366)
# With a day to spare in every time zone.
_FIRST_YEAR, _LAST_YEAR = 1900, 9998


@dataclass(frozen=True, slots=True)
class PersonDraft:
    """What somebody typed into the form. `consent` is the ticked box; `consent_version` names the text beside
    it, and is empty for the one in force."""

    employee_id: str
    name: str
    department: str = ""
    email: str = ""
    consent: bool = False
    consent_version: str = ""

    def checked(self) -> PersonDraft:
        """The same without outer spaces. Raises InvalidInput that names the field to mend."""
        clean = replace(
            self,
            employee_id=self.employee_id.strip(),
            name=" ".join(self.name.split()),
            department=" ".join(self.department.split()),
            email=self.email.strip(),
        )
        _require(clean.employee_id, "employee id", 64)
        _require(clean.name, "name", 200)
        _allow(clean.department, "department", 200)
        _allow(clean.email, "e-mail address", 254)
        checked_email(clean.email)
        return clean


def checked_department(text: str) -> str:
    """A department's name as somebody sent it, without outer spaces. Raises InvalidInput."""
    _allow(text, "department", 200)
    return " ".join(text.split())


def checked_line(text: str, field: str, longest: int) -> str:
    """A text of one line that may not be empty, without needless spaces. Raises InvalidInput."""
    text = " ".join(text.split())
    _require(text, field, longest)
    return text


def checked_email(text: str) -> str:
    """An e-mail address, or nothing, without outer spaces. Raises InvalidInput."""
    text = text.strip()
    _allow(text, "e-mail address", 254)
    if text and not _EMAIL.fullmatch(text):
        raise InvalidInput("The e-mail address is not complete: it should look like ada@example.org.")
    return text


def _require(value: str, field: str, longest: int) -> None:
    if not value:
        raise InvalidInput(f"The {field} is missing.")
    _allow(value, field, longest)


def _allow(value: str, field: str, longest: int) -> None:
    if len(value) > longest:
        raise InvalidInput(f"The {field} is too long: at most {longest} characters.")
    if _UNPRINTABLE.search(value):
        raise InvalidInput(f"The {field} contains a control character. Type it in again.")


@dataclass(frozen=True, slots=True)
class ReportQuery:
    """Which days and people. Both dates are included; `text` is found in employee id or name.

    `department` None means any, an empty one means people without a department. `departments` is a bound:
    only people of these; None means everybody.
    """

    start: date
    end: date
    department: str | None = None
    text: str = ""
    departments: tuple[str, ...] | None = None

    def checked(self) -> ReportQuery:
        """The same with the text cleaned like the names that it is looked for in. Raises InvalidInput."""
        if self.start.year < _FIRST_YEAR or self.end.year > _LAST_YEAR:
            raise InvalidInput(f"Choose days between the years {_FIRST_YEAR} and {_LAST_YEAR}.")
        if self.start > self.end:
            raise InvalidInput("The first day lies after the last one. Swap the two dates.")
        if self.end - self.start > _LONGEST_REPORT:
            raise InvalidInput("A report covers at most a year. Choose a shorter range.")
        clean = replace(self, text=" ".join(self.text.split()))
        _allow(clean.text, "text to look for", 200)
        _allow(clean.department or "", "department", 200)
        return clean


@dataclass(frozen=True, slots=True)
class SheetQuery(ReportQuery):
    """Which working days. `site` is a site's id; `statuses` are words of `domain.worktime.days.Status`;
    `people` are `person_id`s. None means any."""

    site: str | None = None
    statuses: tuple[str, ...] | None = None
    people: tuple[str, ...] | None = None
