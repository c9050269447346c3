"""Check what people type and pick. Each function returns a usable value or raises ``InputError``."""

from __future__ import annotations

import io
import os
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import get_args

from PIL import Image

from lulu.errors import InputError
from lulu.settings import PermissionMode

#: The most characters of a prompt: far more than people paste, far more than a page can show.
MAX_PROMPT = 2_000_000
MAX_TITLE = 200
#: The most attachments of one prompt, and the most bytes of each (the API's own limit for an image is 5 MB).
MAX_ATTACHMENTS = 10
MAX_ATTACHMENT_BYTES = 5_000_000
#: The image formats that the API accepts, by Pillow's names.
_PICTURES = {"PNG": "image/png", "JPEG": "image/jpeg", "GIF": "image/gif", "WEBP": "image/webp"}
IMAGE_TYPES = frozenset(_PICTURES.values())
#: The most pixels on a picture's longer side (the API's documentation of vision, "Image limits").
MAX_PICTURE_SIDE = 8000

#: The mode in which no tool call is asked about. Claude Code accepts it only in sessions that were launched with it.
BYPASS = "bypassPermissions"


@dataclass(frozen=True, kw_only=True)
class Attachment:
    """A file that goes with a prompt: an image, or text."""

    name: str
    #: ``image/…`` or ``text/…``: as the browser reports it, or, after ``typed``, by its content.
    media_type: str
    content: bytes = field(repr=False)


def checked_prompt(text: str) -> str:
    """Return the prompt. Raises ``InputError`` if it is empty or too long."""
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
    """Return the absolute path of a readable folder. Raises ``InputError`` with the reason otherwise."""
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
    """Return the permission mode. Raises ``InputError`` if it is unknown or cannot be used here."""
    if mode not in get_args(PermissionMode):
        raise InputError(f"{mode[:40]!r} is not a permission mode.", safe="Nothing was changed.")
    if mode == BYPASS and os.geteuid() == 0 and os.environ.get("IS_SANDBOX") != "1":
        # For root, Claude Code refuses it at its start, unless IS_SANDBOX is "1". It reports that on stderr only.
        raise InputError(
            "Claude Code does not bypass permissions for the root user.",
            safe="Nothing was started.",
            next_step="Run Lulu as another user, or choose another permission mode.",
        )
    return mode


def checked_budget(max_cost_usd: float | None, max_turns: int | None) -> None:
    """Raise ``InputError`` for a limit that is not above zero. ``None`` means no limit."""
    if (max_cost_usd is not None and not 0 < max_cost_usd < 1_000_000) or (max_turns is not None and max_turns < 1):
        raise InputError(
            "A limit must be above zero.", safe="Nothing was changed.", next_step="Leave it empty for none."
        )


def typed(attachments: list[Attachment]) -> list[Attachment]:
    """Return the files with types by content. A browser derives the type from the name."""
    return [
        replace(attachment, media_type=_picture_type(attachment.content) or _other_type(attachment.media_type))
        for attachment in attachments
    ]


def _other_type(media_type: str) -> str:
    return "application/octet-stream" if media_type in IMAGE_TYPES else media_type


def checked_attachments(attachments: list[Attachment]) -> None:
    """Raise ``InputError`` for the first file that is neither text nor an image for the API."""
    if len(attachments) > MAX_ATTACHMENTS:
        raise InputError(f"At most {MAX_ATTACHMENTS} files go with one prompt.", safe="Nothing was sent.")
    for attachment in attachments:
        problem, next_step = _problem_of(attachment)
        if problem:
            raise InputError(f"{attachment.name[:100]} {problem}", safe="Nothing was sent.", next_step=next_step)


def _problem_of(attachment: Attachment) -> tuple[str, str]:
    """Return the problem of a file and advice; two empty strings if it can be sent."""
    mention = "Put it into the working directory and mention it in the prompt."
    if not attachment.content:
        return "is empty.", "Choose a file with content."
    if len(attachment.content) > MAX_ATTACHMENT_BYTES:
        return f"is larger than {MAX_ATTACHMENT_BYTES // 1_000_000} MB.", mention
    picture_type = _picture_type(attachment.content)
    is_picture = picture_type is not None
    if is_picture and max(_picture_sides(attachment.content)) > MAX_PICTURE_SIDE:
        return f"is a picture of more than {MAX_PICTURE_SIDE:,} pixels on a side.", "Make it smaller."
    claims_to_be_one = attachment.media_type in IMAGE_TYPES or attachment.name.lower().endswith(_PICTURE_NAMES)
    if claims_to_be_one and not is_picture:
        return "is named like a picture, but its content is no picture that can be read.", mention
    if not is_picture and not is_text(attachment.content):
        return "is neither an image (PNG, JPEG, GIF, WebP) nor a text file.", mention
    return "", ""


_PICTURE_NAMES = (".png", ".jpg", ".jpeg", ".gif", ".webp")


def _picture_type(content: bytes) -> str | None:
    """Return the media type of a readable picture that the API accepts, or ``None``."""
    try:
        with Image.open(io.BytesIO(content), formats=list(_PICTURES)) as picture:
            picture.verify()
            return _PICTURES[str(picture.format)]
    except Exception:
        # Pillow's decoders raise errors of many kinds for content that is no picture.
        return None


def _picture_sides(content: bytes) -> tuple[int, int]:
    with Image.open(io.BytesIO(content)) as picture:
        return picture.size


def is_text(content: bytes) -> bool:
    """Whether the content can be sent as text: UTF-8 without NUL."""
    try:
        return "\0" not in content.decode()
    except UnicodeDecodeError:
        return False
