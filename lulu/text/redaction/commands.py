"""Find secrets that follow a name and a blank, without an operator: commands, SQL, XML. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from lulu.text.redaction.letters import Letters
from lulu.text.redaction.secret_names import Kind, Place, is_random, kind_of, looks_secret
from lulu.text.redaction.spans import Span

_QUOTED = r"[\"'](?P<secret>[^\"'\n\\]{4,200})[\"']"
_BARE = r"[\"']?(?P<secret>[^\s\"'-][^\s\"']{2,200})"
_NAME = r"(?P<name>[\w.-]{2,60})"
_MORE = r"\b[^\n|;&]{0,120}?[ \t]"


class _Row(NamedTuple):
    """One way to name a secret: a word, the lower-case text behind it, and the pattern from the word on."""

    word: str
    begins: re.Pattern[str]
    place: Place
    #: Has a group ``secret``. If it has a group ``name``, that must be a secret's name.
    pattern: re.Pattern[str]


def _rows(*rows: tuple[str, str, Place, str]) -> tuple[_Row, ...]:
    return tuple(
        _Row(word, re.compile(word + follows), place, re.compile(pattern, re.IGNORECASE))
        for word, follows, place, pattern in rows
    )


_ROWS = _rows(
    ("echo", r"[ \t]", Place.SETTING, rf"echo[ \t]+(?:-n[ \t]+)?{_BARE}[\"']?[ \t]*\|[^\n]{{0,200}}--password-stdin"),
    ("set", "(?:x|env| -)", Place.SETTING, rf"set(?:x|env|[ \t]+-[a-z]{{1,4}})[ \t]+{_NAME}[ \t]+{_BARE}"),
    ("env", " ", Place.SETTING, rf"(?-i:ENV)[ \t]+{_NAME}[ \t]+{_BARE}"),
    (
        "config",
        "(?:ure set| )",
        Place.SETTING,
        rf"config(?:ure set[ \t]+|[ \t]+(?:(?:--?[a-z]+|set)[ \t]+){{0,3}}){_NAME}[ \t]+{_BARE}",
    ),
    ("requirepass", "", Place.SETTING, rf"requirepass[ \t]+{_BARE}"),
    ("masterauth", "", Place.SETTING, rf"masterauth[ \t]+{_BARE}"),
    ("rootpw", "", Place.SETTING, rf"rootpw[ \t]+(?:--\w+[ \t]+)?{_BARE}"),
    ("identified", "", Place.QUOTED, rf"identified[ \t]+(?:with[ \t]+\w+[ \t]+)?by[ \t]+{_QUOTED}"),
    ("password", r"[ \t]", Place.LOOSE, rf"password[ \t]{{1,4}}{_QUOTED}"),
    (
        "passwor",
        r"[dt][`\"'*]{0,4}[ \t|]",
        Place.LOOSE,
        r"passwor[dt][`\"'*]{0,4}(?:[ \t]{1,4}(?:is|was|ist)[ \t:]{1,4}|[ \t]{0,40}\|[ \t]{0,40}|\t)"
        r"[`\"'*]{0,4}(?P<secret>[^\s`\"'|*]{6,200})",
    ),
    ("convertto", "-securestring", Place.QUOTED, rf"convertto-securestring[ \t]+(?:-string[ \t]+)?{_QUOTED}"),
    (
        "auth",
        r"(?:(?<=basicauth)\(|[ \t]*=[ \t]*\()",
        Place.QUOTED,
        rf"auth[ \t]*=?[ \t]*\([ \t]*[\"'][^\"'\n]{{0,100}}[\"'][ \t]*,[ \t]*{_QUOTED}",
    ),
    ("jdbc", ":oracle", Place.TIGHT, r"jdbc:oracle:\w{1,10}:[^\s/@:\"']{1,60}/(?P<secret>[^\s@\"']{3,200})@"),
    ("<key>", "", Place.QUOTED, rf"<key>{_NAME}</key>\s{{0,40}}<string>(?P<secret>[^<\n]{{4,500}})</string>"),
    (
        "variable",
        " ",
        Place.QUOTED,
        rf"variable[ \t]+\"{_NAME}\"[ \t]*\{{[^{{}}]{{0,400}}?\bdefault[ \t]*=[ \t]*{_QUOTED}",
    ),
)
#: Programs with an option for a secret. They are searched for only before such an option, because few texts have one.
_PROGRAMS = _rows(
    ("sshpass", "", Place.SETTING, rf"sshpass[ \t]+-p[ \t]*{_BARE}"),
    ("mysql", "", Place.SETTING, rf"mysql\w{{0,10}}{_MORE}(?-i:-p)(?=\S){_BARE}"),
    ("mariadb", "", Place.SETTING, rf"mariadb{_MORE}(?-i:-p)(?=\S){_BARE}"),
    ("redis-cli", "", Place.SETTING, rf"redis-cli{_MORE}-a[ \t]+{_BARE}"),
    ("docker", "", Place.SETTING, rf"docker[ \t]+login{_MORE}-p[ \t]*{_BARE}"),
    ("podman", "", Place.SETTING, rf"podman[ \t]+login{_MORE}-p[ \t]*{_BARE}"),
    ("unzip", "", Place.SETTING, rf"unzip{_MORE}(?-i:-P)[ \t]*{_BARE}"),
    ("openssl", "", Place.SETTING, rf"openssl{_MORE}(?:-k[ \t]+|-pass(?:in|out)?[ \t]+pass:){_BARE}"),
)
_OPTION = re.compile(r"-(?<=[ \t]-)[pak]")
#: The most characters between a program and its option.
_BEFORE_OPTION = 200
_LITERAL = re.compile(
    r"--from-literal[ =][ \t]*(?:(?P<quote>[\"'])[\w.-]{1,100}=(?P<quoted>[^\n\"']{1,500})(?P=quote)"
    r"|[\w.-]{1,100}=(?:\\?[\"'])?(?P<bare>[^\s\"'\\]{1,500}))"
)
#: The most characters between a program and its last option.
_LONGEST_COMMAND = 2_000
_COOKIES = re.compile(
    r"(?:cookie2?[\"']?[ \t]*[:=,][ \t]*(?:\[[ \t]*|[\"']?value[\"']?[ \t]*[:=][ \t]*)?|-b[ \t=]|--cookie[ \t=])"
    r"[ \t]*[\"']?(?P<pairs>[^\n\"'<>]{8,4000})",
    re.I,
)
_COOKIE_HEADER, _COOKIE_OPTION = re.compile(r"cookie2?[\"']?[ \t]*[:=,]"), re.compile("-(?:b|-cookie) ")
_PAIR = re.compile(r"=(?P<secret>[^;,\s=]{12,2000}=*)")


def told_by_commands(letters: Letters) -> Iterator[Span]:
    """Yield the secrets that are named by the words before them."""
    text = letters.text
    for row in (*_ROWS, *_programs(letters.lower)):
        done = 0
        for found in letters.begun(row.word, row.begins):
            match = row.pattern.match(text, found.start()) if found.start() >= done else None
            if match is None:
                continue
            kind = kind_of(match["name"]) if "name" in row.pattern.groupindex else Kind.PASSWORD
            if kind is not None and looks_secret(match["secret"], kind, row.place):
                done = match.end("secret")
                yield Span(*match.span("secret"), "password")
    yield from _cookies(letters)
    yield from _literals(letters)


def _literals(letters: Letters) -> Iterator[Span]:
    """Yield all values in ``kubectl create secret``, under any name."""
    for match in _LITERAL.finditer(letters.text):
        before = letters.lower[max(0, match.start() - _LONGEST_COMMAND) : match.start()]
        if before.rfind("create secret") <= before.rfind("create configmap"):
            continue
        value = match["quoted"] if match["quoted"] is not None else match["bare"]
        if value and (value.isalnum() or looks_secret(value, Kind.PASSWORD, Place.SETTING)):
            yield Span(*match.span("bare" if match["quoted"] is None else "quoted"), "password")


def _programs(lower: str) -> list[_Row]:
    """Return the rows of the programs that are called before one of their options."""
    called, others, done = [], [*_PROGRAMS], 0
    for option in _OPTION.finditer(lower):
        before = lower[max(done, option.start() - _BEFORE_OPTION) : option.start()]
        found = [row for row in others if row.word in before]
        if found:
            called += found
            others = [row for row in others if row not in found]
        # A name that overlaps the option is none.
        done = option.start()
    return called


def _cookies(letters: Letters) -> Iterator[Span]:
    """Yield the random values in cookie headers, and in cookies for curl."""
    options = _COOKIE_OPTION.finditer(letters.lower) if letters.first("curl") else ()
    for begins in (letters.begun("cookie", _COOKIE_HEADER), options):
        done = 0
        for found in begins:
            match = _COOKIES.match(letters.text, found.start()) if found.start() >= done else None
            if match is None:
                continue
            done = match.end()
            for pair in _PAIR.finditer(letters.text, *match.span("pairs")):
                if len(pair["secret"]) >= 16 and is_random(pair["secret"]):
                    yield Span(*pair.span("secret"), "token")
