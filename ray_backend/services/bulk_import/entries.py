"""What a source hands over, person by person, and what becomes of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from ray_backend.domain.requests import PersonDraft
from ray_backend.services.bulk_import.words import Fate, Reason


@dataclass(frozen=True, slots=True)
class ImportLimits:
    """What a source may ask of this machine. All hold while reading; what a header says is not believed.

    `photo_bytes` and `photos_each` bound one person. An archive may unpack to `expansion` times its own
    size plus `expansion_free_bytes`, one photo in it to `photo_ratio` times its packed size, and its list of
    files may have `directory_bytes`. A table has at most `rows`, and unpacks to at most `table_bytes`.
    """

    photo_bytes: int
    photos_each: int = 20
    expansion: int = 10
    expansion_free_bytes: int = 256_000_000
    photo_ratio: int = 100
    directory_bytes: int = 32 * 1024 * 1024
    rows: int = 1_000_000
    table_bytes: int = 128_000_000


@dataclass(frozen=True, slots=True)
class PhotoFile:
    """A photo that is not read yet. `place` names it for people; `mark` changes when the file does.

    `read` returns its bytes, at most `ImportLimits.photo_bytes`, or the reason why there are none.
    """

    place: str
    mark: str
    read: Callable[[], bytes | Reason]


@dataclass(frozen=True, slots=True)
class FileOutcome:
    """What became of a photo, or of a row or folder as a whole. `other` is the employee id of whoever the
    photo shows, where that is somebody else."""

    place: str
    fate: Fate
    reason: Reason | None = None
    other: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """One person as the source has them: `place` is the folder, or the table's name and row.

    `draft` is None where nothing could be made of it; `refused` says why, and which of the files were
    refused before they were opened.
    """

    place: str
    draft: PersonDraft | None = None
    photos: tuple[PhotoFile, ...] = ()
    refused: tuple[FileOutcome, ...] = ()

    @property
    def mark(self) -> str:
        """Changes when one of the photos does."""
        return "|".join(f"{photo.place}:{photo.mark}" for photo in self.photos)


@dataclass(frozen=True, slots=True)
class PersonOutcome:
    """What became of one entry, file by file. `created`: the person was not there before."""

    place: str
    employee_id: str = ""
    name: str = ""
    created: bool = False
    files: tuple[FileOutcome, ...] = field(default_factory=tuple)

    def as_json(self) -> dict[str, Any]:
        """For the journal of a run."""
        files = [
            [file.place, file.fate.value, file.reason.code if file.reason else "",
             dict(file.reason.values) if file.reason else {}, file.other]
            for file in self.files
        ]  # fmt: skip
        return {
            "place": self.place, "id": self.employee_id, "name": self.name, "created": self.created,
            "files": files,
        }  # fmt: skip

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> PersonOutcome:
        """What `as_json` made."""
        files = tuple(
            FileOutcome(place, Fate(fate), Reason(code, values) if code else None, other)
            for place, fate, code, values, other in value["files"]
        )
        return cls(value["place"], value["id"], value["name"], value["created"], files)


def refusal(place: str, reason: Reason) -> FileOutcome:
    """A file, row or folder that was refused."""
    return FileOutcome(place, Fate.REFUSED, reason)


class Counts(NamedTuple):
    """How an import stands. `people` were handled, of which `created` were new; the rest counts files."""

    people: int = 0
    created: int = 0
    accepted: int = 0
    stored_already: int = 0
    duplicates: int = 0
    refused: int = 0

    def plus(self, outcome: PersonOutcome) -> Counts:
        """With one more person."""
        fates = [file.fate for file in outcome.files]
        return Counts(
            self.people + 1,
            self.created + outcome.created,
            self.accepted + fates.count(Fate.ACCEPTED),
            self.stored_already + fates.count(Fate.STORED_ALREADY),
            self.duplicates + fates.count(Fate.DUPLICATE),
            self.refused + fates.count(Fate.REFUSED),
        )
