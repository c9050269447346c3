"""Text from agents, tools and people, with nothing in it that a terminal or a browser obeys. Pure."""

from __future__ import annotations

import re

_ESCAPE_SEQUENCES = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]"  # CSI: colours, cursor
    r"|\x1b[\]PX^_][^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)"  # OSC (links, clipboard), DCS, SOS, PM, APC
    r"|\x1b[ -/]+[0-~]|\x1b[0-OQ-WYZ\\`-~]"  # two and three characters
    r"|\x9b[0-?]*[ -/]*[@-~]"  # CSI as one character
)
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
_UNUSUAL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def plain(text: str) -> str:
    """The text with nothing in it that a terminal or a browser obeys; still not to be read as markdown or HTML.

    Terminal sequences go. Other control characters, direction overrides and broken surrogates become visible.
    """
    if _UNUSUAL.search(text) is None:
        return text
    return _LINE_ENDS.sub("\n", _ESCAPE_SEQUENCES.sub("", text)).translate(_SHOWN)
