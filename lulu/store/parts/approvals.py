"""Requests of agents, the answers of people and rules, and the rules."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import Future

from lulu.errors import InputError
from lulu.model.actors import LULU, Actor
from lulu.model.commands import AddRule, Interrupt, SetPermissionMode
from lulu.model.sessions import SessionId
from lulu.model.validation import checked_mode
from lulu.rules import Rule
from lulu.store import rows
from lulu.store.database import Reader, Transaction, Writer
from lulu.store.rows import Approval
from lulu.store.write import approvals, session_commands
from lulu.store.write.approvals import Decision

# One statement for each kind of question: an index does not help with "or" or "is null".
_APPROVALS_OF_SESSION = (
    "SELECT * FROM approvals WHERE session_id = :session AND (:status IS NULL OR +status = :status) "
    "ORDER BY created_at, rowid"
)
_APPROVALS_BY_STATUS = "SELECT * FROM approvals WHERE status = :status ORDER BY created_at, rowid"
# By the order of the requests. Decisions of rules are left out.
_LAST_ANSWERS = (
    "SELECT * FROM approvals WHERE status != 'pending' AND auto_approved = 0 ORDER BY rowid DESC LIMIT :limit"
)
_APPROVALS = "SELECT * FROM approvals ORDER BY created_at, rowid"


class Approvals:
    """Reads requests and rules; stores requests and answers."""

    def __init__(self, reader: Reader, writer: Writer) -> None:
        self._query = reader.query
        self._submit = writer.submit
        self._commit = writer.commit
        #: Raises ``InputError`` for a changed input that must not run. The host sets it.
        self.check_input: Callable[[Approval, dict[str, object]], None] = lambda approval, changed: None

    def find(self, session_id: str | None = None, *, status: str | None = "pending") -> list[Approval]:
        """Return requests, oldest first: of one session or all, with one status or any."""
        if session_id is not None:
            found = self._query(_APPROVALS_OF_SESSION, session=session_id, status=status)
        elif status is not None:
            found = self._query(_APPROVALS_BY_STATUS, status=status)
        else:
            found = self._query(_APPROVALS)
        return [rows.approval(row) for row in found]

    def last_answers(self, limit: int) -> list[Approval]:
        """Return the last requests that are no longer open, without those that a rule decided.

        The last answer is first.
        """
        found = [rows.approval(row) for row in self._query(_LAST_ANSWERS, limit=limit)]
        return sorted(found, key=lambda approval: approval.decided_at or approval.created_at, reverse=True)

    def get(self, approval_id: str) -> Approval | None:
        """Return one request; None if there is none with this id."""
        found = self._query("SELECT * FROM approvals WHERE id = :id", id=approval_id)
        return rows.approval(found[0]) if found else None

    def mode_with_answer(self, session_id: str, approval_id: str) -> str | None:
        """Return the permission mode that was chosen with an answer; None if none was."""
        found = self._query(
            "SELECT json_extract(payload, '$.mode') AS mode FROM commands WHERE session_id = :session "
            "AND kind = 'set_mode' "
            "AND CASE WHEN json_valid(payload) THEN json_extract(payload, '$.with_answer') END = :id",
            session=session_id,
            id=approval_id,
        )
        return str(found[0]["mode"]) if found else None

    def rules(self) -> list[Rule]:
        """Return every rule, oldest first."""
        return [rows.rule(row) for row in self._query("SELECT * FROM auto_approve_rules ORDER BY id")]

    def ask(self, approval: Approval) -> Future[None]:
        """Store a request."""
        return self._submit(lambda tx: approvals.ask(tx, approval))

    def decide(
        self,
        actor: Actor,
        approval_id: str,
        *,
        approve: bool,
        message: str | None = None,
        updated_input: dict[str, object] | None = None,
        rule: AddRule | None = None,
        mode: str | None = None,
        stop: bool = False,
    ) -> Approval:
        """Answer a request; the first answer wins. Raises ``Forbidden``, ``Conflict`` and ``InputError``.

        ``rule`` is made with the answer ("don't ask again"). ``mode`` is the session's permission mode from then on.
        ``stop`` ends the turn after a denial.
        """
        actor.require_owner()
        if rule is not None:
            rule.actor.require_owner()
            rule.check()
        if mode is not None:
            checked_mode(mode)
        _check_json(updated_input)
        asked = self.get(approval_id) if approve and updated_input is not None else None
        if asked is not None and updated_input is not None and asked.status == "pending":
            # Checked first, so that no input is stored as approved that the agent may not run.
            self.check_input(asked, updated_input)
        decision = Decision(
            outcome="approved" if approve else "denied", message=message or None, updated_input=updated_input
        )

        def job(tx: Transaction) -> Approval:
            approval = approvals.decide(tx, actor, approval_id, decision)
            if rule is not None:
                session_commands.accept(tx, rule)
            session_id = SessionId(approval.session_id)
            if mode is not None:
                session_commands.accept(
                    tx, SetPermissionMode(actor=actor, session_id=session_id, mode=mode, with_answer=approval_id)
                )
            if stop:
                session_commands.accept(tx, Interrupt(actor=actor, session_id=session_id))
            return approval

        return self._commit(job)

    def decide_by_rule(self, approval: Approval, rule: Rule | None, *, approve: bool, why: str) -> Future[None]:
        """Store a request with its decision by a rule, or by Lulu itself if ``rule`` is None."""
        decision = Decision(outcome="approved" if approve else "denied", message=why, rule_id=rule.id if rule else None)
        return self._submit(lambda tx: approvals.decide_by_rule(tx, approval, decision))

    def withdraw(self, approval_id: str) -> Future[Approval]:
        """Cancel a request of an agent. The ``Future`` raises ``Conflict`` if it is already answered."""
        return self._submit(lambda tx: approvals.decide(tx, LULU, approval_id, Decision(outcome="cancelled")))


def _check_json(updated_input: dict[str, object] | None) -> None:
    try:
        # Claude Code exits if it receives NaN or Infinity, which are not JSON.
        json.dumps(updated_input, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as exc:
        raise InputError(
            f"The changed input cannot be sent to the agent ({exc}).",
            safe="Your answer was not used.",
            next_step="Write it as plain JSON.",
        ) from exc
