"""Backend: what pages, API and command line call, whether the work runs here or on Ray actors."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from ray_backend.domain.answers import (
    CheckIn,
    Enrolment,
    EnrolmentCheck,
    Overview,
    PhotoReview,
    Recognition,
)
from ray_backend.domain.errors import ImageRejected, RollcallError
from ray_backend.domain.model import AnalysedPhoto, FrameAnalysis, new_id
from ray_backend.domain.permissions import SYSTEM, Caller, Role
from ray_backend.domain.requests import PersonDraft
from ray_backend.services.gate import GatedService, admit, may
from ray_backend.settings import Settings

if TYPE_CHECKING:
    from ray_backend.bootstrap import Records
    from ray_backend.services.bulk_import.desk import Desk
    from ray_backend.services.faces import FaceService
    from ray_backend.services.guided import GuidedEnrolment
    from ray_backend.services.kiosk import KioskSession
    from ray_backend.services.retention import RetentionTimer
    from ray_backend.services.table_files import FileFormat, Progress
    from ray_backend.services.tables import Table
    from ray_backend.serving.handles import RemoteRecords


@dataclass(frozen=True, slots=True)
class Photo:
    """A picture file as somebody handed it in. `label` names it in answers: its file name."""

    label: str
    data: bytes


@dataclass(frozen=True, slots=True)
class ImportBackend:
    """What an import needs of a backend; see `bulk_import.runner.Recording`."""

    analyse: Callable[[Sequence[Photo]], list[AnalysedPhoto]]
    imports: GatedService


class Backend:
    """The use cases, each one method. `faces` and `records` are the services or stand-ins on actors.

    Every call passes the gate as `caller`; see `acting_as`. Every method may raise Forbidden,
    StoreUnavailable and BackendUnavailable besides what it says.
    """

    def __init__(
        self,
        faces: FaceService,
        records: Records | RemoteRecords,
        where: str,
        settings: Settings,
        caller: Caller = SYSTEM,
    ) -> None:
        self._faces = faces
        self._records = records
        self._settings = settings
        self.where = where
        self.caller = caller
        self.people = self._service("people")
        self.merges = self._service("merges")
        self.timesheets = self._service("timesheets")
        self.rule_trials = self._service("rule_trials")
        self.reports = self._service("reports")
        self.punch_trails = self._service("punch_trails")
        self.kiosk_figures = self._service("kiosk_figures")
        self.report_files = self._service("report_files")
        self.saved_filters = self._service("saved_filters")
        self.exports = self._service("exports")
        self.rules = self._service("rules")
        self.corrections = self._service("corrections")
        self.leave = self._service("leave")
        self.access = self._service("access")
        self.accounts = self._service("accounts")
        self.sign_ins = self._service("sign_ins")
        self.audit_log = self._service("audit_log")
        self.calibration = self._service("calibration")
        self.cluster = self._service("cluster")
        self.beside = self._service("beside")
        self.site = self._service("site")
        self.retention = self._service("retention")
        self._timer: RetentionTimer | None = None
        self.certificates = self._service("certificates")
        self.person_file = self._service("person_file").read
        self.webhooks = self._service("webhooks")
        self.punch_imports = self._service("punch_imports")
        self.shift_feeds = self._service("shift_feeds")
        self.unknown = self._service("unknown")
        self._check_ins = self._service("check_ins")
        self._enrolments = self._service("enrolments")

    def _service(self, name: str) -> GatedService:
        return GatedService(self._records.call, self.caller, name)

    def acting_as(self, caller: Caller) -> Backend:
        """The same backend, whose every call is made as this caller. Pages and the API have one for whoever
        sits there; the command line acts as Rollcall itself, which may do everything."""
        return Backend(self._faces, self._records, self.where, self._settings, caller)

    def may(self, *use_cases: str) -> bool:
        """Whether the caller may call all of these, such as `people.update`: what a page offers."""
        return may(self.caller, use_cases)

    def overview(self) -> Overview:
        """The pack, and how many people and templates there are."""
        return self._service("overview").overview()

    def ready(self) -> None:
        """Whether a picture can become a punch now: the database or its journal takes it, the gallery is
        filled, and faces are found. Raises Unavailable with what is missing."""
        self._service("overview").ready()
        _ = self._faces.pack

    def state(self) -> dict[str, Any]:
        """See `OverviewService.state`."""
        return self._service("overview").state()

    def journal_depth(self) -> int:
        """How many punches wait for the database."""
        return self._service("overview").journal_depth()

    def record_present(self, person_ids: Sequence[str], *, picture_sha256: str, actor: str) -> list[CheckIn]:
        """See `GroupService.record_present`."""
        groups = self._service("groups")
        return groups.record_present(person_ids, picture_sha256=picture_sha256, actor=actor)

    def check_in(
        self, image: bytes, *, kiosk: str, idempotency_key: str | None = None, strangers: bool = False
    ) -> CheckIn:
        """Recognises the nearest person of a JPEG, PNG or WebP picture and records one punch.

        With `strangers` a face that nobody knows goes to the inbox of unknown faces, if the site keeps them.
        Raises ImageRejected. With the same key it may be repeated until it answers.
        """
        admit(self.caller, "check_ins.check_in")
        wanted = strangers and self.site.current().keep_unknown_hours > 0
        analysis = self._faces.analyse(image, thumbnails=wanted)
        key = idempotency_key or new_id()
        answer = self._check_ins.check_in(analysis, kiosk=kiosk, idempotency_key=key)
        if wanted:
            from ray_backend.clock import SystemClock
            from ray_backend.services.strangers import hand_over_photo

            hand_over_photo(answer, analysis, kiosk, self.unknown.note, SystemClock())
        return answer

    def kiosk_session(self, kiosk: str) -> KioskSession:
        """A conversation with whoever stands before this kiosk, over many frames. It may do what this
        kiosk may, and nothing else."""
        from ray_backend.clock import SystemClock
        from ray_backend.services.conversations import build_kiosk_session

        admit(self.caller, "check_ins.punch_recognised")
        own = self.acting_as(Caller(kiosk, Role.KIOSK))
        pack = own.overview().pack
        return build_kiosk_session(
            pack, kiosk, self._faces, own._check_ins, own.site.current, own.unknown.note, SystemClock()
        )

    def recognise(self, image: bytes) -> Recognition:
        """Everybody in a picture, without recording anything. Raises ImageRejected."""
        admit(self.caller, "check_ins.recognise")
        (analysis,) = self._faces.analyse_many([image])
        if isinstance(analysis, ImageRejected):
            raise analysis
        (recognition,) = self._check_ins.recognise([analysis])
        return replace(recognition, picture_size=(analysis.width, analysis.height))

    def analyse(self, photos: Sequence[Photo], *, bulk: bool = False) -> list[AnalysedPhoto]:
        """Finds and embeds all faces of each photo, in order. Bad pictures come back as their error.

        With `bulk` nobody waits for the answer, so people who do come first.
        """
        admit(self.caller, "enrolments.review")
        answers: list[FrameAnalysis | ImageRejected] = self._faces.analyse_many(
            [photo.data for photo in photos], thumbnails=True, bulk=bulk
        )
        return [
            AnalysedPhoto(photo.label, hashlib.sha256(photo.data).hexdigest(), answer)
            for photo, answer in zip(photos, answers, strict=True)
        ]

    def review(self, photos: Sequence[Photo], person_id: str | None = None) -> list[PhotoReview]:
        """What would become of each photo at enrolment. Stores nothing."""
        return self._enrolments.review(self.analyse(photos), person_id)

    def check_photos(self, photos: Sequence[Photo], person_id: str | None = None) -> EnrolmentCheck:
        """`review`, and who looks like the person on the photos. Stores nothing."""
        return self._enrolments.check(self.analyse(photos), person_id)

    def guided_enrolment(self) -> GuidedEnrolment:
        """Leads somebody before a camera through the photos of an enrolment. Stores nothing."""
        from ray_backend.services.conversations import build_guided_enrolment

        admit(self.caller, "enrolments.enrol")
        pack, threshold = self.overview().pack, self.site.current().threshold
        return build_guided_enrolment(pack, self._faces, threshold)

    def enrol(
        self,
        draft: PersonDraft,
        photos: Sequence[Photo],
        *,
        source: str,
        actor: str,
        consent_required: bool = True,
    ) -> Enrolment:
        """Registers a person; see `EnrolService.enrol` for what it raises."""
        draft.checked()
        return self._enrolments.enrol(
            draft, self.analyse(photos), source=source, actor=actor, consent_required=consent_required
        )

    def add_photos(self, person_id: str, photos: Sequence[Photo], *, source: str, actor: str) -> Enrolment:
        """Adds photos to a person; see `EnrolService.add_photos` for what it raises."""
        return self._enrolments.add_photos(person_id, self.analyse(photos), source=source, actor=actor)

    def import_desk(self) -> Desk:
        """Bulk imports as this caller. Raises Forbidden."""
        from ray_backend.domain.quality import ENROL_LIMITS
        from ray_backend.services.bulk_import.desk import Desk
        from ray_backend.services.bulk_import.entries import ImportLimits
        from ray_backend.services.bulk_import.runs import Runs

        admit(self.caller, "imports.take")
        settings = self._settings
        hangs_on = (self.overview().pack.pack_id, settings.max_image_bytes, settings.max_image_pixels)
        return Desk(
            ImportBackend(partial(self.analyse, bulk=True), self._service("imports")),
            Runs(settings.data_dir / "imports"),
            ImportLimits(settings.max_image_bytes),
            width=self._faces.width,
            context=f"{hangs_on} {ENROL_LIMITS}",
            now=lambda: datetime.now(UTC),
            folder=settings.import_dir,
        )

    def export(self, table: Table, file_format: FileFormat, progress: Progress | None = None) -> bytes:
        """The table as a file: exactly its rows. Raises InvalidInput for a PDF of too many rows."""
        from ray_backend.services import table_files

        return table_files.to_bytes(table, file_format, *([progress] if progress else []))

    def start_retention(self) -> None:
        """Removes every hour what is due, where the work is done in this process; actors do it themselves."""
        self._timer = self._records.start_retention()

    def close(self) -> None:
        """Lets go of the database, where this backend holds it."""
        if self._timer is not None:
            self._timer.close()
            self._records.call(SYSTEM, "webhooks", "stop", (), {})
            self._records.call(SYSTEM, "exports", "stop", (), {})
        self._records.store.close()


def local_backend(settings: Settings, *, store=None, engine=None, clock=None) -> Backend:
    """Everything in this process. Raises PackUnavailable, PackMismatch, StoreUnavailable."""
    from ray_backend import bootstrap
    from ray_backend.storage import open_store

    store = store or open_store(settings)
    try:
        choice = None if engine else bootstrap.find_pack(settings, store)
        faces = bootstrap.build_faces(settings, choice, engine=engine)
        spec = choice.spec if choice else faces.pack.pack_id
        records = bootstrap.build_records(settings, faces.pack, spec, store=store, clock=clock)
    except RollcallError:
        store.close()
        raise
    return Backend(faces, records, "in this process", settings)


def ray_backend(settings: Settings, *, report_as: str = "") -> Backend:
    """The actors of a running Rollcall at `settings.ray_address`. Raises BackendUnavailable.

    What this process counts is handed to the ClusterActor as that of `report_as`; empty: it is not.
    """
    from ray_backend.serving import environment

    environment.prepare(settings.ray_address)
    from ray_backend.serving import handles, pooled_faces

    handles.connect(settings)
    if report_as:
        from ray_backend.serving.reporter import Reporter

        Reporter(report_as).start()
    return Backend(
        pooled_faces.PooledFaces(settings.call_timeout_s),
        handles.RemoteRecords(settings.call_timeout_s),
        f"on Ray at {settings.ray_address}",
        settings,
    )


def connect(settings: Settings, *, report_as: str = "") -> Backend:
    """The running Rollcall if there is one, this process otherwise. `report_as`: see `ray_backend`.

    A running one is found by `settings.ray_address` or by the note that `rollcall up` leaves in the
    data folder, so that whoever is enrolled from the command line is known at the kiosk at once.
    """
    from ray_backend.runfile import running_address

    address = settings.ray_address or running_address(settings.data_dir)
    if not address:
        return local_backend(settings)
    return ray_backend(settings.model_copy(update={"ray_address": address}), report_as=report_as)
