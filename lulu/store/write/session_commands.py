"""Commands that only change rows: each is carried out in the transaction that accepts it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lulu import rules
from lulu.errors import Conflict, SessionNotFound
from lulu.model.commands import (
    AddRule,
    AgentCommand,
    Archive,
    Command,
    CommandId,
    Delete,
    DeleteHeld,
    DeleteRule,
    EditQueued,
    ForgetFolder,
    Fork,
    Pin,
    Rename,
    SaveDraft,
    SendHeld,
    SendNow,
    SetBudget,
    SwitchLan,
    SwitchRule,
    TrustFolder,
    WithdrawQueued,
)
from lulu.model.events import System
from lulu.model.sessions import LIVE, SessionStatus
from lulu.model.timestamps import now
from lulu.store import rows
from lulu.store.bus import DELETED, RULES, SESSIONS, row_topic, session_topic
from lulu.store.database import Transaction
from lulu.store.write import access, changes, folders, prompt_queue, search_index
from lulu.text.unicode import as_text


def accept(tx: Transaction, command: Command) -> CommandId:
    """Insert a command's row, and carry it out if it only changes rows. Returns its id."""
    if isinstance(command, SendNow) and command.replaces is not None:
        prompt_queue.take_back(tx, command.session_id, command.replaces)
    if isinstance(command, AgentCommand):
        return changes.insert_command(tx, command)
    apply(tx, command)
    # A deletion writes a row of its own, which refers to no session.
    return CommandId(0) if isinstance(command, Delete) else changes.insert_done(tx, command)


def apply(tx: Transaction, command: Command) -> None:
    """Carry out a command. Raises ``SessionNotFound`` or ``Conflict`` without changing a row."""
    if command.session_id is not None and not isinstance(command, SaveDraft):
        _row(tx, command.session_id)
    _APPLY[command.kind](tx, command)


def _row(tx: Transaction, session_id: str) -> dict[str, Any]:
    found = tx.query("SELECT * FROM sessions WHERE id = :id", id=session_id)
    if not found:
        raise SessionNotFound
    return found[0]


def _set(tx: Transaction, session_id: str, **columns: object) -> None:
    """Set columns but not ``updated_at``: pinning or renaming a session is no work on it."""
    tx.update("sessions", {"id": session_id, **columns})
    tx.ring(SESSIONS, row_topic(session_id))


def _rename(tx: Transaction, command: Rename) -> None:
    title = as_text(" ".join(command.title.split()))
    _set(tx, command.session_id, title=title or None, title_source="person" if title else None)


def _pin(tx: Transaction, command: Pin) -> None:
    _set(tx, command.session_id, pinned_at=now() if command.pinned else None)


def _archive(tx: Transaction, command: Archive) -> None:
    if command.archived:
        _refuse_live(tx, command.session_id, "archived")
    _set(tx, command.session_id, archived_at=now() if command.archived else None)


def _set_budget(tx: Transaction, command: SetBudget) -> None:
    _set(tx, command.session_id, max_cost_usd=command.max_cost_usd, max_turns=command.max_turns)


def _save_draft(tx: Transaction, command: SaveDraft) -> None:
    found = tx.query("SELECT status FROM sessions WHERE id = :id", id=command.session_id)
    if not found:
        changes.insert_session(tx, command.session_id, command.launch, SessionStatus.DRAFT)
    elif found[0]["status"] != SessionStatus.DRAFT:
        raise Conflict("This draft was launched already.", safe="Nothing was changed.")
    else:
        changes.update_launch(tx, command.session_id, command.launch)
    if command.without is not None:
        tx.delete("attachments", session_id=command.session_id, id=command.without)
    changes.insert_attachments(tx, command.session_id, command.attachments)


def _withdraw_queued(tx: Transaction, command: WithdrawQueued) -> None:
    prompt_queue.withdraw(tx, command)
    folders.end_unless_pending(tx, command.session_id)


def _delete_held(tx: Transaction, command: DeleteHeld) -> None:
    prompt_queue.delete_held(tx, command)
    folders.end_unless_pending(tx, command.session_id)


def _fork(tx: Transaction, command: Fork) -> None:
    """Copy the history up to an event. The fork's first prompt continues the conversation there."""
    parent = _row(tx, command.session_id)
    until = _end_of_turn(tx, command.session_id, command.event_id)
    at = now()
    tx.query(
        "INSERT INTO sessions (id, title, prompt, status, model, working_directory, permission_mode, agent, "
        "parent_session_id, max_cost_usd, max_turns, session_id_claude, fork_conversation, fork_message, "
        "created_at, updated_at) VALUES (:id, :title, :prompt, 'completed', :model, :folder, :mode, :agent, :parent, "
        ":max_cost, :max_turns, :id, :conversation, :message, :at, :at)",
        id=command.new_session_id,
        title=parent["title"],
        prompt=parent["prompt"],
        model=parent["model"],
        folder=parent["working_directory"],
        mode=parent["permission_mode"],
        agent=parent["agent"],
        parent=command.session_id,
        max_cost=parent["max_cost_usd"],
        max_turns=parent["max_turns"],
        # A fork without a prompt of its own has no conversation yet: its conversation is its parent's.
        conversation=_conversation_at(tx, command.session_id, until)
        or parent["fork_conversation"]
        or parent["session_id_claude"],
        message=_last_message(tx, command.session_id, until)
        if command.event_id is not None
        else parent["fork_message"],
        at=at,
    )
    tx.query(
        "INSERT INTO conversation_events (session_id, event_type, payload, uid, created_at) "
        "SELECT :new, event_type, payload, uid, created_at FROM conversation_events "
        "WHERE session_id = :old AND id <= :until ORDER BY id",
        new=command.new_session_id,
        old=command.session_id,
        until=until,
    )
    # The copies are not indexed, so that search finds the text once, in its original session.
    note = {"from": command.session_id, "event_id": until}
    changes.insert_event(tx, command.new_session_id, System(subtype="forked", data=note))
    changes.insert_event(tx, command.session_id, System(subtype="fork", data={"to": command.new_session_id}))
    tx.ring(SESSIONS, row_topic(command.session_id), session_topic(command.session_id))


