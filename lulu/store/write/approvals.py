"""Requests of agents and their answers. The event is stored in the same transaction as the row."""

from __future__ import annotations

from dataclasses import dataclass

from lulu.errors import Conflict
from lulu.model.actors import LULU, Actor
from lulu.model.events import Permission, PermissionDecision
from lulu.model.sessions import SessionStatus
from lulu.model.timestamps import now
from lulu.store import rows
from lulu.store.bus import APPROVALS
from lulu.store.database import Transaction
from lulu.store.rows import Approval
from lulu.store.write import changes
from lulu.text.unicode import as_text


def ask(tx: Transaction, approval: Approval) -> None:
    """Store a request: its row, its event and the status ``waiting``."""
    _insert(tx, approval)
    changes.move(tx, approval.session_id, SessionStatus.WAITING)
    changes.note_activity(tx, approval.session_id)


def decide_by_rule(tx: Transaction, approval: Approval, decision: Decision) -> None:
    """Store a request together with the decision of a rule."""
    _insert(tx, approval)
    _answer(tx, LULU, approval.id, decision, auto=True)


def _insert(tx: Transaction, approval: Approval) -> None:
    tx.query(
        "INSERT INTO approvals (id, session_id, tool_use_id, agent_id, tool_name, tool_input, suggestions, status, "
        "reason, created_at) VALUES (:id, :session, :tool_use, :agent, :tool, :input, :suggestions, 'pending', "
        ":reason, :at)",
        id=approval.id,
        session=approval.session_id,
        tool_use=approval.tool_use_id,
        agent=approval.agent_id,
        tool=as_text(approval.tool_name),
        input=rows.as_json(approval.tool_input),
        suggestions=rows.as_json(approval.suggestions),
        reason=as_text(approval.reason) if approval.reason else None,
        at=now(),
    )
    changes.insert_event(
        tx,
        approval.session_id,
        Permission(
            id=approval.id,
            tool_use_id=approval.tool_use_id,
            tool_name=approval.tool_name,
            tool_input=approval.tool_input,
            suggestions=approval.suggestions or None,
            reason=approval.reason,
        ),
    )
    tx.ring(APPROVALS)


@dataclass(frozen=True, kw_only=True)
class Decision:
    """An answer to a request."""

    #: ``approved``, ``denied``, ``expired`` or ``cancelled``.
    outcome: str
    message: str | None = None
    updated_input: dict[str, object] | None = None
    rule_id: int | None = None


def decide(tx: Transaction, actor: Actor, approval_id: str, decision: Decision) -> Approval:
    """Answer a request; the first answer wins. Raises ``Conflict`` if it is already answered."""
    approval = _answer(tx, actor, approval_id, decision, auto=False)
    if decision.outcome in ("approved", "denied"):
        changes.note_activity(tx, approval.session_id)
    if not tx.query(
        "SELECT 1 FROM approvals WHERE session_id = :id AND status = 'pending' LIMIT 1", id=approval.session_id
    ):
        # Only from ``waiting``: an answer after the end of the turn must not set the session to running.
        changes.move(tx, approval.session_id, SessionStatus.RUNNING, sources=[SessionStatus.WAITING])
    return approval


def _answer(tx: Transaction, actor: Actor, approval_id: str, decision: Decision, *, auto: bool) -> Approval:
    decided = tx.query(
        "UPDATE approvals SET status = :outcome, message = :message, updated_input = :input, rule_id = :rule, "
        "auto_approved = :auto, decided_by = :by, decided_at = :at WHERE id = :id AND status = 'pending' RETURNING *",
        id=approval_id,
        outcome=decision.outcome,
        message=as_text(decision.message) if decision.message else None,
        input=rows.as_json(decision.updated_input),
        rule=decision.rule_id,
        auto=int(auto),
        by=as_text(actor.name),
        at=now(),
    )
    if not decided:
        raise _answered(tx, approval_id)
    approval = rows.approval(decided[0])
    changes.insert_event(
        tx,
        approval.session_id,
        PermissionDecision(
            id=approval_id,
            decision=decision.outcome,
            message=decision.message,
            actor=actor.name,
            rule_id=decision.rule_id,
        ),
    )
    tx.ring(APPROVALS)
    return approval


def expire(tx: Transaction, session_id: str) -> None:
    """Expire the open requests of a session after the end of its agent."""
    for row in tx.query("SELECT id FROM approvals WHERE session_id = :id AND status = 'pending'", id=session_id):
        _answer(tx, LULU, row["id"], Decision(outcome="expired"), auto=False)


def _answered(tx: Transaction, approval_id: str) -> Conflict:
    found = tx.query("SELECT status, decided_by FROM approvals WHERE id = :id", id=approval_id)
    if not found:
        return Conflict("This request does not exist any more.", safe="Nothing was changed.")
    row = found[0]
    by = f" by {row['decided_by']}" if row["decided_by"] else ""
    return Conflict(f"This request was already {row['status']}{by}.", safe="Your answer was not used.")
