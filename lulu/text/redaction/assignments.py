"""Find secrets by the name before them: code, settings, shells, options, JSON, YAML, XML. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from lulu.text.redaction.candidates import OF_PASSWORDS, OF_TOKENS, candidates
from lulu.text.redaction.letters import Letters
from lulu.text.redaction.secret_names import Kind, Place, has_digit, is_prose, kind_of, looks_secret, words
from lulu.text.redaction.spans import Span

_WORDS = (*OF_PASSWORDS, *OF_TOKENS)
_QUOTE = r"(?:\\*[\"'`]|&quot;)"
#: Behind a word of a secret's name: the rest of the name, and a sign that a value follows.
_REST = re.compile(
    rf"[A-Za-z0-9_.-]{{0,40}}+(?P<close>{_QUOTE}?(?:\[\d{{0,4}})?\]?)"
    r"(?:"
    r"(?P<op>[ \t]{0,8}(?:=>|[:+?]=|!==?|={1,3}|:(?!//|:)|[\uff1a\uff1d]))"
    r"(?:(?P<below>[ \t]{0,4}(?:!!\w{1,20}[ \t]{1,4})?[|>]?[-+]?\r?\n)|[ \t]{0,40}(?:!!\w{1,20}[ \t]{1,4})?)"
    r"|(?P<attribute>[ \t]{0,4},?[\s+-]{1,40}[\"']?[Vv]alue[\"']?[ \t]{0,4}[=:][ \t]{0,4})"
    r"|(?P<tag>(?:[ \t][^<>\n]{0,80})?>)"
    rf"|(?P<call>\([ \t]{{0,4}}(?={_QUOTE}))"
    rf"|(?P<default>\)?[ \t]{{0,4}}(?:or|\|\||\?\?)[ \t]{{1,4}}(?={_QUOTE}))"
    rf"|(?P<comma>,[ \t]{{0,4}}(?={_QUOTE}))"
    r"|(?P<type>[ \t]{1,4}(?=[Ss]tring[ \t]{0,4}=))"
    r")"
)
#: ``name: str = "…"``, ``name string = "…"``: the type between name and value.
_TYPE = re.compile(
    r"[ \t]{0,4}(?::[ \t]{0,4}(?:&(?:'[a-z]{1,20} )?)?[A-Za-z_][\w.\[\]|<> ]{0,40}?|"
    r"[Ss]tring)[ \t]{0,4}=[ \t]{0,4}(?=[brfu]{0,2}[\"'`])"
)
#: The least that a secret of each kind has. It rules out most names before anything else is read.
_LEAST = {Kind.TOKEN: re.compile(r"\S{8}"), Kind.KEY: re.compile(r"\S{16}"), Kind.PASSWORD: re.compile(r"[^\n]{4}")}
#: A function call with a name and a value.
_GIVEN = re.compile(r"[\w$]\([ \t]{0,4}\\*[\"'`]\Z")
_NAME_SIGNS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-"
_LONGEST_NAME, _LONGEST_VALUE = 60, 500
_OPENING = re.compile(r"(?:[bBrRuUfF]{1,2}|[@$])?(?P<quote>\\*(?:\"{3}|'{3}|[\"'`])|&quot;)")
#: Between two parts of a text in code, also over a line end. In brackets the operator may be missing.
_LINE_END = r"[ \t]{0,10}(?:\\?\n[+\-#>\d→:\t ]{0,40})?"
_JOINED = rf"(?={_OPENING.pattern.replace('?P<quote>', '?:')})"
_JOIN = re.compile(rf"{_LINE_END}(?:\+|\.\.?|&|~){_LINE_END}{_JOINED}")
_JOIN_IN_BRACKETS = re.compile(rf"{_LINE_END}(?:\+|\.\.?|&|~)?{_LINE_END}{_JOINED}")
_JOIN_AT_THE_END = re.compile(rf"{_LINE_END}(?:(?:\+|\.\.?|&|~){_LINE_END})?\Z")
_BRACKET = re.compile(rf"\({_LINE_END}{_JOINED}")
_BARE = re.compile(r"(?:[^\s\"'`\\<]|[\"'`](?=[\w$#%*+])|\\(?![\"'`nrt]|u00)|<(?!/))+")
#: An indented value, alone on the line below its name.
_BELOW = re.compile(r"[+\-#>\d→:\t ]{0,20}[ \t][ \t]{0,40}(?P<value>[^\s\"'{\[#-]\S{3,500})[ \t]*(?:\n|\Z)")
_QUOTED_BELOW = re.compile(r"[+\-#>\d→:\t ]{0,40}(?=[\"'])")
#: Text that may come before a setting on its line.
_SETTING_BEFORE = re.compile(
    r"[\s\d→:+\-#>*|\"'`.,(\[{$;&\\]*(?:(?:export|set|setx|env|ENV|ARG|declare(?: -x)?|-e|--env)[ \t=]+[\"']?)?"
)
_CALLS = re.compile(
    r"(?:set|with|use|add|put|new|create|update|change)[A-Z_].*|[a-z_.]*\.?(?:password|passwd|pwd|token|apikey|api_key|secret)\Z"
)
#: A member ``"name": "value"``, an item or a number, in an object or list under a secret's name.
_MEMBER = re.compile(
    rf"(?:{_QUOTE}(?P<name>[\w.-]{{1,60}}){_QUOTE}\s{{0,8}}:\s{{0,8}})?"
    rf"(?:(?P<quote>{_QUOTE})(?P<value>[^\"'\n\\]{{1,500}}){_QUOTE}(?!\s{{0,8}}:)|(?P<number>\d{{4,20}})|(?P<end>[}}\]])|(?P<open>[{{\[]))"
)
_LONGEST_OBJECT = 2_000
#: The part of an XML element before a name for its text: ``<``, ``<ns:``, ``<property name="``.
_TAG = re.compile(r"<(?:[\w.:-]{0,40}|[\w.:-]{1,40}[ \t]+(?:name|key|id)=[\"'][\w.:-]{0,40})")
_OPTION = re.compile(
    r"-(?<![\w-]-)-?(?P<name>[A-Za-z][A-Za-z0-9-]{1,40})"
    r"(?:[ \t]+(?=[^\s-])|(?P<item>\\*[\"'],\s{0,40}(?=\\*[\"'][^-])))"
)
_OPTION_NAME = re.compile(r"(?i:pass|pwd|secret|token|key|credential)")
_PROSE_AFTER_OPTION = words(
    "option options flag flags is to and or for on argument parameter in with the as must when if from switch can "
    "value was has are may will should not without of at by a an instead also only"
)


def assignments(letters: Letters) -> Iterator[Span]:
    """Yield the secrets that follow a name."""
    words_there = [word for word in _WORDS if letters.first(word)]
    for word in words_there:
        yield from _named(letters.text, word, candidates(letters, word))
    if words_there and "-" in letters.text:
        yield from _options(letters.text)


def open_value(text: str) -> int | None:
    """Return the offset of a quoted or tagged value that is still open at the end, or ``None``.

    A value may also be open right before the end, if a further part of it can follow.
    """
    tail = max(0, len(text) - 2 * _LONGEST_VALUE)
    letters = Letters(text[tail:])
    for word in _WORDS:
        ends = (tail + at + len(word) for at in letters.places(word))
        for name, match, at in _told(text, word, ends):
            if kind_of(name) is None:
                continue
            if match["tag"] is not None:
                if "<" not in text[at:]:
                    return at
                continue
            parts = [*_parts(text, at)]
            if not parts:
                continue
            last = parts[-1]
            is_open = "\n" not in text[last.begin :] if last.end is None else _JOIN_AT_THE_END.match(text, last.behind)
            if is_open:
                return parts[0].begin
    return None


class _Told(NamedTuple):
    """A name that may belong to a secret, the match behind it, and the offset of its value."""

    name: str
    match: re.Match[str]
    at: int


def _told(text: str, word: str, ends: Iterable[int]) -> Iterator[_Told]:
    """Yield each value behind the word, with the full name around the word. ``ends``: the word's ends."""
    least = _LEAST[Kind.TOKEN if word in OF_TOKENS else Kind.PASSWORD]
    for end in ends:
        match = _REST.match(text, end)
        if match is None:
            continue
        start = end - len(word)
        at = _value_at(text, match)
        if least.match(text, at) is None and not _goes_on(text, match, at):
            continue
        before = text[max(0, start - _LONGEST_NAME) : start]
        head = before[len(before.rstrip(_NAME_SIGNS)) :]
        yield _Told(head + text[start : match.start("close")], match, at)


