"""Find secrets by their place: an address, header, program option, netrc or JSON web key. Pure."""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Iterator

from lulu.text.redaction.commands import told_by_commands
from lulu.text.redaction.letters import Letters
from lulu.text.redaction.secret_names import Kind, Place, has_digit, is_random, looks_secret
from lulu.text.redaction.spans import Span

#: ``https://user:password@host``: the password is hidden, also if the scheme was cut off.
_URL = re.compile(r"(?P<before>:(?:\\*/){2}(?P<user>[^\s/:@'\"<>\\]{0,200}))(?P<colon>:?)")
_URL_SECRET = re.compile(r"[^\s/'\"<>]{1,200}(?=@[^\s@])")
_URL_SECRET_WITH_SLASH = re.compile(r"(?!\d{1,5}/)[^\s'\"<>@]{1,200}(?=@[^\s@/]{1,200}(?::\d|/|\s|\Z))")
_HEADER = re.compile(
    r"(?i)authorization\\*[\"'`]?[ \t]*[:=,][ \t]*\\*[\"'`]?(?P<scheme>(?:bearer|basic|token|apikey|api-key|digest|key|"
    r"negotiate|bot|aws4-hmac-sha256)[ \t]+)?(?P<secret>[^\s\"'`<>\\]{6,})"
)
_USER = re.compile(
    r"-(?<=[\s\"']-)(?:u[ \t=]?|-(?:proxy-)?user[ \t=]|U[ \t]|a[ \t=]|-auth[ \t=])[ \t]*"
    r"[\"']?(?P<user>[^\s:\"']{0,100}):(?P<secret>[^\s\"']{1,200})"
)
#: Programs with an option for ``user:password``. The names of httpie are those of the protocols.
_CLIENTS = ("curl", "wget", "http ", "https ", "xh ")
_NETRC = re.compile(
    r"login\s+\S{1,200}[\s+\-\d→:|#]{1,40}(?:account\s+\S{1,200}[\s+\-\d→:|#]{1,40})?password\s+(?P<secret>\S{1,200})"
)
_MACHINE = re.compile(r"(?:\bmachine\s+\S{1,200}|\bdefault)[\s+\-\d→:|#]{1,40}\Z")
_SCHEME = re.compile(r"(?i)bearer[ \t]+(?P<secret>[^\s\"'`,;<>()\\]{8,})")
_BASIC = re.compile(r"(?i)basic[ \t]+(?P<secret>[A-Za-z0-9+/_.~=-]{4,})")
#: A shorter word behind "basic" may be prose.
_LONG_ENOUGH = 16
_JWK = re.compile(r'"(?:d|p|q|dp|dq|qi|k)"\s{0,8}:\s{0,8}"(?P<secret>[A-Za-z0-9_-]{22,})"')


def credentials(letters: Letters) -> Iterator[Span]:
    """Yield the secrets that are known by their place."""
    text = letters.text
    if "//" in text or "/\\/" in text:
        yield from _addresses(text)
    yield from _headers(letters)
    yield from _users(letters)
    yield from told_by_commands(letters)
    if '"' in text:
        yield from (
            Span(*match.span("secret"), "json_web_key") for match in _JWK.finditer(text) if is_random(match["secret"])
        )


def _addresses(text: str) -> Iterator[Span]:
    for match in _URL.finditer(text):
        if not match["colon"]:
            user = match["user"]
            if len(user) >= 16 and text[match.end() : match.end() + 1] == "@" and has_digit(user):
                yield Span(*match.span("user"), "token")
            continue
        found = _URL_SECRET.match(text, match.end()) or _URL_SECRET_WITH_SLASH.match(text, match.end())
        if found is not None and not _is_no_password(found[0]):
            yield Span(*found.span(), "password")


def _is_no_password(value: str) -> bool:
    return (
        value.lower() in ("password", "pass", "passwd", "pw", "secret", "token", "xxx", "***", "<password>")
        or "hidden]" in value
        or re.fullmatch(r"\$\w+|\$?\{.*|<.*|%\w+%?|[*.x•]+|\[.*", value) is not None
    )


def _headers(letters: Letters) -> Iterator[Span]:
    for word, pattern in (("authorization", _HEADER), ("bearer", _SCHEME), ("basic", _BASIC)):
        for at in letters.places(word):
            match = pattern.match(letters.text, at)
            if match is not None:
                secret = match["secret"].rstrip(",;)]}.")
                has_scheme = pattern is not _HEADER or match["scheme"] is not None
                is_short = pattern is _BASIC and len(secret) < _LONG_ENOUGH
                if _is_user_and_password(secret) if is_short else _is_credential(secret, has_scheme=has_scheme):
                    yield Span(match.start("secret"), match.start("secret") + len(secret), "token")


def _is_credential(secret: str, *, has_scheme: bool) -> bool:
    if secret.lower().startswith(("realm=", "header", "scheme")):
        return False
    return (has_scheme or has_digit(secret)) and looks_secret(secret, Kind.TOKEN, Place.TIGHT)


def _is_user_and_password(secret: str) -> bool:
    """Whether the text is base64 of ``name:password``."""
    try:
        meant = b64decode(secret + "=" * (-len(secret) % 4), validate=True).decode()
    except ValueError:
        return False
    return ":" in meant and meant.isprintable()


def _users(letters: Letters) -> Iterator[Span]:
    """Yield the passwords in calls of curl and similar programs, and in netrc files."""
    text = letters.text
    for match in _USER.finditer(text):
        near = letters.lower[max(0, match.start() - 1_000) : match.start()]
        command = max(near.rfind(client) for client in _CLIENTS)
        if command < 0 or "\n\n" in near[command:] or _is_no_password(match["secret"]):
            continue
        yield Span(*match.span("secret"), "password")
    for at in letters.places("login"):
        login = _NETRC.match(text, at)
        if login is not None and _MACHINE.search(text, max(0, at - 250), at):
            yield Span(*login.span("secret"), "password")
