"""Opening what somebody handed in: a folder, a zip archive, or a table with photos beside it."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

from ray_backend.domain.errors import InvalidInput
from ray_backend.domain.requests import PersonDraft
from ray_backend.services.bulk_import.entries import Entry, ImportLimits, refusal
from ray_backend.services.bulk_import.folders import FolderTree, PersonFolder, Tree
from ray_backend.services.bulk_import.names import TABLE_ENDINGS, draft_from_folder, ending, shown, suspicious
from ray_backend.services.bulk_import.tables import count_rows, table_entries, table_rows
from ray_backend.services.bulk_import.words import Why, because
from ray_backend.services.bulk_import.zips import ZipTree

_MEMORY = 8_000_000  # bytes of an unpacked table that need no file


class Source:
    """People with photos, one after the other; use it as a context manager.

    `consent` says whether everybody of whom the source itself says nothing agreed.
    """

    def __init__(self, path: Path, limits: ImportLimits, *, consent: bool) -> None:
        """Raises InvalidInput where there is nothing that can be read."""
        self._limits = limits
        self._consent = consent
        self._open = ExitStack()
        self._tree: Tree
        self._table: tuple[BinaryIO, str] | None = None
        try:
            self._find(path)
        except OSError as error:
            self._open.close()
            raise InvalidInput(f"{path.name} cannot be read: {error.strerror}.") from error
        except BaseException:
            self._open.close()
            raise

    def __enter__(self) -> Source:
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    @property
    def skipped(self) -> int:
        """Files that were left out without a word, as operating systems leave them behind."""
        return self._tree.skipped

    def count(self) -> int | None:
        """How many people there are about, or None where only reading them all would tell. To be asked before
        `people`: a table is one file with one place to read at."""
        return count_rows(*self._table) if self._table else self._tree.count()

    def people(self) -> Iterator[Entry]:
        """Every person, once: who stands there a second time is refused, and names the first place.

        Raises InvalidInput for a table that cannot be read, and where there is nobody at all.
        """
        places: dict[str, str] = {}
        entry = None
        for entry in self._entries():
            checked = self._checked(entry)
            if checked.draft is not None:
                first = places.setdefault(checked.draft.employee_id, checked.place)
                if first is not checked.place:
                    twice = refusal(checked.place, because(Why.SAME_PERSON_TWICE, place=first))
                    checked = replace(checked, draft=None, photos=(), refused=(twice, *checked.refused))
            yield checked
        if entry is None:
            raise InvalidInput(
                "There is nobody in it. Make a folder for each person: <employee_id>_<name>/*.jpg"
            )

    def _find(self, path: Path) -> None:
        if path.is_dir():
            self._tree = FolderTree(path, self._limits)
        elif ending(path.name) == ".zip":
            archive = ZipTree(path, self._limits)
            self._open.callback(archive.close)
            self._tree = archive
        elif ending(path.name) in TABLE_ENDINGS and path.is_file():
            self._tree = FolderTree(path.parent, self._limits)
            self._table = (self._open.enter_context(path.open("rb")), path.name)
            return
        else:
            raise InvalidInput(
                f"{shown(path.name)} is neither a folder nor a .zip, .csv or .xlsx file that can be read."
            )
        self._find_table(path)

    def _find_table(self, path: Path) -> None:
        """A table beside the photos says who they are."""
        tables = self._tree.tables()
        if len(tables) > 1:
            names = ", ".join(map(shown, tables[:5]))
            raise InvalidInput(f"There are several tables: {names}. Leave only the one to import.")
        if not tables:
            return
        if isinstance(self._tree, ZipTree):
            copy = tempfile.SpooledTemporaryFile(_MEMORY)  # noqa: SIM115 it stays open as long as this source
            self._open.callback(copy.close)
            self._tree.open_table(tables[0], copy)
            self._table = (copy, tables[0])
        else:
            self._table = (self._open.enter_context((path / tables[0]).open("rb")), tables[0])

    def _entries(self) -> Iterator[Entry]:
        if self._table is None:
            return (self._entry(folder) for folder in self._tree.people())
        file, name = self._table
        rows = table_rows(file, name, self._limits)
        return table_entries(rows, name, self._tree.photo, self._limits, consent=self._consent)

    def _entry(self, folder: PersonFolder) -> Entry:
        name, photos, refused = folder
        if not name:
            return Entry("", refused=tuple(refused))
        draft = draft_from_folder(name, consent=self._consent)
        return Entry(shown(name), draft, tuple(photos), tuple(refused))

    def _checked(self, entry: Entry) -> Entry:
        """Without a draft where that is no person, and without photos beyond their limit."""
        if entry.draft is None:
            return entry
        draft = _checked_draft(entry.draft)
        if isinstance(draft, PersonDraft):
            most = self._limits.photos_each
            too_many = because(Why.TOO_MANY_PHOTOS, limit=most)
            rest = tuple(refusal(photo.place, too_many) for photo in entry.photos[most:])
            none = () if entry.photos or entry.refused else (refusal(entry.place, because(Why.NO_PHOTOS)),)
            return replace(
                entry, draft=draft, photos=entry.photos[:most], refused=entry.refused + rest + none
            )
        return replace(entry, draft=None, photos=(), refused=(refusal(entry.place, draft), *entry.refused))


def _checked_draft(draft: PersonDraft):
    """The draft as it can be stored, or the reason why it cannot."""
    for column, text in (("employee id", draft.employee_id), ("name", draft.name)):
        wrong = suspicious(text, column)
        if wrong is not None:
            return wrong
    try:
        return draft.checked()
    except InvalidInput as error:
        return because(Why.FIELD, problem=error.message)
