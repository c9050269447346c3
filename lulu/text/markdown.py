"""Rewrite markdown so that Streamlit's renderer shows what CommonMark and GFM define, and no more.

The text is parsed and written again from its tokens. Streamlit 1.67 also reads math, directives, emoji and arrows; such
characters are escaped. Code is written unchanged.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import groupby

from markdown_it.token import Token

from lulu.text import markdown_parser
from lulu.text.markdown_parser import NESTING_LIMIT, PARSER, Block, children_of, without_used_definitions

#: Longer or more deeply nested texts become one code block. They are not meant to be read as markdown.
SIZE_LIMIT = 50_000
#: The most "[" in a text. The parser searches for the end of each one again.
BRACKET_LIMIT = 2_000

#: Punctuation that ends an address in Chinese, Japanese and typeset text.
_WIDE_PUNCTUATION = (
    "\u2018-\u201f\u2026\u2039\u203a\xab\xbb\u3000-\u303f\u30fb\ufe10-\ufe6f"
    "\uff01-\uff0f\uff1a-\uff20\uff3b-\uff40\uff5b-\uff65"
)
#: A bare address, as GFM defines it, up to a space, a bracket or wide punctuation. The sentence's own end is removed
#: later.
_ADDRESS = re.compile(rf"(?<![A-Za-z0-9])(?:https?://|www\.)[A-Za-z0-9][^\s<>\[\]`{_WIDE_PUNCTUATION}]*", re.IGNORECASE)
#: An image as typed. Its address does not become a link either.
_IMAGE = re.compile(r"!\[[^\[\]]*\]\([^)]*\)?")
#: Each heading is written one level lower, down to this one, because the first level is the page's title.
_LOWEST = 6
_SENTENCE_END = "?!.,:;*_~'\""
_LANGUAGE = re.compile(r"(\w+)[\w+#.-]{0,40}", re.ASCII)
#: Streamlit would draw code of these languages as a formula or a chart.
_DRAWN = frozenset({"math", "mermaid"})
#: A task of a list, already escaped. Its box is written as a character, because Streamlit's checkbox has no name.
_TASK = re.compile(r"\\\[([ xX])\\\] (?=\S)")


def rewrite(text: str, *, line_breaks: bool = False) -> str:
    """Return markdown for Streamlit with the meaning of CommonMark and GFM. Never raises."""
    if len(text) > SIZE_LIMIT or text.count("[") > BRACKET_LIMIT:
        return fenced(text)
    tokens = PARSER.parse(text)
    if any(token.level >= NESTING_LIMIT - 1 for token in tokens):
        return fenced(text)  # the parser drops deeper blocks
    return _Writer(line_breaks=line_breaks).blocks(children_of(without_used_definitions(tokens)))


def literal(line: str) -> str:
    """Return markdown that shows one line exactly as typed, without formatting and links."""
    return _escape(line, label=True)


def fenced(code: str, language: str = "") -> str:
    """Return a code block with exactly this code."""
    if (match := _LANGUAGE.fullmatch(language)) is None or match[1].lower() in _DRAWN:
        language = ""
    fence = "`" * max(3, _longest_run("`", code) + 1)
    lines = code.removesuffix("\n") + "\n" if code else ""
    return f"{fence}{language}\n{lines}{fence}"


# --- Writing blocks ----------------------------------------------------------------------------------------------


class _Writer:
    """Writes blocks and their inline content as markdown."""

    def __init__(self, *, line_breaks: bool) -> None:
        self._soft_break = "\\\n" if line_breaks else "\n"

    def blocks(self, blocks: Sequence[Block], *, tight: bool = False) -> str:
        """Return the blocks one after the other. A tight list has no blank lines between them."""
        return ("\n" if tight else "\n\n").join(self._block(block) for block in blocks)

    def _block(self, block: Block) -> str:
        token, children = block.token, block.children
        match token.type:
            case "paragraph_open":
                return self._inline(children)
            case "heading_open":
                text = self._inline(children).replace("\\\n", " ").replace("\n", " ")
                level = min(int(token.tag[1]) + 1, _LOWEST)
                return f"{'#' * level} {_escape_closing_hashes(text)}".rstrip()
            case "blockquote_open":
                return _prefixed(self.blocks(children), "> ", "> ")
            case "bullet_list_open" | "ordered_list_open":
                return self._list(block)
            case "fence" | "code_block":
                return fenced(token.content, token.info.strip().partition(" ")[0])
            case "hr":
                return "___"
            case "table_open":
                return self._table(block)
            case markdown_parser.DEFINITION:
                return _escape(token.content, addresses=True, soft_break="\\\n")
            case _:
                return _escape(token.content)

    def _list(self, block: Block) -> str:
        marker, number = block.token.markup, int(block.token.attrs.get("start", 1))
        tight = all(child.token.hidden for child in _paragraphs(block))
        items = []
        for offset, item in enumerate(block.children):
            bullet = f"{number + offset}{marker} " if block.token.type == "ordered_list_open" else f"{marker} "
            text = self.blocks(item.children, tight=tight)
            if item.children and item.children[0].token.type == "paragraph_open":
                text = _with_its_box(text)
            items.append(_prefixed(text, bullet, " " * len(bullet)))
        return ("\n" if tight else "\n\n").join(items)

    def _table(self, block: Block) -> str:
        rows = [row for part in block.children for row in part.children]
        lines = [self._row(row) for row in rows]
        lines.insert(1, "| " + " | ".join(_alignment(cell.token) for cell in rows[0].children) + " |")
        return "\n".join(lines)

    def _row(self, row: Block) -> str:
        cells = (self._inline(cell.children, in_table=True).replace("\n", " ") for cell in row.children)
        return "| " + " | ".join(cells) + " |"

    def _inline(self, children: Sequence[Block], *, in_table: bool = False) -> str:
        tokens = [token for child in children for token in child.token.children or ()]
        return "".join(_Inline(tokens, self._soft_break, in_table=in_table).parts())


def _with_its_box(item: str) -> str:
    task = _TASK.match(item)
    return item if task is None else f"{'☐' if task[1] == ' ' else '☑'} {item[task.end() :]}"


def _paragraphs(block: Block) -> Iterator[Block]:
    for item in block.children:
        yield from (child for child in item.children if child.token.type == "paragraph_open")


def _prefixed(text: str, first: str, rest: str) -> str:
    prefixes = [first, *[rest] * text.count("\n")]
    lines = zip(prefixes, text.split("\n"), strict=True)
    return "\n".join(prefix + line if line else prefix.rstrip() for prefix, line in lines)


def _alignment(cell: Token) -> str:
    return {"text-align:center": ":-:", "text-align:right": "--:", "text-align:left": ":--"}.get(
        str(cell.attrs.get("style", "")), "---"
    )


# --- Writing inline content --------------------------------------------------------------------------------------


class _Inline:
    """Writes inline tokens. Neighbouring pieces of text are joined before they are escaped."""

    def __init__(self, tokens: Sequence[Token], soft_break: str, *, in_table: bool) -> None:
        self._tokens = tokens
        self._soft_break = " " if in_table else soft_break
        self._in_table = in_table

    def parts(self) -> Iterator[str]:
        """Yield the written pieces, in order."""
        links: list[str] = []
        line_start = True
        for kind, group in groupby(self._tokens, key=lambda token: token.type):
            if kind == "text":
                text = "".join(token.content for token in group)
                yield _escape(text, line_start=line_start, addresses=not links, soft_break=self._soft_break)
            else:
                for token in group:
                    yield self._link(token, links) if kind.startswith("link_") else self._mark(token)
            line_start = kind in {"softbreak", "hardbreak"}

    @staticmethod
    def _link(token: Token, links: list[str]) -> str:
        if token.type == "link_open":
            links.append(str(token.attrs["href"]))
            return "["
        return f"]({_target(links.pop())})"

    def _mark(self, token: Token) -> str:
        match token.type:
            case "softbreak":
                return self._soft_break
            case "hardbreak":
                return " " if self._in_table else "\\\n"
            case "code_inline":
                return self._code(token.content)
            case _:
                return token.markup

    def _code(self, code: str) -> str:
        ticks = "`" * _other_than_runs("`", code)
        is_padded = code[:1] == code[-1:] == " " and not code.isspace()
        pad = " " if is_padded or code.startswith("`") or code.endswith("`") else ""
        if self._in_table:
            code = code.replace("|", "\\|")
        return f"{ticks}{pad}{code}{pad}{ticks}"


def _longest_run(character: str, text: str) -> int:
    return max((len(run) for run in re.findall(re.escape(character) + "+", text)), default=0)


def _other_than_runs(character: str, text: str) -> int:
    runs = {len(run) for run in re.findall(re.escape(character) + "+", text)}
    return next(length for length in range(1, len(runs) + 2) if length not in runs)


# --- Escaping text -----------------------------------------------------------------------------------------------

#: Streamlit replaces these in the parsed text, where an escape is already gone. So each character is written
#: separately.
_APART = r"""
      (?P<apart>
        :(?=[\w+-]+:)                                    # an emoji or an icon
      | (?<![^\s:])(?:<->|->|<-|--|>=|<=|~=)(?!\S)       # an arrow, a dash, a sign
      {more} )