def _value_at(text: str, match: re.Match[str]) -> int:
    """Return the offset of the value, behind a type if there is one."""
    at = match.end()
    if match["type"] is not None or (match["op"] is not None and match["op"][-1] == ":" and "=" in text[at : at + 60]):
        typed = _TYPE.match(text, at if match["type"] is not None else match.end("op") - 1)
        return typed.end() if typed is not None else at
    return at


def _goes_on(text: str, match: re.Match[str], at: int) -> bool:
    """Whether the value is on the next line, is an object or a list, or has several parts."""
    if match["below"] is not None or text[at : at + 1] in (("\n", "\r") if match["tag"] is not None else ("{", "[")):
        return True
    return _BRACKET.match(text, at) is not None or len([*_parts(text, at)]) > 1


def _named(text: str, word: str, ends: Iterable[int]) -> Iterator[Span]:
    done = 0
    for told in _told(text, word, ends):
        kind = kind_of(told.name) if told.match.start() >= done else None
        if kind is None:
            continue
        if _LEAST[kind].match(text, told.at) is None and not _goes_on(text, told.match, told.at):
            continue
        span = _value(text, told, kind)
        if span is not None:
            done = span.end
            yield span
        elif text[told.at : told.at + 1] in ("{", "["):
            members, done = _members(text, told.at, kind)
            yield from members


