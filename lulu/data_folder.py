"""Make Lulu's own folder private to the user. A folder that also holds other files keeps its mode."""

from __future__ import annotations

from pathlib import Path

from lulu.errors import ConfigurationError

#: Files that Lulu makes there, by the beginnings of their names.
_OURS = ("lulu.db", "control.json", "open-lulu.html")
#: The permissions of the group and of other users.
_OTHERS = 0o077


def make_private(folder: Path) -> None:
    """Create a folder with mode 0700, or set that mode on an existing one that holds only Lulu's files.

    Raises ``ConfigurationError`` if the operating system refuses.
    """
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
