"""People as a list shows them: with faces, shifts, and when they were seen last, in few questions a page."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from ray_backend.domain.answers import PersonRow
from ray_backend.domain.model import Person, Template
from ray_backend.ports import Store
from ray_backend.services.identity import aliases, merged_records
from ray_backend.services.shifts_today import TodayService


def rows_of(store: Store, people: Sequence[Person], today: TodayService) -> tuple[PersonRow, ...]:
    """One row for each person, in order. What was merged into them counts for them."""
    standing_for = aliases(merged_records(store.merged_people, [person.person_id for person in people]))
    ids = [*(person.person_id for person in people), *standing_for]
    faces: defaultdict[str, list[Template]] = defaultdict(list)
    for template in store.templates_of_many(ids):
        faces[standing_for.get(template.person_id, template.person_id)].append(template)
    seen: defaultdict[str, list] = defaultdict(list)
    for person_id, at in store.last_seen(ids).items():
        seen[standing_for.get(person_id, person_id)].append(at)
    shifts = today.of(people, standing_for)
    return tuple(
        PersonRow(
            person,
            # Two packs may have looked at one picture.
            templates=len({one.thumbnail or one.template_id for one in faces[person.person_id]}),
            last_seen=max(seen[person.person_id], default=None),
            thumbnail=_best_picture(faces[person.person_id]),
            today=shifts.get(person.person_id),
        )
        for person in people
    )


def _best_picture(templates: Sequence[Template]) -> bytes:
    """Of those that have one, the one of the best quality; of equals the oldest."""
    pictured = [template for template in templates if template.thumbnail]
    return max(pictured, key=lambda template: template.quality).thumbnail if pictured else b""