def _value(text: str, told: _Told, kind: Kind) -> Span | None:
    name, match, at = told
    start = match.start("close") - len(name)
    if match["type"] is not None and at == match.end():
        return None
    if match["tag"] is not None:
        return _between_tags(text, at, kind, start)
    if match["call"] is not None and not (_CALLS.match(name.rpartition(".")[2]) and not match["close"]):
        return None
    if match["comma"] is not None and not (match["close"] and _GIVEN.search(text, max(0, start - 12), start)):
        return None
    if match["below"] is not None:
        quoted = _QUOTED_BELOW.match(text, at)
        if quoted is not None:
            return _quoted(text, quoted.end(), kind)
        below = _BELOW.match(text, at)
        if below is None or below["value"].endswith((":", ",")) or not looks_secret(below["value"], kind, Place.LOOSE):
            return None
        return Span(below.start("value"), _block_end(text, at, below), "password")
    if _OPENING.match(text, at) is not None or _BRACKET.match(text, at) is not None:
        return _quoted(text, at, kind, needs_digit=match["comma"] is not None)
    op = (match["op"] or "").strip()
    if (op not in ("=", ":", ":=", "=>", "?=", "+=", "\uff1d", "\uff1a") and match["attribute"] is None) or (
        op == ":" and text[at - 1] == ":" and not has_digit(_bare_at(text, at))
    ):
        return None
    return _bare(text, told, kind, start)


def _block_end(text: str, at: int, first: re.Match[str]) -> int:
    """Return the end of a value below its name. After ``|`` or ``>`` it has all equally indented lines."""
    end = first.end("value")
    if text[max(0, at - 8) : at].rstrip("\r\n+-")[-1:] not in ("|", ">"):
        return end
    margin = text[first.start() : first.start("value")]
    while text.startswith("\n" + margin, end) and end - at < _LONGEST_OBJECT:
        line_end = text.find("\n", end + 1)
        end = line_end if line_end >= 0 else len(text)
    return end


def _quoted(text: str, at: int, kind: Kind, *, needs_digit: bool = False) -> Span | None:
    """Return the quoted value that opens here, with its other parts. Without an end it has the whole line."""
    parts = [*_parts(text, at)]
    if not parts:
        return None
    begin = parts[0].begin
    closed = [(part.begin, part.end) for part in parts if part.end is not None]
    if not closed:
        line_end = text.find("\n", begin, begin + _LONGEST_VALUE)
        closed = [(begin, line_end if line_end >= 0 else min(len(text), begin + _LONGEST_VALUE))]
    value, end = "".join(text[slice(*part)] for part in closed), closed[-1][1]
    if (needs_digit and not has_digit(value)) or not looks_secret(value, kind, Place.QUOTED):
        return None
    return Span(begin, end, "password")


class _Part(NamedTuple):
    """One part of a quoted value. ``behind`` is after its quote; ``end`` is ``None`` if it does not close."""

    begin: int
    end: int | None
    behind: int


def _parts(text: str, at: int) -> Iterator[_Part]:
    bracket = _BRACKET.match(text, at)
    join = _JOIN if bracket is None else _JOIN_IN_BRACKETS
    opening = _OPENING.match(text, at if bracket is None else bracket.end())
    while opening is not None:
        end = _closing(text, opening.end(), opening["quote"])
        behind = end + len(opening["quote"]) if end is not None else len(text)
        yield _Part(opening.end(), end, behind)
        joined = join.match(text, behind) if behind - at < _LONGEST_OBJECT else None
        opening = _OPENING.match(text, joined.end()) if joined is not None else None


def _bare(text: str, told: _Told, kind: Kind, start: int) -> Span | None:
    name, match, at = told
    found = _bare_at(text, at)
    if start and text[start - 1] in "?&":
        found = re.split("[&#]", found, maxsplit=1)[0]
    whole = found.rstrip(",;)]}'\"`")
    value = whole.rstrip(".!?:") if not has_digit(whole) else whole
    newline = text.find("\n", at, at + _LONGEST_VALUE)
    rest = text[at + len(whole) : newline if newline >= 0 else at + _LONGEST_VALUE]
    place = Place.LOOSE
    if match["op"] in ("=", "+=", "\uff1d") and match.end("op") == at:
        place = Place.SETTING if _is_setting(text, start, rest, name) else Place.TIGHT
    if not value or not looks_secret(value, kind, place, line=rest):
        return None
    return Span(at, at + len(whole), "password")


