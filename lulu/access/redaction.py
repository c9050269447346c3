"""Hides secrets and private names from guests. Pure: text in, text out, with a count; what is stored stays whole.

Best effort: known shapes of tokens, names that say "secret", this process's own secrets, the home path, the host name.
"""

from __future__ import annotations

import re
import socket
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lulu.plain_text import plain

#: Environment variables whose values are secret, by their names.
_SECRET_NAMES = re.compile(r"KEY|TOKEN|SECRET|PASSW|PASSPHRASE|CREDENTIAL|COOKIE", re.IGNORECASE)
#: A shorter value would hide ordinary words.
_MIN_SECRET = 8
#: A shorter host or user name is too likely a word.
_MIN_NAME = 4

#: Known shapes, each under the name that a guest reads in its place. Every one begins with a literal, so that the
#: search is fast.
_SHAPES: dict[str, str] = {
    "anthropic_key": r"sk-ant-[A-Za-z0-9_-]{20,}",
    "openai_key": r"sk-(?:proj|svcacct|admin|None)-[A-Za-z0-9_-]{20,}|sk-[A-Za-z0-9]{40,}",
    "aws_key": r"(?:AKIA|ASIA|AROA|AIDA)[A-Z0-9]{16}(?![A-Za-z0-9])",
    "github_token": r"gh[pousr]_[A-Za-z0-9]{36,}|github_pat_[A-Za-z0-9_]{50,}",
    "gitlab_token": r"glpat-[A-Za-z0-9_-]{20,}",
    "slack_token": r"xox[abeoprs]-[A-Za-z0-9-]{10,}|xapp-[A-Za-z0-9-]{20,}"
    r"|hooks\.slack\.com/services/T[A-Za-z0-9]+/B[A-Za-z0-9]+/[A-Za-z0-9]{16,}",
    "google_key": r"AIza[A-Za-z0-9_-]{35}|ya29\.[A-Za-z0-9_-]{20,}|GOCSPX-[A-Za-z0-9_-]{28}",
    "stripe_key": r"(?:sk|rk)_(?:live|test)_[A-Za-z0-9]{16,}",
    "npm_token": r"npm_[A-Za-z0-9]{36}",
    "pypi_token": r"pypi-[A-Za-z0-9_-]{50,}",
    "huggingface_token": r"hf_[A-Za-z0-9]{30,}",
    "jwt": r"eyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]{10,}",
}
_TOKEN = re.compile(r"(?<![A-Za-z0-9_])(?:" + "|".join(f"(?P<{name}>{shape})" for name, shape in _SHAPES.items()) + ")")
#: A private key, to its end or, where that is cut off, over all that follows and still looks like one.
_PEM = re.compile(
    r"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----"
    r"(?:[A-Za-z0-9+/=\s\\:,.-]*?-----END (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----"
    r"|(?:\s*[A-Z][A-Za-z-]*: [^\n]*(?:\n|$))*[A-Za-z0-9+/=\\\s]*)"
)
#: The beginning of one.
_PEM_BEGINS = re.compile(r"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----")
#: A word that may go on. A letter of a script that writes without spaces ends one.
_LAST_WORD = re.compile(r"[^\s\u2e80-\U0010ffff]+\Z")
#: ``https://user:password@host``: the password goes, also where the scheme was cut off.
_URL = re.compile(r"(?P<before>://[^\s/:@'\"<>]{0,100}:)(?P<secret>[^\s/@'\"<>]{1,200})(?=@[^\s@])")
_BEARER = re.compile(
    r"(?P<before>\b(?:[Bb]earer|[Bb]asic) )(?P<secret>(?=[A-Za-z0-9+/_.~=-]*[0-9])[A-Za-z0-9+/_.~=-]{16,})"
)
_NAMES_OF_SECRETS = (
    *("password", "passwd", "passphrase", "pwd", "secret", "api[_-]?key", "access[_-]?key", "secret[_-]?key"),
    *("private[_-]?key", "auth[_-]?token", "access[_-]?token", "refresh[_-]?token", "client[_-]?secret", "token"),
    "credential",
)
_SECRET_WORD = f"(?:{'|'.join(_NAMES_OF_SECRETS)})"
#: The same, its first letter as a set of letters: then the search skips fast what begins with none of them.
_BEGINS = "".join(sorted({letter for name in _NAMES_OF_SECRETS for letter in (name[0], name[0].upper())}))
_GOES_ON = "|".join(f"(?<={name[0]}){name[1:]}" for name in _NAMES_OF_SECRETS)
#: ``DB_PASSWORD=…``, ``"api_key": "…"``, ``password: …``. Other parts of the name may stand before the word.
_ASSIGNED = re.compile(
    rf"(?P<before>[{_BEGINS}](?<![A-Za-z0-9].)(?i:(?:{_GOES_ON})(?:[_-](?:key|value))?)"
    r"\\?[\"']?[ \t]{0,3}(?:=|:(?!//|:)|=>)[ \t]{0,3})"
    r"(?:(?P<quote>\\?[\"'])(?P<quoted>[^\"'\n\\]{4,500})(?=\\?[\"'])|(?P<bare>[^\s\"'`,;(){}\[\]<>$|\\]{6,500}))"
)
#: What stands after ``password:`` in prose and code, and is no password.
_NO_SECRET = re.compile(
    r"(?i:null|none|true|false|undefined|required|optional|string|str|bytes|int|boolean|changeme|redacted|hidden"
    r"|\*+|x{4,}|\.{3,}|-+|your[_-].*|my[_-].*|example.*|placeholder.*|todo.*|<.*>|\$.*|%.*|\{.*|os\.\w+.*|process\.env.*"
    r"|getenv.*|self\.\w+.*|settings\.\w+.*|config\.\w+.*|request\.\w+.*)"
)
_WORD = re.compile(r"[A-Za-z]+(?:[._-][A-Za-z]+)*[.!?:]?")
#: One of these is in every text that the slower patterns find something in; looking for them costs next to nothing.
_TOKEN_BEGINNINGS = (
    *("sk-", "sk_", "rk_", "AKIA", "ASIA", "AROA", "AIDA", "ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_"),
    *("glpat-", "xox", "xapp-", "hooks.slack", "AIza", "ya29.", "GOCSPX-", "npm_", "pypi-", "hf_", "eyJ"),
)
_SECRET_WORDS = ("passw", "pwd", "passphrase", "secret", "key", "token", "credential")


