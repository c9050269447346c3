"""Lulu's own folder: only its owner may look inside. A folder that holds other things too is not Lulu's to close."""

from __future__ import annotations

from pathlib import Path

from lulu.errors import ConfigurationError

#: What Lulu makes there, by the beginnings of the names.
_OURS = ("lulu.db", "control.json", "open-lulu.html")
#: Everything that others of this computer could do.
_OTHERS = 0o077


def make_private(folder: Path) -> None:
    """Make it with mode 0700, or close an older one. Raises ``ConfigurationError`` where that is not possible."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if folder.stat().st_mode & _OTHERS and _is_ours(folder):
            folder.chmod(0o700)
    except OSError as exc:
        raise ConfigurationError(
            f"Lulu cannot make its folder {folder} private: {exc.strerror or exc}.",
            safe="Nothing was started.",
            next_step="Set LULU_DATA_DIR to a folder that belongs to you.",
        ) from exc


def _is_ours(folder: Path) -> bool:
    return all(entry.name.startswith(_OURS) for entry in folder.iterdir())
