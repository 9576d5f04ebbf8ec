"""The one gate to all use cases: the table of which role may call which, and what holds it.

Pages, the API and the actors reach the services through `Gate.call` only, so a use case that is missing in
`RULES` cannot be called at all.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ray_backend.domain.errors import Forbidden
from ray_backend.domain.permissions import Caller, Role
from ray_backend.services import export_scopes, scopes, worktime_scopes

if TYPE_CHECKING:
    from ray_backend.bootstrap import Records

# Runs a use case: caller, service, method, positional and named arguments.
Call = Callable[[Caller, str, str, tuple, dict], Any]


@dataclass(frozen=True, slots=True)
class Rule:
    """Which roles may call a use case; without any, Rollcall itself only. `narrow` and `cut` bind callers
    of some departments or of one kiosk; see `scopes`."""

    roles: frozenset[Role]
    narrow: scopes.Narrow | None = None
    cut: scopes.Cut | None = None


_SYSTEM: frozenset[Role] = frozenset()
_ADMIN = frozenset({Role.ADMIN})
_OFFICE = frozenset({Role.ADMIN, Role.MANAGER})
_ACCOUNTS = frozenset({Role.ADMIN, Role.MANAGER, Role.VIEWER})
_KIOSK = frozenset({Role.ADMIN, Role.KIOSK})
_RECOGNISE = frozenset({Role.ADMIN, Role.RECOGNIZER})
_STATE = frozenset(Role) - {Role.RECOGNIZER}
_EVERYBODY = frozenset(Role)

RULES: dict[str, Rule] = {
    "check_ins.check_in": Rule(_KIOSK, scopes.own_kiosk),
    "check_ins.punch_recognised": Rule(_KIOSK, scopes.own_kiosk),
    "check_ins.punch_by_code": Rule(_KIOSK, scopes.own_kiosk),
    "check_ins.dispute": Rule(_KIOSK, scopes.own_kiosk),
    "check_ins.note": Rule(_KIOSK, scopes.note_of_own_kiosk),
    "check_ins.look_alikes": Rule(_KIOSK),
    "check_ins.find_similar": Rule(_KIOSK),
    "check_ins.recognise": Rule(_RECOGNISE),
    "check_ins.record": Rule(_OFFICE, scopes.own_person),
    "enrolments.review": Rule(_ADMIN),
    "enrolments.check": Rule(_ADMIN),
    "enrolments.enrol": Rule(_ADMIN),
    "enrolments.add_photos": Rule(_ADMIN),
    "enrolments.add_template": Rule(_ADMIN),
    "people.find": Rule(_OFFICE, scopes.own_people),
    "people.find_rows": Rule(_OFFICE, scopes.own_people),
    "people.by_employee_id": Rule(_ACCOUNTS, cut=scopes.only_own_person),
    "people.details": Rule(_OFFICE, cut=scopes.only_own_details),
    "people.departments": Rule(_ACCOUNTS, cut=scopes.only_own_names),
    "people.update": Rule(_ADMIN),
    "people.set_active": Rule(_ADMIN),
    "people.set_code": Rule(_ADMIN),
    "people.remove_template": Rule(_ADMIN),
    "people.erase": Rule(_ADMIN),
    "merges.preview": Rule(_ADMIN),
    "merges.merge": Rule(_ADMIN),
    "merges.undo": Rule(_ADMIN),
    "merges.merged": Rule(_ADMIN),
    "person_file.read": Rule(_OFFICE, cut=scopes.only_own_file),
    "certificates.all": Rule(_ADMIN),
    "certificates.find": Rule(_ADMIN),
    "certificates.check": Rule(_ADMIN),
    "certificates.public_key": Rule(_ADMIN),
    "rules.current": Rule(_ACCOUNTS),
    "rules.version": Rule(_OFFICE),
    "rules.checked": Rule(_ADMIN),
    "rules.change": Rule(_ADMIN),
    "rule_trials.changes": Rule(_ADMIN),
    "corrections.request": Rule(_OFFICE, worktime_scopes.own_request),
    "corrections.open_dispute": Rule(_SYSTEM),
    "corrections.open_disputed": Rule(_SYSTEM),
    "corrections.punch": Rule(_OFFICE, worktime_scopes.own_correction),
    "corrections.decide": Rule(_OFFICE, worktime_scopes.own_correction),
    "corrections.withdraw": Rule(_OFFICE, worktime_scopes.own_correction),
    "corrections.add_manually": Rule(_OFFICE, worktime_scopes.own_people),
    "corrections.get": Rule(_OFFICE, worktime_scopes.own_correction),
    "corrections.attachment": Rule(_OFFICE, worktime_scopes.own_correction),
    "corrections.find": Rule(_OFFICE, worktime_scopes.narrowed_people),
    "corrections.between": Rule(_SYSTEM),
    "corrections.forget": Rule(_SYSTEM),
    "corrections.take_away": Rule(_SYSTEM),
    "leave.add": Rule(_OFFICE, worktime_scopes.own_leave),
    "leave.remove": Rule(_OFFICE, worktime_scopes.own_kept_leave),
    "leave.get": Rule(_OFFICE, worktime_scopes.own_kept_leave),
    "leave.forget": Rule(_SYSTEM),
    "leave.between": Rule(_OFFICE, worktime_scopes.narrowed_people),
    "timesheets.sheet": Rule(_ACCOUNTS, scopes.own_people),
    "timesheets.inside": Rule(_ACCOUNTS, scopes.own_people),
    "punch_trails.stories": Rule(_OFFICE, scopes.own_person),
    "punch_trails.trail": Rule(_ACCOUNTS, scopes.own_person, worktime_scopes.without_reasons),
    "kiosk_figures.figures": Rule(_ACCOUNTS),
    "report_files.begin": Rule(_ACCOUNTS),
    "report_files.state": Rule(_ACCOUNTS),
    "report_files.take": Rule(_ACCOUNTS),
    "report_files.make": Rule(_ACCOUNTS, scopes.own_people),
    "saved_filters.usable": Rule(_ACCOUNTS, cut=export_scopes.usable_filters),
    "saved_filters.save": Rule(_ACCOUNTS),
    "saved_filters.remove": Rule(_ACCOUNTS),
    "saved_filters.share": Rule(_ADMIN),
    "saved_filters.unshare": Rule(_ADMIN),
    "saved_filters.forget": Rule(_SYSTEM),
    "exports.ways": Rule(_OFFICE),
    "exports.all": Rule(_OFFICE, export_scopes.own_exports),
    "exports.get": Rule(_OFFICE, export_scopes.own_export),
    "exports.add": Rule(_OFFICE, export_scopes.own_departments),
    "exports.change": Rule(_OFFICE, export_scopes.own_export),
    "exports.switch_off": Rule(_OFFICE, export_scopes.own_export),
    "exports.switch_on": Rule(_OFFICE, export_scopes.own_export),
    "exports.remove": Rule(_OFFICE, export_scopes.own_export),
    "exports.send_now": Rule(_OFFICE, export_scopes.own_export),
    "exports.runs": Rule(_OFFICE, export_scopes.own_export),
    "exports.test_mail": Rule(_ADMIN),
    "exports.forget": Rule(_SYSTEM),
    "exports.start": Rule(_SYSTEM),
    "exports.stop": Rule(_SYSTEM),
    "exports.round": Rule(_SYSTEM),
    "reports.recent_punches": Rule(_ACCOUNTS, scopes.own_punches, scopes.without_addresses),
    "reports.today": Rule(_ACCOUNTS),
    "accounts.ensure_admin": Rule(_SYSTEM),
    "accounts.everybody": Rule(_ADMIN),
    "accounts.create": Rule(_ADMIN),
    "accounts.change": Rule(_ADMIN),
    "accounts.set_active": Rule(_ADMIN),
    "accounts.reset_password": Rule(_ADMIN),
    "sign_ins.sign_in": Rule(_SYSTEM),
    "sign_ins.by_provider": Rule(_SYSTEM),
    "sign_ins.who": Rule(_SYSTEM),
    "sign_ins.sign_out": Rule(_SYSTEM),
    "sign_ins.sign_out_everywhere": Rule(_ACCOUNTS),
    "sign_ins.own_account": Rule(_ACCOUNTS),
    "sign_ins.change_password": Rule(_ACCOUNTS),
    "audit_log.find": Rule(_ADMIN),
    "audit_log.export": Rule(_ADMIN),
    "access.verify_token": Rule(frozenset({Role.KIOSK})),
    "access.verify_key": Rule(_SYSTEM),
    "access.issue_token": Rule(_ADMIN),
    "access.issue_key": Rule(_ADMIN),
    "access.tokens": Rule(_ADMIN),
    "access.api_keys": Rule(_ADMIN),
    "access.revoke_token": Rule(_ADMIN),
    "overview.overview": Rule(_STATE),
    "overview.gallery": Rule(_STATE),
    "overview.ready": Rule(_STATE),
    "overview.state": Rule(_STATE),
    "overview.away": Rule(_STATE),
    "overview.stored_templates": Rule(_STATE),
    "overview.journal_depth": Rule(_STATE),
    "calibration.start": Rule(_ADMIN),
    "calibration.state": Rule(_ADMIN),
    "calibration.measure": Rule(_ADMIN),
    "calibration.forget": Rule(_SYSTEM),
    "groups.record_present": Rule(_ADMIN),
    "enrolments.enrol_faces": Rule(_SYSTEM),
    "enrolments.add_faces": Rule(_SYSTEM),
    "unknown.note": Rule(_KIOSK, scopes.note_of_own_kiosk),
    "unknown.cards": Rule(_ADMIN),
    "unknown.faces": Rule(_ADMIN),
    "unknown.assign": Rule(_ADMIN),
    "unknown.enrol": Rule(_ADMIN),
    "unknown.not_them": Rule(_ADMIN),
    "unknown.ignore": Rule(_ADMIN),
    "unknown.merge": Rule(_ADMIN),
    "unknown.delete": Rule(_ADMIN),
    "imports.known": Rule(_ADMIN),
    "imports.begin_rehearsal": Rule(_ADMIN),
    "imports.end_rehearsal": Rule(_ADMIN),
    "imports.take": Rule(_ADMIN),
    "imports.finished": Rule(_ADMIN),
    "cluster.status": Rule(_ADMIN),
    "cluster.history": Rule(_ADMIN),
    "beside.current": Rule(_ADMIN),
    "beside.state": Rule(_ADMIN),
    "beside.put": Rule(_SYSTEM),
    "beside.end": Rule(_SYSTEM),
    "beside.missing": Rule(_SYSTEM),
    "beside.sources": Rule(_SYSTEM),
    "beside.add": Rule(_SYSTEM),
    "beside.recognise": Rule(_RECOGNISE),
    "beside.forget": Rule(_SYSTEM),
    "site.current": Rule(_EVERYBODY),
    "site.defaults": Rule(_ADMIN),
    "site.changed_names": Rule(_ADMIN),
    "site.has_liveness_models": Rule(_ADMIN),
    "site.change": Rule(_ADMIN),
    "site.reset": Rule(_ADMIN),
    "site.keep_consent_text": Rule(_ADMIN),
    "site.consent_text": Rule(_ADMIN),
    "retention.due": Rule(_ADMIN),
    "retention.last": Rule(_ADMIN),
    "retention.sweep": Rule(_SYSTEM),
    "retention.wipe": Rule(_SYSTEM),
    "retention.sweep_agreed": Rule(_ADMIN),
    "punch_imports.take": Rule(_ADMIN),
    "shift_feeds.issue": Rule(_OFFICE, scopes.own_person),
    "shift_feeds.revoke": Rule(_OFFICE, scopes.own_person),
    "shift_feeds.calendar": Rule(_OFFICE, scopes.own_person),
    "shift_feeds.by_secret": Rule(_SYSTEM),
    "webhooks.hooks": Rule(_ADMIN),
    "webhooks.add": Rule(_ADMIN),
    "webhooks.remove": Rule(_ADMIN),
    "webhooks.test": Rule(_ADMIN),
    "webhooks.messages": Rule(_ADMIN),
    "webhooks.replay": Rule(_ADMIN),
    "webhooks.replay_dead": Rule(_ADMIN),
    "webhooks.start": Rule(_SYSTEM),
    "webhooks.stop": Rule(_SYSTEM),
}
# Whoever still has the password that an administrator saw may do this and nothing else.
_WITH_A_FIRST_PASSWORD = frozenset({"sign_ins.change_password", "sign_ins.own_account"})
SERVICES = tuple(dict.fromkeys(name.partition(".")[0] for name in RULES))


class Gate:
    """Holds the rules over the services of one `Records`. Safe to call from several threads."""

    def __init__(self, records: Records) -> None:
        self._records = records
        self._signatures: dict[str, inspect.Signature] = {}

    def call(self, caller: Caller, service: str, method: str, args: tuple, kwargs: dict) -> Any:
        """Runs a use case as this caller, who is named as its `actor` if it has one.

        Raises Forbidden, WrongCredentials when the caller's session has ended, and what the use case raises.
        """
        name = f"{service}.{method}"
        if caller.session:
            caller = self._present(caller.session, name)
        rule = admit(caller, name)
        use_case = getattr(getattr(self._records, service), method)
        if caller.is_system:
            return use_case(*args, **kwargs)
        arguments = self._named(name, use_case, args, kwargs, caller)
        if rule.narrow is not None:
            rule.narrow(self._records, caller, arguments.arguments)
        answer = use_case(*arguments.args, **arguments.kwargs)
        return answer if rule.cut is None else rule.cut(caller, answer)

    def present(self, caller: Caller, service: str, method: str) -> Caller:
        """The caller as a gate without sessions may trust them to be, for this one call.

        Raises Forbidden, and WrongCredentials when the caller's session has ended.
        """
        name = f"{service}.{method}"
        if caller.session:
            caller = self._present(caller.session, name)
        admit(caller, name)
        return replace(caller, session="")

    def _present(self, session: str, name: str) -> Caller:
        account = self._records.sign_ins.who(session)
        if account.must_change_password and name not in _WITH_A_FIRST_PASSWORD:
            raise Forbidden("Choose a password of your own first.")
        return account.caller

    def _named(
        self, name: str, use_case: Callable, args: tuple, kwargs: dict, caller: Caller
    ) -> inspect.BoundArguments:
        signature = self._signatures.get(name)
        if signature is None:
            signature = self._signatures[name] = inspect.signature(use_case)
        if "actor" in signature.parameters:
            kwargs = kwargs | {"actor": caller.name}
        return signature.bind(*args, **kwargs)


class GatedService:
    """Looks like one service; each of its methods is called as one caller."""

    def __init__(self, call: Call, caller: Caller, service: str) -> None:
        self._call = call
        self._caller = caller
        self._service = service

    def __getattr__(self, method: str) -> Callable:
        if method.startswith("_"):
            raise AttributeError(method)
        return lambda *args, **kwargs: self._call(self._caller, self._service, method, args, kwargs)


def admit(caller: Caller, name: str) -> Rule:
    """The rule of the use case `service.method`. Raises Forbidden for whom it is not."""
    rule = RULES.get(name)
    if rule is None:
        raise Forbidden(f"There is no use case {name}.")
    if not caller.is_system and caller.role not in rule.roles:
        raise Forbidden(f"The role {caller.role.value} may not do this.")
    return rule


def may(caller: Caller, names: Iterable[str]) -> bool:
    """Whether the caller may call all these use cases."""
    return caller.is_system or all(caller.role in RULES[name].roles for name in names)
