"""Parses a bash command once, for two uses: what it may run, and what about it is in doubt.

To deny, every command that is found counts, however it is hidden. To approve, a single doubt is enough to ask a person.
So this parser understands a few things well and reports the rest as a doubt. It does not have to be a full parser of
bash. bashlex is GPL and was last released in 2023. tree-sitter-bash is native code, and its trees repair invalid input,
so it serves as a second opinion in tests only. ``shlex`` forgets what was quoted.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field

from lulu.rules.shell.closings import DOUBTFUL
from lulu.rules.shell.expansions import printed
from lulu.rules.shell.invocations import Invocation, Invocations, invocations
from lulu.rules.shell.programs import CHANGING_FOLDER, COMPUTING, DECLARING, KEYWORDS
from lulu.rules.shell.words import Word, WordReader, spread

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
#: A word that sets a variable.
ASSIGNMENT = re.compile(r"([A-Za-z_]\w*)(\[[^\]]*\])?\+?=", re.ASCII)
_PLAIN = re.compile(r"[A-Za-z0-9_./=:,@%+~^-]+")
_REDIRECTION = re.compile(r"&>>|&>|<<<|<<-|<<|<>|<&|>&|>>|>\||>|<")
_QUOTES = re.compile(r"['\"\\]")
_LINE, _JOINED_LINE = re.compile(r".*"), re.compile(r"(?:[^\\\n]|\\.|\\\Z)*", re.DOTALL)
_OPTION = re.compile(r"-[A-Za-z]+|--")
_VALUES = {"HOME": "~", "PWD": ".", "IFS": " ", "SHELL": "sh", "BASH": "bash", "0": "sh"}
#: Placeholder for an unknown folder: as a ``~name``, it is never the session's.
UNKNOWN = "~?"
#: Longer scripts are not evaluated for their output.
_PRINTED = 500
#: Braces that no shell expands: {} and HEAD@{1}, without a comma or a range.
_PLAIN_BRACES = re.compile(r"\{\}|(?<=@)\{(?![^}]*\.\.)[^{},]*\}")
_OPERATOR = re.compile(r";;&|;;|;&|;|&&|&|\|\||\|&|\|")


@dataclass(frozen=True, kw_only=True, slots=True)
class Redirection:
    """A redirection of input or output."""

    operator: str
    target: Word

    @property
    def is_file(self) -> bool:
        """Whether it opens a file; ``2>&1`` and heredocs do not."""
        if self.operator in ("<<", "<<-", "<<<"):
            return False
        return not (self.operator in (">&", "<&") and re.fullmatch(r"[0-9]+|-", self.target.raw))

    @property
    def writes(self) -> bool:
        """Whether it may change the file."""
        return self.operator not in ("<", "<&")


@dataclass(frozen=True, kw_only=True, slots=True)
class Part:
    """One simple command of a script."""

    #: As written, from its first to its last word.
    written: str
    assignments: tuple[Word, ...]
    #: The program and its arguments.
    words: tuple[Word, ...]
    redirections: tuple[Redirection, ...]
    #: Whether its input is the output of the part before it.
    piped: bool
    #: The programs that its words run.
    runs: Invocations
    #: Where it may run: the folders that an earlier part may have changed to.
    folders: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Script:
    """A parsed command."""

    parts: tuple[Part, ...]
    #: Scripts inside it: command substitutions.
    inner: tuple[str, ...]
    #: Texts that it passes to a part's input, with the part's index.
    given: tuple[tuple[int, str], ...]
    #: Reasons against an approval, as ends of a sentence: "it has a variable".
    doubts: tuple[str, ...]
    #: Whether some of its words are the guessed output of a command inside it.
    guessed: bool
    #: Whether a part of it is too complex to be parsed.
    tangled: bool


@dataclass
class Known:
    """Values that a script knows from the one around it, and those that it adds."""

    #: The values of variables.
    values: dict[str, str] = field(default_factory=lambda: dict(_VALUES))
    #: The folders that it may have changed to.
    folders: list[str] = field(default_factory=list)
    #: How many levels of commands in commands are evaluated for their output.
    depth: int = 3
    #: The index of the loop word that is used for its variable, and the number of words.
    choice: int = 0
    choices: int = 1


def read_script(text: str, known: Known | None = None) -> Script:
    """Parse a command. Never raises: a part that cannot be parsed is a doubt."""
    reader = _Reader(text, known or Known())
    reader.read()
    return Script(
        parts=tuple(reader.parts),
        inner=tuple(reader.inner),
        given=tuple(reader.given),
        doubts=tuple(reader.doubts),
        guessed=reader.guessed,
        tangled=reader.tangled,
    )


@dataclass
class _Open:
    """The part that is being parsed."""

    start: int = -1
    end: int = -1
    words: list[Word] = field(default_factory=list)
    redirections: list[Redirection] = field(default_factory=list)
    #: The operator of a redirection whose target is the next word.
    pending: str = ""


class _Reader(WordReader):
    def __init__(self, text: str, known: Known) -> None:
        super().__init__(text, known.values)
        self.parts: list[Part] = []
        self.given: list[tuple[int, str]] = []
        self.guessed = False
        self._known = known
        self._part = _Open()
        self._operator = ""
        self._number_end = 0
        self._heredocs: list[tuple[int, Word, bool]] = []

    def read(self) -> None:
        if _CONTROL.search(self.text):
            self.doubt("it has a control character")
        while self.at < len(self.text):
            self._step(self.text[self.at])
        self._end_part("")
        if self._operator in ("&&", "||", "|", "|&"):
            self.doubt(f"nothing follows “{self._operator}”")
        if self._heredocs:
            self.doubt("the text after “<<” is missing")

    def _step(self, sign: str) -> None:
        match sign:
            case " " | "\t":
                self.at += 1
                self._end_word()
            case "\n":
                self.at += 1
                self._end_part("\n")
                self._take_heredocs()
            case "\\":
                self.backslash()
            case "'":
                self.single_quoted()
            case '"':
                self.take(raw='"')
                self.double_quoted('"')
            case "$":
                self.dollar()
            case "`":
                self.backticks()
            case "#" if self.draft is None:
                self._comment()
            case "(" | ")":
                if self.text.startswith("((", self.at):
                    self._number_or_group()
                self.doubt("it has parentheses")
                self.at += 1
                self._end_part(sign)
            case "<" | ">" | "&" | ";" | "|":
                self._operate()
            case _:
                self._plain(sign)

    def _comment(self) -> None:
        start, end = self.at, self.text.find("\n", self.at)
        self.at = end if end >= 0 else len(self.text)
        if self.text[start - 1] in "(|" or self.text.rfind("[[", 0, start) > self.text.rfind("]]", 0, start):
            # In `[[ a =~ (#) ]]` it is a plain character.
            self.inner.append(self.text[start + 1 : self.at])

    def _number_or_group(self) -> None:
        """Parse ``((`` as two groups, and also the commands that a number may hide."""
        if self.at < self._number_end and not self.may_scan(self.at):
            return
        self._number_end = end = self.enclosed(self.at + 2, "a")
        inside = self.text[self.at + 2 : end]
        self.read_quoted(inside)
        if DOUBTFUL.search(inside):
            self.inner.append(self.text[end + 1 :])

    def _plain(self, sign: str) -> None:
        if sign == "{" and not _PLAIN_BRACES.match(self.text, self.at):
            self.doubt("it has braces")
        if not sign.isascii() and unicodedata.category(sign)[0] in "ZC":
            self.doubt("it has a character that cannot be seen")
        plain = _PLAIN.match(self.text, self.at)
        run = plain.group() if plain else sign
        self.take(raw=run, text=run)
        if self.draft is not None:
            self.draft.globbed = self.draft.globbed or sign in "*?["
            self.draft.braced = self.draft.braced or sign == "{"

    def _operate(self) -> None:
        redirection = _REDIRECTION.match(self.text, self.at)
        if redirection and self.text[redirection.end() : redirection.end() + 1] == "(" and redirection.group() in "<>":
            self.doubt("it has a command inside a command")
            end = self.enclosed(redirection.end() + 1, ")")
            self.inner.append(self.text[redirection.end() + 1 : end])
            self.take(raw=self.text[self.at : end + 1])
            self.mark_expanded()
        elif redirection:
            numbered = self.draft is not None and re.fullmatch(r"[0-9]+", "".join(self.draft.raw))
            if self.draft is not None and numbered and not redirection.group().startswith("&"):
                # The number of the redirected file; `2&>x` has none, and 2 is an argument.
                self._begin(self.draft.start)
                self.draft = None
            self._end_word()
            self._begin(self.at)
            if self._part.pending:
                self.doubt("a redirection goes nowhere")
            self.at = self._part.end = redirection.end()
            self._part.pending = redirection.group()
            if redirection.group().startswith("<<"):
                self.doubt("it gives a text to a command")
        else:
            operator = _OPERATOR.match(self.text, self.at)
            sign = operator.group() if operator else self.text[self.at]
            self.at += len(sign)
            if sign in (";;", ";&", ";;&"):
                self.doubt(f"it has “{sign}”")
            self._end_part(sign)

    def _begin(self, at: int) -> None:
        if self._part.start < 0:
            self._part.start = at

    def _end_word(self) -> None:
        start = self.draft.start if self.draft else 0
        word = self.taken()
        if word is None:
            return
        self._begin(start)
        self._part.end = self.end
        pending, self._part.pending = self._part.pending, ""
        if not pending:
            self._part.words.append(word)
            return
        if pending in ("<<", "<<-"):
            self._heredocs.append((len(self.parts), word, pending == "<<-"))
        elif pending == "<<<":
            self.given.append((len(self.parts), word.text))
        self._part.redirections.append(Redirection(operator=pending, target=word))

    def _end_part(self, operator: str) -> None:
        self._end_word()
        part, self._part = self._part, _Open()
        if part.pending:
            self.doubt("a redirection goes nowhere")
        if part.words or part.redirections:
            self.parts.append(self._finished(part))
            self._operator = operator
        elif operator not in ("", "\n", "(", ")"):
            self.doubt(f"nothing stands before “{operator}”")

    def _finished(self, part: _Open) -> Part:
        words, assignments = list(part.words), []
        while words:
            if words[0].raw in KEYWORDS:
                self.doubt(f"it has “{words[0].raw}”")
                if words[0].raw in ("for", "foreach", "select") and len(words) > 3:
                    self._loop(words[1].text, spread(words[3:]))
                named = words[0].raw == "coproc" and "".join(word.raw for word in words[2:3]) in KEYWORDS
                words = words[2 if named or words[0].raw in ("function", "repeat") else 1 :]
            elif ASSIGNMENT.match(words[0].raw):
                self._assign(words[0])
                assignments.append(words.pop(0))
            else:
                break
        runs, folders = invocations(words), tuple(self._known.folders)
        self._compute(assignments + (words if runs.names & COMPUTING else []))
        self._set_variables(runs, part)
        if words and re.search(r"[*?\[]", words[0].raw) and words[0].raw != "[":
            self.doubt("its program is a pattern")
        for run in runs.all:
            if run.name in CHANGING_FOLDER:
                self._change_folder(run)
        return Part(
            written=self.text[part.start : part.end],
            assignments=tuple(assignments),
            words=tuple(words),
            redirections=tuple(part.redirections),
            piped=self._operator in ("|", "|&"),
            runs=runs,
            folders=folders,
        )

    def _change_folder(self, run: Invocation) -> None:
        named = [word for word in run.arguments if not _OPTION.fullmatch(word.text)]
        folder = named[-1].text if named else "~"
        folders = self._known.folders
        before = folders[-1] if folders else "."
        folders.append(folder if folder.startswith(("/", "~")) else f"{before}/{folder}")
        # `popd`, `pushd`, zsh's `cd old new`, `cd -`, `cd a*`
        elsewhere = run.name == "popd" or (run.name == "pushd" and not named) or len(named) > 1
        if elsewhere or folder[:1] in ("-", "+") or any(word.globbed for word in named):
            folders.append(UNKNOWN)

    def _loop(self, name: str, given: Sequence[Word]) -> None:
        if given:
            self.values[name] = given[self._known.choice % len(given)].text
            self._known.choices = max(self._known.choices, len(given))

    def _compute(self, words: list[Word]) -> None:
        """Parse commands in a computed value: ``let 'a[$(rm x)]'`` runs them, also quoted."""
        for word in words:
            if "[" in word.text and ("$(" in word.text or "`" in word.text):
                self.read_quoted(word.text)
                self.doubt("it has a command inside a command")

    def printed(self, script: str) -> str:
        """Return the output of a script, as far as the command alone tells it."""
        if not self._known.depth or len(script) > _PRINTED:
            return ""
        known = Known(values=dict(self.values), depth=self._known.depth - 1)
        parts = read_script(script, known).parts
        text = printed([word.text for word in parts[0].words]) if len(parts) == 1 else ""
        self.guessed = self.guessed or bool(text)
        return text

    def _set_variables(self, runs: Invocations, part: _Open) -> None:
        for run in runs.chain:
            texts = [word.text for word in run.arguments]
            if run.name in DECLARING:
                for word in run.arguments:
                    self._assign(word)
            elif run.name == "printf" and texts[:1] == ["-v"] and len(texts) > 2:
                self.values[texts[1]] = printed(["printf", *texts[2:]])
            elif run.name == "read":
                given = self._given_to(part)
                self.values |= {text: given for text in texts if given and not text.startswith("-")}
            elif run.name == "set":
                args = texts[1:] if texts[:1] == ["--"] else texts
                self.values |= {"@": " ".join(args), "*": " ".join(args)}
                self.values |= {str(at): text for at, text in enumerate(args[:9], start=1)}

    def _given_to(self, part: _Open) -> str:
        """Return the input of a part, as far as the command alone tells it."""
        if part.redirections and part.redirections[-1].operator == "<<<":
            return part.redirections[-1].target.text
        return printed([word.text for word in self.parts[-1].words]) if self._operator in ("|", "|&") else ""

    def _assign(self, word: Word) -> None:
        found = ASSIGNMENT.match(word.text)
        if found:
            before = self.values.get(found[1], "") if found.group().endswith("+=") else ""
            self.values[found[1]] = before + word.text[found.end() :]

    def _take_heredocs(self) -> None:
        for place, word, indented in self._heredocs:
            # `$E` is not expanded here.
            delimiter = _QUOTES.sub("", word.raw) if word.expanded else word.text
            quoted = _QUOTES.search(word.raw) is not None
            lines: list[str] = []
            while self.at < len(self.text):
                found = (_LINE if quoted else _JOINED_LINE).match(self.text, self.at)
                line = found.group() if found else ""
                self.at += len(line) + 1
                line = line if quoted else line.replace("\\\n", "")
                if (line.lstrip("\t") if indented else line) == delimiter:
                    break
                lines.append(line)
            body = "\n".join(lines)
            self.given.append((place, body))
            self.inner += [body] if word.expanded else []
            if not quoted:
                self.read_quoted(body)
        self._heredocs.clear()
