"""One import from its first person to its last."""

from __future__ import annotations

import hashlib
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from itertools import islice
from typing import Protocol

from ray_backend.domain.model import AnalysedPhoto, PhotoProblem, QualityIssue
from ray_backend.services.bulk_import.entries import Entry, FileOutcome, PersonOutcome, PhotoFile, refusal
from ray_backend.services.bulk_import.looking import LoadedPhoto, Looking, Patience, Stopped
from ray_backend.services.bulk_import.pace import Pace
from ray_backend.services.bulk_import.service import ImportService, KnownPerson
from ray_backend.services.bulk_import.words import Fate, Reason, Why, because

_ASK_AT_ONCE = 32
_MOST_PENDING = 64
# These say something about the photo alone, so another run need not look at it again.
LASTING = frozenset(
    {*map(str, QualityIssue), *map(str, (PhotoProblem.NO_FACE, PhotoProblem.SEVERAL_FACES))}
    | {str(PhotoProblem.UNREADABLE), str(Why.BREAKS_RECOGNITION)}
)


class Recording(Protocol):
    """What an import needs of the backend."""

    imports: ImportService

    def analyse(self, photos: Sequence[LoadedPhoto]) -> list[AnalysedPhoto]:
        """See `Backend.analyse`."""


@dataclass(frozen=True, slots=True)
class Rules:
    """How an import runs. `width`: how many photos can be looked at at once.

    Without `without_consent` nobody is taken of whom neither the table nor the admin says that they agreed.
    A service that is away is waited for, `patience_s` at most.
    """

    actor: str
    width: int = 2
    dry_run: bool = False
    without_consent: bool = False
    patience_s: float = 600.0


@dataclass(frozen=True, slots=True)
class _Look:
    """A photo that is being looked at."""

    place: str
    digest: str
    answer: Future[AnalysedPhoto | Reason]


@dataclass(slots=True)
class _Pending:
    """A person whose photos are being looked at; of some files it is known already what becomes of them."""

    entry: Entry
    known: KnownPerson | None
    files: list[FileOutcome]
    looks: list[_Look] = field(default_factory=list)


