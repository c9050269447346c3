"""What people ask for, as values. Each names its Actor; each is one row of ``commands``.

Command
├── AgentCommand      the host takes it: StartSession, SendPrompt, SendNow, Interrupt, SetPermissionMode, SetModel
└── StoreCommand      done in the transaction that accepts it: drafts, queue, forks, order, budgets, rules, LAN,
                      folders
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, fields
from enum import StrEnum
from typing import Any, ClassVar, Literal, NewType

from lulu.errors import InputError
from lulu.model.actors import Actor, Role
from lulu.model.sessions import Launch, SessionId
from lulu.model.validation import (
    MAX_TITLE,
    Attachment,
    checked_attachments,
    checked_budget,
    checked_folder,
    checked_mode,
    checked_prompt,
    fitting,
)

CommandId = NewType("CommandId", int)


class CommandStatus(StrEnum):
    """``pending`` until the host takes it; then done, or refused or failed with a reason."""

    PENDING = "pending"
    TAKEN = "taken"
    DONE = "done"
    REFUSED = "refused"
    FAILED = "failed"


@dataclass(frozen=True, kw_only=True)
class Command:
    """Something that a person wants done."""

    kind: ClassVar[str] = ""

    actor: Actor
    #: The session that it is about; nothing for a rule that holds everywhere.
    session_id: SessionId | None

    def check(self) -> None:
        """Raise ``InputError`` where the command cannot be carried out as typed."""


@dataclass(frozen=True, kw_only=True)
class AgentCommand(Command):
    """Something for the host: it stays pending until the session's worker takes it."""

    session_id: SessionId


@dataclass(frozen=True, kw_only=True)
class StoreCommand(Command):
    """Something that only changes rows: done when it is accepted."""


# -- for the agent ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class StartSession(AgentCommand):
    """Make a session, or take a draft, and send its first prompt."""

    kind: ClassVar[str] = "start"
    launch: Launch
    attachments: list[Attachment] = field(default_factory=list)

    def check(self) -> None:
        """The prompt says something; the folder is there; the mode can be used."""
        checked_prompt(self.launch.prompt)
        checked_folder(self.launch.working_directory)
        checked_mode(self.launch.permission_mode)
        checked_budget(self.launch.max_cost_usd, self.launch.max_turns)
        checked_attachments(self.attachments)


@dataclass(frozen=True, kw_only=True)
class SendPrompt(AgentCommand):
    """Send a prompt; it waits its turn while the agent works."""

    kind: ClassVar[str] = "prompt"
    text: str
    attachments: list[Attachment] = field(default_factory=list)

    def check(self) -> None:
        """The prompt says something."""
        checked_prompt(self.text)
        checked_attachments(self.attachments)


@dataclass(frozen=True, kw_only=True)
class SendNow(AgentCommand):
    """Stop the running turn and send this prompt next, before all that is queued."""

    kind: ClassVar[str] = "send_now"
    text: str
    attachments: list[Attachment] = field(default_factory=list)
    #: The queued prompt that this one is: it is withdrawn in the same transaction.
    replaces: int | None = None

    def check(self) -> None:
        """The prompt says something."""
        checked_prompt(self.text)
        checked_attachments(self.attachments)


@dataclass(frozen=True, kw_only=True)
class Interrupt(AgentCommand):
    """Stop the running turn and keep the session. What is queued by then is on hold until somebody sends it."""

    kind: ClassVar[str] = "interrupt"


@dataclass(frozen=True, kw_only=True)
class SetPermissionMode(AgentCommand):
    """Change the permission mode, at once also in a running turn."""

    kind: ClassVar[str] = "set_mode"
    mode: str
    #: The request whose answer tells the agent; nothing where it is still to be told.
    with_answer: str | None = None

    def check(self) -> None:
        """The mode is one that there is and that can be used here."""
        checked_mode(self.mode)


@dataclass(frozen=True, kw_only=True)
class SetModel(AgentCommand):
    """Change the model; nothing means the agent's own default."""

    kind: ClassVar[str] = "set_model"
    model: str | None


