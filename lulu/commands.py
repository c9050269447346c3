"""What people ask for, as values. Each names its Actor; each is one row of ``commands``."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, fields
from enum import StrEnum
from pathlib import Path
from typing import Any, ClassVar, NewType

from lulu.actors import Actor, Role
from lulu.errors import InputError
from lulu.sessions import Launch, SessionId

CommandId = NewType("CommandId", int)

#: A prompt may be this long, in characters: far above what people paste, far below what a page can show.
MAX_PROMPT = 2_000_000


class CommandStatus(StrEnum):
    """``pending`` until the host takes it; then done, or refused or failed with a reason."""

    PENDING = "pending"
    TAKEN = "taken"
    DONE = "done"
    REFUSED = "refused"
    FAILED = "failed"


@dataclass(frozen=True, kw_only=True)
class Command:
    """Something that a person wants done in a session."""

    kind: ClassVar[str] = ""

    actor: Actor
    session_id: SessionId

    def check(self) -> None:
        """Raise ``InputError`` where the command cannot be carried out as typed."""


@dataclass(frozen=True, kw_only=True)
class StartSession(Command):
    """Make a session and send its first prompt."""

    kind: ClassVar[str] = "start"
    launch: Launch

    def check(self) -> None:
        """The prompt says something; the folder is there and can be read."""
        checked_prompt(self.launch.prompt)
        checked_folder(self.launch.working_directory)


@dataclass(frozen=True, kw_only=True)
class SendPrompt(Command):
    """Send a prompt to a session; it waits its turn while the agent works."""

    kind: ClassVar[str] = "prompt"
    text: str

    def check(self) -> None:
        """The prompt says something."""
        checked_prompt(self.text)


@dataclass(frozen=True, kw_only=True)
class Interrupt(Command):
    """Stop the running turn and keep the session."""

    kind: ClassVar[str] = "interrupt"


KINDS: dict[str, type[Command]] = {kind.kind: kind for kind in (StartSession, SendPrompt, Interrupt)}


@dataclass(frozen=True, kw_only=True)
class StoredCommand:
    """A command with its row."""

    id: CommandId
    command: Command
    status: CommandStatus
    error: str | None = None


def encode(command: Command) -> str:
    """The payload column: the command's own fields as ASCII JSON."""
    own = {field.name: getattr(command, field.name) for field in fields(command)}
    del own["actor"], own["session_id"]
    plain = {name: asdict(value) if isinstance(value, Launch) else value for name, value in own.items()}
    return json.dumps(plain, ensure_ascii=True, separators=(",", ":"))


def decode(kind: str, session_id: str, payload: str, actor: str) -> Command:
    """The command of a row. Raises ``ValueError`` or ``TypeError`` for one that this version cannot read."""
    if kind not in KINDS:
        raise ValueError(f"unknown command kind {kind!r}")
    own: dict[str, Any] = json.loads(payload)
    if "launch" in own:
        own["launch"] = Launch(**_texts(Launch, own["launch"]))
    else:
        own = _texts(KINDS[kind], own)
    return KINDS[kind](actor=Actor(role=Role.OWNER, name=actor), session_id=SessionId(session_id), **own)


def _texts(kind: type[Any], values: dict[str, Any]) -> dict[str, Any]:
    """The values, each a text, or nothing where that is allowed."""
    optional = {field.name for field in fields(kind) if str(field.type).endswith("None")}
    for name, value in values.items():
        if not isinstance(value, str) and not (value is None and name in optional):
            raise ValueError(f"{name} is not text")
    return values


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
    except (OSError, ValueError, RuntimeError) as exc:
        problem = f"cannot be used ({exc})"
    if problem:
        raise InputError(
            f"The working directory {text[:200]!r} {problem}.",
            safe="Nothing was started.",
            next_step="Choose a folder that exists on this computer.",
        )
    return str(path)
