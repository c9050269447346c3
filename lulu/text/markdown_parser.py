"""Parse markdown by CommonMark and GFM, with three rules of Lulu's own.

These stay text: images, links to anything but http, https and mailto, and link definitions without such a link.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock
from markdown_it.rules_block.reference import reference
from markdown_it.rules_inline import StateInline
from markdown_it.rules_inline.autolink import autolink
from markdown_it.rules_inline.image import image
from markdown_it.rules_inline.link import link
from markdown_it.token import Token

#: The parser drops blocks that are nested more deeply.
NESTING_LIMIT = 40
_LINK = re.compile(r"https?://[^/]|mailto:", re.IGNORECASE)


def _as_typed(rule: Callable[[StateInline, bool], bool], keep: Callable[[Token], bool]) -> Callable[..., bool]:
    """Wrap a parser rule: its match becomes the typed text, unless ``keep`` accepts the token."""

    def typed(state: StateInline, silent: bool) -> bool:
        start, before, delimiters = state.pos, len(state.tokens) + bool(state.pending), len(state.tokens_meta)
        if not rule(state, silent):
            return False
        if not silent and not keep(state.tokens[before]):
            del state.tokens[before:], state.tokens_meta[delimiters:]
            state.pending = state.src[start : state.pos]
        return True

    return typed


def _is_allowed(token: Token) -> bool:
    return _LINK.match(str(token.attrs.get("href", ""))) is not None


def _definition(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """Parse a link's definition (CommonMark 0.31, 4.7) and add a token with its lines."""
    known = len(state.env.get("references", {}))
    if not reference(state, start, end, silent):
        return False
    if not silent:
        token = state.push(DEFINITION, "", 0)
        token.map = [start, state.line]
        token.content = state.getLines(start, state.line, state.blkIndent, False).strip()
        # Of two definitions with one label, the first one counts.
        token.meta = {
            "label": next(reversed(state.env["references"])) if len(state.env["references"]) > known else None
        }
    return True


#: A definition is text, unless a link uses it.
DEFINITION = "definition"


def without_used_definitions(tokens: list[Token]) -> list[Token]:
    """Return the tokens without the definitions that a link uses."""
    inline = [child for token in tokens for child in token.children or ()]
    used = {child.meta.get("label") for child in inline if child.type == "link_open"}
    return [token for token in tokens if token.type != DEFINITION or token.meta["label"] not in used]


def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False, "maxNesting": NESTING_LIMIT, "store_labels": True})
    parser.enable(["table", "strikethrough"])
    parser.validateLink = lambda url: True  # type: ignore[method-assign]  # judged below, where the source is known
    parser.block.ruler.at("reference", _definition)
    parser.inline.ruler.at("link", _as_typed(link, _is_allowed))
    parser.inline.ruler.at("autolink", _as_typed(autolink, _is_allowed))
    parser.inline.ruler.at("image", _as_typed(image, lambda token: False))
    return parser


PARSER = _parser()


@dataclass(frozen=True)
class Block:
    """A block token and the blocks inside it."""

    token: Token
    children: list[Block]


def children_of(tokens: Sequence[Token]) -> list[Block]:
    """Return a flat list of tokens as a tree of blocks."""
    root: list[Block] = []
    stack = [root]
    for token in tokens:
        if token.nesting < 0:
            stack.pop()
            continue
        block = Block(token, [])
        stack[-1].append(block)
        if token.nesting > 0:
            stack.append(block.children)
    return root
