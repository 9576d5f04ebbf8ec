"""Whom a correction is about: names by ids, and choosing a person."""

from __future__ import annotations

from functools import lru_cache
from zoneinfo import ZoneInfo

import streamlit as st

from ray_backend.client import Backend
from ray_backend.domain.errors import PersonNotFound
from ray_backend.domain.model import Person
from ray_backend.domain.queries import PeopleQuery
from streamlit_app import deps, presenters
from streamlit_app.i18n import _

MOST_FOUND = 20


class People:
    """People by their ids, each asked for once in a run of the page, and the clocks that they live by."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._book = backend.rules.current()
        self.find = lru_cache(maxsize=None)(self._find)

    def name(self, person_id: str) -> str:
        """Name and employee id, as plain text."""
        person = self.find(person_id)
        if person is None:
            return _("Somebody who is not registered any more, or of another department")
        return f"{person.name} ({person.employee_id})"

    def zone(self, person_id: str) -> ZoneInfo:
        """The time zone of the person's site."""
        person = self.find(person_id)
        return self.zone_of(person.department if person else "")

    def zone_of(self, department: str) -> ZoneInfo:
        """The time zone of a department's site, or of the installation."""
        site = self._book.site_of(department)
        return ZoneInfo(site.zone) if site else deps.site().zone

    def _find(self, person_id: str) -> Person | None:
        try:
            return self._backend.people.details(person_id).person
        except PersonNotFound:
            return None


def choose_person(backend: Backend, label: str, key: str) -> Person | None:
    """A field to look somebody up in; None until exactly one person is chosen."""
    text = st.text_input(label, placeholder=_("Name or employee id"), key=f"{key}-text").strip()
    if not text:
        return None
    found = backend.people.find(PeopleQuery(text=text, limit=MOST_FOUND + 1)).items
    if not found:
        st.info(_("Nobody matches. Try a part of the name, or the employee id."))
        return None
    if len(found) > MOST_FOUND:
        st.caption(_("There are more. Type more of the name."))
    names = {person.person_id: f"{person.name} ({person.employee_id})" for person in found}
    people = {person.person_id: person for person in found[:MOST_FOUND]}
    chosen = st.selectbox(
        _("Person found"), list(people), index=0 if len(people) == 1 else None,
        format_func=lambda person_id: names.get(person_id, person_id), key=f"{key}-person",
        placeholder=_("Choose the person"),
    )  # fmt: skip
    return people.get(chosen)


def plain_name(person: Person) -> str:
    """Name and employee id, safe where Markdown is read."""
    return presenters.plain(f"{person.name} ({person.employee_id})")