class Importer:
    """Imports entries one after the other: photos side by side, people in the source's order."""

    def __init__(
        self,
        backend: Recording,
        rules: Rules,
        *,
        refused_before: Mapping[str, Reason] | None = None,
        remember: Callable[[str, Reason], None] = lambda digest, reason: None,
        stop: threading.Event | None = None,
    ) -> None:
        """`refused_before` has the lasting reasons of photos by the SHA-256 of their bytes, `remember` is
        told new ones."""
        self._backend = backend
        self._rules = rules
        self._refused_before = refused_before or {}
        self._remember = remember
        self._stop = stop or threading.Event()
        self._patience = Patience(self._stop, rules.patience_s)
        self._rehearsal = ""

    def run(self, entries: Iterable[Entry], done: Callable[[Entry, PersonOutcome], None]) -> None:
        """Tells `done` about each person once everything about them is stored.

        Raises Stopped, Unavailable when a service stays away, and what reading the source raises. Whatever
        it was, the same import may be started again.
        """
        imports = self._backend.imports
        if self._rules.dry_run:
            self._rehearsal = self._patience.call(imports.begin_rehearsal)
        try:
            self._run(entries, done)
        finally:
            if self._rehearsal:
                imports.end_rehearsal(self._rehearsal)

    def _run(self, entries: Iterable[Entry], done: Callable[[Entry, PersonOutcome], None]) -> None:
        pending: deque[_Pending] = deque()
        with Looking(self._backend.analyse, Pace(self._rules.width), self._patience, self._stop) as looking:
            try:
                for entry, known in self._with_known(entries):
                    if self._stop.is_set():
                        break
                    pending.append(self._begun(entry, known, looking))
                    while pending and (len(pending) > _MOST_PENDING or _is_ready(pending[0])):
                        self._end(pending.popleft(), done)
                while pending:
                    self._end(pending.popleft(), done)
            finally:
                # Threads that wait for a service would hold up the end.
                stopped = self._stop.is_set()
                self._stop.set()
        if stopped:
            raise Stopped

    def _with_known(self, entries: Iterable[Entry]) -> Iterator[tuple[Entry, KnownPerson | None]]:
        """Each with what is stored of the person already, asked for in batches."""
        stream = iter(entries)
        while batch := list(islice(stream, _ASK_AT_ONCE)):
            ids = [entry.draft.employee_id for entry in batch if entry.draft and entry.photos]
            known = self._patience.call(lambda ids=ids: self._backend.imports.known(ids)) if ids else {}
            for entry in batch:
                yield entry, known.get(entry.draft.employee_id) if entry.draft else None

    def _begun(self, entry: Entry, known: KnownPerson | None, looking: Looking) -> _Pending:
        pending = _Pending(entry, known, list(entry.refused))
        if entry.draft is None or not entry.photos:
            return pending
        if not (entry.draft.consent or self._rules.without_consent):
            missing = because(Why.CONSENT_MISSING)
            pending.files += [refusal(photo.place, missing) for photo in entry.photos]
            return pending
        for photo in entry.photos:
            self._look(photo, pending, looking)
        return pending

    def _look(self, photo: PhotoFile, pending: _Pending, looking: Looking) -> None:
        data = photo.read()
        if isinstance(data, Reason):
            pending.files.append(refusal(photo.place, data))
            return
        digest = hashlib.sha256(data).hexdigest()
        decided = self._decided(photo.place, digest, pending.known)
        if decided is None:
            answer = looking.submit(LoadedPhoto(photo.place, data))
            pending.looks.append(_Look(photo.place, digest, answer))
        else:
            pending.files.append(decided)

    def _decided(self, place: str, digest: str, known: KnownPerson | None) -> FileOutcome | None:
        """What became of these bytes before, where nobody has to look at them again."""
        if known is not None and digest in known.photos:
            return FileOutcome(place, Fate.STORED_ALREADY, because(PhotoProblem.ALREADY_STORED))
        reason = self._refused_before.get(digest)
        return refusal(place, reason) if reason is not None else None

    def _end(self, pending: _Pending, done: Callable[[Entry, PersonOutcome], None]) -> None:
        entry, draft = pending.entry, pending.entry.draft
        answers = [look.answer.result() for look in pending.looks]
        created, taken = self._taken(pending, [a for a in answers if isinstance(a, AnalysedPhoto)])
        stored = iter(taken)
        for look, answer in zip(pending.looks, answers, strict=True):
            outcome = refusal(look.place, answer) if isinstance(answer, Reason) else next(stored)
            self._note_lasting(look.digest, outcome)
            pending.files.append(outcome)
        who = (draft.employee_id, draft.name) if draft else ("", "")
        files = tuple(sorted(pending.files, key=lambda file: file.place))
        done(entry, PersonOutcome(entry.place, *who, created, files))

    def _taken(self, pending: _Pending, photos: list[AnalysedPhoto]) -> tuple[bool, tuple[FileOutcome, ...]]:
        draft, known = pending.entry.draft, pending.known
        agrees_since = known is not None and not known.consented and draft.consent
        if not photos and not agrees_since:
            return False, ()
        taken = self._patience.call(
            lambda: self._backend.imports.take(
                draft, photos, actor=self._rules.actor, rehearsal=self._rehearsal
            )
        )
        return taken.created, taken.files

    def _note_lasting(self, digest: str, outcome: FileOutcome) -> None:
        if outcome.fate is Fate.REFUSED and outcome.reason.code in LASTING:
            self._remember(digest, outcome.reason)


def _is_ready(pending: _Pending) -> bool:
    return all(look.answer.done() for look in pending.looks)
