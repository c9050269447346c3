"""Text on its way to the page: nothing raises, everything can be sent, code keeps its letters.

That nothing is obeyed shows only in a browser: tests/e2e/test_edge.py.
"""

from __future__ import annotations

import re
import time
from collections.abc import Sequence

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from lulu.text import labels, markdown
from lulu.text import plain as plain_text
from lulu.text.labels import cut, one_line, safe_badge, safe_label, safe_markdown
from lulu.text.plain import plain

#: Any text, broken surrogates and control characters included.
ANYTHING = st.text(st.characters(codec=None), max_size=300)
#: Text that is rich in what markdown, Streamlit and terminals obey.
MARKED = st.lists(
    st.sampled_from(
        [
            *"\\`*_{}[]()#+-.!|<>&:~$@^\"'=/ \n\t\x1b\x00\u202e",
            "![", "](", "http://x.y/z", "www.x.y", "a@b.c", ":red[", ":smile:", ":material/home:", "$$", "```", "~~~",
            "    ", "\n\n", "- ", "1. ", "> ", "| a | b |\n|---|---|\n", "[r]: http://x.y\n", "<b>", "<!--", "&#58;",
            "javascript:", "data:", "--", "->", "word", "é", "日本", "\ud800", "\x1b[31m", "\x1b]8;;x\x07",
        ]
    ),
    max_size=40,
).map("".join)  # fmt: skip
_REFERENCE = MarkdownIt("commonmark").enable(["table", "strikethrough"])


@given(ANYTHING | MARKED)
@example("\ud800")
@example("\x1b]" * 50)
@example("[" * 500)
@example("> " * 200 + "deep")
@example("- " * 200 + "deep")
@example("*a" * 200)
@example("`" * 300)
@example("&#55296; &#0; &#x110000;")
@example("[a](<>)")
@example("[a](http://[::1)")
@example("<http://[>")
@example("http://[ http://% www.% www.")
@example("[a](http://\u202e.com)")
@example("|\n|-")
@example("1234567890. x")
@example("- \n-\n\n\n-")
def test_any_text_can_be_shown_and_sent(typed: str) -> None:
    for shown in (
        plain(typed),
        safe_markdown(typed),
        safe_markdown(typed, line_breaks=True),
        safe_label(typed),
        safe_badge(typed, "gray"),
        one_line(typed),
        cut(plain(typed), 50).shown,
    ):
        shown.encode()
        assert not plain_text.UNUSUAL.search(shown)


@given(ANYTHING | MARKED)
def test_a_label_is_one_line(typed: str) -> None:
    assert "\n" not in safe_label(typed)
    assert len(one_line(typed, 20)) <= 20


@given(MARKED)
@example("!http://x.y/z.png")
@example("\\![text](http://x.y/z.png)")
@example("!<http://x.y/z.png>")
def test_no_image_html_or_foreign_link_is_left(typed: str) -> None:
    tokens = _inline(_REFERENCE.parse(safe_markdown(typed)))

    assert {token.type for token in tokens}.isdisjoint({"image", "html_inline", "html_block"})
    links = [str(token.attrs["href"]) for token in tokens if token.type == "link_open"]
    assert [link for link in links if not re.match(r"https?://|mailto:", link, re.IGNORECASE)] == []


@pytest.mark.parametrize(
    "typed",
    [
        "![x](http://x.y/z.png)",
        "see ![http://x.y/a](http://x.y/z.png 'title') there",
        "![x](https://x.y/z.png",
        "![www.x.y](www.x.y/z.png)",
    ],
)
def test_the_address_of_an_image_is_no_link(typed: str) -> None:
    shown = safe_markdown(typed)

    assert [token for token in _inline(_REFERENCE.parse(shown)) if token.type == "link_open"] == []
    # Nothing either that Streamlit's renderer would find by itself.
    assert "://" not in shown
    assert "www." not in shown


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ("- [x] done\n- [ ] not yet", "- ☑ done\n- ☐ not yet"),
        ("1. [X] done", "1. ☑ done"),
        ("- [x](http://x.y) is a link", "- [x](<http://x.y>) is a link"),
        ("- see [x] there", "- see \\[x\\] there"),
    ],
)
def test_the_box_of_a_task_is_a_sign(typed: str, shown: str) -> None:
    assert safe_markdown(typed) == shown


