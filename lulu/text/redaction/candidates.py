"""Find every place where a secret's value may follow a word of its name, and few others. Pure.

The patterns read lower case, in which ``Letters`` has ``?`` for every character outside of Latin-1. Each begins with a
literal and fails fast behind it. ``assignments`` then reads the value itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from lulu.text.redaction.letters import Letters

#: Words in the names of passwords, and of long values with digits.
OF_PASSWORDS = ("pass", "pw", "kennwort", "secret", "credential")
OF_TOKENS = ("token", "key", "cookie", "auth")

_DIGIT = r"0-9?\x80-\xff"
_SPECIAL = r"!@#$%^&*+=~?|\\;,()/\-"
_QUOTE = r"(?:\\*+[\"'`]|&quot;)"
_YAML = r"(?:!![\w?]{1,20}[ \t]{1,4})"
#: The first of several joined parts of a text in code.
_PART = r"\(?[brfu]{0,2}(?:\"[^\"\n]{0,100}\"|'[^'\n]{0,100}')[ \t]*+[+.&~\\\n\"')]"
_OPENING = rf"(?:[brfu]{{1,2}}|[@$])?{_QUOTE}"


def _pattern(word: str, *, least: str, loose: str) -> re.Pattern[str]:
    """Return the pattern of a word with a value behind it.

    ``least`` matches a value after ``=``, ``loose`` a value in any other place.
    """
    return re.compile(
        rf"{word}(?=[a-z0-9_.-]{{0,40}}+{_QUOTE}?(?:\[[\d?]{{0,4}})?\]?(?:"
        rf"[ \t]{{0,8}}+[=:+?!](?:(?<!:)=?{least}"
        rf"|[=>]{{0,2}}[ \t]{{0,40}}+{_YAML}?+(?:[|>]?+[-+]?+\n|[{{\[]|\([ \t]{{0,10}}\n|{loose})"
        r"|(?<=:)[^\n=]{0,90}+=[ \t]{0,4}+[brfu]{0,2}+[\"'`])"
        rf"|[ \t]{{0,4}},?[\s?+-]{{1,40}}+[\"']?+value[\"']?[ \t]{{0,4}}[=:][ \t]{{0,4}}(?:{least}|[{{\[])"
        rf"|(?:[ \t][^<>\n]{{0,80}}+)?>(?:[{{\[]|(?={least}|[\r\n])(?:<!\[cdata\[)?[^<]{{0,510}}+</)"
        rf"|(?:\(|,|\)?[ \t]{{0,4}}(?:or|\|\||\?\?)[ \t])[ \t]{{0,4}}{_QUOTE}"
        r"|[ \t]{1,4}string[ \t]{0,4}+=[ \t]{0,4}+[brfu]{0,2}+[\"'`]"
        r"))"
    )


_PATTERNS = {
    **{
        word: _pattern(
            word,
            least=r"[^\n]{4}",
            loose=rf"(?:{_OPENING}|(?=\S{{5}})[^\s{_DIGIT}{_SPECIAL}]{{0,500}}+[{_DIGIT}{_SPECIAL}])",
        )
        for word in OF_PASSWORDS
    },
    **{
        word: _pattern(word, least=r"\S{8}", loose=rf"(?:{_PART}|(?=\S{{8}})[^ \n{_DIGIT}]{{0,600}}+[{_DIGIT}])")
        for word in OF_TOKENS
    },
}


def candidates(letters: Letters, word: str) -> Iterator[int]:
    """Yield the end of the word wherever a value may follow."""
    return (match.end() for match in letters.begun(word, _PATTERNS[word]))
