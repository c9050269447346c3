"""What a database file went through, kept by triggers of its own, and what must be true of it at every moment."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

from lulu.model.commands import CommandStatus
from lulu.model.sessions import ALLOWED, LIVE, SessionStatus

#: A row for each change of a status, and for each event that was changed or removed.
_TRIGGERS = """
CREATE TABLE IF NOT EXISTS audit (what TEXT, row TEXT, before TEXT, after TEXT);
CREATE TRIGGER IF NOT EXISTS audit_sessions AFTER UPDATE OF status ON sessions WHEN old.status IS NOT new.status
  BEGIN INSERT INTO audit VALUES ('session', new.id, old.status, new.status); END;
CREATE TRIGGER IF NOT EXISTS audit_commands AFTER UPDATE OF status ON commands
  BEGIN INSERT INTO audit VALUES ('command', new.id, old.status, new.status); END;
CREATE TRIGGER IF NOT EXISTS audit_held AFTER UPDATE OF status ON commands
  WHEN new.status = 'taken' AND old.held_at IS NOT NULL
  BEGIN INSERT INTO audit VALUES ('held command', new.id, old.status, new.status); END;
CREATE TRIGGER IF NOT EXISTS audit_approvals AFTER UPDATE OF status ON approvals
  BEGIN INSERT INTO audit VALUES ('approval', new.id, old.status, new.status); END;
CREATE TRIGGER IF NOT EXISTS audit_changed AFTER UPDATE ON conversation_events
  BEGIN INSERT INTO audit VALUES ('changed event', new.id, old.session_id, new.session_id); END;
CREATE TRIGGER IF NOT EXISTS audit_lost AFTER DELETE ON conversation_events
  BEGIN INSERT INTO audit VALUES ('lost event', old.id, old.session_id, NULL); END;
"""
_STATUSES = {status.value for status in SessionStatus}
_MOVES = {(before.value, after.value) for before, targets in ALLOWED.items() for after in targets}
#: A command is over where it has been ended, and in no other status.
_OVER = {status.value for status in (CommandStatus.DONE, CommandStatus.REFUSED, CommandStatus.FAILED)}
_COMMAND_MOVES = {
    *(("pending", after) for after in (*_OVER, "taken")),
    *(("taken", after) for after in _OVER),
}
_ANSWERS = {"approved", "denied", "expired", "cancelled"}
_PROMPTS = ("start", "prompt", "send_now")


def install(database: Path) -> None:
    """Keep account from here on."""
    with closing(sqlite3.connect(database, timeout=30)) as connection:
        connection.executescript(_TRIGGERS)


def crashed_copy(database: Path, copy: Path) -> None:
    """What a power cut would leave of it now: all that is committed, and nothing else."""
    copy.parent.mkdir(parents=True)
    with closing(sqlite3.connect(database, timeout=30)) as source, closing(sqlite3.connect(copy)) as target:
        source.backup(target)


class Account:
    """What is true of a file in one moment."""

    def __init__(self, database: Path) -> None:
        with closing(sqlite3.connect(database, timeout=30)) as connection:
            connection.execute("BEGIN")
            self.sessions = dict(connection.execute("SELECT id, status FROM sessions").fetchall())
            self.commands = connection.execute("SELECT id, session_id, kind, status, done_at FROM commands").fetchall()
            self.held = {row[0] for row in connection.execute("SELECT id FROM commands WHERE held_at IS NOT NULL")}
            self.approvals = dict(connection.execute("SELECT id, status FROM approvals").fetchall())
            self.events = {
                row[0]: row[1:]
                for row in connection.execute("SELECT id, session_id, event_type, payload FROM conversation_events")
            }
            self.audit = connection.execute("SELECT what, row, before, after FROM audit").fetchall()
            self.live_texts = [row[0] for row in connection.execute("SELECT session_id FROM live_text")]

    def check(self) -> None:
        """What holds at every moment, also while agents work."""
        assert set(self.sessions.values()) <= _STATUSES
        moves = {what: {(before, after) for kind, _, before, after in self.audit if kind == what} for what in _WATCHED}
        assert moves["session"] <= _MOVES
        assert moves["command"] <= _COMMAND_MOVES
        assert moves["approval"] <= {("pending", answer) for answer in _ANSWERS}
        assert moves["changed event"] == set()
        assert moves["held command"] == set(), "what is on hold is not sent"
        assert {session for session, _ in moves["lost event"]}.isdisjoint(self.sessions), "only a deletion removes"
        self._check_commands()
        self._check_answers()
        self._check_tools()

    def _check_commands(self) -> None:
        for command_id, _, _, status, done_at in self.commands:
            assert status == "pending" or command_id not in self.held, "only what is queued is on hold"
            assert (status in _OVER) == (done_at is not None), command_id
        ends = [row for what, row, _, after in self.audit if what == "command" and after in _OVER]
        assert len(ends) == len(set(ends)), "a command ends once"
        takes = [row for what, row, _, after in self.audit if what == "command" and after == "taken"]
        assert len(takes) == len(set(takes)), "a command is taken once"
        told = [(session, payload["command_id"]) for session, payload in self._payloads("user")]
        assert len(told) == len(set(told)), "a prompt is told once in a session"

    def _check_prompts(self) -> None:
        told = {(session, payload["command_id"]) for session, payload in self._payloads("user")}
        for command_id, session, kind, status, _ in self.commands:
            if kind in _PROMPTS and status == "done":
                assert (session, command_id) in told, "what was sent is told"

    def _check_answers(self) -> None:
        for event_type, statuses in (("permission", _ANSWERS | {"pending"}), ("permission_decision", _ANSWERS)):
            told = [(session, payload["id"]) for session, payload in self._payloads(event_type)]
            assert len(told) == len(set(told)), f"one {event_type} for each request"
            for _, approval_id in told:
                assert self.approvals.get(approval_id, "expired") in statuses

    def _check_tools(self) -> None:
        results = [(session, payload["tool_use_id"]) for session, payload in self._payloads("tool_result")]
        assert len(results) == len(set(results)), "a call has one result"

    def check_rest(self) -> None:
        """What holds when no agent works: nothing is left half done."""
        self.check()
        assert not {status.value for status in LIVE} & set(self.sessions.values())
        assert {status for command, _, _, status, _ in self.commands if command not in self.held} <= _OVER
        assert "pending" not in self.approvals.values()
        assert self.live_texts == []
        self._check_prompts()

    def check_nothing_lost(self, before: Account) -> None:
        """Every event that was there before is there, but for those of sessions that are deleted."""
        for event_id, event in before.events.items():
            assert self.events.get(event_id) == event or event[0] not in self.sessions, event_id

    def _payloads(self, event_type: str) -> list[tuple[str, dict[str, object]]]:
        return [(session, json.loads(payload)) for session, kind, payload in self.events.values() if kind == event_type]


_WATCHED = ("session", "command", "held command", "approval", "changed event", "lost event")
