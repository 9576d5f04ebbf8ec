"""Importing people from folders of photos, one folder a person."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from ray_backend.client import Backend, Photo
from ray_backend.domain.answers import Enrolment, PhotoReview
from ray_backend.domain.errors import Conflict, InvalidInput, PhotosRefused
from ray_backend.domain.model import PhotoProblem
from ray_backend.domain.requests import PersonDraft

_PHOTO_ENDINGS = {".jpg", ".jpeg", ".png", ".webp"}
# "E017_Ada Lovelace": an id has a digit; without one the whole name is the id.
_ID_AND_NAME = re.compile(r"(?P<id>[^_]*\d[^_]*)_(?P<name>.+)")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one person's folder. `problem` is None when at least one photo was stored or had
    been stored before."""

    folder: str
    reviews: tuple[PhotoReview, ...] = ()
    problem: str | None = None
    created: bool = False


@dataclass(slots=True)
class ImportSummary:
    """All outcomes of an import, in order."""

    outcomes: list[Outcome] = field(default_factory=list)

    @property
    def people_added(self) -> int:
        """People who were not there before."""
        return sum(outcome.created for outcome in self.outcomes)

    @property
    def photos_accepted(self) -> int:
        """Photos that became templates."""
        return sum(review.accepted for outcome in self.outcomes for review in outcome.reviews)

    @property
    def photos_known(self) -> int:
        """Photos that had been stored before."""
        return sum(
            review.reason is PhotoProblem.ALREADY_STORED
            for outcome in self.outcomes
            for review in outcome.reviews
        )

    def refusals(self) -> Iterator[tuple[str, str]]:
        """Folder or file, and why, for everything that was not taken."""
        for outcome in self.outcomes:
            if outcome.problem:
                yield outcome.folder, outcome.problem
            for review in outcome.reviews:
                if not review.accepted and review.reason is not PhotoProblem.ALREADY_STORED:
                    yield f"{outcome.folder}/{review.label}", review.detail or review.reason.value


def draft_from_folder(name: str, *, consent: bool) -> PersonDraft:
    """Employee id and name from a folder's name: `<employee_id>_<name>`."""
    parts = _ID_AND_NAME.fullmatch(name)
    if parts:
        return PersonDraft(parts["id"], parts["name"].replace("_", " "), consent=consent)
    return PersonDraft(name, name.replace("_", " ").title(), consent=consent)


def person_folders(root: Path) -> list[Path]:
    """The folders to import, sorted. Raises InvalidInput when there are none."""
    if not root.is_dir():
        raise InvalidInput(f"{root} is not a folder.")
    folders = sorted(path for path in root.iterdir() if path.is_dir() and not path.name.startswith("."))
    if not folders:
        raise InvalidInput(f"{root} holds no folders. Make one for each person: <employee_id>_<name>/*.jpg")
    return folders


def import_people(
    backend: Backend,
    folders: list[Path],
    *,
    consent: bool,
    max_image_bytes: int,
    done: Callable[[Outcome], None] = lambda outcome: None,
) -> ImportSummary:
    """Imports each folder; `done` is called after each. Photos stored before are left alone, so a
    broken-off import is simply run again."""
    summary = ImportSummary()
    for folder in folders:
        outcome = _import_folder(backend, folder, consent, max_image_bytes)
        summary.outcomes.append(outcome)
        done(outcome)
    return summary


def _import_folder(backend: Backend, folder: Path, consent: bool, max_image_bytes: int) -> Outcome:
    photos = [Photo(path.name, _read(path, max_image_bytes)) for path in _photo_files(folder)]
    if not photos:
        return Outcome(folder.name, problem="no JPEG, PNG or WebP files in this folder")
    draft = draft_from_folder(folder.name, consent=consent)
    try:
        known = backend.people.by_employee_id(draft.employee_id)
        enrolment = _store(backend, draft, known.person_id if known else None, photos)
    except PhotosRefused as error:
        return Outcome(folder.name, error.reviews, problem=error.message)
    except (InvalidInput, Conflict) as error:
        return Outcome(folder.name, problem=error.message)
    return Outcome(folder.name, enrolment.reviews, created=known is None)


def _store(backend: Backend, draft: PersonDraft, person_id: str | None, photos: list[Photo]) -> Enrolment:
    if person_id is not None:
        return backend.add_photos(person_id, photos, source="import", actor="command line")
    return backend.enrol(draft, photos, source="import", actor="command line", consent_required=False)


def _photo_files(folder: Path) -> list[Path]:
    return sorted(
        path
        for path in folder.iterdir()
        if path.suffix.lower() in _PHOTO_ENDINGS and path.is_file() and not path.is_symlink()
    )


def _read(path: Path, max_bytes: int) -> bytes:
    # One byte more than allowed is enough for the decoder to refuse the file for its size.
    with path.open("rb") as file:
        return file.read(max_bytes + 1)
