"""Commands: accepts what people ask for, and ends it."""

from __future__ import annotations

from concurrent.futures import Future
from typing import Any

from lulu.model.commands import Command, CommandId, CommandStatus, SendNow, StoredCommand
from lulu.model.validation import Attachment
from lulu.store import rows
from lulu.store.database import Reader, Writer
from lulu.store.rows import SentPrompt
from lulu.store.write import changes, session_commands
from lulu.store.write.changes import Change


class Commands:
    """Accepts commands, reads them with their files, and ends them."""

    def __init__(self, reader: Reader, writer: Writer) -> None:
        self._query = reader.query
        self._submit = writer.submit
        self._commit = writer.commit

    def submit(self, command: Command) -> CommandId:
        """Accept a command; it is committed when this returns.

        Returns its id. Raises ``Forbidden``, ``InputError`` and ``StoreBusy``.
        """
        command.actor.require_owner()
        command.check()
        return self._commit(lambda tx: session_commands.accept(tx, command))

    def pending(self) -> list[StoredCommand]:
        """Return the commands that the host may take, oldest first. Those on hold are left out."""
        found = self._query("SELECT * FROM commands WHERE status = 'pending' AND held_at IS NULL ORDER BY id")
        return [stored for row in found if (stored := rows.command(row))]

    def queued_prompts(self, session_id: str) -> list[StoredCommand]:
        """Return a session's prompts that are not sent yet, in their order; those on hold last."""
        found = self._query(
            "SELECT * FROM commands WHERE session_id = :id AND status = 'pending' "
            "AND kind IN ('start', 'prompt', 'send_now') ORDER BY id",
            id=session_id,
        )
        queued = [stored for row in found if (stored := rows.command(row))]
        return sorted(queued, key=lambda stored: (stored.is_held, not isinstance(stored.command, SendNow)))

    def last_prompts(self, limit: int) -> list[SentPrompt]:
        """Return the last prompts that people sent or kept as drafts, newest first."""
        found = self._query(
            "SELECT id, kind, session_id, payload FROM commands WHERE kind IN ('start', 'prompt', 'save_draft') "
            "ORDER BY id DESC LIMIT :limit",
            limit=limit,
        )
        return [rows.sent_prompt(row) for row in found]

    def attachments(self, ids: list[int]) -> list[Attachment]:
        """Return attachments with their bytes, in the order of the ids."""
        found = self._query(
            "SELECT * FROM attachments WHERE id IN (SELECT value FROM json_each(:ids))", ids=rows.as_json(ids)
        )
        by_id = {row["id"]: rows.attachment(row) for row in found}
        return [by_id[one] for one in ids if one in by_id]

    def files_of(self, draft_id: str) -> dict[int, Attachment]:
        """Return a draft's files by their ids."""
        found = self._query("SELECT * FROM attachments WHERE session_id = :id ORDER BY id", id=draft_id)
        return {row["id"]: rows.attachment(row) for row in found}

    def latest_actions(self, *, limit: int) -> list[dict[str, Any]]:
        """Return commands and decided requests, newest first, as dicts.

        The keys are ``at``, ``who``, ``what``, ``session_id`` and ``subject``.
        """
        return self._query(
            "SELECT created_at AS at, actor AS who, kind AS what, session_id, NULL AS subject FROM commands "
            "UNION ALL SELECT decided_at, decided_by, status, session_id, tool_name FROM approvals "
            "WHERE decided_at IS NOT NULL ORDER BY at DESC LIMIT :limit",
            limit=limit,
        )

    def take(self, command_id: CommandId, change: Change | None = None) -> Future[bool]:
        """Take a pending command and write its change. Returns whether this caller has it."""
        return self._submit(lambda tx: changes.take_command(tx, command_id, change))

    def end(
        self, command_id: CommandId, status: CommandStatus = CommandStatus.DONE, error: str | None = None
    ) -> Future[None]:
        """End a taken or pending command."""
        return self._submit(lambda tx: changes.end_command(tx, command_id, status, error))
