"""Plain words: what a test can hold of CONTRIBUTING's rules for docstrings, comments and the glossary."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import ROOT

#: The parts of the product that keep the rules: all of it.
ROOMS = ["lulu", "lulu_app.py", "pages"]

MOST_CHARACTERS = 100
MOST_WORDS = 25

#: Words with a meaning of their own in this project's past, or without a named subject; and what to write instead.
BANNED = {
    r"(who|whom|what|which)ever": "name the subject",
    r"nobody|somebody|someone": "name who: a person, the owner, a guest, a caller",
    r"told": "say what is reported, shown or passed, and by which part",
    r"hears|heard": "receives, is notified",
    r"rung": "notified",
    r"stands?|stood": "is",
    r"(let|lets|letting) go": "closes, releases, drops",
    r"(take|takes|took|taken) back": "deletes, revokes, reverts",
    r"(come|comes|came) in\b(?! (a|an|one|two|its|the|that|order)\b)": "arrives, signs in",
    r"what is left": "name it: the rest, the remaining processes",
    r"at once": "immediately, or at the same time",
    r"(its|a|the|their) moment": "say when",
    r"anew|afresh": "again",
    r"in vain": "without need, without result",
    r"nothing (where|when|if|unless|while|until|before|as long as)": "None, an empty list, an empty string",
    r"(or|else|otherwise|and|is|be|are) nothing(?= ?[.,;:)]|$)": "None, an empty list, an empty string",
}


def texts(source: str) -> Iterator[tuple[int, str]]:
    """Yield the line and the text of each docstring and comment."""
    yield from docstrings(source)
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string.lstrip("#: ")


def docstrings(source: str) -> Iterator[tuple[int, str]]:
    """Yield the line and the cleaned text of each docstring."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            text = ast.get_docstring(node)
            if text:
                yield node.body[0].lineno, text


def without_code(text: str) -> str:
    """Return a text with one word in the place of each piece of code."""
    return re.sub(r"``.+?``|`.+?`|\"[^\"]*\"", "code", text, flags=re.DOTALL)


def prose_of(document: str) -> str:
    """Return a document without tables, code and words in italics: those are quoted."""
    lines = [line for line in document.splitlines() if not line.startswith(("|", "    "))]
    return re.sub(r"(?<!\*)\*[^*]+\*(?!\*)", "quoted", "\n".join(lines))


def sentences(text: str) -> Iterator[str]:
    """Yield the sentences of a docstring. Indented blocks, lists and tables are no sentences."""
    prose = [line for line in text.splitlines() if not re.match(r"\s{2,}|\s*([-*]|\d+\.) |[|├└│]", line)]
    for paragraph in re.split(r"\n\s*\n", "\n".join(prose)):
        yield from re.split(r"(?<=[.!?:])\s+", " ".join(without_code(paragraph).split()))


def wrong_words(text: str) -> Iterator[str]:
    """Yield each banned expression of a text with what to write instead."""
    for words, instead in BANNED.items():
        for match in re.finditer(rf"\b({words})\b", without_code(" ".join(text.split())), re.IGNORECASE):
            yield f"“{match[0]}”: {instead}"


def wrong_first_line(text: str) -> Iterator[str]:
    """Yield what is wrong with the first line of a docstring."""
    first = text.splitlines()[0]
    if len(first) > MOST_CHARACTERS:
        yield f"the first line has {len(first)} characters"
    if not first.endswith((".", "!", "?", ":", "…")):
        yield "the first line is no whole sentence"
    if re.search(r",? \b(which|who|whom|whose)\b|, that\b", without_code(first)):
        yield "the first line has a relative clause"
    if re.match(r"(What|Who|Whose|Which|Where|How|Of)\b(?!.*\?$)", first):
        yield "the first line begins with neither a verb nor a noun"


def wrong(source: str) -> Iterator[str]:
    """Yield every fault of a module's docstrings and comments."""
    for line, text in texts(source):
        yield from (f"{line}: {fault}" for fault in wrong_words(text))
    for line, text in docstrings(source):
        yield from (f"{line}: {fault}" for fault in wrong_first_line(text))
        for sentence in sentences(text):
            if len(sentence.split()) > MOST_WORDS:
                yield f"{line}: {len(sentence.split())} words: {sentence}"


def files() -> list[Path]:
    """Return the modules that keep the rules."""
    return [path for room in ROOMS for path in sorted([*(ROOT / room).rglob("*.py")] or [ROOT / room])]


@pytest.mark.parametrize("path", files(), ids=lambda path: path.relative_to(ROOT).as_posix())
def test_docstrings_and_comments_are_plain(path: Path) -> None:
    assert list(wrong(path.read_text())) == []


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("Return the row. Nobody else may change it.", "“Nobody”"),
        ("Return the row, or nothing.", "“or nothing”"),
        ("Return the title; nothing where the session has none.", "“nothing where”"),
        ("Return the page that the reader was told of.", "“told”"),
        ("Return the value, which is a number.", "relative clause"),
        ("What a page shows.", "neither a verb nor a noun"),
        ("Return the value", "no whole sentence"),
        ("Return " + "x" * MOST_CHARACTERS + ".", "characters"),
        ("Return it.\n\nThis " + "very " * MOST_WORDS + "long.", "words"),
    ],
)
def test_a_fault_is_found(text: str, fault: str) -> None:
    faults = list(wrong(f'def answer() -> None:\n    """{text}"""\n'))

    assert any(fault in one for one in faults)


def test_a_banned_word_in_a_comment_is_found() -> None:
    assert list(wrong("value = 1  # nobody needs it\n"))


def test_code_and_plain_sentences_are_no_fault() -> None:
    source = 'def answer() -> None:\n    """Return `told` of each row with the state "at once".\n\n    Two lines."""\n'

    assert list(wrong(source)) == []


DOCUMENTS = sorted({*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")})


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_documents_are_plain(path: Path) -> None:
    assert list(wrong_words(prose_of(path.read_text()))) == []


def test_a_banned_word_in_a_document_is_found() -> None:
    assert list(wrong_words(prose_of("- The page is told.\n\n| told |\n"))) != []
    assert list(wrong_words(prose_of("Avoid words such as *told*.\n\n| told |\n    told\n"))) == []


def test_glossary_has_each_term_once_and_in_order() -> None:
    terms = re.findall(r"^\| \*\*(.+?)\*\* \|", (ROOT / "docs/glossary.md").read_text(), re.MULTILINE)

    assert len(terms) > 20
    assert terms == sorted(set(terms))
