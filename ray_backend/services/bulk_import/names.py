"""File names, folder names and cells: made comparable, and refused where they hide something."""

from __future__ import annotations

import os
import re
import unicodedata
from pathlib import PurePosixPath

from ray_backend.domain.requests import PersonDraft
from ray_backend.services.bulk_import.words import Reason, Why, because

PHOTO_ENDINGS = frozenset({".jpg", ".jpeg", ".png", ".webp"})
ARCHIVE_ENDINGS = frozenset({".zip", ".7z", ".rar", ".tar", ".gz", ".tgz", ".bz2", ".xz"})
TABLE_ENDINGS = frozenset({".csv", ".tsv", ".xlsx"})
_JUNK = frozenset({"__macosx", "thumbs.db", "desktop.ini", "ehthumbs.db", "$recycle.bin"})
# "E017_Ada Lovelace": an id has a digit; without one the whole name is the id.
_ID_AND_NAME = re.compile(r"(?P<id>[^_]*\d[^_]*)_(?P<name>.+)", re.DOTALL)
# What a spreadsheet would run (OWASP: CSV injection). A lone sign and a negative number run nothing.
_FORMULA = re.compile(r"^\s*(?:[=@＝＠]|[+\-＋－].*[(|!])", re.DOTALL)
# Joiners are part of some scripts; other invisible signs only disguise a name or turn its direction.
_JOINERS = frozenset("\u200c\u200d")


def comparable(text: str) -> str:
    """The text as Unicode composes it: macOS writes an umlaut as two signs, others as one."""
    return unicodedata.normalize("NFC", text)


def shown(name: str) -> str:
    """A file's name that can be written anywhere: bytes that are no text become replacement signs."""
    return (
        comparable(os.fsencode(name).decode("utf-8", "replace"))
        if _has_surrogates(name)
        else comparable(name)
    )


def is_junk(parts: tuple[str, ...]) -> bool:
    """Whether a path leads to what operating systems leave behind: it is skipped without a word."""
    return any(part.startswith(".") or part.casefold() in _JUNK for part in parts)


def ending(name: str) -> str:
    """The file's ending in small letters, with its dot."""
    return PurePosixPath(name).suffix.lower()


def not_a_photo(name: str) -> Reason | None:
    """Why a file of this name is no photo, or None."""
    if ending(name) in PHOTO_ENDINGS:
        return None
    return because(Why.NESTED_ARCHIVE if ending(name) in ARCHIVE_ENDINGS else Why.NOT_A_PHOTO)


def safe_parts(path: str) -> tuple[str, ...] | Reason:
    """The parts of a relative path, however it is written, or why it is refused."""
    path = comparable(path.strip()).replace("\\", "/")
    parts = tuple(part for part in path.split("/") if part not in ("", "."))
    rooted = path.startswith("/") or re.match(r"[A-Za-z]:", path)
    if rooted or ".." in parts or "\0" in path or not parts:
        return because(Why.OUTSIDE)
    return parts


def draft_from_folder(name: str, *, consent: bool) -> PersonDraft:
    """Employee id and name from a folder's name: `<employee_id>_<name>`."""
    name = comparable(name)
    parts = _ID_AND_NAME.fullmatch(name)
    if parts:
        return PersonDraft(parts["id"], parts["name"].replace("_", " "), consent=consent)
    return PersonDraft(name, name.replace("_", " ").title(), consent=consent)


def suspicious(text: str, column: str) -> Reason | None:
    """Why a text is not taken for a person's data, or None."""
    if _FORMULA.match(text):
        return because(Why.FORMULA, column=column)
    if any(unicodedata.category(sign) == "Cf" and sign not in _JOINERS for sign in text):
        return because(Why.HIDDEN_SIGN, column=column)
    return None


def _has_surrogates(text: str) -> bool:
    return any("\ud800" <= sign <= "\udfff" for sign in text)
