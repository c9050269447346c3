"""Create links that sign in: login, other devices, shares, the browser at start, the command line."""

from __future__ import annotations

import json
import logging
import os
import socket
import sys
import tempfile
import threading
import webbrowser
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from lulu.access.tokens import hash_of, new_token
from lulu.model.actors import LULU, Actor
from lulu.runtime import Runtime
from lulu.store import Access, AccessKind, ShareOptions

log = logging.getLogger(__name__)

#: Minutes for which one-time links are valid.
LOGIN_MINUTES = 10
PAIR_MINUTES = 5
#: The file in the data folder that leads ``python -m lulu`` to the running Lulu.
CONTROL_FILE = "control.json"
#: A page that redirects to the login link, so that the token is in no process list.
_REDIRECT_FILE = "open-lulu.html"
_REDIRECT = '<!doctype html><meta http-equiv="refresh" content="0; url='


def login_link(lulu: Runtime, actor: Actor, root: str) -> str:
    """Return a new one-time link that signs a browser in as the owner. ``root`` ends with a slash."""
    token = new_token()
    lulu.store.access.make_link(actor, AccessKind.LOGIN, hash_of(token), minutes=LOGIN_MINUTES)
    return f"{root}login?t={token}"


def pair_link(lulu: Runtime, actor: Actor, root: str, label: str) -> str:
    """Return a one-time link for another device of the owner."""
    token = new_token()
    lulu.store.access.make_link(actor, AccessKind.PAIR, hash_of(token), minutes=PAIR_MINUTES, label=label)
    return f"{root}pair/{token}"


def share_link(
    lulu: Runtime,
    actor: Actor,
    root: str,
    session_id: str,
    *,
    hours: float | None,
    options: ShareOptions,
    label: str,
) -> tuple[Access, str]:
    """Return a link to watch one session, for some hours or until it is revoked.

    The link is not stored: only its hash is.
    """
    token = new_token()
    expires = None if hours is None else datetime.now(UTC) + timedelta(hours=hours)
    made = lulu.store.access.share(actor, session_id, hash_of(token), expires_at=expires, options=options, label=label)
    return made, f"{root}s/{token}"


#: The content of each file with a token that this process wrote, by path.
_written: dict[Path, str] = {}


def welcome(lulu: Runtime, root: str) -> str:
    """Return the login link to print at start. Opens it in a browser, and admits ``python -m lulu``."""
    token = new_token()
    lulu.store.access.open_command_line(LULU, hash_of(token))
    control = {"url": root, "token": token, "pid": os.getpid()}
    _leave(lulu.settings.data_dir / CONTROL_FILE, json.dumps(control), _is_control)
    link = login_link(lulu, LULU, root)
    if lulu.settings.open_browser and has_display():
        page = lulu.settings.data_dir / _REDIRECT_FILE
        html = f'{_REDIRECT}{link}"><title>Lulu</title>'
        if _leave(page, html, lambda text: text.startswith(_REDIRECT)):
            threading.Thread(target=_open, args=[page], name="open-browser", daemon=True).start()
    return link


def goodbye(data_dir: Path) -> None:
    """Delete the files with login tokens from the data folder, at the end of Lulu."""
    for path in (data_dir / CONTROL_FILE, data_dir / _REDIRECT_FILE):
        written = _written.pop(path, None)
        # Another Lulu, with another database, may have written its own files since.
        with suppress(OSError, ValueError):
            if written is not None and path.read_text() == written:
                path.unlink()


def lan_address() -> str:
    """Return this computer's address in its network for links, or 127.0.0.1 without a network."""
    with suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        # A datagram socket sends no packet to connect. The system only chooses the interface.
        probe.connect(("192.0.2.1", 9))
        return str(probe.getsockname()[0])
    return "127.0.0.1"


def write_private(path: Path, text: str) -> None:
    """Write a file that only this user can ever read."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor, fresh = tempfile.mkstemp(prefix=f"{path.name}.", dir=path.parent)
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(text)
        Path(fresh).replace(path)
    except BaseException:
        Path(fresh).unlink(missing_ok=True)
        raise


def _leave(path: Path, text: str, is_ours: Callable[[str], bool]) -> bool:
    """Write a file unless one that is not Lulu's is there. Return whether it was written."""
    with suppress(FileNotFoundError):
        if path.is_symlink() or not is_ours(path.read_text(errors="replace")):
            log.warning("%s is not Lulu's and is left as it is; move it, or set another LULU_DATA_DIR", path)
            return False
    write_private(path, text)
    _written[path] = text
    return True


def _is_control(text: str) -> bool:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return False
    return isinstance(found, dict) and set(found) == {"url", "token", "pid"}


def has_display() -> bool:
    """Whether this computer can show a browser."""
    if sys.platform in ("darwin", "win32"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def _open(page: Path) -> None:
    try:
        webbrowser.open(page.as_uri())
    except Exception:
        # The top of the thread. Without a browser, the printed link is still there.
        log.exception("the browser could not be opened")
