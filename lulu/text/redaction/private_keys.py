"""Find private keys: whole, in a diff, with line numbers, in code, or cut at either end. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from string import ascii_letters, digits

from lulu.text.redaction.letters import Letters, Runs
from lulu.text.redaction.spans import Span

#: The lines around a key. SSH2 writes four dashes and blanks.
_MARKER = re.compile(r"-{4,5} ?(?P<which>BEGIN|END) (?:[A-Z0-9]+ ){0,6}PRIVATE KEY(?: BLOCK)? ?-{4,5}")
#: The beginning of such a line, and its greatest distance from "PRIVATE KEY" (six words fit between).
_DASHES, _LONGEST_MARKER = re.compile(r"-{4,5}(?= ?(?:BEGIN|END) )"), 120
#: The end of a line, also as an escape.
_LINE_END = re.compile(r"\n|\\+[nr]")
_IN_A_RUN = ascii_letters + digits + "="
_BASE64 = _IN_A_RUN + "+/"
#: Characters that may follow a key on its line: code, quotes, signs of a diff or a shell.
_BEHIND = " \t\r\"'`,;+\\)]}|&$"
_HEADER = re.compile(
    r"[^:\n]{0,200}?\b(?:Proc-Type|DEK-Info|Version|Comment|Hash|Charset|MessageID|Subject): [^\n]{0,200}"
)
#: Characters before a key on its line: a line number, a mark of a diff or a comment, a quote.
_BEFORE = re.compile(r"[\s\d→:+\-#>*|/\"'`.,(\[{\\]*")
#: A line that begins with a part of a key and continues with something else.
_BEGUN = re.compile(
    rf"{_BEFORE.pattern}(?P<run>[A-Za-z0-9+/=]{{8,}}(?: {{1,3}}[A-Za-z0-9+/=]{{16,}})*(?: {{1,3}}[A-Za-z0-9+/]+=+)?)"
)
_MIXED = re.compile(r"[A-Za-z0-9+/=]{8,}")
#: A shorter line of base64 may be a word.
_LONG = 16
#: The least share of base64 between the marks of a key. A text about keys has less.
_SHARE = 0.4
#: The most characters before the end mark of a key that are searched for its lines.
_LONGEST = 20_000
_DIGITS = re.compile(r"[0-9]+")
#: Lines of so many characters at the end of a growing text may belong to a key that began in another text.
_LINE = 48

#: At least three lines of 64 characters (OpenSSL) or 70 (OpenSSH), one below the other.
_WHOLE = r"[A-Za-z0-9+/]{64}(?:[A-Za-z0-9+/]{6})?(?![A-Za-z0-9+/=])"
_BELOW = r"[ \t\r\"'`,;)]{0,8}\n[ \d→:+\-#>|\"'`\t]{0,20}"
_BODY = re.compile(rf"(?P<body>{_WHOLE}(?:{_BELOW}{_WHOLE}){{2,}}(?:{_BELOW}[A-Za-z0-9+/]{{1,69}}={{0,2}}(?=\s|\Z))?)")
_RUN = re.compile(r"[A-Za-z0-9+/]{64,}")
_LINES = Runs(ascii_letters + digits + "+/", 64)


def private_keys(text: str, *, inside: bool = False) -> Iterator[Span]:
    """Yield the private keys. ``inside`` means that a key began in an earlier text and has not ended."""
    markers = _markers(text)
    number, done = 0, 0
    if inside:
        limit = markers[0].start() if markers else len(text)
        end = _ends(text, 0, 0, limit)
        if end:
            if markers and markers[0]["which"] == "END" and not text[end:limit].strip():
                number, end = 1, markers[0].end()
            yield Span(0, end, "private_key")
            done = end
    while number < len(markers):
        marker = markers[number]
        following = markers[number + 1] if number + 1 < len(markers) else None
        number += 1
        if marker["which"] == "END":
            start = _begins(text, marker.start(), done)
            if start < marker.start():
                yield Span(start, marker.end(), "private_key")
            done = marker.end()
            continue
        limit = following.start() if following is not None else len(text)
        if following is not None and following["which"] == "END" and _is_key(text[marker.end() : limit]):
            yield Span(marker.start(), following.end(), "private_key")
            number, done = number + 1, following.end()
            continue
        end = _ends(text, *marker.span(), limit)
        if end > marker.end():
            yield Span(marker.start(), end, "private_key")
        done = max(end, marker.end())


def key_bodies(letters: Letters) -> Iterator[Span]:
    """Yield the lines of a private key that has no marks around it."""
    text = letters.text
    for match in _bodies(letters):
        runs = _RUN.findall(match["body"])
        above = text.rfind("-----BEGIN ", max(0, match.start("body") - 400), match.start("body"))
        if above >= 0 and "-----END " not in text[above : match.start("body")]:
            continue  # A certificate, or a key with its own marks.
        if all(_has_all(run) for run in runs):
            yield Span(*match.span("body"), "private_key")


def _bodies(letters: Letters) -> Iterator[re.Match[str]]:
    text, done = letters.text, 0
    for start, end in _LINES.places(letters.signs):
        # A diff's "+" may come before the line, and is also a character of base64.
        for begin in (end - 70, end - 64):
            if begin < max(start, done) or (begin and text[begin - 1] in _IN_A_RUN):
                continue
            match = _BODY.match(text, begin)
            if match is not None:
                done = match.end()
                yield match
                break


def stays_open(text: str, *, inside: bool) -> bool:
    """Whether a key continues below this text. ``inside``: whether one was open above it."""
    markers = _markers(text)
    if markers:
        return markers[-1]["which"] == "BEGIN"
    if not inside or not text.strip():
        return inside
    return not text[_ends(text, 0, 0, len(text)) :].strip()


def _markers(text: str) -> list[re.Match[str]]:
    """Return the lines around keys. All of them contain "PRIVATE KEY"."""
    found: list[re.Match[str]] = []
    at = text.find("PRIVATE KEY")
    while at >= 0:
        begins = [*_DASHES.finditer(text, max(0, at - _LONGEST_MARKER), at)]
        match = _MARKER.match(text, begins[-1].start()) if begins else None
        if match is not None and match.end() > at:
            found.append(match)
        at = text.find("PRIVATE KEY", at + 1)
    return found


def _has_all(run: str) -> bool:
    """Whether the run has capitals, small letters and digits: every line of a key has, no hash has."""
    return any(map(str.isdigit, run)) and any(map(str.isupper, run)) and any(map(str.islower, run))


def open_key(text: str) -> int | None:
    """Return the offset of a key that has not ended, or ``None``."""
    markers = _markers(text)
    return markers[-1].start() if markers and markers[-1]["which"] == "BEGIN" else None


def key_lines_at_the_end(text: str) -> int:
    """Return the offset of the base64 lines that end the text, or its length if there are none."""
    end = len(text)
    while end:
        start = text.rfind("\n", 0, max(0, end - 1)) + 1
        line = text[start:end].rstrip(_BEHIND + "\n")
        run = len(line) - len(line.rstrip(_BASE64))
        if run < _LINE or not _has_mixed(line[len(line) - run :]):
            break
        end = start
    return end


def _is_key(body: str) -> bool:
    """Whether a text between two marks is a key: enough of it is base64."""
    base64 = sum(len(run) for run in _MIXED.findall(body) if _has_mixed(run))
    written = len("".join(body.split()))
    return bool(written) and base64 >= _SHARE * written


def _has_mixed(run: str) -> bool:
    return any(sign.isdigit() for sign in run) or not (run.islower() or run.isupper() or run.istitle())


def _ends(text: str, mark: int, end: int, limit: int) -> int:
    """Return the end of the key's lines that follow a mark from ``mark`` to ``end``."""
    before = _head(text, mark)
    at = end
    while at < limit:
        match = _LINE_END.search(text, at, limit)
        stop = match.start() if match is not None else limit
        line = text[at:stop]
        if _is_line(line, before, last=match is None) or _HEADER.fullmatch(line.strip(_BEHIND)):
            end = stop
        elif not _BEFORE.fullmatch(line):
            begun = _BEGUN.match(text, at, stop)
            return begun.end() if begun is not None and _has_mixed(begun["run"]) else end
        at = match.end() if match is not None else limit
    return end


