"""Commands: requests of people, as values. Each names its actor and is one row of ``commands``.
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
from lulu.model.payloads import payload_of
from lulu.model.sessions import Launch, SessionId
from lulu.model.validation import (
    MAX_TITLE,
    Attachment,
    checked_attachments,
    checked_budget,
    checked_folder,
    checked_mode,
    checked_prompt,
)

CommandId = NewType("CommandId", int)


class CommandStatus(StrEnum):
    """``pending`` until the host takes the command; at the end done, or refused or failed with a reason."""

    PENDING = "pending"
    TAKEN = "taken"
    DONE = "done"
    REFUSED = "refused"
    FAILED = "failed"


@dataclass(frozen=True, kw_only=True)
class Command:
    """A change that a person asks for."""

    kind: ClassVar[str] = ""

    actor: Actor
    #: The session of the command, or ``None`` for one without a session, such as a rule for all sessions.
    session_id: SessionId | None

    def check(self) -> None:
        """Raise ``InputError`` if the command cannot be carried out as typed."""


@dataclass(frozen=True, kw_only=True)
class AgentCommand(Command):
    """A command for the host. It stays pending until the session's worker takes it."""

    session_id: SessionId


@dataclass(frozen=True, kw_only=True)
class StoreCommand(Command):
    """A command that only changes rows. It is done when it is accepted."""


# -- for the agent ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class StartSession(AgentCommand):
    """Create a session, or start a draft, and send its first prompt."""

    kind: ClassVar[str] = "start"
    launch: Launch
    attachments: list[Attachment] = field(default_factory=list)

    def check(self) -> None:
        """Raise ``InputError`` for an unusable prompt, folder, mode, limit or attachment."""
        checked_prompt(self.launch.prompt)
        checked_folder(self.launch.working_directory)
        checked_mode(self.launch.permission_mode)
        checked_budget(self.launch.max_cost_usd, self.launch.max_turns)
        checked_attachments(self.attachments)


@dataclass(frozen=True, kw_only=True)
class SendPrompt(AgentCommand):
    """Send a prompt. It is queued while a turn runs."""

    kind: ClassVar[str] = "prompt"
    text: str
    attachments: list[Attachment] = field(default_factory=list)

    def check(self) -> None:
        """Raise ``InputError`` for an unusable prompt or attachment."""
        checked_prompt(self.text)
        checked_attachments(self.attachments)


@dataclass(frozen=True, kw_only=True)
class SendNow(AgentCommand):
    """Stop the running turn and send this prompt next, before the queue."""

    kind: ClassVar[str] = "send_now"
    text: str
    attachments: list[Attachment] = field(default_factory=list)
    #: The queued prompt with this text. It is withdrawn in the same transaction.
    replaces: int | None = None

    def check(self) -> None:
        """Raise ``InputError`` for an unusable prompt or attachment."""
        checked_prompt(self.text)
        checked_attachments(self.attachments)


@dataclass(frozen=True, kw_only=True)
class Interrupt(AgentCommand):
    """Stop the running turn and keep the session. Puts the queued prompts on hold."""

    kind: ClassVar[str] = "interrupt"


@dataclass(frozen=True, kw_only=True)
class SetPermissionMode(AgentCommand):
    """Change the permission mode, with immediate effect also in a running turn."""

    kind: ClassVar[str] = "set_mode"
    mode: str
    #: The request whose answer carries the mode to the agent. ``None`` if the mode is still to be sent.
    with_answer: str | None = None

    def check(self) -> None:
        """Raise ``InputError`` for an unknown mode, or one that cannot be used on this machine."""
        checked_mode(self.mode)


@dataclass(frozen=True, kw_only=True)
class SetModel(AgentCommand):
    """Change the model. ``None`` means the agent's own default."""

    kind: ClassVar[str] = "set_model"
    model: str | None


# -- for the store ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class SaveDraft(StoreCommand):
    """Keep a prompt with its settings and files for later. A second one for the session changes the draft."""

    kind: ClassVar[str] = "save_draft"
    session_id: SessionId
    launch: Launch
    #: Files to add to the draft, …
    attachments: list[Attachment] = field(default_factory=list)
    #: … and the id of a file to remove from it.
    without: int | None = None

    def check(self) -> None:
        """Raise ``InputError`` for an unusable prompt or attachment."""
        checked_prompt(self.launch.prompt)
        checked_attachments(self.attachments)


@dataclass(frozen=True, kw_only=True)
class EditQueued(StoreCommand):
    """Change a prompt that is still pending."""

    kind: ClassVar[str] = "edit_queued"
    session_id: SessionId
    command_id: CommandId
    text: str

    def check(self) -> None:
        """Raise ``InputError`` for an empty or too long prompt."""
        checked_prompt(self.text)


@dataclass(frozen=True, kw_only=True)
class WithdrawQueued(StoreCommand):
    """Withdraw a prompt that is still pending."""

    kind: ClassVar[str] = "withdraw_queued"
    session_id: SessionId
    command_id: CommandId


@dataclass(frozen=True, kw_only=True)
class SendHeld(StoreCommand):
    """Release the prompts on hold, so that they are sent in order."""

    kind: ClassVar[str] = "send_held"
    session_id: SessionId


