"""What people type and pick, checked: each function returns what can be used, or raises ``InputError`` and says why."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import get_args

from lulu.errors import InputError
from lulu.settings import PermissionMode

#: A prompt may be this long, in characters: far above what people paste, far below what a page can show.
MAX_PROMPT = 2_000_000
MAX_TITLE = 200
#: Attachments of one prompt, each at most this many bytes (the API's own limit for an image is 5 MB).
MAX_ATTACHMENTS = 10
MAX_ATTACHMENT_BYTES = 5_000_000
IMAGE_TYPES = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})

#: The mode in which nothing is asked: Claude Code takes it only where it was launched so.
BYPASS = "bypassPermissions"


@dataclass(frozen=True, kw_only=True)
class Attachment:
    """A file that goes with a prompt: an image, or text."""

    name: str
    #: ``image/…`` as the browser says, or ``text/…``.
    media_type: str
    content: bytes = field(repr=False)


def checked_prompt(text: str) -> str:
    """The prompt as it will be sent. Raises ``InputError`` when it is empty or too long."""
    if not text.strip():
        raise InputError("The prompt is empty.", next_step="Type what the agent should do.")
    if len(text) > MAX_PROMPT:
        raise InputError(
            f"The prompt is {len(text):,} characters long; {MAX_PROMPT:,} is the limit.",
            safe="Nothing was sent.",
            next_step="Put the text into a file in the working directory and mention the file.",
        )
    return text


def checked_folder(text: str) -> str:
    """The absolute path of a folder that exists and can be read. Raises ``InputError`` that says which is not so."""
    problem = ""
    try:
        path = Path(text).expanduser()
        if not text.strip() or not path.is_absolute():
            problem = "is not an absolute path"
        elif not path.exists():
            problem = "does not exist"
        elif not path.is_dir():
            problem = "is a file, not a folder"
        elif not os.access(path, os.R_OK | os.X_OK):
            problem = "cannot be read by this user"
    except OSError as exc:
        problem = f"cannot be used ({exc.strerror})"
    except (ValueError, RuntimeError) as exc:
        problem = f"cannot be used ({str(exc)[:200]})"
    if problem:
        raise InputError(
            f"The working directory {text[:200]!r} {problem}.",
            safe="Nothing was started.",
            next_step="Choose a folder that exists on this computer.",
        )
    return str(path)


def checked_mode(mode: str) -> str:
    """A permission mode that can be used here. Raises ``InputError``."""
    if mode not in get_args(PermissionMode):
        raise InputError(f"{mode[:40]!r} is not a permission mode.", safe="Nothing was changed.")
    if mode == BYPASS and os.geteuid() == 0 and os.environ.get("IS_SANDBOX") != "1":
        # Claude Code refuses it for root as soon as it starts, unless told so by "1", and says so on stderr only.
        raise InputError(
            "Claude Code does not bypass permissions for the root user.",
            safe="Nothing was started.",
            next_step="Run Lulu as another user, or choose another permission mode.",
        )
    return mode


def checked_budget(max_cost_usd: float | None, max_turns: int | None) -> None:
    """Limits above nothing, or none. Raises ``InputError``."""
    if (max_cost_usd is not None and not 0 < max_cost_usd < 1_000_000) or (max_turns is not None and max_turns < 1):
        raise InputError(
            "A limit must be above zero.", safe="Nothing was changed.", next_step="Leave it empty for none."
        )


def checked_attachments(attachments: list[Attachment]) -> None:
    """Images that the API takes, or text. Raises ``InputError`` that names the first one that is neither."""
    if len(attachments) > MAX_ATTACHMENTS:
        raise InputError(f"At most {MAX_ATTACHMENTS} files go with one prompt.", safe="Nothing was sent.")
    for attachment in attachments:
        if len(attachment.content) > MAX_ATTACHMENT_BYTES:
            raise InputError(
                f"{attachment.name[:100]} is larger than {MAX_ATTACHMENT_BYTES // 1_000_000} MB.",
                safe="Nothing was sent.",
                next_step="Put it into the working directory and mention it in the prompt.",
            )
        if attachment.media_type not in IMAGE_TYPES and not is_text(attachment.content):
            raise InputError(
                f"{attachment.name[:100]} is neither an image (PNG, JPEG, GIF, WebP) nor a text file.",
                safe="Nothing was sent.",
                next_step="Put it into the working directory and mention it in the prompt.",
            )


def is_text(content: bytes) -> bool:
    """Whether it can be sent as text: UTF-8 without NUL."""
    try:
        return "\0" not in content.decode()
    except UnicodeDecodeError:
        return False
