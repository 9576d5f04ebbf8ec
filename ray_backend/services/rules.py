"""The rules of working time as the site keeps them: read at every use, changed as a whole, versioned."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import date
from functools import cache
from zoneinfo import available_timezones

import holidays
from pydantic import TypeAdapter

from ray_backend.domain.errors import Conflict, InvalidInput
from ray_backend.domain.worktime.schedule import Rulebook, Site
from ray_backend.ports import Clock, Store
from ray_backend.services.audit import Auditor
from ray_backend.services.reach import KeepsSettings

KEY, HISTORY = "worktime/rules", "worktime/rules/"
_BOOK = TypeAdapter(Rulebook)
# Holidays are worked out for years around those that reports may ask for.
_YEARS_BEFORE, _YEARS_AFTER = 5, 2
_ENGLISH = "en"
_CHANGED_MEANWHILE = "Somebody else changed the rules meanwhile. Look at them and try again."


class RuleService:
    """Keeps the rulebook in the database. A change of it changes what past punches come to, too.

    Safe to call from several threads; others' changes are seen at the next call.
    """

    def __init__(
        self,
        store: Store,
        clock: Clock,
        remembered: KeepsSettings | None = None,
        language: Callable[[], str] = lambda: _ENGLISH,
    ) -> None:
        """`remembered` reads settings while the database is away; it has to hold `KEY`. `language` is that of
        the names of holidays, asked at every use."""
        self._store = store
        self._remembered = remembered or store
        self._clock = clock
        self._audit = Auditor(store, clock)
        self._language = language
        self._one_change = threading.Lock()
        self._known: tuple[tuple[int, int, str], Rulebook] | None = None

    def current(self) -> Rulebook:
        """The rules in force, with the holidays of their sites. Without any: nobody has a schedule."""
        stored = self._remembered.get_setting(KEY)
        key = ((stored or {}).get("version", 0), self._clock.now().year, self._language())
        known = self._known
        if known is None or known[0] != key:
            book = _BOOK.validate_python(stored) if stored else Rulebook()
            known = self._known = (key, self._with_holidays(book))
        return known[1]

    def version(self, number: int) -> Rulebook:
        """The rules as they were in an earlier version. Raises InvalidInput where there was none."""
        stored = self._store.get_setting(f"{HISTORY}{number}")
        if stored is None:
            raise InvalidInput(f"There is no version {number} of the rules.")
        return self._with_holidays(_BOOK.validate_python(stored))

    def checked(self, book: Rulebook) -> Rulebook:
        """The rules as they would count, to be tried before they are kept. Raises InvalidInput."""
        for site in book.sites:
            _check_site(site)
        return self._with_holidays(book.checked())

    def change(self, book: Rulebook, *, actor: str) -> Rulebook:
        """Keeps these rules as the next version. `book.version` has to be the one in force.

        Raises InvalidInput, and Conflict when somebody else changed them meanwhile.
        """
        checked = self.checked(book)
        with self._one_change:
            before = self.current()
            if book.version != before.version:
                raise Conflict(_CHANGED_MEANWHILE)
            after = replace(checked, version=before.version + 1)
            plain = _BOOK.dump_python(replace(after, holidays={}), mode="json")
            self._store.put_setting(f"{HISTORY}{after.version}", plain)
            self._store.put_setting(KEY, plain)
            self._audit.record(
                actor, "rules.changed", str(after.version), changed=_parts_changed(before, after)
            )
        return after

    def _with_holidays(self, book: Rulebook) -> Rulebook:
        return with_holidays(book, self._clock.now().year, self._language())


def with_holidays(book: Rulebook, year: int, language: str = _ENGLISH) -> Rulebook:
    """The rules with each site's holidays of the years around `year`, by their names in this language."""
    years = range(year - _YEARS_BEFORE, year + _YEARS_AFTER + 1)
    found = {site.site_id: holidays_of(site, years, language) for site in book.sites}
    return replace(book, holidays=found)


def holidays_of(site: Site, years: Iterable[int], language: str = _ENGLISH) -> dict[date, str]:
    """Public holidays of the site's country and region by the `holidays` library, and the site's own.

    Where their names are not known in the language, they are English, or else the country's own.
    """
    public = {}
    if site.country:
        spoken = _spoken(site.country, language)
        public = dict(
            holidays.country_holidays(site.country, subdiv=site.region or None, years=years, language=spoken)
        )
    return public | dict(site.own_holidays)


def _spoken(country: str, language: str) -> str | None:
    """The library's name of this language, or of English, for the country; None: it has neither."""
    known = _languages().get(country, [])
    for wanted in (language, _ENGLISH):
        among = [one for one in known if one.partition("_")[0] == wanted]
        if among:
            return next((one for one in (wanted, f"{wanted}_{country}") if one in among), among[-1])
    return None


@cache
def _languages() -> dict[str, list[str]]:
    return holidays.list_localized_countries()


def countries() -> dict[str, list[str]]:
    """The codes of countries whose holidays are known, each with the codes of its regions."""
    return holidays.list_supported_countries()


def _check_site(site: Site) -> None:
    if not site.name.strip():
        raise InvalidInput("Give the site a name.")
    if site.zone not in available_timezones():
        raise InvalidInput(f"{site.zone!r} is no time zone name such as Europe/Berlin.")
    known = countries()
    if site.country and site.country not in known:
        raise InvalidInput(f"The holidays of {site.country} are not known. Choose a country of the list.")
    if site.region and site.region not in known.get(site.country, []):
        raise InvalidInput(f"{site.region} is no region of {site.country}. Choose one of the list.")


def _parts_changed(before: Rulebook, after: Rulebook) -> list[str]:
    parts = ("shifts", "assignments", "sites", "unplanned", "cooldown_s", "kiosk_directions")
    return [name for name in parts if getattr(before, name) != getattr(after, name)]
