"""Reads the words of a bash command: quotes, escapes, variables, and the commands hidden in them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from lulu.rules.shell.closings import closing, other_closings
from lulu.rules.shell.expansions import MOST_BRACES, braces, decoded, parameter

#: zsh also allows signs before the name.
_VARIABLE = re.compile(r"\$(?:[~^=+]*([A-Za-z_]\w*|[0-9@*#?$!_-])|[~^=+]+)", re.ASCII)
#: The form in which agents write long messages: plain text, because no line of it can end it early.
_MESSAGE = re.compile(r"\$\(cat <<'(\w+)'\n(.*?)\n\1\n\s*\)", re.DOTALL)
_ANSI_QUOTED = re.compile(r"\$'((?:[^'\\]|\\.)*)('|$)", re.DOTALL)
_BACKTICKS = re.compile(r"`((?:[^`\\]|\\.)*)(`|$)", re.DOTALL)
_PLAIN_QUOTED = re.compile(r'[^"\\$`]+')
#: Characters behind a dollar sign that is a plain character.
_BEHIND_DOLLAR = frozenset(" \t\n\"'|)")
#: Most searches that may run to the end of the text.
_SEARCHES = 20
#: Most characters that are scanned behind a construct with two possible ends.
_SCANNED = 60_000
#: Most levels of texts in ``${…}`` that are read.
_DEPTH = 3


@dataclass(frozen=True, kw_only=True, slots=True)
class Word:
    """One word of a command."""

    #: As written, without line continuations.
    raw: str
    #: Without quotes. A variable is replaced by its value if the command sets it, else by an empty text.
    text: str
    #: Whether ``text`` depends on the values of variables.
    expanded: bool = False
    #: Whether it has an unquoted ``*``, ``?`` or ``[``: the shell may replace it by names of files.
    globbed: bool = False
    #: Whether it has an unquoted ``{``: the shell may make several words of it.
    braced: bool = False


def spread(words: Sequence[Word]) -> tuple[Word, ...]:
    """Return the words after the shell has expanded braces and split values."""
    found: list[Word] = []
    for word in words:
        texts = braces(word.text) if word.braced and len(found) < MOST_BRACES else [word.text]
        if word.expanded:
            texts = [piece for text in texts for piece in text.split()]
        if texts == [word.text]:
            found.append(word)
        else:
            found += [replace(word, raw=text, text=text) for text in texts if text]
    return tuple(found)


@dataclass(kw_only=True, slots=True)
class _Draft:
    """A word that is being read."""

    start: int
    raw: list[str] = field(default_factory=list)
    text: list[str] = field(default_factory=list)
    expanded: bool = False
    globbed: bool = False
    braced: bool = False


class WordReader:
    """A position in the text, and the results so far."""

    def __init__(self, text: str, values: dict[str, str], *, depth: int = 0) -> None:
        self.text = text
        self.at = 0
        #: Scripts inside it: command substitutions.
        self.inner: list[str] = []
        #: Reasons against an approval, each once, in the order in which they were found.
        self.doubts: dict[str, None] = {}
        self.values = values
        self.draft: _Draft | None = None
        #: The end of the last word.
        self.end = 0
        #: Whether a part of it is too complex to be read.
        self.tangled = False
        self._searches = 0
        self._scanned = 0
        self._depth = depth

    def doubt(self, why: str) -> None:
        """Add a reason against an approval."""
        self.doubts[why] = None

    def take(self, *, raw: str, text: str = "") -> None:
        """Add to the word and move behind ``raw``."""
        if self.draft is None:
            self.draft = _Draft(start=self.at)
        self.draft.raw.append(raw)
        self.draft.text.append(text)
        self.at += len(raw)
        self.end = self.at

    def taken(self) -> Word | None:
        """Return the word that ends here, or None."""
        draft, self.draft = self.draft, None
        if draft is None:
            return None
        return Word(
            raw="".join(draft.raw),
            text="".join(draft.text),
            expanded=draft.expanded,
            globbed=draft.globbed,
            braced=draft.braced,
        )

    def backslash(self) -> None:
        """Read a backslash and the character that it escapes."""
        following = self.text[self.at + 1 : self.at + 2]
        if following == "\n":
            self.at += 2
        elif following:
            self.take(raw="\\" + following, text=following)
        else:
            self.doubt("it ends with a backslash")
            self.take(raw="\\")

    def single_quoted(self) -> None:
        """Read up to the next apostrophe."""
        end = self.text.find("'", self.at + 1)
        if end < 0:
            self.doubt("a quote is not closed")
            end = len(self.text)
        self.take(raw=self.text[self.at : end + 1], text=self.text[self.at + 1 : end])

    def double_quoted(self, close: str) -> None:
        """Read up to ``close``, or to the end if it is empty."""
        while self.at < len(self.text):
            sign = self.text[self.at]
            following = self.text[self.at + 1 : self.at + 2]
            if sign == close:
                self.take(raw=sign)
                return
            if sign == "\\" and following == "\n":
                self.at += 2
            elif sign == "\\" and following and following in '$`"\\':
                self.take(raw=sign + following, text=following)
            elif sign == "$":
                self.dollar(quoted=True)
            elif sign == "`":
                self.backticks()
            else:
                plain = _PLAIN_QUOTED.match(self.text, self.at)
                run = plain.group() if plain else sign
                self.take(raw=run, text=run)
        if close:
            self.doubt("a quote is not closed")

    def dollar(self, *, quoted: bool = False) -> None:
        """Read a variable, a command substitution, or a dollar sign."""
        following = self.text[self.at + 1 : self.at + 2]
        found = _VARIABLE.match(self.text, self.at)
        if following == "(":
            self._substitution(quoted=quoted)
        elif following == "{":
            self._braced_variable(quoted=quoted)
        elif following == "[":
            self._number(quoted=quoted)
        elif following == "'" and not quoted:
            self._ansi_quoted()
        elif following == '"' and not quoted:
            self.doubt("it has a translated text")
            self.take(raw='$"')
            self.double_quoted('"')
        elif found:
            self.doubt("it has a variable")
            self.take(raw=found.group(), text=self.values.get(found[1] or "", ""))
            self.mark_expanded()
        else:
            if following and following not in _BEHIND_DOLLAR:
                # Arithmetic in bash, expansions in zsh.
                self.doubt("it has a “$”")
            self.take(raw="$", text="$")

    def mark_expanded(self) -> None:
        """Mark the word as dependent on values."""
        if self.draft is not None:
            self.draft.expanded = True

    def _substitution(self, *, quoted: bool) -> None:
        message = _MESSAGE.match(self.text, self.at) if quoted and self._may_search() else None
        if message and not re.search(rf"^{message[1]}", message[2], re.MULTILINE):
            self.inner.append("cat")
            self.take(raw=message.group(), text=message[2])
            return
        self.doubt("it has a command inside a command")
        end = self.enclosed(self.at + 2, ")", quoted=quoted)
        inside = self.text[self.at + 2 : end]
        self.inner.append(inside)
        if inside.startswith("("):
            self.read_quoted(inside)
        if re.search(r"\bcase\b", inside) and self._may_search():
            # A pattern of `case` has a parenthesis of its own, so the text that was found may be too short.
            self.inner.append(self.text[self.at + 2 :])
        self.take(raw=self.text[self.at : end + 1], text=self.printed(inside))
        self.mark_expanded()

    def printed(self, script: str) -> str:
        """Return the output of a script, as far as the command alone tells it."""
        return ""

    def enclosed(self, start: int, sign: str, *, quoted: bool = False) -> int:
        """Return the position where ``sign`` closes what opens before ``start``.

        Texts behind other possible ends are read, too.
        """
        if self.tangled:
            return len(self.text)
        end = closing(self.text, start, sign)
        if end >= len(self.text):
            self.doubt("a parenthesis or a brace is not closed")
            self.may_scan(start)
        for other in other_closings(self.text, start, sign, end):
            if self.may_scan(start) and other < len(self.text):
                self.inner.append(('"' if quoted else "") + self.text[other + 1 :])
        return end

    def may_scan(self, start: int) -> bool:
        """Whether the text behind ``start`` may be scanned once more."""
        self._scanned += len(self.text) - start
        self.tangled = self.tangled or self._scanned > _SCANNED
        return not self.tangled

    def read_quoted(self, text: str) -> str:
        """Return the meaning of a text in double quotes, and note the commands in it.

        An apostrophe is a plain character there.
        """
        if not ("$" in text or "`" in text):
            return text
        if self._depth >= _DEPTH:
            self.tangled = True
            return text
        nested = WordReader(text, self.values, depth=self._depth + 1)
        nested._scanned = self._scanned
        nested.double_quoted("")
        self._scanned = nested._scanned
        self.inner += nested.inner
        self.tangled = self.tangled or nested.tangled
        word = nested.taken()
        return word.text if word else ""

    def _number(self, *, quoted: bool) -> None:
        """Read ``$[…]``, an older form of ``$((…))``. For other shells it is plain text."""
        self.doubt("it has a “$”")
        end = self.enclosed(self.at + 2, "]", quoted=quoted)
        inside = self.text[self.at + 2 : end]
        self.read_quoted(inside)
        if end >= len(self.text) or re.search(r"[;&|\n<>#'\"]", inside):
            self.inner.append(('"' if quoted else "") + self.text[self.at + 2 :])
        self.take(raw=self.text[self.at : end + 1])
        self.mark_expanded()

    def _braced_variable(self, *, quoted: bool) -> None:
        self.doubt("it has a variable")
        end = self.enclosed(self.at + 2, "q" if quoted else "}", quoted=quoted)
        inside = self.text[self.at + 2 : end]
        meant = self.read_quoted(inside)
        if "<(" in inside or ">(" in inside:
            self.inner.append(inside)
        value = parameter(meant, self.values)
        if inside.endswith("@P"):
            # The value is read like a prompt, with the commands in it.
            self.read_quoted(self.values.get(inside[:-2], ""))
        self.take(raw=self.text[self.at : end + 1], text=value)
        self.mark_expanded()

    def _ansi_quoted(self) -> None:
        self.doubt("it has a coded text")
        found = _ANSI_QUOTED.match(self.text, self.at)
        if found is None:
            self.doubt("a quote is not closed")
            self.take(raw="$'")
        else:
            self.take(raw=found.group(), text=decoded(found[1]))

    def backticks(self) -> None:
        """Read the older form of command substitution."""
        self.doubt("it has a command inside a command")
        found = _BACKTICKS.match(self.text, self.at)
        if found is None:
            self.doubt("a quote is not closed")
            self.take(raw="`")
            return
        inside = re.sub(r"\\([`$\\])", r"\1", found[1])
        self.inner.append(inside)
        self.take(raw=found.group(), text=self.printed(inside))
        self.mark_expanded()

    def _may_search(self) -> bool:
        self._searches += 1
        return self._searches <= _SEARCHES