@given(MARKED.map(lambda typed: typed.replace("`", "")))
def test_no_directive_formula_or_icon_is_left(typed: str) -> None:
    written = re.sub(r":color\[(?:\\.|[^\\])\]", "·", safe_markdown(typed))
    written = re.sub(r"\]\(<[^>]*>\)", "](x)", written)
    outside_code = [part.content for part in _source_of_text(written)]

    for part in outside_code:
        assert not re.search(r"(?<!\\)(?:\\\\)*\$", part)
        assert not re.search(r"(?<![\\:]):[A-Za-z][\w-]*[\[{]", part)


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"], include_characters="\n\t"), max_size=200))
@example("```")
@example("````\n```\n````")
@example("\n\n  x\n")
def test_code_blocks_keep_their_letters(code: str) -> None:
    code = plain(code)
    tokens = _REFERENCE.parse(safe_markdown(markdown.fenced(code, "python")))

    assert [token.type for token in tokens] == ["fence"]
    assert tokens[0].content == (code.removesuffix("\n") + "\n" if code else "")


@given(st.text(st.sampled_from("`ab |\\$:<&*"), min_size=1, max_size=20).filter(str.strip))
def test_code_spans_keep_their_letters(code: str) -> None:
    ticks = "`" * 21
    spans = [token.content for token in _inline(_REFERENCE.parse(safe_markdown(f"x {ticks} {code} {ticks} y")))]

    assert code in spans


@pytest.mark.parametrize(
    "typed",
    [
        "- a\n- b\n  - c\n\n    d\n- e",
        "1. a\n2. b\n\n3) c",
        "> a\n>\n> - b",
        "| a | b |\n| --- | :-: |\n| 1 | `2` |",
        "*a* **b** ~~c~~ `d` [e](https://x.y)",
        "a  \nb\\\nc\nd",
        "---\n\ntext",
        "```python\ncode\n```\n\ntext\n\n    indented\n      code",
        "- a\n\n  ```\n  code\n  ```",
        "***both** one*",
        "[a][r] and <https://x.y>\n\n[r]: https://x.y",
    ],
)
def test_formatting_is_kept(typed: str) -> None:
    written = safe_markdown(typed)

    assert _REFERENCE.render(written) == _REFERENCE.render(typed)


@pytest.mark.parametrize(
    ("typed", "level"),
    [
        *((f"{'#' * level} Head", min(level + 1, 6)) for level in range(1, 7)),
        ("Head\n====", 2),
        ("Head\n----", 3),
        ("> # Head", 2),
        ("- # Head", 2),
    ],
)
def test_a_heading_stands_one_level_below_what_was_written(typed: str, level: int) -> None:
    assert f"<h{level}>Head</h{level}>" in _REFERENCE.render(safe_markdown(typed))


# Without emphasis: its marks are lost or kept with their neighbours, which differ after the escape.
@given(MARKED.map(lambda typed: re.sub(r"[*_~\[<\x1b\t]|&#", "", typed)))
@example("a -- b :smile: c")
@example("::smile::x: -- <- ->")
@example("1. a\n- b\n> c\n    d")
def test_no_word_is_lost(typed: str) -> None:
    before = _text_of(_REFERENCE.parse(plain(typed)))
    after = re.sub(r":color\[(.)\]", r"\1", _text_of(_REFERENCE.parse(safe_markdown(typed))))

    assert "".join(after.split()) == "".join(before.split())


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ("a\x1b[1;31mb\x1b[0mc", "abc"),
        ("\x1b]0;title\x07a\x1b]8;;http://x\x1b\\b", "ab"),
        ("\x1b]52;c;ZXZpbA==\x07a", "a"),
        ("\x1bPq#0\x1b\\a\x1b(B\x1b=b\x9b2Jc", "abc"),
        ("\x1b]8;;never ends", "␛]8;;never ends"),
        ("\x1b", "␛"),
        ("a\r\nb\rc\u2028d\x85e", "a\nb\nc\nd\ne"),
        ("a\x00b\x08c\x7f\x80", "a␀b␈c␡\ufffd"),
        ("\u202eabc\u202c \u2066x\u2069", "⟦RLO⟧abc⟦PDF⟧ ⟦LRI⟧x⟦PDI⟧"),
        ("\ud83d \udca9 💩", "\ufffd \ufffd 💩"),
        ("tab\tand\nnewline", "tab\tand\nnewline"),
        ("e\u0301 שלום", "e\u0301 שלום"),
    ],
)
def test_plain_shows_what_would_be_obeyed(typed: str, shown: str) -> None:
    assert plain(typed) == shown


