"""Reads the words of a bash command: quotes, escapes, variables, and the commands that are hidden in them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from lulu.rules.checks import Check
from lulu.rules.expansions import decoded, parameter

#: zsh takes signs before the name, too.
_VARIABLE = re.compile(r"\$(?:[~^=+]*([A-Za-z_]\w*|[0-9@*#?$!_-])|[~^=+]+)", re.ASCII)
_HEREDOC = re.compile(r"<<-?[ \t]*\\?(['\"]?)([\w.-]+)\1")
#: The way in which agents write long messages: a text and nothing else, for no line of it can end it early.
_MESSAGE = re.compile(r"\$\(cat <<'(\w+)'\n(.*?)\n\1\n\s*\)", re.DOTALL)
_ANSI_QUOTED = re.compile(r"\$'((?:[^'\\]|\\.)*)('|$)", re.DOTALL)
_BACKTICKS = re.compile(r"`((?:[^`\\]|\\.)*)(`|$)", re.DOTALL)
_PLAIN_QUOTED = re.compile(r'[^"\\$`]+')
#: Behind a dollar sign that is only a dollar sign.
_BEHIND_DOLLAR = frozenset(" \t\n\"'|)")
#: Searches that may run to the end of the text; more of them are not worth their time.
_SEARCHES = 20


@dataclass(frozen=True, kw_only=True, slots=True)
class Word:
    """One word of a command."""

    #: As written, without line continuations.
    raw: str
    #: Without quotes; a variable is its value where the command says it, else empty.
    text: str
    #: Whether ``text`` rests on the values of variables.
    expanded: bool = False
    #: Whether it has a ``*``, ``?`` or ``[`` that is not quoted: the shell may put names of files in its place.
    globbed: bool = False
    #: Whether it has a ``{`` that is not quoted: the shell may make several words of it.
    braced: bool = False


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
    """Where the reader stands in the text, and what it found so far."""

    def __init__(self, text: str, values: dict[str, str]) -> None:
        self.text = text
        self.at = 0
        #: Scripts inside it: command substitutions.
        self.inner: list[str] = []
        #: What keeps it from being approved, and how to say so.
        self.doubts: dict[Check, str] = {}
        self.values = values
        self.draft: _Draft | None = None
        #: Where the last word ended.
        self.end = 0
        self._searches = 0

    def doubt(self, check: Check, why: str) -> None:
        """Note what keeps the command from being approved."""
        self.doubts.setdefault(check, why)

    def take(self, *, raw: str, text: str = "") -> None:
        """Add to the word and go on behind ``raw``."""
        if self.draft is None:
            self.draft = _Draft(start=self.at)
        self.draft.raw.append(raw)
        self.draft.text.append(text)
        self.at += len(raw)
        self.end = self.at

    def taken(self) -> Word | None:
        """The word that ends here, if there is one."""
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
        """What follows a backslash stands for itself."""
        following = self.text[self.at + 1 : self.at + 2]
        if following == "\n":
            self.at += 2
        elif following:
            self.take(raw="\\" + following, text=following)
        else:
            self.doubt(Check.INCOMPLETE, "it ends with a backslash")
            self.take(raw="\\")

    def single_quoted(self) -> None:
        """Up to the next apostrophe."""
        end = self.text.find("'", self.at + 1)
        if end < 0:
            self.doubt(Check.INCOMPLETE, "a quote is not closed")
            end = len(self.text)
        self.take(raw=self.text[self.at : end + 1], text=self.text[self.at + 1 : end])

    def double_quoted(self, close: str) -> None:
        """Up to ``close``, or to the end when it is empty."""
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
            self.doubt(Check.INCOMPLETE, "a quote is not closed")

    def dollar(self, *, quoted: bool = False) -> None:
        """A variable, a command substitution, or a dollar sign."""
        following = self.text[self.at + 1 : self.at + 2]
        found = _VARIABLE.match(self.text, self.at)
        if following == "(":
            self._substitution(quoted=quoted)
        elif following == "{":
            self._braced_variable()
        elif following == "'" and not quoted:
            self._ansi_quoted()
        elif following == '"' and not quoted:
            self.doubt(Check.EXPANSION, "it has a translated text")
            self.take(raw='$"')
            self.double_quoted('"')
        elif found:
            self.doubt(Check.EXPANSION, "it has a variable")
            self.take(raw=found.group(), text=self.values.get(found[1] or "", ""))
            self.mark_expanded()
        else:
            if following and following not in _BEHIND_DOLLAR:
                # Arithmetic in bash, expansions in zsh.
                self.doubt(Check.EXPANSION, "it has a “$”")
            self.take(raw="$", text="$")

    def mark_expanded(self) -> None:
        """Note that the word rests on values."""
        if self.draft is not None:
            self.draft.expanded = True

    def _substitution(self, *, quoted: bool) -> None:
        message = _MESSAGE.match(self.text, self.at) if quoted and self._may_search() else None
        if message and not re.search(rf"^{message[1]}", message[2], re.MULTILINE):
            self.doubt(Check.MESSAGE, "it has a command inside a command")
            self.inner.append("cat")
            self.take(raw=message.group(), text=message[2])
            return
        self.doubt(Check.SUBSTITUTION, "it has a command inside a command")
        end = self.closing_parenthesis(self.at + 2)
        inside = self.text[self.at + 2 : end]
        self.inner.append(inside)
        if re.search(r"\bcase\b", inside) and self._may_search():
            # A pattern of `case` has a parenthesis of its own: what was found may be too short.
            self.inner.append(self.text[self.at + 2 :])
        self.take(raw=self.text[self.at : end + 1], text=self.printed(inside))
        self.mark_expanded()

    def printed(self, script: str) -> str:
        """What the script prints, as far as it says so itself."""
        return ""

    def closing_parenthesis(self, at: int) -> int:
        """Where the parenthesis closes that opens before ``at``; the end if it does not."""
        open_signs = [")"]
        while at < len(self.text):
            sign = self.text[at]
            heredoc = _HEREDOC.match(self.text, at) if sign == "<" and open_signs[-1] == ")" else None
            if heredoc and self._may_search():
                end = re.compile(rf"\n[ \t]*{re.escape(heredoc[2])}[ \t]*(?=[\n)])").search(self.text, heredoc.end())
                at = end.end() if end else heredoc.end()
                continue
            if sign == "\\":
                at += 1
            elif open_signs[-1] == '"' and sign == '"':
                open_signs.pop()
            elif open_signs[-1] == '"':
                if self.text.startswith("$(", at):
                    open_signs.append(")")
                    at += 1
            elif sign == "'":
                closing = self.text.find("'", at + 1)
                at = closing if closing >= 0 else len(self.text)
            elif sign in '("':
                open_signs.append(")" if sign == "(" else '"')
            elif sign == ")":
                open_signs.pop()
                if not open_signs:
                    return at
            at += 1
        self.doubt(Check.INCOMPLETE, "a parenthesis is not closed")
        return len(self.text)

    def _braced_variable(self) -> None:
        self.doubt(Check.EXPANSION, "it has a variable")
        depth, end = 1, self.at + 2
        while end < len(self.text):
            depth += (self.text[end] == "{") - (self.text[end] == "}")
            if depth == 0:
                break
            end += 2 if self.text[end] == "\\" else 1
        inside = self.text[self.at + 2 : end]
        if "`" in inside or "$(" in inside:
            self.inner.append(inside)
        self.take(raw=self.text[self.at : end + 1], text=parameter(inside, self.values))
        self.mark_expanded()

    def _ansi_quoted(self) -> None:
        self.doubt(Check.EXPANSION, "it has a coded text")
        found = _ANSI_QUOTED.match(self.text, self.at)
        if found is None:
            self.doubt(Check.INCOMPLETE, "a quote is not closed")
            self.take(raw="$'")
        else:
            self.take(raw=found.group(), text=decoded(found[1]))

    def backticks(self) -> None:
        """The older form of command substitution."""
        self.doubt(Check.SUBSTITUTION, "it has a command inside a command")
        found = _BACKTICKS.match(self.text, self.at)
        if found is None:
            self.doubt(Check.INCOMPLETE, "a quote is not closed")
            self.take(raw="`")
            return
        inside = re.sub(r"\\([`$\\])", r"\1", found[1])
        self.inner.append(inside)
        self.take(raw=found.group(), text=self.printed(inside))
        self.mark_expanded()

    def _may_search(self) -> bool:
        self._searches += 1
        return self._searches <= _SEARCHES