@dataclass
class Redactor:
    """Replaces what a guest should not see, and counts it by kind."""

    #: Exact values to hide, the longest first.
    secrets: list[str] = field(default_factory=list)
    #: The user's home folder, shown as ``~``.
    home: str | None = None
    #: Names of this computer and of its user.
    names: list[str] = field(default_factory=list)
    #: How often each kind was hidden.
    hidden: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        exact = sorted({*self.secrets}, key=len, reverse=True)
        self._exact = re.compile("|".join(re.escape(value) for value in exact)) if exact else None
        self._home = _home_pattern(self.home)
        names = [name for name in self.names if len(name) >= _MIN_NAME and name.lower() != "localhost"]
        self._names = (
            re.compile(r"(?<![\w-])(?:" + "|".join(re.escape(name) for name in names) + r")(?![\w-])", re.IGNORECASE)
            if names
            else None
        )

    @property
    def count(self) -> int:
        """How many places were hidden."""
        return sum(self.hidden.values())

    def whole(self, text: str) -> str:
        """Of a text that still grows, what cannot begin a secret; its last word waits until it is whole."""
        begins = [match.start() for match in _PEM_BEGINS.finditer(text)]
        if begins and "-----END" not in text[begins[-1] :]:
            text = text[: begins[-1]]
        for secret in self.secrets:
            held = next((end for end in range(len(secret), 0, -1) if text.endswith(secret[:end])), 0)
            text = text[: len(text) - held]
        return _LAST_WORD.sub("", text)

    def text(self, text: str) -> str:
        """The text without what a guest should not see, nor what a terminal obeys: that may stand within a secret."""
        text = plain(text)
        if self._exact is not None:
            text = self._exact.sub(lambda match: self._hide("environment"), text)
        if any(beginning in text for beginning in _TOKEN_BEGINNINGS):
            text = _TOKEN.sub(lambda match: self._hide(match.lastgroup or "token"), text)
        if "-----BEGIN" in text:
            text = _PEM.sub(lambda match: self._hide("private_key"), text)
        if "://" in text:
            text = _URL.sub(lambda match: match["before"] + self._hide("password"), text)
        if "earer " in text or "asic " in text:
            text = _BEARER.sub(lambda match: match["before"] + self._hide("token"), text)
        lower = text.lower()
        if any(word in lower for word in _SECRET_WORDS):
            text = _ASSIGNED.sub(self._assigned, text)
        if self._home is not None:
            text, count = self._home.subn("~", text)
            self.hidden["home folder"] += count
        if self._names is not None and any(name.lower() in lower for name in self.names):
            text, count = self._names.subn("[this computer]", text)
            self.hidden["computer name"] += count
        return text

    def value(self, value: Any) -> Any:
        """A JSON value with every text in it looked at; under a secret's name, the text itself is one."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, list | tuple):
            return [self.value(part) for part in value]
        if isinstance(value, Mapping):
            return {self.text(str(name)): self._member(str(name), part) for name, part in value.items()}
        return value

    def _member(self, name: str, part: Any) -> Any:
        if isinstance(part, str) and re.fullmatch(rf"(?:\w+[_.-])*{_SECRET_WORD}", name, re.IGNORECASE):
            return self._hide("password") if _looks_secret(part, quoted=True) else self.text(part)
        return self.value(part)

    def _assigned(self, match: re.Match[str]) -> str:
        quoted = match["quoted"]
        found = quoted if quoted is not None else match["bare"]
        if not _looks_secret(found, quoted=quoted is not None):
            return match[0]
        return match["before"] + (match["quote"] or "") + self._hide("password")

    def _hide(self, kind: str) -> str:
        self.hidden[kind] += 1
        return f"[{kind.replace('_', ' ')} hidden]"


def redactor(environ: Mapping[str, str], home: Path | None) -> Redactor:
    """The redactor of this process: its environment's secrets, its user's home, its computer's name."""
    host = socket.gethostname()
    return Redactor(
        secrets=list(secret_values(environ)),
        home=str(home) if home is not None else None,
        names=list(dict.fromkeys([host, host.partition(".")[0]])),
    )


def secret_values(environ: Mapping[str, str]) -> Iterable[str]:
    """The values of variables whose names say that they are secret."""
    for name, value in environ.items():
        if _SECRET_NAMES.search(name) and len(value) >= _MIN_SECRET and not Path(value).is_absolute():
            yield value


def _looks_secret(text: str, *, quoted: bool) -> bool:
    """Whether what stands after a secret's name is one: not a word of prose, not a reference to elsewhere."""
    if text.startswith("[") or "hidden]" in text or _NO_SECRET.fullmatch(text):
        return False
    if quoted:
        return " " not in text.strip() and len(text) >= 6 and not (_WORD.fullmatch(text) and len(text) < 8)
    return len(text) >= 6 and not _WORD.fullmatch(text) and not text.isdigit()


def _home_pattern(home: str | None) -> re.Pattern[str] | None:
    # A home of "/" or "/root" is no private name, but the path is still not the guest's business.
    if home is None or len(home) < 3:
        return None
    return re.compile(re.escape(home.rstrip("/\\")) + r"(?![\w.-])")
