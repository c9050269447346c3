"""Turn untrusted text into text without effect on a terminal or browser. Pure.

Every function takes time proportional to the length of its text and works on pieces of it. A call of ``re`` or of a
string method keeps Python's interpreter lock (GIL) until it returns.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

#: Characters of a piece. Other threads wait about a millisecond for one.
PIECE = 256_000

_ESCAPE_SEQUENCES = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]"  # CSI: colours, cursor
    r"|\x1b[\]PX^_][^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)"  # OSC (links, clipboard), DCS, SOS, PM, APC
    r"|\x1b[ -/]+[0-~]|\x1b[0-OQ-WYZ\\`-~]"  # two and three characters
    r"|\x9b[0-?]*[ -/]*[@-~]"  # CSI as one character
)
#: Before a piece ends, so many characters are searched for the beginning of an escape sequence, so as not to split it.
_LONGEST_SEQUENCE = 4_096
#: Bytes that every terminal and browser merely displays.
_USUAL = bytes([*b"\n\t", *range(0x20, 0x7F)])
_LINE_ENDS = re.compile(r"\r\n?|[\x85\u2028\u2029]")
_BIDI_NAMES = {
    0x202A: "LRE", 0x202B: "RLE", 0x202C: "PDF", 0x202D: "LRO", 0x202E: "RLO",
    0x2066: "LRI", 0x2067: "RLI", 0x2068: "FSI", 0x2069: "PDI",
}  # fmt: skip
_SHOWN = {
    **{code: chr(0x2400 + code) for code in range(0x20) if chr(code) not in "\n\t"},
    0x7F: "␡",
    **dict.fromkeys(range(0x80, 0xA0), "\ufffd"),
    **dict.fromkeys(range(0xD800, 0xE000), "\ufffd"),
    **{code: f"⟦{name}⟧" for code, name in _BIDI_NAMES.items()},
}
#: Line ends for a browser that are none for ``git diff``, and blanks that look like a space.
_LOOK_ALIKES = {
    **{0x0D: "␍", 0x85: "⟦NEL⟧", 0x2028: "⟦LS⟧", 0x2029: "⟦PS⟧"},
    **{code: f"⟦U+{code:04X}⟧" for code in (0xA0, 0x1680, *range(0x2000, 0x200B), 0x202F, 0x205F)},
}

#: Code points without a shape (Unicode 16: Default_Ignorable_Code_Point, and blanks other than a space), without the
#: three groups below.
_SHAPELESS = (
    "\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u200e\u200f\u2060-\u2065\u206a-\u206f\u2800\u3164\ufeff"
    "\uffa0\ufff0-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
#: Joiners belong to scripts that join letters, and to emoji. A variation selector belongs to the character before it.
_JOINERS = "\u200c\u200d"
_SELECTORS = "\ufe00-\ufe0f"
#: A flag of a part of a country: a black flag, two to six letters or digits as tags, the end tag (UTS 51, ED-14a).
_TAG_FLAG = "\U0001f3f4[\U000e0030-\U000e0039\U000e0061-\U000e007a]{2,6}\U000e007f"
_RIGHT_TO_LEFT = "\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc"
#: A direction mark beside a letter of a right-to-left script, and a variant of an ideograph.
_MARK = f"(?<=[{_RIGHT_TO_LEFT}])[\u061c\u200e\u200f]|[\u061c\u200e\u200f](?=[{_RIGHT_TO_LEFT}])"
_VARIANT = "(?<=[\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff])[\U000e0100-\U000e01ef]"
_INVISIBLE = re.compile(
    f"(?P<kept>{_TAG_FLAG}|{_MARK}|{_VARIANT})"
    f"|(?P<hidden>[{_SHAPELESS}]+"
    # After ASCII, Latin or a blank, a joiner or a selector has no visible effect.
    f"|(?:(?<![^\x00-\u02ff\u2000-\u200b\u2028-\u202f{_JOINERS}{_SHAPELESS}])[{_JOINERS}])[{_JOINERS}]*"
    f"|(?<=[{_JOINERS}])[{_JOINERS}]+"
    f"|(?<![^\x00-\x22\x24-\x29\x2b-\x2f\x3a-\x7f{_JOINERS}{_SELECTORS}])[{_SELECTORS}]+)"
)
#: Characters with an effect on a terminal or browser, or without a shape. Letters and emoji may need some of them.
UNUSUAL = re.compile(
    f"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff{_SHAPELESS}{_JOINERS}{_SELECTORS}]"
)


def plain(text: str) -> str:
    r"""Return text without effect on a terminal or browser. It may still contain markdown or HTML.

    Removes terminal sequences. Makes other control characters, direction overrides, lone surrogates and characters
    without a shape visible. Line ends become ``\n``.
    """
    return by_pieces(text, _plain)


def visible(text: str) -> str:
    r"""Return the text with every character visible, as the basis of a decision.

    Nothing is removed. Only ``\n`` ends a line. Other line ends, terminal sequences and unusual blanks are shown by
    name.
    """
    return by_pieces(text, lambda piece: _with_names(piece.translate(_LOOK_ALIKES)))


def console(text: str) -> str:
    """Return the text as a terminal shows it after carriage returns: of each line, its last version.

    A carriage return overwrites a line only if something printable follows. Escape sequences stay; ``plain`` removes
    them.
    """
    return by_pieces(text, _console) if "\r" in text else text


def hidden_characters(text: str) -> int:
    """Count the characters without a visible shape that are not part of a letter or an emoji."""
    return sum(_count_hidden(piece) for piece in pieces(text))


def by_pieces(text: str, change: Callable[[str], str]) -> str:
    """Apply ``change`` to a text, one piece at a time."""
    return change(text) if len(text) <= PIECE else "".join(change(piece) for piece in pieces(text))


def pieces(text: str) -> Iterator[str]:
    """Yield the text in pieces of at most ``PIECE`` characters. A piece ends with a line if possible."""
    start = 0
    while len(text) - start > PIECE:
        end = text.rfind("\n", start, start + PIECE) + 1
        if end <= start:
            end = start + PIECE
            sequence = max(text.rfind(sign, end - _LONGEST_SEQUENCE, end) for sign in "\x1b\x9b\r")
            end = sequence if sequence > start else end
        yield text[start:end]
        start = end
    yield text[start:]


def _plain(text: str) -> str:
    # Most texts are plain. To remove bytes is many times as fast as to search characters.
    rest = text.encode("utf-8", "surrogatepass").translate(None, _USUAL)
    if not rest or UNUSUAL.search(rest.decode("utf-8", "surrogatepass")) is None:
        return text
    return _with_names(_LINE_ENDS.sub("\n", _ESCAPE_SEQUENCES.sub("", text)))


def _with_names(text: str) -> str:
    return _INVISIBLE.sub(_shown_hidden, text).translate(_SHOWN)


def _shown_hidden(found: re.Match[str]) -> str:
    """Return a name for a run of invisible characters: their number, and the text that their tags spell."""
    if found["kept"]:
        return found["kept"]
    run = found["hidden"]
    spelled = "".join(chr(ord(sign) - 0xE0000) for sign in run if 0xE0020 <= ord(sign) <= 0xE007E)
    if spelled:
        return f"⟦{len(run)} hidden: {spelled}⟧"
    return f"⟦U+{ord(run):04X}⟧" if len(run) == 1 else f"⟦{len(run)} hidden from U+{ord(run[0]):04X}⟧"


def _count_hidden(text: str) -> int:
    return sum(len(found["hidden"]) for found in _INVISIBLE.finditer(text) if found["hidden"])


def _console(text: str) -> str:
    return "\n".join(_written_last(line) for line in text.split("\n")) if "\r" in text else text


def _written_last(line: str) -> str:
    end = len(line)
    while (start := line.rfind("\r", 0, end)) >= 0:
        written = line[start + 1 : end]
        if any(map(str.isprintable, _ESCAPE_SEQUENCES.sub("", written))):
            return written
        end = start
    return line[:end]
