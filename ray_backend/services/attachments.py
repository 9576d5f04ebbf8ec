"""Files that explain a request for a correction."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from datetime import datetime

from ray_backend.domain.entries import FILE, Entry
from ray_backend.domain.errors import InvalidInput, NotFound
from ray_backend.domain.model import new_id
from ray_backend.ports import Store

LARGEST_FILE_BYTES = 5_000_000
# What a file may be, and how its id ends, which names it in a download.
FILE_TYPES = {"application/pdf": ".pdf", "image/jpeg": ".jpg", "image/png": ".png", "text/plain": ".txt"}


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that explains a request: a PDF, a picture or a text of at most 5 MB."""

    name: str
    content_type: str
    data: bytes


class Attachments:
    """Keeps files in the database, each about one person."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def keep(self, file: Attachment, person_id: str, at: datetime) -> str:
        """Keeps the file and returns its id. Raises InvalidInput."""
        if len(file.data) > LARGEST_FILE_BYTES:
            raise InvalidInput("The file is too large: at most 5 MB.")
        if file.content_type not in FILE_TYPES:
            raise InvalidInput("Attach a PDF, a JPEG or PNG picture, or a text file.")
        body = {
            "name": file.name[-120:],
            "content_type": file.content_type,
            "data": base64.b64encode(file.data).decode(),
        }
        file_id = new_id() + FILE_TYPES[file.content_type]
        entry = Entry(FILE, at, body, subject=person_id, entry_id=file_id)
        self._store.add_entry(entry)
        return file_id

    def read(self, file_id: str) -> Attachment:
        """Raises NotFound."""
        entry = self._store.get_entry(FILE, file_id) if file_id else None
        if entry is None:
            raise NotFound("This request has no file.")
        body = entry.body
        return Attachment(body["name"], body["content_type"], base64.b64decode(body["data"]))

    def remove(self, file_id: str) -> None:
        """May be repeated."""
        self._store.remove_entries(FILE, [file_id])