def _end_of_turn(tx: Transaction, session_id: str, event_id: int | None) -> int:
    """Return the last event of the turn that contains this event."""
    found = tx.query(
        "SELECT min(id) AS next_prompt FROM conversation_events "
        "WHERE session_id = :id AND event_type = 'user' AND id > :event",
        id=session_id,
        event=2**63 - 1 if event_id is None else event_id,
    )
    next_prompt = found[0]["next_prompt"]
    last = tx.query(
        "SELECT max(id) AS last FROM conversation_events WHERE session_id = :id AND id < :next",
        id=session_id,
        next=next_prompt if next_prompt is not None else 2**63 - 1,
    )
    return int(last[0]["last"] or 0)


def _conversation_at(tx: Transaction, session_id: str, until: int) -> str | None:
    """Return Claude's id of the conversation at this event (``/clear`` begins another one)."""
    found = tx.query(
        "SELECT payload FROM conversation_events WHERE session_id = :id AND event_type = 'result' AND id <= :until "
        "ORDER BY id DESC LIMIT 1",
        id=session_id,
        until=until,
    )
    conversation = rows.parse_object(found[0]["payload"]).get("session_id") if found else None
    return conversation if isinstance(conversation, str) else None


def _last_message(tx: Transaction, session_id: str, until: int) -> str | None:
    """Return the uuid of the last answer up to this event: the end of the copied conversation."""
    found = tx.query(
        "SELECT payload FROM conversation_events WHERE session_id = :id AND id <= :until "
        "AND event_type IN ('text', 'thinking', 'tool_use') ORDER BY id DESC LIMIT 20",
        id=session_id,
        until=until,
    )
    for row in found:
        payload = rows.parse_object(row["payload"])
        if isinstance(payload.get("uuid"), str) and not payload.get("parent"):
            return str(payload["uuid"])
    return None


def _delete(tx: Transaction, command: Delete) -> None:
    """Delete the session's rows. Its commands stay in ``commands`` without their content."""
    _refuse_live(tx, command.session_id, "deleted")
    name = _row(tx, command.session_id)["title"]
    search_index.forget_session(tx, command.session_id)
    for table in (
        "conversation_events",
        "live_text",
        "approvals",
        "attachments",
        "auto_approve_rules",
        "folder_questions",
    ):
        tx.delete(table, session_id=command.session_id)
    tx.delete("commands", session_id=command.session_id)
    access.end_shares(tx, command.session_id, command.actor.name)
    tx.query("UPDATE sessions SET parent_session_id = NULL WHERE parent_session_id = :id", id=command.session_id)
    tx.delete("sessions", id=command.session_id)
    changes.insert_done(tx, command, {"deleted": command.session_id, "title": name})
    tx.ring(SESSIONS, row_topic(command.session_id), session_topic(command.session_id), RULES)
    tx.ring(DELETED + command.session_id)


def _refuse_live(tx: Transaction, session_id: str, verb: str) -> None:
    if _row(tx, session_id)["status"] in LIVE:
        raise Conflict(f"A running session cannot be {verb}.", safe="It goes on.", next_step="Stop it first.")


def insert_rule(tx: Transaction, command: AddRule) -> int:
    """Insert a rule and return its id. Raises ``InputError`` if its pattern cannot be parsed."""
    rules.parse(command.tool_pattern)
    inserted = tx.query(
        "INSERT INTO auto_approve_rules (tool_pattern, action, session_id, folder, enabled, created_by, created_at) "
        "VALUES (:pattern, :action, :session, :folder, 1, :by, :at) RETURNING id",
        pattern=as_text(command.tool_pattern),
        action=command.action,
        session=command.session_id,
        folder=as_text(command.folder) if command.folder else None,
        by=as_text(command.actor.name),
        at=now(),
    )
    tx.ring(RULES)
    return int(inserted[0]["id"])


def _switch_rule(tx: Transaction, command: SwitchRule) -> None:
    tx.query("UPDATE auto_approve_rules SET enabled = :on WHERE id = :id", id=command.rule_id, on=int(command.enabled))
    tx.ring(RULES)


def _delete_rule(tx: Transaction, command: DeleteRule) -> None:
    tx.delete("auto_approve_rules", id=command.rule_id)
    tx.ring(RULES)


def _switch_lan(tx: Transaction, command: SwitchLan) -> None:
    access.switch(tx, access.LAN, "on" if command.on else "off")


_APPLY: dict[str, Callable[[Transaction, Any], object]] = {
    Rename.kind: _rename,
    Pin.kind: _pin,
    Archive.kind: _archive,
    SetBudget.kind: _set_budget,
    SaveDraft.kind: _save_draft,
    EditQueued.kind: prompt_queue.edit,
    WithdrawQueued.kind: _withdraw_queued,
    SendHeld.kind: prompt_queue.send_held,
    DeleteHeld.kind: _delete_held,
    Fork.kind: _fork,
    Delete.kind: _delete,
    AddRule.kind: insert_rule,
    SwitchRule.kind: _switch_rule,
    DeleteRule.kind: _delete_rule,
    SwitchLan.kind: _switch_lan,
    TrustFolder.kind: folders.answer,
    ForgetFolder.kind: folders.forget,
}
