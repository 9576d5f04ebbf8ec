"""A language in which each text says that it was translated, so that one that was not stands out."""

from __future__ import annotations

import re
from collections.abc import Iterator

from google.protobuf.message import Message
from streamlit.testing.v1 import AppTest

from streamlit_app import i18n

OPEN, CLOSE = "⟦", "⟧"
# What people read in the messages that a page is made of; and what stands in a table.
_READ = {"label", "help", "placeholder", "body", "options", "captions", "alt", "caption", "text", "title"}
_INNERMOST = re.compile(f"{OPEN}[^{OPEN}{CLOSE}]*{CLOSE}")
_NO_TEXT = re.compile(r"<style.*?</style>|<[^>]*>|:material/\w+:|:\w+-badge\[|data:image[^\s\"]*", re.DOTALL)
_HIDDEN = re.compile(r'(?:alt|aria-label)="([^"]*)"')
_LETTERS = re.compile(r"[^\W\d_]{2,}")


class Pseudo:
    """In place of a catalogue."""

    class backend:
        """Every sentence of the backend is a template of its own."""

        @staticmethod
        def fit(sentence: str) -> tuple[str, dict[str, str]]:
            return sentence, {}

    @staticmethod
    def gettext(text: str) -> str:
        return f"{OPEN}{text}{CLOSE}"

    @staticmethod
    def ngettext(one: str, many: str, number: float) -> str:
        return f"{OPEN}{one if number == 1 else many}{CLOSE}"


def speak(monkeypatch) -> None:
    """From here on every text is translated into it."""
    monkeypatch.setattr(i18n, "_texts", lambda code: Pseudo)


def english(test: AppTest, *data: str) -> set[str]:
    """What stands on the page and never went through a catalogue; `data` are words that need not."""
    assert not test.exception, test.exception[0].value
    left = {_without(text, data) for text in _texts(test)}
    return {text.strip() for text in left if _LETTERS.search(text)}


def _without(text: str, data: tuple[str, ...]) -> str:
    text = _NO_TEXT.sub(" ", text)
    while _INNERMOST.search(text):
        text = _INNERMOST.sub("", text)
    for word in sorted(data, key=len, reverse=True):
        text = text.replace(word, "")
    return text


def _texts(test: AppTest) -> Iterator[str]:
    for node in test._tree:
        if node.type in ("arrow_data_frame", "arrow_table", "table"):
            yield from map(str, node.value.columns)
            yield from (str(cell) for row in node.value.to_numpy() for cell in row)
        elif getattr(node, "proto", None) is not None:
            yield from _read(node.proto)


def _read(proto: Message) -> Iterator[str]:
    """What people read in a message of Streamlit's and in those inside it."""
    for field, value in proto.ListFields():
        for one in [value] if isinstance(value, str | bytes | Message) else _many(value):
            if isinstance(one, Message):
                yield from _read(one)
            elif isinstance(one, str) and field.name in _READ:
                yield one
                yield from _HIDDEN.findall(one)


def _many(value: object) -> list[object]:
    return list(value) if hasattr(value, "__iter__") and not hasattr(value, "keys") else []
