"""What becomes of each file of an import, and why, in codes and in whole sentences."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from ray_backend.domain.model import PhotoProblem, QualityIssue


class Fate(StrEnum):
    """What became of a file. `DUPLICATE`: it shows somebody who is registered under another employee id."""

    ACCEPTED = "accepted"
    STORED_ALREADY = "stored_already"
    DUPLICATE = "duplicate"
    REFUSED = "refused"


class Why(StrEnum):
    """Why a file, a row or a folder was refused before anybody looked at a face."""

    NOT_A_PHOTO = "not_a_photo"
    NOT_A_FILE = "not_a_file"
    UNREADABLE_FILE = "unreadable_file"
    MISSING = "missing"
    TOO_MANY_BYTES = "too_many_bytes"
    TOO_MANY_PHOTOS = "too_many_photos"
    LINK = "link"
    OUTSIDE = "outside"
    NO_FOLDER = "no_folder"
    TOO_DEEP = "too_deep"
    NESTED_ARCHIVE = "nested_archive"
    ENCRYPTED = "encrypted"
    PACKED_OTHERWISE = "packed_otherwise"
    DAMAGED = "damaged"
    SAME_FILE_TWICE = "same_file_twice"
    BOMB = "bomb"
    ARCHIVE_TOO_LARGE = "archive_too_large"
    ROW_DAMAGED = "row_damaged"
    FORMULA = "formula"
    CELL_ERROR = "cell_error"
    HIDDEN_SIGN = "hidden_sign"
    FIELD = "field"
    NO_PHOTOS = "no_photos"
    NO_CONSENT = "no_consent"
    CONSENT_MISSING = "consent_missing"
    CONSENT_UNCLEAR = "consent_unclear"
    SAME_PERSON_TWICE = "same_person_twice"
    REST_OF_PERSON = "rest_of_person"
    BREAKS_RECOGNITION = "breaks_recognition"


# Each is a whole sentence with named places, so that it can be translated as it stands.
SENTENCES: dict[str, str] = {
    Why.NOT_A_PHOTO: "This is not a JPEG, PNG or WebP file.",
    Why.NOT_A_FILE: "This is not an ordinary file.",
    Why.UNREADABLE_FILE: "The file cannot be read: {problem}.",
    Why.MISSING: "The table names this photo, but it is not there.",
    Why.TOO_MANY_BYTES: "The file has more than {limit} MB.",
    Why.TOO_MANY_PHOTOS: "A person can have at most {limit} photos in an import.",
    Why.LINK: "This is a link to another place. Put the file itself here.",
    Why.OUTSIDE: "The path leads out of the folder or the archive.",
    Why.NO_FOLDER: "The photo lies in no person's folder. Folders are named <employee_id>_<name>.",
    Why.TOO_DEEP: "It lies in a folder inside a person's folder.",
    Why.NESTED_ARCHIVE: "An archive inside an archive is not opened.",
    Why.ENCRYPTED: "The file is encrypted. Pack it again without a password.",
    Why.PACKED_OTHERWISE: "The file is packed in a way that is not taken. Pack it again as an ordinary zip.",
    Why.DAMAGED: "The file is damaged in the archive. Pack it again.",
    Why.SAME_FILE_TWICE: "The archive has a second file of this name. Only the first one is used.",
    Why.BOMB: "The file unpacks to {ratio} times its size, as no photo does.",
    Why.ARCHIVE_TOO_LARGE: "The archive unpacks to more than {limit} times its size, as no photos do.",
    Why.ROW_DAMAGED: "The row cannot be read: {problem}.",
    Why.FORMULA: "The cell for {column} holds a formula. Write the value itself into it.",
    Why.CELL_ERROR: "The cell for {column} holds an error of the spreadsheet: {value}.",
    Why.HIDDEN_SIGN: "The {column} contains an invisible sign. Type it in again.",
    Why.FIELD: "{problem}",
    Why.NO_PHOTOS: "There is no photo for this person.",
    Why.NO_CONSENT: "The table says that this person did not agree.",
    Why.CONSENT_MISSING: "Nothing says that this person agreed.",
    Why.CONSENT_UNCLEAR: "The cell for consent says {value}. Write yes or no.",
    Why.SAME_PERSON_TWICE: "The employee id stands a second time here; {place} has it, too.",
    Why.REST_OF_PERSON: "Another photo of this person was refused, and so nothing of the person was stored.",
    Why.BREAKS_RECOGNITION: "The recognition service stopped several times while it looked at this photo.",
    QualityIssue.TOO_SMALL: "The face is too small. Crop the photo or use a larger one.",
    QualityIssue.CUT_OFF: "The face is cut off at the edge of the photo.",
    QualityIssue.TURNED_AWAY: "The face is turned away. Use a photo that looks at the camera.",
    QualityIssue.TOO_DARK: "The face is too dark.",
    QualityIssue.TOO_BRIGHT: "The face is too bright.",
    QualityIssue.BLURRED: "The face is blurred.",
    PhotoProblem.UNREADABLE: "{problem}",
    PhotoProblem.NO_FACE: "No face was found in the photo.",
    PhotoProblem.SEVERAL_FACES: "Several faces are in the photo. Use one of this person alone.",
    PhotoProblem.ANOTHER_PERSON: "The photo shows a person who is registered as {employee_id}.",
    PhotoProblem.NOT_THE_SAME_PERSON: "This is not the person of the other photos.",
    PhotoProblem.ALREADY_STORED: "The photo was stored before.",
}


@dataclass(frozen=True, slots=True)
class Reason:
    """Why something was refused: a key of `SENTENCES`, and what stands in its named places."""

    code: str
    values: Mapping[str, str] = field(default_factory=dict)

    @property
    def sentence(self) -> str:
        """The reason for people, in English."""
        return SENTENCES[self.code].format(**self.values)


def because(code: str, **values: object) -> Reason:
    """A reason with what stands in its places."""
    return Reason(str(code), {name: str(value) for name, value in values.items()})