# -- for the store ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class SaveDraft(StoreCommand):
    """Keep a prompt with its settings and files for later; again for the same session to change it."""

    kind: ClassVar[str] = "save_draft"
    session_id: SessionId
    launch: Launch
    #: Files to add to those that it keeps already, …
    attachments: list[Attachment] = field(default_factory=list)
    #: … and the id of one that it shall keep no longer.
    without: int | None = None

    def check(self) -> None:
        """There is something to keep."""
        checked_prompt(self.launch.prompt)
        checked_attachments(self.attachments)


@dataclass(frozen=True, kw_only=True)
class EditQueued(StoreCommand):
    """Change a prompt that nobody has taken yet."""

    kind: ClassVar[str] = "edit_queued"
    session_id: SessionId
    command_id: CommandId
    text: str

    def check(self) -> None:
        """The prompt says something."""
        checked_prompt(self.text)


@dataclass(frozen=True, kw_only=True)
class WithdrawQueued(StoreCommand):
    """Take a prompt back that nobody has taken yet."""

    kind: ClassVar[str] = "withdraw_queued"
    session_id: SessionId
    command_id: CommandId


@dataclass(frozen=True, kw_only=True)
class SendHeld(StoreCommand):
    """Let the prompts that a stop has put on hold follow, in their order."""

    kind: ClassVar[str] = "send_held"
    session_id: SessionId


@dataclass(frozen=True, kw_only=True)
class DeleteHeld(StoreCommand):
    """Take back every prompt that is on hold."""

    kind: ClassVar[str] = "delete_held"
    session_id: SessionId


@dataclass(frozen=True, kw_only=True)
class Fork(StoreCommand):
    """A new session that goes on from this one: from its end, or from the end of the turn of one event."""

    kind: ClassVar[str] = "fork"
    session_id: SessionId
    #: The new session.
    new_session_id: SessionId
    #: The last event that the fork has in common; nothing means all.
    event_id: int | None = None


@dataclass(frozen=True, kw_only=True)
class Rename(StoreCommand):
    """Give a title; an empty one brings the automatic title back."""

    kind: ClassVar[str] = "rename"
    session_id: SessionId
    title: str

    def check(self) -> None:
        """The title fits into one line."""
        if len(self.title) > MAX_TITLE:
            raise InputError(f"The title is longer than {MAX_TITLE} characters.", next_step="Choose a shorter one.")


@dataclass(frozen=True, kw_only=True)
class Pin(StoreCommand):
    """Keep at the top of the list, or no longer."""

    kind: ClassVar[str] = "pin"
    session_id: SessionId
    pinned: bool


@dataclass(frozen=True, kw_only=True)
class Archive(StoreCommand):
    """Take out of the list, or back into it."""

    kind: ClassVar[str] = "archive"
    session_id: SessionId
    archived: bool


@dataclass(frozen=True, kw_only=True)
class Delete(StoreCommand):
    """Remove a session's rows. Claude's own files are not touched; a live session is refused."""

    kind: ClassVar[str] = "delete"
    session_id: SessionId


@dataclass(frozen=True, kw_only=True)
class SetBudget(StoreCommand):
    """Change the limits; they hold from the next prompt on."""

    kind: ClassVar[str] = "set_budget"
    session_id: SessionId
    max_cost_usd: float | None
    max_turns: int | None

    def check(self) -> None:
        """Limits are above nothing."""
        checked_budget(self.max_cost_usd, self.max_turns)


@dataclass(frozen=True, kw_only=True)
class AddRule(StoreCommand):
    """A rule that approves or denies without asking: for this session, for a folder, or everywhere."""

    kind: ClassVar[str] = "add_rule"
    session_id: SessionId | None = None
    tool_pattern: str
    action: Literal["approve", "deny"]
    folder: str | None = None


@dataclass(frozen=True, kw_only=True)
class SwitchRule(StoreCommand):
    """Turn a rule on or off."""

    kind: ClassVar[str] = "switch_rule"
    session_id: SessionId | None = None
    rule_id: int
    enabled: bool


