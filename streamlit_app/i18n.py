"""The language of what people read: whole sentences, from `locales/<language>/LC_MESSAGES/rollcall.po`.

    from streamlit_app.i18n import N_, _, n_

    st.button(_("Save"))
    st.write(_("Signed in as **{name}**", name=account.name))       # places are named, and filled in here
    n_("{number} photo", "{number} photos", len(photos))            # `number` is filled in by itself
    FIXES = {Issue.DARK: N_("More light, please")}                  # a constant is only marked ...
    st.write(_(FIXES[issue]))                                       # ... and translated when it is shown
    st.error(message(error))                                        # what the backend says

The texts in the program are English, and stand there whole and literally, never put together from pieces and
never as an f-string, so that `make translations` finds them. A file that imports `_` has no variable `_`.
"""

from __future__ import annotations

import gettext
import io
import re
import string
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import streamlit as st
from babel import Locale
from babel.dates import format_date
from babel.messages.catalog import Catalog, Message
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from streamlit.runtime.scriptrunner import get_script_run_ctx

from ray_backend.domain.errors import RollcallError
from streamlit_app.sentences import Sentences

LOCALES = Path(__file__).parent / "locales"
ENGLISH = "en"
# Under this key a session of the browser keeps the language of its pages.
_SHOWN = "language_shown"
_NARROW_SPACE = "\u202f"
_THOUSANDS = re.compile(r"\d{1,3}(,\d{3})+")
_fixed: ContextVar[str | None] = ContextVar("language", default=None)
_site_language: Callable[[], str] = lambda: ENGLISH  # noqa: E731


def _(text: str, /, **values: Any) -> str:
    """The text in the reader's language, English where there is none, with `{name}` filled in."""
    # To gettext, nothing is the name of what heads a catalogue.
    return _filled(_texts(language()).gettext(text), text, values) if text else text


def n_(one: str, many: str, number: float, /, **values: Any) -> str:
    """The text for one or for many in the reader's language; `{number}` is filled in, too."""
    values["number"] = number
    english = one if number == 1 else many
    return _filled(_texts(language()).ngettext(one, many, number), english, values)


def N_(text: str, /) -> str:
    """Marks a text that is translated where it is shown, and returns it as it is."""
    return text


def message(said: RollcallError | str) -> str:
    """What the backend says, which is always English, in the reader's language.

    A sentence with values in it is recognised by the words around them.
    """
    english = said.message if isinstance(said, RollcallError) else said
    texts = _texts(language())
    found = texts.backend.fit(english)
    if found is None:
        return english
    template, values = found
    known = {name: _value(texts, value) for name, value in values.items()}
    return _filled(texts.gettext(template), template, known)


def day_words(day: date, pattern: str) -> str:
    """A day with names of weekdays and months; `pattern` is CLDR's, such as `EEE dd MMM y`."""
    return format_date(day, pattern, locale=language())


def language() -> str:
    """The language of who reads this: of `in_language`, of the present page, or else the site's."""
    fixed = _fixed.get()
    if fixed is not None:
        return fixed
    if get_script_run_ctx(suppress_warning=True) is not None and _SHOWN in st.session_state:
        return st.session_state[_SHOWN]
    return _site_language()


@cache
def languages() -> dict[str, str]:
    """The languages that there are texts for, each by its own name."""
    codes = [ENGLISH, *sorted(path.parts[-3] for path in LOCALES.glob("*/LC_MESSAGES/rollcall.po"))]
    return {code: Locale.parse(code).get_display_name(code).capitalize() for code in codes}


def show_page_in(wanted: str) -> None:
    """The language of the page from here on, and of its fragments that run by themselves."""
    st.session_state[_SHOWN] = wanted


def follow(site_language: Callable[[], str]) -> None:
    """Where to ask for the site's language, which counts where nobody has chosen another one."""
    global _site_language
    _site_language = site_language


@contextmanager
def in_language(wanted: str) -> Iterator[None]:
    """Everything that is said in here is in this language."""
    token = _fixed.set(wanted)
    try:
        yield
    finally:
        _fixed.reset(token)


def _value(texts: _Texts, value: str) -> str:
    """What stands in a sentence of the backend: a word of `backend_words`, a number, or a name."""
    if _THOUSANDS.fullmatch(value) and language() != ENGLISH:
        return value.replace(",", _NARROW_SPACE)
    return texts.gettext(value) if value else value


def _filled(translated: str, english: str, values: dict[str, Any]) -> str:
    if not values:
        return translated
    try:
        return _FILL.vformat(translated, (), values)
    except (KeyError, IndexError, ValueError):
        return _FILL.vformat(english, (), values)  # a place was spoilt in the translation


class _Fill(string.Formatter):
    """Takes a narrow space for the thousands outside English, where a comma may mean decimals."""

    def format_field(self, value: Any, spec: str) -> str:
        text = super().format_field(value, spec)
        return text.replace(",", _NARROW_SPACE) if "," in spec and language() != ENGLISH else text


_FILL = _Fill()


class _Texts:
    """The texts of one language, and the templates of what the backend says."""

    def __init__(self, catalogue: Catalog) -> None:
        compiled = io.BytesIO()
        write_mo(compiled, catalogue)  # leaves out what is doubtful (fuzzy)
        compiled.seek(0)
        translations = gettext.GNUTranslations(compiled)
        self.gettext, self.ngettext = translations.gettext, translations.ngettext
        self.backend = Sentences(one.id for one in catalogue if one.id and from_backend(one))


def from_backend(text: Message) -> bool:
    """Whether a text of a catalogue is a sentence of the backend."""
    return any(path.startswith("ray_backend/") for path, _line in text.locations)


@cache
def _texts(code: str) -> _Texts:
    path = LOCALES / code / "LC_MESSAGES" / "rollcall.po"
    if code == ENGLISH or not path.is_file():
        return _Texts(Catalog(locale=ENGLISH))
    with path.open("rb") as file:
        return _Texts(read_po(file, locale=code))
