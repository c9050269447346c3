"""Hide secrets and private names from guests. Pure: text in, redacted text and a count out.

Best effort: known shapes of tokens, values under secret names, this process's secrets, the home folder, the host name.
Texts that are drawn together are read together: items of a list, texts of a result. Escapes are read as their meaning.
"""

from __future__ import annotations

import html
import json
import re
import socket
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

from lulu.text.plain import plain
from lulu.text.redaction.assignments import assignments, is_value_name, open_value
from lulu.text.redaction.credentials import credentials
from lulu.text.redaction.escapes import unescaped
from lulu.text.redaction.known_shapes import known_shapes
from lulu.text.redaction.letters import Letters, places
from lulu.text.redaction.private_keys import key_bodies, key_lines_at_the_end, open_key, private_keys
from lulu.text.redaction.secret_names import Kind, Place, is_path, kind_of, looks_secret
from lulu.text.redaction.spans import Span, merged, without

#: Names of environment variables with secret values, in addition to ``kind_of``.
_SECRET_NAMES = re.compile(r"KEY|TOKEN|SECRET|PASSW|PASSPHRASE|CREDENTIAL|COOKIE", re.IGNORECASE)
#: A shorter value would hide ordinary words.
_MIN_SECRET = 8
#: A shorter host or user name may be a word.
_MIN_NAME = 4
#: A last word that may continue. In scripts without spaces each letter ends a word.
_LAST_WORD = re.compile(r"[^\s\u2e80-\U0010ffff]+\Z")
_UNBROKEN = re.compile(r"[^\s\u2e80-\U0010ffff]*")
_PICTURE = re.compile(r"data:image/[\w+.-]{1,20};base64,[A-Za-z0-9+/=]+")
#: Separators between two texts that are drawn one below the other, and between two members of an object.
_LINES, _MEMBERS = "\n", "\n\n"
#: Members that are not drawn with those around them.
_READ_ALONE = frozenset({"type", "id", "tool_use_id", "media_type", "subtype", "uuid"})
#: A smaller number under a secret's name is a count.
_LEAST_NUMBER = 1_000
_BASE64 = re.compile(r"[A-Za-z0-9+/\s]*={0,2}")


