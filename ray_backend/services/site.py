"""The site's settings: read by everybody at every use, changed by an admin, in force at once."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ray_backend.domain.errors import InvalidInput
from ray_backend.domain.site import FIELDS, SiteSettings, consent_version, with_changes
from ray_backend.ports import Clock, Store
from ray_backend.services.audit import Auditor
from ray_backend.services.reach import RememberedSettings

log = logging.getLogger(__name__)

KEY, CONSENT_TEXTS = "site", "site_consent/"
# What another process changed is seen within this time, and a little for the asking.
REFRESH_S = 1.5
_NO_MODELS = (
    "Looking at the picture itself needs models, and this Rollcall was started without any. Name their "
    "folder in ROLLCALL_LIVENESS_MODELS and start it again, or choose to ask for movements."
)


class SiteService:
    """What was changed in the app, over what the environment says. Safe to call from several threads."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        defaults: SiteSettings,
        remembered: RememberedSettings,
        *,
        liveness_models: bool,
        elapsed_s: Callable[[], float] = time.monotonic,
    ) -> None:
        """`remembered` has to hold `KEY`; `liveness_models` says whether passive liveness has any."""
        self._store = store
        self._defaults = defaults
        self._remembered = remembered
        self._liveness_models = liveness_models
        self._elapsed_s = elapsed_s
        self._audit = Auditor(store, clock)
        self._one_change = threading.Lock()
        self._one_look = threading.Lock()
        self._taking = threading.Lock()
        self._changes = 0
        self._kept_texts: set[str] = set()
        self._asked_at = elapsed_s()
        self._current = self._over_defaults(remembered.get_setting(KEY))

    def current(self) -> SiteSettings:
        """The settings in force. Costs nothing but a look at the database every other second; while that is
        away, the last known ones."""
        if self._elapsed_s() - self._asked_at > REFRESH_S and self._one_look.acquire(blocking=False):
            try:
                self._look()
            finally:
                self._one_look.release()
        return self._current

    def defaults(self) -> SiteSettings:
        """What is in force where nothing was changed in the app."""
        return self._defaults

    def changed_names(self) -> tuple[str, ...]:
        """The settings that were changed in the app, in their order."""
        stored = self._store.get_setting(KEY) or {}
        return tuple(name for name in FIELDS if name in stored)

    def has_liveness_models(self) -> bool:
        """Whether there are models that look at the picture itself."""
        return self._liveness_models

    def change(self, changes: Mapping[str, Any], *, actor: str) -> SiteSettings:
        """Sets all of these or none, and returns what is in force then.

        Raises InvalidInput. What is as it was before is not stored, so a default goes on to follow the
        environment.
        """
        with self._one_change:
            stored = dict(self._store.get_setting(KEY) or {})
            before = self._over_defaults(stored)
            after = with_changes(before, changes)
            self._refuse_without_models(before, after)
            # A consent text that came with the language is a default, too, and so is not stored.
            chosen = [name for name in _differing(before, after) if name in changes]
            return self._put(stored | {name: getattr(after, name) for name in chosen}, before, actor)

    def reset(self, names: Sequence[str], *, actor: str) -> SiteSettings:
        """Lets these follow the environment again. Raises InvalidInput."""
        for name in names:
            if name not in FIELDS:
                raise InvalidInput(f"There is no setting {name}.")
        with self._one_change:
            stored = dict(self._store.get_setting(KEY) or {})
            before = self._over_defaults(stored)
            left = {name: value for name, value in stored.items() if name not in names}
            self._refuse_without_models(before, self._over_defaults(left))
            return self._put(left, before, actor)

    def keep_consent_text(self) -> str:
        """Makes sure that the consent text in force can be shown later, and returns its version."""
        return self._keep(self.current().consent_text)

    def consent_text(self, version: str) -> str | None:
        """The text that has this version; None where nobody has agreed to it."""
        current = self.current()
        if version == current.consent_version:
            return current.consent_text
        return self._store.get_setting(CONSENT_TEXTS + version)

    def _put(self, stored: dict[str, Any], before: SiteSettings, actor: str) -> SiteSettings:
        after = self._over_defaults(stored)
        differing = _differing(before, after)
        if "consent_text" in differing:
            self._keep(before.consent_text)
            self._keep(after.consent_text)
        self._store.put_setting(KEY, stored or None)
        self._take(stored)
        self._audit.change(
            actor, "site.changed", "site", _audited(before, differing), _audited(after, differing)
        )
        return after

    def _keep(self, consent_text: str) -> str:
        version = consent_version(consent_text)
        if version not in self._kept_texts:
            self._store.pin_setting(CONSENT_TEXTS + version, consent_text)
            self._kept_texts.add(version)
        return version

    def _look(self) -> None:
        changes = self._changes
        stored = self._remembered.get_setting(KEY)
        with self._taking:
            # What was read may be older than a change that was made here meanwhile.
            if changes == self._changes:
                self._current = self._over_defaults(stored)
            self._asked_at = self._elapsed_s()

    def _take(self, stored: Mapping[str, Any]) -> None:
        with self._taking:
            self._changes += 1
            self._current = self._over_defaults(stored)
            self._remembered.remember(KEY, stored or None)

    def _over_defaults(self, stored: Mapping[str, Any] | None) -> SiteSettings:
        return over_defaults(self._defaults, stored)

    def _refuse_without_models(self, before: SiteSettings, after: SiteSettings) -> None:
        was, wanted = ((one.liveness, one.liveness_way) for one in (before, after))
        if wanted == was or after.liveness == "off" or after.liveness_way != "passive":
            return
        if not self._liveness_models:
            raise InvalidInput(_NO_MODELS)


def over_defaults(defaults: SiteSettings, stored: Mapping[str, Any] | None) -> SiteSettings:
    """The settings in force. One that this version does not understand is left out: nobody could mend it in
    the app."""
    settings = defaults
    for name, value in (stored or {}).items():
        try:
            settings = with_changes(settings, {name: value})
        except InvalidInput as error:
            log.warning("the stored setting %s is left out: %s", name, error.message)
    return settings


def _differing(before: SiteSettings, after: SiteSettings) -> list[str]:
    return [name for name in FIELDS if getattr(before, name) != getattr(after, name)]


def _audited(settings: SiteSettings, names: Sequence[str]) -> dict[str, Any]:
    """A consent text is told by its version: the log is no place for pages of text."""
    told = ("consent_version" if name == "consent_text" else name for name in names)
    return {name: getattr(settings, name) for name in told}
