"""The theme that is shipped: words can be read on what they stand on, in light and dark."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest

from tests.support import ROOT

_CONFIG = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text())
_WORDS = ["red", "orange", "yellow", "green", "blue", "gray"]


def _luminance(color: str) -> float:
    channels = [int(color[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """The ratio as WCAG 2 defines it; AA asks for 4.5 for text and 3 for a control."""
    darker, lighter = sorted([_luminance(one), _luminance(other)])
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_every_word_can_be_read(mode: str) -> None:
    theme: dict[str, Any] = _CONFIG["theme"][mode]
    grounds = [
        theme["backgroundColor"],
        theme["secondaryBackgroundColor"],
        theme["codeBackgroundColor"],
        theme["sidebar"]["backgroundColor"],
        theme["sidebar"]["secondaryBackgroundColor"],
    ]
    words = {name: theme[f"{name}TextColor"] for name in _WORDS}
    words |= {"text": theme["textColor"], "link": theme["linkColor"], "code": theme["codeTextColor"]}

    faint = [
        (name, ground, round(contrast(color, ground), 2))
        for name, color in words.items()
        for ground in [*grounds, theme.get(f"{name}BackgroundColor", theme["backgroundColor"])]
        if contrast(color, ground) < 4.5
    ]

    assert faint == []


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_what_can_be_done_stands_out(mode: str) -> None:
    theme = _CONFIG["theme"][mode]

    assert contrast("#ffffff", theme["primaryColor"]) >= 4.5
    assert contrast(theme["backgroundColor"], theme["primaryColor"]) >= 3


def test_nothing_is_fetched_from_elsewhere() -> None:
    assert "http" not in (ROOT / ".streamlit" / "config.toml").read_text()
    assert _CONFIG["browser"]["gatherUsageStats"] is False


@pytest.mark.parametrize(
    ("section", "name", "value"),
    [
        ("browser", "serverAddress", "127.0.0.1"),
        ("server", "port", 8501),
        ("server", "headless", True),
        ("server", "enableCORS", True),
        ("server", "enableXsrfProtection", True),
        ("server", "enableStaticServing", False),
        ("server", "enableAgentApi", False),
        ("server", "fileWatcherType", "none"),
        ("runner", "postScriptGC", False),
        ("runner", "magicEnabled", False),
        ("client", "showErrorDetails", "none"),
    ],
)
def test_streamlit_is_closed_too(section: str, name: str, value: object) -> None:
    assert _CONFIG[section][name] == value