@dataclass(frozen=True, kw_only=True)
class DeleteHeld(StoreCommand):
    """Withdraw every prompt on hold."""

    kind: ClassVar[str] = "delete_held"
    session_id: SessionId


@dataclass(frozen=True, kw_only=True)
class Fork(StoreCommand):
    """Create a session that continues this one, from its end or from the end of one event's turn."""

    kind: ClassVar[str] = "fork"
    session_id: SessionId
    #: The new session.
    new_session_id: SessionId
    #: The last event that both sessions share. ``None`` means all events.
    event_id: int | None = None


@dataclass(frozen=True, kw_only=True)
class Rename(StoreCommand):
    """Set the title. An empty one restores the automatic title."""

    kind: ClassVar[str] = "rename"
    session_id: SessionId
    title: str

    def check(self) -> None:
        """Raise ``InputError`` if the title is too long."""
        if len(self.title) > MAX_TITLE:
            raise InputError(f"The title is longer than {MAX_TITLE} characters.", next_step="Choose a shorter one.")


@dataclass(frozen=True, kw_only=True)
class Pin(StoreCommand):
    """Keep the session at the top of the list, or stop doing so."""

    kind: ClassVar[str] = "pin"
    session_id: SessionId
    pinned: bool


@dataclass(frozen=True, kw_only=True)
class Archive(StoreCommand):
    """Remove the session from the list, or restore it."""

    kind: ClassVar[str] = "archive"
    session_id: SessionId
    archived: bool


@dataclass(frozen=True, kw_only=True)
class Delete(StoreCommand):
    """Delete a session's rows, but no files of Claude Code. A live session is refused."""

    kind: ClassVar[str] = "delete"
    session_id: SessionId


@dataclass(frozen=True, kw_only=True)
class SetBudget(StoreCommand):
    """Change the limits of a session. They apply from the next prompt."""

    kind: ClassVar[str] = "set_budget"
    session_id: SessionId
    max_cost_usd: float | None
    max_turns: int | None

    def check(self) -> None:
        """Raise ``InputError`` for a limit of zero or less."""
        checked_budget(self.max_cost_usd, self.max_turns)


@dataclass(frozen=True, kw_only=True)
class AddRule(StoreCommand):
    """Add a rule that approves or denies without asking: in this session, in a folder, or everywhere."""

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
    """Open Lulu to other computers of the network, or close it."""

    kind: ClassVar[str] = "switch_lan"
    session_id: SessionId | None = None
    on: bool


@dataclass(frozen=True, kw_only=True)
class TrustFolder(StoreCommand):
    """Answer about a folder: its files may act as they were shown, or sessions run there without them."""

    kind: ClassVar[str] = "trust_folder"
    session_id: SessionId | None = None
    folder: str
    trusted: bool
    #: The files that were shown to the person, as ``folder_files.Place`` has them.
    entries: dict[str, str] = field(default_factory=dict)

    def check(self) -> None:
        """Raise ``InputError`` if the folder is no absolute path."""
        if not self.folder.startswith("/"):
            raise InputError(f"{self.folder[:200]!r} is not an absolute path.", safe="Nothing was changed.")


@dataclass(frozen=True, kw_only=True)
class ForgetFolder(StoreCommand):
    """Delete the answer about a folder. The owner is asked again before the next prompt there."""

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
    #: Rows of ``attachments`` that belong to it. Their bytes are not read here.
    attachment_ids: list[int] = field(default_factory=list)
    #: Whether a stop has put the command on hold.
    is_held: bool = False

    @property
    def prompt(self) -> str:
        """The prompt of the command, as typed; an empty string if it has none."""
        if isinstance(self.command, StartSession):
            return self.command.launch.prompt
        return self.command.text if isinstance(self.command, SendPrompt | SendNow) else ""


#: Fields that have columns or tables of their own.
_NO_PAYLOAD = frozenset({"actor", "session_id", "attachments"})


def encode(command: Command, attachment_ids: list[int] | None = None) -> str:
    """Return the payload column: the command's own fields as ASCII JSON, attachments by their ids."""
    own = {item.name: getattr(command, item.name) for item in fields(command)}
    # The files of a folder are kept once, in the folder's own row.
    for name in ("actor", "session_id", "entries"):
        own.pop(name, None)
    if "attachments" in own:
        own["attachments"] = attachment_ids or []
    plain = {name: asdict(value) if isinstance(value, Launch) else value for name, value in own.items()}
    return json.dumps(plain, ensure_ascii=True, separators=(",", ":"))


def decode(kind: str, session_id: str, payload: str, actor: str) -> tuple[AgentCommand, list[int]]:
    """Return the agent command of a row, and the ids of its attachments.
    Raises ``ValueError`` or ``TypeError`` if this version cannot read the row.
    """
    value = KINDS.get(kind)
    if value is None or not issubclass(value, AgentCommand):
        raise ValueError(f"not a command for an agent: {kind!r}")
    own: dict[str, Any] = json.loads(payload)
    attachment_ids = [int(found) for found in own.pop("attachments", [])]
    if "launch" in own:
        own["launch"] = Launch(**payload_of(Launch, unknown="forbid").validate_python(own["launch"]))
    else:
        own = payload_of(value, without=_NO_PAYLOAD, unknown="forbid").validate_python(own)
    return value(actor=Actor(role=Role.OWNER, name=actor), session_id=SessionId(session_id), **own), attachment_ids
