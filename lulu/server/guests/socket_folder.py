"""The folder of the guests' socket, among temporary files: create, remove, and clean up after a crash.

Removes only Lulu's own files: the mark, the socket, and the folder if it is then empty. The process of a folder keeps
its mark locked, and the lock ends with it. That also works between containers, which do not see each other's pids.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import stat
import tempfile
from pathlib import Path

#: The socket, and the file that marks the folder as Lulu's.
SOCKET, MARK = "pages", ".lulu-guests"
_PREFIX = "lulu-"
_NAME = re.compile(r"lulu-[0-9]+-[A-Za-z0-9_]{8}")


class SocketFolder:
    """A folder of this process. Only this user can enter it."""

    def __init__(self, place: Path) -> None:
        self.path = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-", dir=place))
        self._mark = os.open(self.path / MARK, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        fcntl.flock(self._mark, fcntl.LOCK_EX | fcntl.LOCK_NB)

    @property
    def socket(self) -> Path:
        """The path of the socket."""
        return self.path / SOCKET

    def remove(self) -> None:
        """Remove the folder."""
        remove(self.path)
        os.close(self._mark)


def sweep(place: Path) -> None:
    """Remove the folders that remain after a crash of both processes."""
    for folder in place.glob(f"{_PREFIX}*-*"):
        if _NAME.fullmatch(folder.name):
            remove(folder, only_if_left=True)


def remove(folder: Path, *, only_if_left: bool = False) -> None:
    """Remove a marked folder with no other files; with ``only_if_left``, only if no process uses it."""
    with contextlib.suppress(OSError), contextlib.ExitStack() as stack:
        # Through its descriptor, so that a link in its place has no effect at any time.
        opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        stack.callback(os.close, opened)
        names = os.listdir(opened)  # noqa: PTH208  # a path has no descriptor
        found = {name: os.stat(name, dir_fd=opened, follow_symlinks=False) for name in names}
        if os.fstat(opened).st_uid != os.getuid() or not _are_ours(found):
            return
        if only_if_left:
            mark = os.open(MARK, os.O_RDWR | os.O_NOFOLLOW, dir_fd=opened)
            stack.callback(os.close, mark)
            # Raises while another process holds it.
            fcntl.flock(mark, fcntl.LOCK_EX | fcntl.LOCK_NB)
        for name in found:
            os.unlink(name, dir_fd=opened)
        # Fails unless the folder is empty.
        folder.rmdir()


def _are_ours(found: dict[str, os.stat_result]) -> bool:
    mark = found.get(MARK)
    others = set(found) - {MARK, SOCKET}
    is_socket = SOCKET not in found or stat.S_ISSOCK(found[SOCKET].st_mode)
    return mark is not None and stat.S_ISREG(mark.st_mode) and mark.st_size == 0 and is_socket and not others
