"""Looking after the people who are enrolled."""

from __future__ import annotations

from dataclasses import replace

from ray_backend.domain.answers import Erasure, PersonDetails, PersonRow
from ray_backend.domain.errors import Conflict, FaceBelongsToAnother
from ray_backend.domain.model import Person, Template
from ray_backend.domain.queries import Page, PeopleQuery
from ray_backend.domain.requests import PersonDraft
from ray_backend.ports import Clock, GalleryIndex, Store
from ray_backend.services.audit import Auditor
from ray_backend.services.codes import Codes
from ray_backend.services.erasing import Eraser
from ray_backend.services.identity import as_of, canonical, ids_of, merged_records
from ray_backend.services.look_alikes import LookAlikes
from ray_backend.services.owner import find_other_owner
from ray_backend.services.people_rows import rows_of
from ray_backend.services.policy import Policy
from ray_backend.services.punch_log import PunchLog
from ray_backend.services.roster import Roster
from ray_backend.services.shifts_today import TodayService
from ray_backend.services.twins import each_picture_once, twins_of

_MERGED = "This record was merged into another person. Open that person instead, or undo the merge first."


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
        today: TodayService,
    ) -> None:
        self._store = store
        self._roster = roster
        self._punches = punches
        self._codes = codes
        self._look_alikes = look_alikes
        self._eraser = eraser
        self._today = today
        self._gallery = gallery
        self._policy = policy
        self._audit = Auditor(store, clock)

    def find(self, query: PeopleQuery) -> Page[Person]:
        """One page of people."""
        return self._store.list_people(query)

    def find_rows(self, query: PeopleQuery) -> Page[PersonRow]:
        """One page of people as a list shows them."""
        page = self._store.list_people(query)
        return replace(page, items=rows_of(self._store, page.items, self._today))

    def by_employee_id(self, employee_id: str) -> Person | None:
        """The person with this employee id, also one of a record that was merged into theirs, or None."""
        found = self._store.find_person(employee_id)
        return found and canonical(self._store.get_person, found.person_id)

    def details(self, person_id: str) -> PersonDetails:
        """Of the person for whom the record with this id stands. Raises PersonNotFound."""
        person = canonical(self._store.get_person, person_id)
        merged = merged_records(self._store.merged_people, [person.person_id])
        ids = [person.person_id, *(one.person_id for one in merged)]
        return PersonDetails(
            person,
            each_picture_once(self._store.templates_of_many(ids), self._policy.pack_id),
            has_code=any(map(self._codes.has, ids)),
            merged=tuple(sorted(merged, key=lambda one: one.employee_id)),
        )

    def departments(self) -> list[str]:
        """The departments in use, sorted."""
        return self._store.departments()

    def update(self, person_id: str, draft: PersonDraft, *, actor: str) -> Person:
        """Changes what was typed in at registration. Consent stays as it was given.

        Raises InvalidInput, PersonNotFound, DuplicateEmployeeId, and Conflict for a merged record.
        """
        draft = draft.checked()
        before = self._of_their_own(person_id)
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

        Raises PersonNotFound, Conflict for a merged record, and FaceBelongsToAnother when the person was
        registered anew meanwhile.
        """
        person = replace(self._of_their_own(person_id), active=active)
        stored = self._store.templates_of_many(ids_of(self._store, person_id))
        templates = [as_of(t, person) for t in stored if t.pack_id == self._policy.pack_id]
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

        Raises PersonNotFound, InvalidInput for one that is too easy, and Conflict for one that is taken and
        for a merged record. What was merged into the person keeps its own code, which goes on working.
        """
        self._of_their_own(person_id)
        self._codes.set(person_id, code, actor=actor)

    def remove_template(self, template_id: str, *, actor: str) -> Template:
        """With what other packs made of the same picture. Raises TemplateNotFound."""
        template = self._store.remove_template(template_id)
        self._gallery.remove_template(template_id)
        for twin in twins_of(template, self._store.templates_of(template.person_id)):
            self._store.remove_template(twin.template_id)
            self._gallery.remove_template(twin.template_id)
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

    def _of_their_own(self, person_id: str) -> Person:
        """Raises PersonNotFound, and Conflict for a record that was merged into another."""
        person = self._store.get_person(person_id)
        if person.merged_into:
            raise Conflict(_MERGED)
        return person

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
