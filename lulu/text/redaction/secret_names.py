"""Decide whether a name means a secret, and whether a value looks like one. Pure.

A word counts as a part of a name (``DB_PASS``, ``dbPassword``, ``PGPASSWORD``), not within a word (``compass``).
"""

from __future__ import annotations

import re
from enum import Enum
from functools import lru_cache


class Kind(Enum):
    """The look of a secret, by its name."""

    #: Any text, also a word or a number.
    PASSWORD = "password"
    #: Letters and digits.
    TOKEN = "token"
    #: Only a value that is clearly random.
    KEY = "key"


class Place(Enum):
    """The syntax around a value."""

    #: In quotes.
    QUOTED = "quoted"
    #: ``NAME=value``, as in a shell or a settings file.
    SETTING = "setting"
    #: ``name=value`` elsewhere: an argument of a call, an address.
    TIGHT = "tight"
    #: ``name: value``, ``name = value``: also in prose and code.
    LOOSE = "loose"


def words(text: str) -> frozenset[str]:
    """Return the words of a text as a set."""
    return frozenset(text.split())


_PART = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_PASSWORDS = (
    *("password", "passwd", "passphrase", "passcode", "secret", "pwd", "credential", "passwort", "kennwort"),
    "motdepasse",
    *("userpass", "dbpass", "rootpass", "adminpass", "rootpw", "bindpw", "userpw"),
)
_KEYS = ("apikey", "accesskey", "secretkey", "privatekey", "signingkey", "authkey", "masterkey", "accountkey")
_OF_A_SECRET_KEY = words(
    "api access secret private priv auth encryption encrypt crypt signing sign signature master account deploy service "
    "client license shared webhook admin app application jwt aes hmac ssh rsa server gpg tls ssl bot storage"
)
_OF_NO_KEY = words(
    "primary foreign sort partition cache public pub idempotency lookup group hash range row routing dict map index "
    "translation config setting registry hot short arrow host known finger object item json query react unique "
    "composite natural candidate enter escape tab shift ctrl alt meta function search dedupe message locale label "
    "field column property press verify verifying"
)
_OF_NO_TOKEN = words(
    "next page continuation previous prev max min num n eos bos pad unk mask sep cls start end stop special input "
    "output total prompt completion cached cache reasoning no is has count"
)
#: A name that continues with one of these is about a secret, but holds none.
_ABOUT = words(
    "type types kind count counts limit limits length len size name names id ids url uri link path file files filename "
    "dir folder expires expiry expiration expire exp ttl age created updated at date time field fields input label "
    "placeholder hint policy policies rule rules reset required min max ref reference header prefix suffix format "
    "status state error errors message msg manager store provider source env var usage used uses budget strength score "
    "regex pattern endpoint hash digest algorithm alg method mode version page form screen view icon color bg class "
    "style css button toggle visible visibility enabled disabled changed change prompt arg args argument parameter "
    "param params option options flag cost price rate index idx position pos offset start end stream lifetime validity "
    "issuer scope scopes audience owner description desc title help info stdin command cmd process processor parser "
    "lexer generator validator checker encoder factory list set map table column per in out left remaining total cache "
    "read write output less is"
)
_COMMON = words(
    "null none nil true false undefined required optional string str bytes int integer boolean bool number any object "
    "array text varchar char hidden redacted changeme change_me password passwords passwd token tokens secret secrets "
    "key default empty missing invalid incorrect wrong expired valid unchanged unset enabled disabled bearer basic "
    "plain plaintext prompt ask stdin file env environment keyring vault yes no on off unknown placeholder example "
    "sample n/a todo tbd identifier keyword operator punctuation function comment field fields input submit email "
    "username user sensitive private public forgot reset confirm login sign-in sha256 sha1 sha512 md5 bcrypt argon2 "
    "argon2id scrypt pbkdf2 oauth oauth2 jwt base64 utf8 utf-8 hex aes rsa ed25519 x509 keychain pass new-password "
    "current-password visible masked unsafe safe strong weak short long value same-origin "
    "include omit read-only case-sensitive"
)
_PLACEHOLDER = re.compile(
    r"(?i:change[_-]?me.*|your[_-].*|(?:my|the|a|some|user)[_-](?:\w+[_-])?(?:passw\w*|secret|token|key|api.*)|example.*"
    r"|placeholder.*|todo.*|redacted.*|replace[_-].*|insert[_-].*|enter[_-].*|.*[_-]here|x{3,}|[*•.#_-]+"
    r"|!!python/.*|!(?:vault|secret|env|sub|ref|importvalue)\b.*|(?:xxxx|\*\*\*|\.\.\.|…).*|<.*"
    r"|\{.*|\[.*|#\{.*|%[\w()]{1,40}%?|!\w+!|&\w+;?|\|.*|=.*)"
)
_SHELL_NAME = re.compile(r"\$(?:[A-Z_][A-Z0-9_]*|[a-z_]+|[0-9@*#?!]|[({].*|\w*(?:\[|->|::?).*)")
_ANY_SHELL_NAME = re.compile(r"\$[A-Za-z_]*")
_DOTTED = re.compile(r"[A-Za-z_$][A-Za-z_$]*(?:\??\.[A-Za-z_$]\w*)+(?:\[.*)?")
_OBJECTS = re.compile(
    r"(?:self|this|cls|config|settings|process|os|request|req|args|opts|options|env|ctx|app|data|user|params|props|state|"
    r"response|res|event|form|body|json|client|session)\b.*"
)
_CALL = re.compile(r"[A-Za-z_$][\w.$]*\(")
_INDEX = re.compile(r"[A-Za-z_$][\w.$]*\[.*")
_IDENTIFIER = re.compile(r"[A-Za-z_$]\w*")
_SECRET_WORD = re.compile(r"(?i:passw|pwd|passphrase|secret|token|key|credential|auth)")
_WORD = re.compile(r"[^\W\d_]+(?:['._-][^\W\d_]+)*[.!?:]?")
_SPECIAL = re.compile(r"[!@#$%^&*+=~?|\\;,()/]")
_PROSE = re.compile(
    r"(?i)\b(?:the|is|are|your|you|a|an|enter|must|be|for|to|of|please|wrong|required|and|or|not|with|was|this|that|has|"
    r"have|in|on|at|it|no|new|old|forgot|reset|change|confirm|invalid)\b"
)
_HASH = re.compile(r"[0-9a-f]{7,}|[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}|\d[\d.:,_T/-]*[A-Za-z%]{0,3}")
_PATH = re.compile(r"(?:~|\.{1,2})?/.*|[A-Za-z]:[\\/].*|[A-Za-z][A-Za-z0-9+.-]{1,20}://.*")
_NAMED_SEGMENT = re.compile(r"[a-z0-9._ ~-]*|[A-Z]?[a-z._-]*[0-9]{0,4}|[A-Z_.-]+|[\w.-]+\.[a-z]{1,5}|<.*|\{.*|\$.*")


