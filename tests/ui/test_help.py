"""The explanations behind *Help*: the same in every language, and they name what the pages show."""

from __future__ import annotations

import re

import pytest
from babel.messages.pofile import read_po

from streamlit_app import help, i18n
from streamlit_app.views import corrections, import_punches, leave, rules
from tests.ui.conftest import page, words

PAGES = {"rules": rules, "corrections": corrections, "leave": leave, "punches": import_punches}
NAMED = re.compile(r"(?<!\*)\*([^*\n]+(?:\n[^*\n]+)?)\*(?!\*)")
PAGE = re.compile(r"\*\*([^*]+)\*\*")


def texts(code: str) -> set[str]:
    """Everything that the pages say in this language."""
    path = i18n.LOCALES / ("rollcall.pot" if code == "en" else f"{code}/LC_MESSAGES/rollcall.po")
    with path.open("rb") as file:
        known = [one for one in read_po(file) if one.id]
    return {str(one.id if code == "en" else one.string) for one in known}


@pytest.mark.parametrize("code", ["en", "de"])
def test_every_page_has_its_explanation(code):
    assert set(help.topics(code)) == set(PAGES)
    assert all(text.startswith("## ") and len(text) > 500 for text in help.topics(code).values())


def test_another_language_reads_english():
    assert help.text("rules", "fr") == help.topics("en")["rules"]


@pytest.mark.parametrize("code", ["en", "de"])
@pytest.mark.parametrize("topic", PAGES)
def test_what_it_names_is_on_the_pages(code, topic):
    """Texts in italics are labels, whole or up to where they are cut."""
    known = texts(code)
    named = {" ".join(one.split()) for one in NAMED.findall(PAGE.sub("", help.text(topic, code)))}
    assert named
    assert [one for one in named if not any(text.startswith(one) for text in known)] == []


@pytest.mark.parametrize("topic", PAGES)
def test_the_button_opens_it(backend, topic):
    test = page(PAGES[topic].render, backend).run()
    test.button(key=f"help-{topic}").click().run()
    assert not test.exception
    first = help.text(topic, "en").partition("\n")[2].strip().partition("\n")[0]
    assert first in words(test)
