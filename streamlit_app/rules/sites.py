"""Sites: clocks, who works there, holidays; and what kiosks and unplanned work go by."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from functools import cache
from zoneinfo import available_timezones

import pandas as pd
import streamlit as st
from babel import Locale

from ray_backend.client import Backend
from ray_backend.domain.model import new_id
from ray_backend.domain.worktime.schedule import Rulebook, Site
from ray_backend.services.rules import countries, holidays_of
from streamlit_app import deps
from streamlit_app import rule_words as words
from streamlit_app.i18n import _, day_words, language
from streamlit_app.rules import draft

_NEW = ""


@cache
def _zones() -> list[str]:
    return sorted(available_timezones())


def render(backend: Backend, book: Rulebook) -> None:
    """Which site, and what it is like."""
    st.caption(
        _("Without a site all people live by the installation's clock, and there are no public holidays.")
    )
    sites = {site.site_id: site for site in book.sites}
    chosen = st.selectbox(
        _("Site"), [_NEW, *sites], key="site-chosen",
        format_func=lambda one: sites[one].name if one else _("A new site"),
    )  # fmt: skip
    site = sites.get(chosen) or Site(_NEW, "", deps.site().time_zone)
    key = f"{chosen or 'new'}-{len(sites)}"
    made = _holidays(_place(backend, site, key), site, key)
    left, right = st.columns(2)
    if left.button(_("Take over"), type="primary", key=f"site-take-{key}"):
        kept = replace(made, site_id=made.site_id or new_id())
        sites[kept.site_id] = kept
        draft.put(backend, _("The site is in the draft. Save the rules when all is as it should be."),
                  lambda now: draft.with_parts(now, sites=tuple(sites.values())))  # fmt: skip
    if chosen and right.button(_("Remove this site"), icon=":material/delete:", key=f"site-remove-{key}"):
        others = tuple(one for one in book.sites if one.site_id != chosen)
        draft.put(backend, _("The site is taken out of the draft."),
                  lambda now: draft.with_parts(now, sites=others))  # fmt: skip


def _place(backend: Backend, site: Site, key: str) -> Site:
    left, right = st.columns(2)
    name = left.text_input(_("Name"), site.name, key=f"site-name-{key}")
    zone = right.selectbox(_("Time zone"), _zones(), index=_zones().index(site.zone), key=f"site-zone-{key}")
    departments = left.multiselect(
        _("Departments that work here"), sorted({*backend.people.departments(), *site.departments}),
        list(site.departments), accept_new_options=True, key=f"site-departments-{key}",
        help=_("People of departments that no site names belong to the first site."),
    )  # fmt: skip
    kiosks = {token.kiosk for token in backend.access.tokens()}
    here = right.multiselect(
        _("Kiosks that stand here"), sorted({*kiosks, *site.kiosks}), list(site.kiosks),
        accept_new_options=True, key=f"site-kiosks-{key}",
    )  # fmt: skip
    return replace(site, name=name.strip(), zone=zone, departments=tuple(departments), kiosks=tuple(here))


def _holidays(made: Site, site: Site, key: str) -> Site:
    known, names = countries(), Locale.parse(language()).territories
    codes = sorted(known, key=lambda code: names.get(code, code))
    left, right = st.columns(2)
    country = left.selectbox(
        _("Public holidays of"), [_NEW, *codes], index=[_NEW, *codes].index(site.country),
        format_func=lambda code: names.get(code, code) if code else _("None"), key=f"site-country-{key}",
    )  # fmt: skip
    regions = [_NEW, *known.get(country, [])]
    region = right.selectbox(
        _("Region"), regions, index=regions.index(site.region) if site.region in regions else 0,
        format_func=lambda code: code or _("The whole country"), key=f"site-region-{key}-{country}",
    )  # fmt: skip
    own = pd.DataFrame(sorted(site.own_holidays.items()), columns=["day", "name"]).astype({"name": str})
    st.caption(_("Own days off"))
    edited = st.data_editor(
        own.assign(day=pd.to_datetime(own["day"])), num_rows="dynamic", hide_index=True,
        key=f"site-days-{key}",
        column_config={
            "day": st.column_config.DateColumn(_("Day"), format="YYYY-MM-DD"),
            "name": st.column_config.TextColumn(_("Name")),
        },
    )  # fmt: skip
    days = words.days_of(edited.to_dict("records"))
    made = replace(made, country=country, region=region, own_holidays=days)
    _preview(made)
    return made


def _preview(site: Site) -> None:
    here = deps.site()
    year = datetime.now(here.zone).year
    known = holidays_of(site, [year], here.language)
    days = sorted((day, name) for day, name in known.items() if day.year == year)
    with st.expander(_("The days off of {year}: {number}", year=year, number=len(days))):
        st.table(
            [{_("Day"): day_words(day, "EEE d MMM y"), _("Name"): name} for day, name in days],
            border="horizontal", hide_index=True,
        )  # fmt: skip


def kiosks(backend: Backend, book: Rulebook) -> None:
    """Kiosks with a fixed direction, repetitions, and unplanned work."""
    names = sorted({token.kiosk for token in backend.access.tokens()} | set(book.kiosk_directions))
    by_name = {}
    st.subheader(_("Kiosks at which everybody goes one way"))
    if not names:
        st.caption(_("No kiosk is let in yet. Make one in the settings."))
    ways = [None, *words.DIRECTIONS]
    for name in names:
        way = st.radio(
            name, ways, index=ways.index(book.kiosk_directions.get(name)), horizontal=True,
            format_func=lambda one: _(words.DIRECTIONS[one]) if one else _("Either way"),
            key=f"kiosk-way-{name}",
        )  # fmt: skip
        if way is not None:
            by_name[name] = way
    st.subheader(_("Repetitions and unplanned work"))
    cooldown = st.number_input(
        _("Seconds in which another punch is a repetition"), 0, 3600, book.cooldown_s, key="rules-cooldown",
        help=_("It does not count, but stays visible."),
    )  # fmt: skip
    mode = st.radio(
        _("Work on a day off, or of people without a schedule"), list(words.MODES),
        index=list(words.MODES).index(book.unplanned.directions),
        format_func=lambda one: _(words.MODES[one]), key="unplanned-mode",
    )  # fmt: skip
    longest = st.number_input(
        _("It ends at the latest after (minutes)"), 1, 1440, book.unplanned.longest, key="unplanned-longest"
    )
    if st.button(_("Take over"), type="primary", key="rules-kiosks-take"):
        unplanned = replace(book.unplanned, directions=mode, longest=longest)
        draft.put(
            backend, _("This is in the draft. Save the rules when all is as it should be."),
            lambda now: draft.with_parts(
                now, kiosk_directions=by_name, cooldown_s=int(cooldown), unplanned=unplanned
            ),
        )  # fmt: skip