@dataclass
class Redactor:
    """Replaces text that a guest must not see, and counts the replacements by kind."""

    #: Exact values to hide, the longest first.
    secrets: list[str] = field(default_factory=list)
    #: The user's home folder. It becomes ``~``.
    home: str | None = None
    #: Names of this computer and of its user.
    names: list[str] = field(default_factory=list)
    #: The number of replacements by kind.
    hidden: Counter[str] = field(default_factory=Counter)
    #: Whether a private key began in an earlier text and has not ended.
    inside_key: bool = False

    def __post_init__(self) -> None:
        self._exact = {form for value in self.secrets for form in _forms(value) if form}
        self._home = _home_patterns(self.home)
        names = [name for name in self.names if len(name) >= _MIN_NAME and name.lower() != "localhost"]
        self._names = [
            (Letters(name).lower, re.compile(rf"(?<![\w-]){re.escape(name)}(?![\w-])", re.IGNORECASE)) for name in names
        ]
        # The last word of a growing text is held back anyway, so only values of several words need it.
        held = [*sorted(self._exact, key=len, reverse=True), self.home or "", *names]
        self._held = [value for value in held if value and _UNBROKEN.fullmatch(value) is None]

    @property
    def count(self) -> int:
        """The number of replacements so far."""
        return sum(self.hidden.values())

    def whole(self, text: str) -> str:
        """Return the part of a growing text that is safe to redact and show now.

        Holds back the last word, an open value and an unfinished private key.
        """
        begins = open_key(text)
        if begins is not None:
            text = text[:begins]
        text = text[: key_lines_at_the_end(text)]
        for value in self._held:
            held = next((end for end in range(len(value), 0, -1) if text.endswith(value[:end])), 0)
            text = text[: len(text) - held]
        for _ in range(2):
            # Twice, because the last word may have ended a value whose beginning is then open.
            text = _LAST_WORD.sub("", text[: open_value(text)])
        return text

    def text(self, text: str) -> str:
        """Redact secrets. Terminal sequences are removed first, because they can split a secret."""
        text = plain(text)
        return self._hide(text, [text], [0])[0]

    def value(self, value: Any) -> Any:
        """Redact every text in a JSON value. A text under a secret's name is hidden as a whole."""
        leaves: list[_Leaf] = []
        shape = self._shape(value, leaves, None)
        starts, length = [], 0
        for leaf in leaves:
            length += len(leaf.before)
            starts.append(length)
            length += len(leaf.text)
        own = [
            Span(start, start + len(leaf.text), "password")
            for leaf, start in zip(leaves, starts, strict=True)
            if leaf.is_secret and leaf.text
        ]
        text = "".join(leaf.before + leaf.text for leaf in leaves)
        for leaf, shown in zip(leaves, self._hide(text, [leaf.text for leaf in leaves], starts, own), strict=True):
            leaf.text = shown
        return _filled(shape)

    def _shape(self, value: Any, leaves: list[_Leaf], kind: Kind | None, before: str = _MEMBERS) -> Any:
        """Return the value with a leaf for each text, and append the leaves to ``leaves`` in order."""
        if isinstance(value, str):
            text = plain(value)
            is_secret = kind is not None and looks_secret(text, kind, Place.QUOTED)
            leaves.append(_Leaf(text=text, before=before, is_secret=is_secret))
            return leaves[-1]
        if isinstance(value, int | float) and not isinstance(value, bool):
            if kind is not Kind.PASSWORD or abs(value) < _LEAST_NUMBER:
                return value
            leaves.append(_Leaf(text=str(value), before=before, is_secret=True))
            return leaves[-1]
        if isinstance(value, list | tuple):
            return [self._shape(part, leaves, kind, _LINES if at else before) for at, part in enumerate(value)]
        if isinstance(value, Mapping):
            return {self._name(str(name)): self._member(value, name, leaves, kind, before) for name in value}
        return value

    def _member(self, value: Mapping[Any, Any], name: Any, leaves: list[_Leaf], kind: Kind | None, before: str) -> Any:
        part = value[name]
        if name in _READ_ALONE and isinstance(part, str):
            return self.text(part)
        if name == "data" and value.get("type") == "base64" and _is_picture(value, part):
            return part
        own = kind_of(str(name)) or (kind if is_value_name(str(name)) else None)
        if name in ("value", "Value") and own is None:
            told = value.get("name", value.get("Name", value.get("key", value.get("Key"))))
            own = kind_of(told) if isinstance(told, str) else None
        # The texts of a result's blocks are drawn one below the other, without their names.
        return self._shape(part, leaves, own, before if name == "text" else _MEMBERS)

    def _name(self, name: str) -> str:
        return self.text(name) if len(name) >= _MIN_SECRET else plain(name)

    def _hide(self, text: str, pieces: list[str], starts: list[int], own: Iterable[Span] = ()) -> list[str]:
        spans = merged([*own, *self._spans(text)])
        if not spans:
            return pieces
        self.hidden.update(span.kind for span in spans)
        return without(pieces, spans, starts)

    def _spans(self, text: str) -> Iterator[Span]:
        letters = Letters(text)
        found = [*self._read(letters)]
        meant = unescaped(letters)
        if meant is not None:
            found += meant.before(self._read(meant))
        pictures = [match.span() for match in _PICTURE.finditer(text)] if found and "data:image/" in text else []
        for span in found:
            if not any(start <= span.start and span.end <= end for start, end in pictures):
                yield span

    def _read(self, letters: Letters) -> Iterator[Span]:
        text = letters.text
        for value in self._exact:
            yield from (Span(at, at + len(value), "environment") for at in places(text, value))
        yield from known_shapes(letters)
        yield from private_keys(text, inside=self.inside_key)
        yield from key_bodies(letters)
        yield from assignments(letters)
        yield from credentials(letters)
        for pattern, slashes in self._home:
            for match in pattern.finditer(text):
                before = text[max(0, match.start() - 4) : match.start()]
                yield Span(match.start() - len(before) + len(before.rstrip(slashes)), match.end(), "home folder")
        for name, pattern in self._names:
            for at in places(letters.lower, name):
                if pattern.match(text, at):
                    yield Span(at, at + len(name), "computer name")


