"""Which column of a table holds what: its heading in English or German, however it is written."""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import StrEnum

from ray_backend.domain.errors import InvalidInput


class Column(StrEnum):
    """What a column may hold; the value is its name for people."""

    EMPLOYEE_ID = "employee id"
    NAME = "name"
    FIRST_NAME = "first name"
    LAST_NAME = "last name"
    DEPARTMENT = "department"
    EMAIL = "e-mail"
    CONSENT = "consent"
    PHOTO = "photo"


_HEADINGS = {
    Column.EMPLOYEE_ID: "employee id, employee number, employee no, employee, emp id, staff id, "
    "staff number, staff no, personnel number, personnel no, id, number, badge, student id, mitarbeiter id, "
    "mitarbeiternummer, mitarbeiternr, mitarbeiter nr, personalnummer, personalnr, personal nr, pers nr, "
    "nummer, nr, ausweisnummer, matrikelnummer, kennung",
    Column.NAME: "name, full name, employee name, person, display name, vollständiger name, "
    "vor und nachname, vor und zuname, mitarbeitername, anzeigename",
    Column.FIRST_NAME: "first name, given name, forename, vorname, rufname",
    Column.LAST_NAME: "last name, surname, family name, nachname, familienname, zuname",
    Column.DEPARTMENT: "department, dept, team, unit, division, group, class, abteilung, bereich, gruppe, "
    "klasse, kostenstelle, organisationseinheit",
    Column.EMAIL: "email, e mail, mail, email address, e mail address, email adresse, e mail adresse, "
    "mailadresse",
    Column.CONSENT: "consent, consent given, agreed, agreement, einwilligung, einwilligung erteilt, "
    "zustimmung, zugestimmt, einverständnis, einverstanden",
    Column.PHOTO: "photo, photos, picture, pictures, image, images, photo file, photo path, file, files, "
    "filename, file name, path, foto, fotos, bild, bilder, bilddatei, fotodatei, datei, dateien, dateiname, "
    "pfad, lichtbild, passbild",
}
_NOT_LETTERS = re.compile(r"[\W\d_]+")


def _key(heading: str) -> str:
    """`E-Mail`, `E_MAIL ` and `email` are one, and so are `Foto 1` and `Foto2`."""
    return _NOT_LETTERS.sub("", heading.casefold())


_BY_KEY = {_key(heading): column for column, text in _HEADINGS.items() for heading in text.split(",")}


def recognised(headings: Sequence[str]) -> dict[int, Column]:
    """What each column holds, by its place. Of several for one thing the first counts; photos may have
    several."""
    found: dict[int, Column] = {}
    for place, heading in enumerate(headings):
        column = _BY_KEY.get(_key(heading))
        if column is not None and (column is Column.PHOTO or column not in found.values()):
            found[place] = column
    return found


def required(headings: Sequence[str]) -> dict[int, Column]:
    """As `recognised`. Raises InvalidInput that says which column is missing and what was found."""
    found = recognised(headings)
    for column in (Column.EMPLOYEE_ID, Column.PHOTO):
        if column not in found.values():
            there = (
                ", ".join(heading.strip()[:40] for heading in headings[:20] if heading.strip()) or "nothing"
            )
            raise InvalidInput(
                f"The table has no column for the {column.value}. Its first row has to hold headings such as "
                f"Employee id, Name and Photo. It holds: {there}."
            )
    return found
