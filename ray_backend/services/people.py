"""Looking after the people who are enrolled."""

from __future__ import annotations

from dataclasses import replace

from ray_backend.domain.answers import Erasure, PersonDetails
from ray_backend.domain.errors import FaceBelongsToAnother
from ray_backend.domain.model import Page, PeopleQuery, Person, Template
from ray_backend.domain.requests import PersonDraft
from ray_backend.ports import Clock, GalleryIndex, Store
from ray_backend.services.audit import Auditor
from ray_backend.services.codes import Codes
from ray_backend.services.erasing import Eraser
from ray_backend.services.look_alikes import LookAlikes
from ray_backend.services.owner import find_other_owner
from ray_backend.services.policy import Policy
from ray_backend.services.punch_log import PunchLog
from ray_backend.services.roster import Roster


class PeopleService:
    """Reads and changes people; the gallery follows at once."""

    def __init__(
        self,
        store: Store,
        gallery: GalleryIndex,
        clock: Clock,
        policy: Policy,
        *,
        roster: Roster,
        punches: PunchLog,
        codes: Codes,
        look_alikes: LookAlikes,
        eraser: Eraser,
    ) -> None:
        self._store = store
        self._roster = roster
        self._punches = punches
        self._codes = codes
        self._look_alikes = look_alikes
        self._eraser = eraser
        self._gallery = gallery
        self._policy = policy
        self._audit = Auditor(store, clock)

    def find(self, query: PeopleQuery) -> Page[Person]:
        """One page of people."""
        return self._store.list_people(query)

    def by_employee_id(self, employee_id: str) -> Person | None:
        """The person with this employee id, or None."""
        return self._store.find_person(employee_id)

    def details(self, person_id: str) -> PersonDetails:
        """Raises PersonNotFound."""
        return PersonDetails(
            self._store.get_person(person_id),
            tuple(self._store.templates_of(person_id)),
            has_code=self._codes.has(person_id),
        )

    def departments(self) -> list[str]:
        """The departments in use, sorted."""
        return self._store.departments()

    def update(self, person_id: str, draft: PersonDraft, *, actor: str) -> Person:
        """Changes what was typed in at registration. Consent stays as it was given.

        Raises InvalidInput, PersonNotFound, DuplicateEmployeeId.
        """
        draft = draft.checked()
        before = self._store.get_person(person_id)
        after = replace(
            before,
            employee_id=draft.employee_id,
            name=draft.name,
            department=draft.department,
            email=draft.email,
        )
        fields = [
            field
            for field in ("employee_id", "name", "department", "email")
            if getattr(before, field) != getattr(after, field)
        ]
        if fields:
            self._store.update_person(after)
            self._roster.put(after)
            self._audit.record(actor, "person.changed", person_id, fields=fields)
        return after

    def set_active(self, person_id: str, active: bool, *, actor: str) -> Person:
        """A deactivated person keeps all data, but is not recognised any more.

        Raises PersonNotFound, and FaceBelongsToAnother when the person was registered anew meanwhile.
        """
        person = replace(self._store.get_person(person_id), active=active)
        templates = [t for t in self._store.templates_of(person_id) if t.pack_id == self._policy.pack_id]
        if active:
            self._refuse_second_registration(person, templates)
        self._store.update_person(person)
        self._roster.put(person)
        if active:
            self._look_alikes.note(templates)
            self._gallery.add(templates)
        else:
            self._gallery.remove_person(person_id)
        self._audit.record(actor, "person.activated" if active else "person.deactivated", person_id)
        return person

    def set_code(self, person_id: str, code: str | None, *, actor: str) -> None:
        """Gives the person a PIN or badge number of 4 to 12 digits for the kiosk; None takes it away.

        Raises PersonNotFound, InvalidInput for one that is too easy, and Conflict for one that is taken.
        """
        self._codes.set(person_id, code, actor=actor)

    def remove_template(self, template_id: str, *, actor: str) -> Template:
        """Raises TemplateNotFound."""
        template = self._store.remove_template(template_id)
        self._gallery.remove_template(template_id)
        self._audit.record(actor, "person.template_removed", template.person_id)
        return template

    def erase(self, person_id: str, *, typed_employee_id: str, keep_punches: bool, actor: str) -> Erasure:
        """Removes the person and whatever was merged into them for good, wherever anything of them lies:
        templates with their photos, code, unknown faces that look like them, notes and, unless kept, punches.

        `typed_employee_id` is what the admin typed to confirm. Kept punches have no link to a name any
        more. The answer carries a signed certificate; what breaks off in the middle goes on with the same
        call, or at the next start. Raises PersonNotFound, InvalidInput, Conflict for a record that was merged
        into another, and StoreUnavailable while punches of the person wait in the journal: they could not
        be removed.
        """
        return self._eraser.erase(
            person_id, typed_employee_id=typed_employee_id, keep_punches=keep_punches, actor=actor
        )

    def _refuse_second_registration(self, person: Person, templates: list[Template]) -> None:
        """Two people with one face would both be ambiguous for ever."""
        for template in templates:
            other = find_other_owner(
                self._store,
                self._gallery,
                template.embedding,
                threshold=self._policy.threshold,
                besides=person.person_id,
            )
            if other is not None:
                raise FaceBelongsToAnother(
                    f"{person.name} is registered anew as {other.name}, {other.employee_id}. "
                    "Deactivate or erase that registration first.",
                    other.employee_id,
                    other.name,
                )