@dataclass(kw_only=True)
class _Leaf:
    """A text in a JSON value, or a number under a secret's name."""

    text: str
    #: The separator between this leaf and the one before.
    before: str
    is_secret: bool = False


def _filled(shape: Any) -> Any:
    if isinstance(shape, _Leaf):
        return shape.text
    if isinstance(shape, list):
        return [_filled(part) for part in shape]
    if isinstance(shape, dict):
        return {name: _filled(part) for name, part in shape.items()}
    return shape


def _is_picture(source: Mapping[Any, Any], data: object) -> bool:
    """Whether an image's source is only base64. A guest sees the picture, not the letters."""
    kind = source.get("media_type")
    return (
        isinstance(data, str)
        and isinstance(kind, str)
        and kind.startswith("image/")
        and _BASE64.fullmatch(data) is not None
    )


def redactor(environ: Mapping[str, str], home: Path | None) -> Redactor:
    """Return the redactor of this process: secrets of its environment, its home folder, its host name."""
    host = socket.gethostname()
    return Redactor(
        secrets=list(secret_values(environ)),
        home=str(home) if home is not None else None,
        names=list(dict.fromkeys([host, host.partition(".")[0]])),
    )


def secret_values(environ: Mapping[str, str]) -> Iterable[str]:
    """Yield the values of environment variables with secret names."""
    for name, value in environ.items():
        value = value.strip()
        is_named = name.upper() != "PWD" and (_SECRET_NAMES.search(name) or kind_of(name) is not None)
        if is_named and len(value) >= _MIN_SECRET and not is_path(value):
            yield value


def _forms(secret: str) -> Iterator[str]:
    """Yield a secret unchanged, and as JSON, JSON in JSON, addresses and HTML write it."""
    yield secret
    for ascii_only in (True, False):
        once = json.dumps(secret, ensure_ascii=ascii_only)[1:-1]
        yield once
        yield once.replace("/", "\\/")
        yield json.dumps(once, ensure_ascii=ascii_only)[1:-1]
    yield from (quote(secret), quote(secret, safe=""), quote_plus(secret), html.escape(secret))


def _home_patterns(home: str | None) -> tuple[tuple[re.Pattern[str], str], ...]:
    """Return patterns for the home folder's path, each with the slashes that may come before it."""
    # Homes such as "/" or "/root" name no user, but guests need not see them either.
    if home is None or len(home) < 3:
        return ()
    parts = [re.escape(part) for part in re.split(r"[/\\]+", home) if part]
    if not parts:
        return ()
    # Also // and /./. Slashes in escapes are read before.
    slash = r"[/\\]"
    between = rf"{slash}+(?:\.{slash}+){{0,3}}"
    first = f"{parts[0]}(?<={slash}{parts[0]})" if home[0] in "/\\" else parts[0]
    path = between.join([first, *parts[1:]]) + r"(?![\w-]|\.\w)"
    # Claude Code names its folder of a project after the path, with "-" for all but letters and digits.
    dashed = re.escape(re.sub("[^A-Za-z0-9]", "-", home.rstrip("/\\")))
    dashed += r"(?<![\w-]" + dashed + r")(?![A-Za-z0-9])" if len(parts) > 1 else rf"(?<=/{dashed})(?=-[A-Za-z0-9])"
    return (re.compile(path), "/\\" if home[0] in "/\\" else ""), (re.compile(dashed), "")
