"""Collects the texts that people read, and brings the translations up to date: `make translations`.

Texts of the pages stand in calls of `_`, `N_` and `n_`. What the backend says stands there as plain English
sentences; one with values in it becomes a template with a place for each, named after what is put in.
"""

from __future__ import annotations

import ast
import io
import sys
from collections.abc import Iterator
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).parents[1]
LOCALES = ROOT / "streamlit_app" / "locales"
POT = LOCALES / "rollcall.pot"
PAGES = "streamlit_app"
# Where the sentences are that reach a page. What only operators of the server read stays English.
BACKEND = (
    "ray_backend/domain",
    "ray_backend/services",
    "ray_backend/storage",
    "ray_backend/serving/batcher.py",
    "ray_backend/serving/connection.py",
    "ray_backend/serving/handles.py",
    "ray_backend/vision/images.py",
)
# Texts of record: each stands there in every language.
_NOT_TRANSLATED = {"ray_backend/domain/consent.py", "ray_backend/domain/reporting/texts.py"}
_MARKS = ("_", "N_", "n_")
_HEADER = "# Rollcall's texts. See docs/translations.md."
_LEFT_OUT = tuple(
    f'"{name}'.encode()
    for name in (
        "POT-Creation-Date", "PO-Revision-Date", "Project-Id-Version", "Report-Msgid-Bugs-To",
        "Last-Translator", "Language-Team", "Generated-By",
    )
)  # fmt: skip

Text = str | tuple[str, str]


def template() -> Catalog:
    """All texts, sorted, without translations."""
    found: dict[Text, set[str]] = {}
    for name in _files(PAGES):
        for text in page_texts((ROOT / name).read_text(encoding="utf-8")):
            found.setdefault(text, set()).add(name)
    for name in (name for place in BACKEND for name in _files(place)):
        for text in backend_sentences((ROOT / name).read_text(encoding="utf-8")):
            found.setdefault(text, set()).add(name)
    catalogue = Catalog(header_comment=_HEADER, charset="utf-8", fuzzy=False)
    for text, places in sorted(found.items(), key=lambda each: (sorted(each[1]), str(each[0]))):
        catalogue.add(text, locations=[(place, None) for place in sorted(places)])
    return catalogue


def page_texts(source: str) -> Iterator[Text]:
    """The texts that a page's source marks."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in _MARKS:
            texts = [arg.value for arg in node.args[:2] if _is_text(arg)]
            if node.func.id == "n_" and len(texts) == 2:
                yield texts[0], texts[1]
            elif node.func.id != "n_" and texts:
                yield texts[0]


def backend_sentences(source: str) -> Iterator[str]:
    """Sentences and templates of sentences, in no order."""
    tree = ast.parse(source)
    parts = {
        id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in ast.walk(node)
    }
    parts |= {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            text = _as_template(node)
        elif _is_text(node) and id(node) not in parts:
            text = node.value
        else:
            continue
        if _is_sentence(text):
            yield text


def as_bytes(catalogue: Catalog) -> bytes:
    """A catalogue as it is kept: no dates and no line numbers, which change with every edit."""
    out = io.BytesIO()
    write_po(out, catalogue, width=110, omit_header=False, include_lineno=False, ignore_obsolete=True)
    lines = out.getvalue().split(b"\n")
    return b"\n".join(line for line in lines if not line.startswith(_LEFT_OUT))


def updated(path: Path, texts: Catalog) -> Catalog:
    """The translations of a language for today's texts; what is new has none."""
    language = path.parts[-3]
    with path.open("rb") as file:
        catalogue = read_po(file, locale=language)
    catalogue.header_comment = _HEADER
    catalogue.update(texts, no_fuzzy_matching=True, update_header_comment=False)
    return catalogue


def missing(catalogue: Catalog) -> list[Text]:
    """The texts without a translation, or with a doubtful one."""
    return [one.id for one in catalogue if one.id and (one.fuzzy or not all(_forms(one.string)))]


def main() -> None:
    """Writes the template and every language's file, and says what is still to be translated."""
    texts = template()
    POT.write_bytes(as_bytes(texts))
    print(f"{len(texts)} texts in {POT.relative_to(ROOT)}")
    for path in sorted(LOCALES.glob("*/LC_MESSAGES/rollcall.po")):
        catalogue = updated(path, texts)
        path.write_bytes(as_bytes(catalogue))
        print(f"{path.relative_to(ROOT)}: {len(missing(catalogue))} to be translated")


def _files(place: str) -> list[str]:
    root = ROOT / place
    paths = [root] if root.is_file() else sorted(root.rglob("*.py"))
    names = [path.relative_to(ROOT).as_posix() for path in paths]
    return [name for name in names if name not in _NOT_TRANSLATED]


def _is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def _is_sentence(text: str) -> bool:
    return text.endswith(".") and " " in text and "%" not in text and (text[0] == "{" or text[0].isupper())


def _as_template(joined: ast.JoinedStr) -> str:
    text, places = "", {}
    for part in joined.values:
        if isinstance(part, ast.Constant):
            text += part.value.replace("{", "{{").replace("}", "}}")
            continue
        wanted, number = _name(part.value), 1
        while places.setdefault(name := wanted if number == 1 else f"{wanted}{number}", part) is not part:
            number += 1
        text += f"{{{name}}}"
    return text


def _name(value: ast.AST) -> str:
    """The last name of an expression: `person.employee_id` is put in at `{employee_id}`."""
    match value:
        case ast.Name(id=name):
            return name.strip("_").lower()
        case ast.Attribute(attr=name):
            return name.strip("_")
        case ast.Call(args=[first, *_rest]):
            return _name(first)
        case ast.Call(func=called):
            return _name(called)
        case ast.Subscript(value=_of, slice=ast.Constant(value=str(name))):
            return name
        case ast.BinOp(left=left):
            return _name(left)
        case ast.Subscript(value=of) | ast.UnaryOp(operand=of):
            return _name(of)
    return "value"


def _forms(string: str | tuple[str, ...] | None) -> tuple[str, ...]:
    return string if isinstance(string, tuple) else (string or "",)


if __name__ == "__main__":
    sys.exit(main())
