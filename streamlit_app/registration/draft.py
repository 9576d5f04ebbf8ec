"""What is known of the person who is being registered, kept over all steps and all errors."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

import streamlit as st

from ray_backend.domain.model import Person, new_id
from ray_backend.domain.requests import PersonDraft

_DRAFT = "registration"


class Step(StrEnum):
    """Where the registration stands, in order."""

    CONSENT = "consent"
    WHO = "who"
    PHOTOS = "photos"
    CHECK = "check"
    TRY = "try"


class CodeChoice(StrEnum):
    """The second way at the kiosk."""

    NONE = "none"
    MADE = "made"
    OWN = "own"


@dataclass
class Draft:
    """`key` begins the names of everything that this registration keeps in the session.

    `consent_version` is empty until the person has agreed. `person` is set once they are stored, with so many
    `photos`; `added` says that they were stored before. `problem` is what went wrong after that.
    """

    key: str = field(default_factory=lambda: f"register-{new_id()[:8]}")
    step: Step = Step.CONSENT
    consent_version: str = ""
    employee_id: str = ""
    name: str = ""
    department: str = ""
    email: str = ""
    code_choice: CodeChoice = CodeChoice.NONE
    code: str = ""
    made_code: str = ""
    person: Person | None = None
    photos: int = 0
    added: bool = False
    problem: str = ""

    def as_request(self) -> PersonDraft:
        """The person to be stored."""
        return PersonDraft(
            self.employee_id,
            self.name,
            self.department,
            self.email,
            consent=bool(self.consent_version),
            consent_version=self.consent_version,
        )

    def wanted_code(self) -> str:
        """The PIN or badge number to set, or nothing."""
        return {CodeChoice.MADE: self.made_code, CodeChoice.OWN: self.code.strip()}.get(self.code_choice, "")


def current_draft() -> Draft:
    """The registration that is going on in this tab."""
    return st.session_state.setdefault(_DRAFT, Draft())


def begin_anew() -> None:
    """Forgets everything about the person before."""
    old = st.session_state.pop(_DRAFT, None)
    for name in [name for name in st.session_state if old and str(name).startswith(old.key)]:
        del st.session_state[name]


def go(draft: Draft, step: Step) -> None:
    """Shows this step."""
    draft.step = step
    st.rerun()


def field_key(draft: Draft, name: str) -> str:
    """The name of a field's widget, which begins with what the draft holds.

    Streamlit forgets a field that is not shown; the draft does not.
    """
    key = f"{draft.key}-{name}"
    st.session_state.setdefault(key, getattr(draft, name))
    return key
