"""The real Claude Code behind a provider that uses one id for all calls: each turn shows its own."""

from __future__ import annotations

import pytest

from lulu.model.sessions import SessionId
from lulu.transcript import turns
from tests.agent.claude_driver import Claude


def shown(claude: Claude, session_id: SessionId) -> list[list[tuple[object, object, str]]]:
    """Of each turn its calls as a reload shows them: the command, what it wrote, how it was decided."""
    rows = claude.lulu.store.events.of_session(session_id)
    return [
        [
            (
                call.input.get("command"),
                call.result and call.result.content,
                call.decision.decision if call.decision else "",
            )
            for call in turn.calls()
        ]
        for turn in turns.turns(rows)
    ]


def command(word: str) -> str:
    return f"echo {word} | tee {word}.txt"


@pytest.mark.long
def test_each_turn_shows_its_own_call(claude: Claude) -> None:
    claude.allow("Bash")
    claude.start()

    session_id = claude.launch("SCN:call0 WORD=one")
    claude.ended(session_id)
    claude.turn(session_id, "SCN:call0 WORD=two")
    claude.start()
    claude.turn(session_id, "SCN:call0 WORD=three")

    assert shown(claude, session_id) == [[(command(word), word, "")] for word in ("one", "two", "three")]


def test_each_request_is_asked_and_answered_for_itself(claude: Claude) -> None:
    claude.start()

    session_id = claude.launch("SCN:call0 WORD=one")
    claude.decide(claude.asked(session_id), approve=True)
    claude.ended(session_id)
    claude.send(session_id, "SCN:call0 WORD=two")
    claude.decide(claude.asked(session_id), approve=False, message="not this one")
    claude.ended(session_id, turns=2)

    [[first], [second]] = shown(claude, session_id)
    assert first == (command("one"), "one", "approved")
    assert (second[0], second[2]) == (command("two"), "denied")
    assert "not this one" in str(second[1])
    assert [(claude.work / f"{word}.txt").exists() for word in ("one", "two")] == [True, False]