@dataclass(frozen=True, kw_only=True)
class DeleteRule(StoreCommand):
    """Remove a rule."""

    kind: ClassVar[str] = "delete_rule"
    session_id: SessionId | None = None
    rule_id: int


@dataclass(frozen=True, kw_only=True)
class SwitchLan(StoreCommand):
    """Open Lulu to other computers of the network, or close it again."""

    kind: ClassVar[str] = "switch_lan"
    session_id: SessionId | None = None
    on: bool


@dataclass(frozen=True, kw_only=True)
class TrustFolder(StoreCommand):
    """Answer about a folder: what it brings may act, as it was shown; or sessions there run without it."""

    kind: ClassVar[str] = "trust_folder"
    session_id: SessionId | None = None
    folder: str
    trusted: bool
    #: The files that the person was shown, as ``folders.Place`` has them.
    entries: dict[str, str] = field(default_factory=dict)

    def check(self) -> None:
        """The folder is named in full."""
        if not self.folder.startswith("/"):
            raise InputError(f"{self.folder[:200]!r} is not an absolute path.", safe="Nothing was changed.")


@dataclass(frozen=True, kw_only=True)
class ForgetFolder(StoreCommand):
    """Take an answer about a folder back: it is asked for anew before the next prompt there."""

    kind: ClassVar[str] = "forget_folder"
    session_id: SessionId | None = None
    folder: str


KINDS: dict[str, type[Command]] = {
    kind.kind: kind
    for kind in (
        *(StartSession, SendPrompt, SendNow, Interrupt, SetPermissionMode, SetModel),
        *(SaveDraft, EditQueued, WithdrawQueued, SendHeld, DeleteHeld, Fork),
        *(Rename, Pin, Archive, Delete, SetBudget, AddRule, SwitchRule, DeleteRule, SwitchLan),
        *(TrustFolder, ForgetFolder),
    )
}


@dataclass(frozen=True, kw_only=True)
class StoredCommand:
    """A command with its row."""

    id: CommandId
    command: AgentCommand
    status: CommandStatus
    error: str | None = None
    #: Rows of ``attachments`` that go with it (their bytes are not read here).
    attachment_ids: list[int] = field(default_factory=list)
    #: A stop has put it on hold.
    is_held: bool = False

    @property
    def prompt(self) -> str:
        """What is sent with it, as typed; empty where it is no prompt."""
        if isinstance(self.command, StartSession):
            return self.command.launch.prompt
        return self.command.text if isinstance(self.command, SendPrompt | SendNow) else ""


def encode(command: Command, attachment_ids: list[int] | None = None) -> str:
    """The payload column: the command's own fields as ASCII JSON, attachments by the ids of their rows."""
    own = {item.name: getattr(command, item.name) for item in fields(command)}
    # The files of a folder are kept once, in its own row.
    for name in ("actor", "session_id", "entries"):
        own.pop(name, None)
    if "attachments" in own:
        own["attachments"] = attachment_ids or []
    plain = {name: asdict(value) if isinstance(value, Launch) else value for name, value in own.items()}
    return json.dumps(plain, ensure_ascii=True, separators=(",", ":"))


def decode(kind: str, session_id: str, payload: str, actor: str) -> tuple[AgentCommand, list[int]]:
    """The agent's command of a row, and the ids of its attachments.

    Raises ``ValueError`` or ``TypeError`` for one that this version cannot read.
    """
    value = KINDS.get(kind)
    if value is None or not issubclass(value, AgentCommand):
        raise ValueError(f"not a command for an agent: {kind!r}")
    own: dict[str, Any] = json.loads(payload)
    attachment_ids = [int(found) for found in own.pop("attachments", [])]
    if "launch" in own:
        own["launch"] = Launch(**fitting(Launch, own["launch"]))
    else:
        own = fitting(value, own)
    return value(actor=Actor(role=Role.OWNER, name=actor), session_id=SessionId(session_id), **own), attachment_ids
