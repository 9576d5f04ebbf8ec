"""Finds the template that a finished sentence was made from, and the values in it."""

from __future__ import annotations

import re
from collections.abc import Iterable

_PLACE = re.compile(r"\{(\w+)[^{}]*\}")


class Sentences:
    """Templates such as "There is no person {employee_id}.", those with the longest literal text first."""

    def __init__(self, templates: Iterable[str]) -> None:
        templates = list(templates)
        self._exact = {text for text in templates if not _PLACE.search(text)}
        with_places = sorted((text for text in templates if _PLACE.search(text)), key=_literal, reverse=True)
        self._patterns = [(text, _pattern(text)) for text in with_places if _literal(text)]

    def fit(self, sentence: str) -> tuple[str, dict[str, str]] | None:
        """The template and its values as texts; None when no template fits."""
        if sentence in self._exact:
            return sentence, {}
        for template, pattern in self._patterns:
            found = pattern.fullmatch(sentence)
            if found:
                return template, found.groupdict()
        return None


def places(template: str) -> list[str]:
    """The names of the places, in their order."""
    return _PLACE.findall(template)


def _literal(template: str) -> int:
    """How many letters the template itself has."""
    return sum(sign.isalpha() for sign in _PLACE.sub("", template))


def _pattern(template: str) -> re.Pattern[str]:
    """Each place takes any text; one that comes twice takes the same text again."""
    parts, seen, end = [], set(), 0
    for place in _PLACE.finditer(template):
        name = place.group(1)
        parts += [
            re.escape(template[end : place.start()]),
            f"(?P={name})" if name in seen else f"(?P<{name}>.*?)",
        ]
        seen.add(name)
        end = place.end()
    return re.compile("".join([*parts, re.escape(template[end:])]), re.DOTALL)
