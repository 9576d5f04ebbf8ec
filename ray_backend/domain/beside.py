"""A pack that is tried beside the one that a site decides with, and how the two compare."""

from __future__ import annotations

from dataclasses import dataclass

from ray_backend.domain.answers import Recognition
from ray_backend.domain.model import Pack


@dataclass(frozen=True, slots=True)
class Beside:
    """The second pack. `spec` finds it again, as `Settings.pack` would; `share`, 0 to 1, is how much of the
    recognitions is looked at with it, too."""

    pack: Pack
    spec: str
    share: float


@dataclass(frozen=True, slots=True)
class BesideState:
    """How it stands. `missing` counts the active people who have no template of the second pack."""

    beside: Beside
    templates: int
    missing: int


def compared(site: Recognition, beside: Recognition) -> str:
    """Whom two packs recognised in one picture: `same`, `nobody`, `only_site` and `only_beside` where one of
    them recognised more people, and `other_person` where each recognised somebody whom the other did not."""
    ours, theirs = _people(site), _people(beside)
    if ours == theirs:
        return "same" if ours else "nobody"
    if theirs < ours:
        return "only_site"
    return "only_beside" if ours < theirs else "other_person"


def _people(recognition: Recognition) -> frozenset[str]:
    return frozenset(face.person.person_id for face in recognition.faces if face.person)
