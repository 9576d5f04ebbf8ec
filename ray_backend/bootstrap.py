"""The composition root: from settings to services. Everything may be replaced by a fake."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import cached_property, partial

from ray_backend.clock import SystemClock
from ray_backend.domain.errors import PackUnavailable
from ray_backend.domain.kiosk.words import LivenessMode
from ray_backend.domain.model import Pack, Template
from ray_backend.domain.site import from_environment
from ray_backend.gallery import open_gallery
from ray_backend.gallery.exact import ExactGallery
from ray_backend.gallery.sharding import ShardedGallery, shard_of
from ray_backend.ports import Clock, FaceEngine, GalleryIndex, Journal, LivenessModel, Store
from ray_backend.services import beside as second_pack
from ray_backend.services import codes, look_alikes, site
from ray_backend.services import rules as worktime_rules
from ray_backend.services.access import AccessService
from ray_backend.services.account_book import ACCOUNTS
from ray_backend.services.accounts import AccountService
from ray_backend.services.audit_log import AuditLog
from ray_backend.services.bulk_import.rehearsal import rehearsal
from ray_backend.services.bulk_import.runs import Runs
from ray_backend.services.bulk_import.service import ImportService
from ray_backend.services.calibration import CalibrationService
from ray_backend.services.certificates import CertificateService
from ray_backend.services.check_in import CheckInService
from ray_backend.services.corrections import CorrectionService
from ray_backend.services.directions import Directions
from ray_backend.services.enrol import EnrolService
from ray_backend.services.erasing import Eraser, Place
from ray_backend.services.exports import ExportService, export_service
from ray_backend.services.faces import FaceService
from ray_backend.services.gate import Call, Gate
from ray_backend.services.group import GroupService
from ray_backend.services.identity import live_templates
from ray_backend.services.inbox import Inbox
from ray_backend.services.kiosk_figures import KioskFiguresService
from ray_backend.services.leave import LeaveService
from ray_backend.services.merge import MergeService
from ray_backend.services.nearest import NearestPeople
from ray_backend.services.note_log import NoteLog
from ray_backend.services.one_process import OneProcess
from ray_backend.services.overview import OverviewService
from ray_backend.services.people import PeopleService
from ray_backend.services.person_file import PersonFileService
from ray_backend.services.pinned import check_pack, pinned_pack
from ray_backend.services.policy import Policy
from ray_backend.services.provider import provider_rules
from ray_backend.services.punch_import import PunchImportService
from ray_backend.services.punch_log import PunchLog
from ray_backend.services.punch_trail import PunchTrailService
from ray_backend.services.reach import Reach, RememberedSettings
from ray_backend.services.report import ReportService
from ray_backend.services.report_files import ReportFileService
from ray_backend.services.report_records import ReportRecords, report_records
from ray_backend.services.retention import RetentionService, RetentionTimer
from ray_backend.services.roster import Roster
from ray_backend.services.rule_trial import RuleTrialService
from ray_backend.services.rules import RuleService
from ray_backend.services.saved_filters import SavedFilterService
from ray_backend.services.sessions import SESSIONS
from ray_backend.services.shift_feed import ShiftFeedService
from ray_backend.services.shifts_today import TodayService
from ray_backend.services.sign_in import SignInService
from ray_backend.services.timesheet import TimesheetService
from ray_backend.services.traces import Traces
from ray_backend.services.unknown import UnknownService
from ray_backend.services.webhook_sender import WebhookSender
from ray_backend.services.webhooks import WebhookService
from ray_backend.settings import Settings
from ray_backend.storage import open_store
from ray_backend.storage.journals import open_journal, open_notes
from ray_backend.storage.measured import measured
from ray_backend.vision import packs

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Records:
    """Every use case that touches the database. All share one store and one gallery."""

    store: Store
    check_ins: CheckInService
    enrolments: EnrolService
    people: PeopleService
    merges: MergeService
    rules: RuleService
    corrections: CorrectionService
    leave: LeaveService
    timesheets: TimesheetService
    rule_trials: RuleTrialService
    punch_trails: PunchTrailService
    kiosk_figures: KioskFiguresService
    report_files: ReportFileService
    saved_filters: SavedFilterService
    exports: ExportService
    reports: ReportService
    access: AccessService
    accounts: AccountService
    sign_ins: SignInService
    audit_log: AuditLog
    overview: OverviewService
    calibration: CalibrationService
    groups: GroupService
    unknown: UnknownService
    imports: ImportService
    site: site.SiteService
    cluster: OneProcess
    beside: second_pack.BesideService
    retention: RetentionService
    certificates: CertificateService
    person_file: PersonFileService
    webhooks: WebhookService
    punch_imports: PunchImportService
    shift_feeds: ShiftFeedService

    @cached_property
    def call(self) -> Call:
        """The way in for everybody: see `Gate.call`."""
        return Gate(self).call

    def start_retention(self, reports: Call | None = None) -> RetentionTimer:
        """Removes every hour what is due, tells webhooks the news and makes scheduled exports, in threads of
        this process. `reports` makes reports where that is done elsewhere."""
        self.webhooks.start()
        self.exports.start(reports or self.call)
        timer = RetentionTimer(self.retention)
        timer.start()
        return timer


def find_pack(settings: Settings, store: Store, progress: packs.Progress | None = None) -> packs.Choice:
    """The pack for this site, downloaded if need be; see `vision.packs.find_pack`."""
    pinned = pinned_pack(store)
    return packs.find_pack(settings, pinned=pinned["spec"] if pinned else None, progress=progress)


def build_faces(
    settings: Settings, choice: packs.Choice | None = None, *, engine: FaceEngine | None = None
) -> FaceService:
    """The face pipeline over the engine, or over the pack of the choice. Raises PackUnavailable."""
    from ray_backend.vision.images import PillowCodec

    codec = PillowCodec(max_bytes=settings.max_image_bytes, max_pixels=settings.max_image_pixels)
    engine = engine or packs.open_pack(choice, plain=settings.inference == "plain")
    return FaceService(engine, codec, _liveness_model(settings))


def _liveness_model(settings: Settings) -> LivenessModel | None:
    """Loaded wherever it is named: an admin may switch the check on in the app at any time."""
    if settings.liveness_models:
        from ray_backend.vision.liveness import open_liveness

        return open_liveness(settings.liveness_models, models_dir=settings.models_dir)
    if LivenessMode(settings.liveness) is LivenessMode.REQUIRE and settings.liveness_way == "passive":
        raise PackUnavailable(
            "ROLLCALL_LIVENESS=require needs models: name their folder in ROLLCALL_LIVENESS_MODELS, or set "
            "ROLLCALL_LIVENESS_WAY=active, which needs none."
        )
    return None


def build_records(
    settings: Settings,
    pack: Pack,
    pack_spec: str,
    *,
    store: Store | None = None,
    clock: Clock | None = None,
    journal: Journal | None = None,
    shards: Sequence[GalleryIndex] = (),
) -> Records:
    """The use cases over a filled gallery. `pack_spec` is what finds the pack again.

    `journal` keeps punches while the database is away; by default it lies in the data folder. `shards`
    are the parts of a gallery that is held elsewhere, and filled already.

    Raises StoreUnavailable and PackMismatch.
    """
    store = store or measured(open_store(settings))
    clock = clock or SystemClock()
    check_pack(store, pack)
    gallery = ShardedGallery(shards, pack.dimension) if shards else _filled_gallery(settings, pack, store)
    reach = Reach(store)
    remembered = RememberedSettings(
        store,
        reach,
        *codes.PREFIXES,
        look_alikes.PREFIX,
        site.KEY,
        worktime_rules.KEY,
        ACCOUNTS,
        SESSIONS,
        second_pack.KEY,
    )
    rules = site.SiteService(
        store, clock, from_environment(settings), remembered, liveness_models=bool(settings.liveness_models)
    )
    policy = Policy(pack, rules.current)
    roster = Roster(store, reach)
    punches = PunchLog(store, open_journal(settings) if journal is None else journal, clock, reach)
    known = {
        "roster": roster,
        "punches": punches,
        "codes": codes.Codes(store, reach, remembered, roster, clock),
        "look_alikes": look_alikes.LookAlikes(store, remembered, gallery, policy, roster),
    }
    inbox = Inbox(store, clock, policy, lambda: rules.current().keep_unknown_hours)
    corrections, leave = CorrectionService(store, clock), LeaveService(store, clock)
    notes = NoteLog(store, open_notes(settings), reach, punches, corrections.open_disputed)
    calibration = CalibrationService(store, clock, policy)
    parts = {f"shard {index}": shard for index, shard in enumerate(shards)} or {"gallery": gallery}
    accounts, filters = AccountService(store, clock, remembered=remembered), SavedFilterService(store, clock)
    exports = export_service(store, clock, accounts.book, rules.current, settings)
    imports = Runs(settings.data_dir / "imports")
    journals = {"imports": imports.forget, "filters": filters.forget, "exports": exports.forget}
    packs_beside = second_pack.BesideService(
        store, clock, remembered, roster, pack.pack_id, rules.current, ExactGallery
    )
    forget = (calibration.forget, inbox.forget, packs_beside.forget)
    beside = {"corrections": corrections, "leave": leave}
    traces = Traces(store, gallery, parts, policy, **known, **beside, journals=journals, memories=forget)
    eraser = Eraser(store, clock, traces, _place(settings, pack, lambda: rules.current().site_name))
    eraser.finish()
    working_time = RuleService(store, clock, remembered, lambda: rules.current().language)
    directions = Directions(working_time, policy)
    check_ins = CheckInService(
        store, reach, gallery, clock, policy, **known, notes=notes, directions=directions
    )
    timesheets = TimesheetService(store, clock, policy, working_time, corrections, leave)
    figures = KioskFiguresService(store, clock, policy)
    enrol_with = partial(EnrolService, clock=clock, policy=policy, pack_spec=pack_spec)
    enrolments = enrol_with(
        store,
        gallery,
        roster=roster,
        look_alikes=known["look_alikes"],
        consent_version=rules.keep_consent_text,
    )
    today = TodayService(working_time, leave, policy, clock)
    people = PeopleService(store, gallery, clock, policy, **known, eraser=eraser, today=today)
    return Records(
        store=store,
        check_ins=check_ins,
        enrolments=enrolments,
        people=people,
        merges=MergeService(store, gallery, clock, policy, roster=roster, look_alikes=known["look_alikes"]),
        rules=working_time,
        corrections=corrections,
        leave=leave,
        timesheets=timesheets,
        rule_trials=RuleTrialService(working_time, timesheets),
        punch_trails=PunchTrailService(store, clock, policy, working_time, corrections),
        kiosk_figures=figures,
        report_files=ReportFileService(timesheets, figures, working_time.current),
        saved_filters=filters,
        exports=exports,
        reports=ReportService(store, clock, lambda: rules.current().zone),
        access=AccessService(store, clock),
        accounts=accounts,
        sign_ins=SignInService(accounts, clock, provider_rules(settings)),
        audit_log=AuditLog(store),
        overview=OverviewService(store, gallery, pack, punches),
        calibration=calibration,
        groups=GroupService(store, roster, check_ins, clock, policy),
        unknown=UnknownService(
            store, reach, clock, policy, inbox, NearestPeople(store, gallery, policy), enrolments
        ),
        imports=ImportService(
            store,
            clock,
            enrolments,
            roster,
            rules.keep_consent_text,
            lambda: rehearsal(store, gallery, ExactGallery(pack.dimension), enrol_with),
        ),
        site=rules,
        cluster=OneProcess(),
        beside=packs_beside,
        retention=RetentionService(
            store, clock, rules.current, people, punches, reach, remove_unknown=inbox.remove_before
        ),
        certificates=CertificateService(store),
        person_file=PersonFileService(store, gallery, policy, roster),
        webhooks=WebhookService(
            store, clock, lambda: rules.current().zone, WebhookSender(private=settings.webhook_private)
        ),
        punch_imports=PunchImportService(store, clock, policy, directions),
        shift_feeds=ShiftFeedService(store, clock, policy, working_time, leave),
    )


def build_reports(settings: Settings, pack: Pack) -> ReportRecords:
    """The reports alone, over a connection of their own. Raises StoreUnavailable."""
    return report_records(measured(open_store(settings)), SystemClock(), pack, from_environment(settings))


def _place(settings: Settings, pack: Pack, site_name: Callable[[], str]) -> Place:
    """For the certificate of an erasure. The address of a database may hold a password."""
    kind = settings.store.partition(":")[0].strip().lower()
    return Place(site_name, pack.pack_id, kind, overwrites=not kind.startswith("mongodb"))


def build_gallery_shard(settings: Settings, pack: Pack, index: int) -> GalleryIndex:
    """One of the `settings.gallery_shards` parts of the gallery, filled from the database."""
    shards = settings.gallery_shards
    folder = settings.data_dir / f"gallery-shard-{index}"
    with closing(open_store(settings)) as store:
        return _filled_gallery(
            settings.model_copy(update={"data_dir": folder}),
            pack,
            store,
            lambda template: shard_of(template.template_id, shards) == index,
        )


def _filled_gallery(
    settings: Settings, pack: Pack, store: Store, wanted: Callable[[Template], bool] = lambda template: True
) -> GalleryIndex:
    expected = store.count_templates().get(pack.pack_id, 0) // max(1, settings.gallery_shards)
    gallery = open_gallery(settings, pack.dimension, expected=expected, pack_id=pack.pack_id)
    gallery.replace(filter(wanted, live_templates(store, pack.pack_id)))
    log.info("gallery holds %d templates of pack %s", len(gallery), pack.pack_id)
    return gallery