@lru_cache(maxsize=4096)
def kind_of(name: str) -> Kind | None:
    """Return the kind of secret under this name, or ``None`` if it names none."""
    parts = [part.lower() for part in _PART.findall(name)]
    if parts in (["oldpwd"], ["old", "pwd"]):
        return None
    for number in range(len(parts) - 1, -1, -1):
        kind = _kind_of_part(parts, number)
        if kind is not None:
            is_about = any(part in _ABOUT for part in parts[number + 1 :])
            return None if is_about else kind
    return None


def _kind_of_part(parts: list[str], number: int) -> Kind | None:
    part, before = parts[number], parts[:number]
    one = part.removesuffix("s") if part != "pass" else part
    if (
        one == "pass"
        or parts[max(0, number - 2) : number + 1] == ["mot", "de", "passe"]
        or one.endswith(_PASSWORDS)
        or part.endswith(_PASSWORDS)
        or one == "pw"
    ):
        return None if {"is", "has", "no", "show", "forgot", "reset"} & {*before} else Kind.PASSWORD
    if one.endswith("token"):
        if _OF_NO_TOKEN & {*before}:
            return None
        return Kind.KEY if part.endswith("s") else Kind.TOKEN
    if one.endswith(_KEYS) or one == "cookie" or (one == "auth" and not before):
        return Kind.KEY if one in ("cookie", "auth") else Kind.TOKEN
    if one == "key":
        if _OF_NO_KEY & {*before}:
            return None
        return Kind.TOKEN if before and before[-1] in _OF_A_SECRET_KEY else Kind.KEY
    return None