"""
#: Parts of addresses, which a label would turn into links.
_APART_IN_LABEL = r"| :(?=//) | (?<=www)\. | (?<=\S)@(?=\S)"
_ESCAPED = r"""
    | (?P<escaped>
        [\\`*\[\]<$~|]
      | (?<![^\W_])_ | _(?![^\W_])                       # an underscore inside a word means nothing
      | &(?=\#?\w+;)                                     # an entity
      | !\Z                                              # an image, if a link comes next
      | (?<=:material)/                                  # Streamlit replaces this in the source, before it parses
      | :(?=[A-Za-z:]) )                                 # a directive
"""
_SPECIAL = re.compile(_APART.format(more="") + _ESCAPED, re.VERBOSE | re.ASCII)
_SPECIAL_IN_LABEL = re.compile(_APART.format(more=_APART_IN_LABEL) + _ESCAPED, re.VERBOSE | re.ASCII | re.IGNORECASE)
_PUNCTUATION = re.compile(r"[\\\[\]<>`*_$~|:&]")
#: Beginnings of a heading, quote, list, rule or directive. A number may come before the mark.
_LINE_START = re.compile(r"(\d{0,9})([-+=>#:.)])", re.ASCII)


def _escape(
    text: str, *, line_start: bool = True, addresses: bool = False, label: bool = False, soft_break: str = "\n"
) -> str:
    """Return text that appears as typed. With ``addresses``, bare addresses become links."""
    first, *others = _lines(text)
    lines = [_escape_line(first, line_start=line_start, addresses=addresses, label=label)]
    lines += [_escape_line(line, line_start=True, addresses=addresses, label=label) for line in others]
    return soft_break.join(lines)


def _lines(text: str) -> list[str]:
    """Return the lines of a text, without spaces around line ends and without empty lines in the middle."""
    first, *others = text.split("\n")
    if not others:
        return [first]
    between = (line.lstrip().rstrip(" \t") for line in others[:-1])
    return [first.rstrip(" \t"), *filter(None, between), others[-1].lstrip()]


def _escape_line(line: str, *, line_start: bool, addresses: bool, label: bool) -> str:
    if line_start:
        line = line.lstrip(" \t")
    if not addresses:
        return _escape_piece(line, line_start=line_start, label=label)
    pieces: list[str] = []
    position = 0
    images = [image.span() for image in _IMAGE.finditer(line)]
    for found in _ADDRESS.finditer(line):
        address = _without_sentence_end(found[0])
        pieces.append(_escape_piece(line[position : found.start()], line_start=line_start and not pieces))
        of_an_image = any(start < found.start() < end for start, end in images)
        pieces.append(_escape_piece(address, label=True) if of_an_image else _linked(address))
        position = found.start() + len(address)
    pieces.append(_escape_piece(line[position:], line_start=line_start and not pieces))
    return "".join(pieces)


def _escape_piece(text: str, *, line_start: bool = False, label: bool = False) -> str:
    escaped = (_SPECIAL_IN_LABEL if label else _SPECIAL).sub(_escape_found, text)
    if line_start and (match := _LINE_START.match(escaped)) is not None and not escaped.startswith(":color["):
        return f"{match[1]}\\{escaped[match.end(1) :]}"
    return escaped


def _escape_found(found: re.Match[str]) -> str:
    if found["escaped"] is not None:
        return "\\" + found["escaped"]
    # A Streamlit directive for a span without a style. Its content is parsed separately.
    return "".join(f":color[{_backslashed(character)}]" for character in found["apart"])


def _backslashed(text: str) -> str:
    return _PUNCTUATION.sub(lambda found: "\\" + found[0], text)


def _linked(address: str) -> str:
    target = address if address.lower().startswith("http") else f"http://{address}"
    return f"[{_backslashed(address)}]({_target(PARSER.normalizeLink(target))})"


def _target(address: str) -> str:
    # Streamlit replaces this text in the source, before it parses.
    return f"<{address.replace(':material/', '%3Amaterial/')}>"


def _without_sentence_end(address: str) -> str:
    end = len(address)
    unmatched = address.count(")") - address.count("(")
    while end and (address[end - 1] in _SENTENCE_END or (address[end - 1] == ")" and unmatched > 0)):
        end -= 1
        unmatched -= address[end] == ")"
    return address[:end]


def _escape_closing_hashes(text: str) -> str:
    return re.sub(r"(?:(?<=\s)|^)#+$", lambda hashes: "\\" + hashes[0], text)
