"""The catalogues hold every text of the app, and the app holds no text that is in no catalogue."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.pofile import read_po

from scripts import translations
from streamlit_app.sentences import places

CATALOGUES = sorted(translations.LOCALES.glob("*/LC_MESSAGES/rollcall.po"))
SOURCES = sorted(path for path in (translations.ROOT / "streamlit_app").rglob("*.py"))
# Their texts are not in the catalogues yet: files may leave this list, none may join it.
NOT_DONE: set[str] = set()

SHOWS = {
    "badge", "button", "camera_input", "caption", "checkbox", "date_input", "dialog", "download_button",
    "error", "expander", "file_uploader", "form_submit_button", "header", "info", "link_button",
    "markdown", "metric", "multiselect", "number_input", "page_link", "pills", "popover", "progress",
    "radio", "segmented_control", "select_slider", "selectbox", "slider", "spinner", "status",
    "subheader", "success", "tabs", "text", "text_area", "text_input", "time_input", "title", "toast",
    "toggle", "warning", "write",
}  # fmt: skip
SHOWN_AS = {"label", "help", "placeholder", "caption", "captions", "title", "text", "body"}
# Signs, marks and names that are no words: icons, colours of a badge, Markdown, HTML.
NO_WORDS = re.compile(r":material/\w+:|:\w+-badge\[|<[^>]*>")


def catalogue(path: Path):
    with path.open("rb") as file:
        return read_po(file, locale=path.parts[-3])


def test_the_template_is_up_to_date():
    now = translations.as_bytes(translations.template())

    assert now == translations.POT.read_bytes(), "Texts were changed. Run: make translations"


@pytest.mark.parametrize("path", CATALOGUES, ids=lambda path: path.parts[-3])
def test_every_text_is_translated(path):
    known = catalogue(path)
    wanted = [text.id for text in translations.template() if text.id]

    assert translations.missing(known) == []
    assert [text for text in wanted if text not in known] == []


@pytest.mark.parametrize("path", CATALOGUES, ids=lambda path: path.parts[-3])
def test_translations_have_the_places_of_the_text(path):
    wrong = []
    for text in catalogue(path):
        one, many = (text.id, text.id) if isinstance(text.id, str) else text.id
        forms = (text.string,) if isinstance(text.string, str) else text.string
        if _fields(forms[-1]) != _fields(many) or not _fields(one) <= _fields(forms[0]) <= _fields(many):
            wrong.append(many)

    assert wrong == []


@pytest.mark.parametrize("path", CATALOGUES, ids=lambda path: path.parts[-3])
def test_each_number_has_all_forms_of_the_language(path):
    known = catalogue(path)

    assert [text.id for text in known if text.pluralizable and len(text.string) != known.num_plurals] == []


def test_there_is_a_german_catalogue():
    assert "de" in [path.parts[-3] for path in CATALOGUES]


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.relative_to(translations.ROOT).as_posix())
def test_what_a_page_shows_goes_through_a_catalogue(path):
    name = path.relative_to(translations.ROOT).as_posix()
    found = [] if name in NOT_DONE else list(literal_texts(ast.parse(path.read_text(encoding="utf-8"))))

    assert found == []


def test_only_files_with_texts_wait_to_be_done():
    for name in NOT_DONE:
        assert list(literal_texts(ast.parse((translations.ROOT / name).read_text(encoding="utf-8")))), name


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.relative_to(translations.ROOT).as_posix())
def test_texts_are_whole_and_literal(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    marks = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("_", "N_", "n_")
    ]
    pieced = [ast.unparse(node) for node in marks if isinstance(node.args[0], ast.JoinedStr | ast.BinOp)]
    hidden = [
        node.lineno
        for node in ast.walk(tree)
        if marks and isinstance(node, ast.Name) and node.id == "_" and isinstance(node.ctx, ast.Store)
    ]

    assert pieced == []
    assert hidden == [], "a variable _ takes the place of the function"


def test_a_literal_text_is_found():
    source = """
st.button("Save")
st.text_input(_("Name"), help=f"As {x} has it", placeholder="ada")
st.write(f"**{name}**", key="Key")
"""

    assert list(literal_texts(ast.parse(source))) == [(2, "Save"), (3, "As {} has it")]


def literal_texts(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Line and text of what is handed to Streamlit without a catalogue."""
    for call in ast.walk(tree):
        if not (isinstance(call, ast.Call) and getattr(call.func, "attr", "") in SHOWS):
            continue
        # `log.info` says nothing to whoever sits before a page.
        if getattr(call.func.value, "id", "") == "log":
            continue
        shown = [(given, False) for given in call.args[:1]]
        shown += [(word.value, word.arg == "placeholder") for word in call.keywords if word.arg in SHOWN_AS]
        for given, example in shown:
            for text in _texts(given):
                # An example of something typed, such as an address, is the same in every language.
                if not (example and " " not in text and text.islower()) and re.search(
                    r"[^\W\d_]{2}", NO_WORDS.sub("", text)
                ):
                    yield call.lineno, text


def _texts(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.JoinedStr):
        yield "".join(part.value if isinstance(part, ast.Constant) else "{}" for part in node.values)
    elif isinstance(node, ast.IfExp):
        yield from (*_texts(node.body), *_texts(node.orelse))
    elif isinstance(node, ast.List | ast.Tuple):
        for part in node.elts:
            yield from _texts(part)


def _fields(text: str) -> set[str]:
    return set(re.findall(r"\{[^{}]*\}", text)) if places(text) else set()