def looks_secret(value: str, kind: Kind, place: Place, *, line: str = "") -> bool:
    """Whether a value under a name of this kind is secret. ``line``: the rest of its line."""
    if not value or "hidden]" in value or _is_elsewhere(value, place, line) or is_path(value):
        return False
    if value.lower().rstrip(".!?:,;") in _COMMON or _PLACEHOLDER.fullmatch(value):
        return False
    if kind is Kind.KEY:
        return len(value) >= 16 and is_random(value)
    if kind is Kind.TOKEN:
        if len(value) < 8 or value.isdigit() or " " in value:
            return False
        return (
            _is_mixed(value)
            or (place is Place.SETTING and not value.islower())
            or (len(value) >= 32 and is_random(value))
        )
    if value.isdigit():
        return len(value) >= (5 if place is Place.LOOSE else 4)
    if " " in value.strip():
        return place is Place.QUOTED and _is_passphrase(value)
    if place is Place.LOOSE:
        parts = value.split("-")
        many_words = len(parts) > 2 and all(len(part) > 2 for part in parts)
        return len(value) >= 6 and (many_words or (_WORD.fullmatch(value) is None and _is_mixed(value, special=True)))
    return len(value) >= 4


def is_path(value: str) -> bool:
    """Whether the value is a path or an address, and not a random text that begins with a slash."""
    if _PATH.fullmatch(value) is None:
        return False
    if not value.startswith("/"):
        return "@" not in value
    segments = value.strip("/").split("/")
    return len(segments) > 1 and all(_NAMED_SEGMENT.fullmatch(segment) for segment in segments)


def is_random(value: str) -> bool:
    """Whether the value has letters of both cases and digits, and is neither a hash nor a path."""
    return (
        _HASH.fullmatch(value) is None
        and " " not in value
        and len({*value}) >= 8
        and has_digit(value)
        and not value.islower()
        and not value.isupper()
        and is_path(value) is False
    )


def is_prose(value: str) -> bool:
    """Whether the value contains one of the small words of a sentence."""
    return _PROSE.search(value) is not None


def has_digit(value: str) -> bool:
    """Whether the value contains a digit."""
    return any(sign.isdigit() for sign in value)


def _is_mixed(value: str, *, special: bool = False) -> bool:
    has_letter = any(sign.isalpha() for sign in value)
    return has_letter and (has_digit(value) or (special and _SPECIAL.search(value) is not None))


def _is_passphrase(value: str) -> bool:
    words = value.split()
    return len(words) > 2 and value == value.lower() and not is_prose(value) and not value.endswith((".", ":"))


def _is_elsewhere(value: str, place: Place, line: str) -> bool:
    """Whether the value is a reference: a variable, a call, a name of something else."""
    if value[0] == "$":
        if _SHELL_NAME.fullmatch(value):
            return True
        return place is not Place.SETTING and _ANY_SHELL_NAME.fullmatch(value) is not None
    if place is Place.QUOTED:
        return _IDENTIFIER.fullmatch(value) is not None and _names_a_secret(value)
    if _CALL.match(value):
        return ")" in value or ")" in line or value.endswith("(")
    if _INDEX.fullmatch(value):
        return True
    if _DOTTED.fullmatch(value):
        return place is not Place.SETTING or _OBJECTS.fullmatch(value) is not None
    if _IDENTIFIER.fullmatch(value) is None:
        return False
    if place is Place.SETTING:
        return value.islower() and "_" in value and _names_a_secret(value)
    if _names_a_secret(value):
        return True
    return place is Place.TIGHT and line[:1] in (")", ",") and value.replace("_", "").isalpha()


def _names_a_secret(value: str) -> bool:
    """Whether the value is a name for a secret: ``user_password``, but not ``password123``."""
    return _SECRET_WORD.search(value) is not None and not any(sign.isdigit() for sign in value[:-1])