def _begins(text: str, end: int, limit: int) -> int:
    """Return the start of the key's lines before ``end``."""
    before = _head(text, end)
    limit = max(limit, end - _LONGEST)
    breaks = list(_LINE_END.finditer(text, limit, end))
    starts = [limit, *(match.end() for match in breaks)]
    start = end
    for at, stop in zip(reversed(starts), [end, *(match.start() for match in reversed(breaks))], strict=True):
        line = text[at:stop]
        if _is_line(line, before, last=True):
            start = at
        elif stop != end and not _BEFORE.fullmatch(line):
            break
    return start


def _head(text: str, at: int) -> str:
    """Return the text before a mark on its line, with each number as 0: a file's name, a time."""
    line = text.rfind("\n", max(0, at - 300), at) + 1
    return _DIGITS.sub("0", text[max(line, at - 300) : at])


def _is_line(line: str, before: str, *, last: bool) -> bool:
    """Whether a line ends in base64.

    A short run of base64 counts only with an empty prefix, or with the prefix ``before`` of all lines.
    """
    bare = line.rstrip(_BEHIND)
    head = bare.rstrip(_BASE64)
    run = bare[len(head) :]
    if len(run) >= _LONG:
        return _has_mixed(run)
    if len(run) < 2 or not (run.endswith("=") or last or _has_mixed(run)):
        return False
    return _BEFORE.fullmatch(head) is not None or _DIGITS.sub("0", head) in (before, before.replace(":0:", "-0-"))