def _bare_at(text: str, at: int) -> str:
    bare = _BARE.match(text, at, at + _LONGEST_VALUE)
    return bare[0] if bare is not None else ""


def _is_setting(text: str, start: int, rest: str, name: str) -> bool:
    if name.isupper():
        return True
    line = text.rfind("\n", max(0, start - 200), start) + 1
    return not rest.strip("\"'`;\\, \t") and _SETTING_BEFORE.fullmatch(text, max(line, start - 200), start) is not None


def _between_tags(text: str, at: int, kind: Kind, start: int) -> Span | None:
    opening = text.rfind("<", max(0, start - 40), start)
    if opening < 0 or _TAG.fullmatch(text, opening, start) is None:
        return None
    if text.startswith("<![CDATA[", at):
        at += len("<![CDATA[")
    end = text.find("<", at, at + _LONGEST_VALUE)
    if end < 0 or text[end + 1 : end + 2] != "/":
        return None
    value = text[at:end].strip().removesuffix("]]>")
    return Span(at, end, "password") if looks_secret(value, kind, Place.QUOTED) else None


def _closing(text: str, at: int, quote: str) -> int | None:
    """Return the end of a value that this quote opened, or ``None``.

    JSON in JSON doubles the backslashes before a quote, so they are counted.
    """
    limit = min(len(text), at + _LONGEST_VALUE)
    sign, depth = quote.lstrip("\\"), len(quote) - len(quote.lstrip("\\"))
    end = text.find(sign, at, limit)
    while end >= 0:
        before = text[at:end]
        slashes = len(before) - len(before.rstrip("\\"))
        if slashes % (2 * (depth + 1)) == depth:
            value_end = end - depth
            return value_end if "\n" not in text[at:value_end] else None
        end = text.find(sign, end + 1, limit)
    return None


def _members(text: str, at: int, kind: Kind) -> tuple[list[Span], int]:
    """Return the secrets in the object or list that begins here, and the offset after the last read one."""
    members: list[Span] = []
    depth = 0
    for match in _MEMBER.finditer(text, at, at + _LONGEST_OBJECT):
        if match["open"] is not None:
            depth += 1
        elif match["end"] is not None:
            depth -= 1
            if depth <= 0:
                return members, match.end()
        elif match["name"] is None or is_value_name(match["name"]):
            which = "value" if match["value"] is not None else "number"
            if which == "number" and kind is not Kind.PASSWORD:
                continue
            if looks_secret(match[which], kind, Place.QUOTED):
                members.append(Span(*match.span(which), "password"))
    return members, min(len(text), at + _LONGEST_OBJECT)


def is_value_name(name: str) -> bool:
    """Whether a member of this name may be the secret, in an object under a secret's name."""
    # ``kind_of`` knows names that hold a secret from names about one. So the member's name is judged as a part of one.
    plain = name.lower().lstrip("$@_")
    return (
        kind_of(f"secret_{name}") is not None and plain not in _ABOUT_MEMBERS and not plain.startswith(("min", "max"))
    )


_ABOUT_MEMBERS = words(
    "$ref ref default example examples enum comment note notes role group algorithm kty alg use kid crv tags version "
    "apiversion namespace region provider engine driver host hostname port user username login email database"
)


def _is_given(text: str, option: re.Match[str], value: str, kind: Kind) -> bool:
    """Whether a quoted value belongs to this option: behind it, or as the next item of a list."""
    if option["item"] is not None:
        before = text[max(0, option.start() - _LONGEST_VALUE) : option.start()]
        # In the brackets of a call it is a name: ``option("--password", "password2")``.
        if before.rfind("[") <= before.rfind("("):
            return False
    elif kind is Kind.PASSWORD and " " in value and not is_prose(value):
        return True
    return looks_secret(value, kind, Place.QUOTED)


def _options(text: str) -> Iterator[Span]:
    for match in _OPTION.finditer(text):
        name = match["name"]
        if _OPTION_NAME.search(name) is None:
            continue
        kind = kind_of(name)
        if kind is None:
            continue
        at = match.end()
        opening = _OPENING.match(text, at)
        if opening is not None:
            end = _closing(text, opening.end(), opening["quote"])
            if end is not None and _is_given(text, match, text[opening.end() : end], kind):
                yield Span(opening.end(), end, "password")
            continue
        value = _bare_at(text, at).rstrip(",;)]}'\"`")
        if not value or value.lower().rstrip(".:") in _PROSE_AFTER_OPTION or (value.isupper() and value.isalpha()):
            continue
        if looks_secret(value, kind, Place.SETTING):
            yield Span(at, at + len(value), "password")