def test_a_long_label_is_cut() -> None:
    assert one_line("word " * 100, 20) == "word word word word…"
    assert one_line("x" * 80) == "x" * 80
    assert one_line("x" * 81) == "x" * 79 + "…"
    assert one_line(" a \n\n b\t") == "a b"
    assert one_line(" " * 2_000 + "x", 20).endswith("…")


def test_a_big_block_is_cut_at_a_line() -> None:
    whole = "é" * 9 + "\n" + "é" * 5
    first = cut(whole, 25)

    assert (first.shown, first.size, first.is_cut) == ("é" * 9 + "\n", 29, True)
    assert cut("é" * 10, 5).shown == "éé"
    assert cut(whole, 29) == labels.Cut(shown=whole, size=29, is_cut=False)
    assert cut("\ud800", 3).size == 3


def test_what_is_too_big_or_deep_is_shown_as_code() -> None:
    for typed in ("*x* " * 20_000, "> " * 100 + "x", "[" * 3_000):
        tokens = _REFERENCE.parse(safe_markdown(typed))

        assert [token.type for token in tokens] == ["fence"]
        assert tokens[0].content.strip() == typed.strip()


@pytest.mark.parametrize(
    "piece",
    ["*a_", "[]", "[](", "![", "<", "a@", "http://", ":a", "~~a ", "&#1;", "_a", "\n", "`a", "- ", "\x1b]", "$"],
)
def test_no_text_takes_long(piece: str) -> None:
    typed = piece * (markdown.SIZE_LIMIT // len(piece))
    began = time.process_time()

    safe_markdown(typed)
    safe_label(typed)

    assert time.process_time() - began < 3


def _inline(tokens: Sequence[Token]) -> list[Token]:
    return [child for token in tokens for child in token.children or [token]]


def _source_of_text(source: str) -> list[Token]:
    return [token for token in _REFERENCE.parse(source) if token.type == "inline"]


def _text_of(tokens: Sequence[Token]) -> str:
    return "".join(token.content for token in _inline(tokens))


@pytest.mark.parametrize(
    ("typed", "seen"),
    [
        ("[BUG]: rounding\n[RISK]: none\n[TODO]: later", ["[BUG]: rounding", "[RISK]: none", "[TODO]: later"]),
        ("[INFO]: started\n[WARN]: retry\n\nAfter", ["[INFO]: started", "[WARN]: retry", "After"]),
        ("> [a]: b\n\n- [c]: d\n- e", ["[a]: b", "[c]: d", "e"]),
        ("[1]: https://unused.org", ["[1]:", "https://unused.org"]),
        ("[a]\n\n[a]: javascript:x", ["[a]: javascript:x"]),
        ("[a]\n\n[a]: https://x.org\n[a]: second", ["[a]: second"]),
        ('[b]:\n  note\n  "with a title"', ["[b]:", "note", "with a title"]),
    ],
)
def test_a_definition_that_no_link_uses_is_text(typed: str, seen: list[str]) -> None:
    shown = _text_of(_REFERENCE.parse(safe_markdown(typed)))

    for words in seen:
        assert words in shown


def test_a_definition_that_a_link_uses_is_no_text() -> None:
    shown = safe_markdown("See [1] and [the page][2].\n\n[1]: https://a.org\n[2]: https://b.org 'Title'")

    assert shown == "See [1](<https://a.org>) and [the page](<https://b.org>)."


@pytest.mark.parametrize(
    ("typed", "addresses"),
    [
        (
            "请看https://example.org/path，然后继续（https://example.org/b）。",
            ["https://example.org/path", "https://example.org/b"],
        ),
        ("「https://a.jp/x」と『https://a.jp/y』、", ["https://a.jp/x", "https://a.jp/y"]),
        ("“https://a.org/q”…", ["https://a.org/q"]),
        ("https://a.org/x！https://a.org/y？", ["https://a.org/x", "https://a.org/y"]),
        ("https://ja.wikipedia.org/wiki/日本語 and", ["https://ja.wikipedia.org/wiki/日本語"]),
        ("(https://a.org/c(d)), https://a.org/e).", ["https://a.org/c(d)", "https://a.org/e"]),
    ],
)
def test_an_address_ends_where_the_sentence_goes_on(typed: str, addresses: list[str]) -> None:
    links = [child for token in _REFERENCE.parse(safe_markdown(typed)) for child in token.children or ()]

    seen = [str(token.attrs["href"]) for token in links if token.type == "link_open"]
    assert seen == [MarkdownIt().normalizeLink(address) for address in addresses]
