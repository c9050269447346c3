"""What a session's next process remembers: where Claude Code's record is damaged, the page says what is forgotten."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from lulu.model.commands import Fork
from lulu.model.events import Error
from lulu.model.sessions import SessionId, SessionStatus, new_session_id
from tests.agent.claude_driver import Claude, bundled_cli
from tests.support import eventually
from tests.tiers import keep_short

WORDS = ("one", "two", "three")


def line_of(content: bytes, word: str) -> int:
    """Where the line of the answer after this prompt begins."""
    asked = content.index(f"SCN:default {word}".encode())
    answer = content.index(b'"type":"assistant"', asked)
    return content.rindex(b"\n", 0, answer) + 1


def cut(content: bytes) -> bytes:
    return content[: line_of(content, "two")]


def garbage(content: bytes) -> bytes:
    at = line_of(content, "two")
    return content[:at] + b"\xff\xfe garbage" + content[at + 300 :]


def no_root(content: bytes) -> bytes:
    at = content.index(b'{"parentUuid":null')
    return content[:at] + b"\0" * 80 + content[at + 80 :]


def nul_tail(content: bytes) -> bytes:
    at = line_of(content, "three")
    return content[:at] + b"\0" * (len(content) - at)


def glued(content: bytes) -> bytes:
    at = line_of(content, "three")
    return content[: at - 1] + content[at:]


DAMAGES = {
    "cut": (cut, {"turns": 2, "last": True}),
    "garbage": (garbage, {"turns": 1, "last": False}),
    "no root": (no_root, {"turns": 0, "last": False}),
    "NUL at the end": (nul_tail, {"turns": 1, "last": True}),
    "two on a line": (glued, {"turns": 1, "last": True}),
}


def three_turns(claude: Claude) -> tuple[SessionId, Path]:
    claude.start()
    session_id = claude.launch("SCN:default one")
    claude.ended(session_id)
    for word in WORDS[1:]:
        claude.turn(session_id, f"SCN:default {word}")
    claude.start()
    claude.damages = True
    [transcript] = (Path(os.environ["CLAUDE_CONFIG_DIR"]) / "projects").rglob("*.jsonl")
    return session_id, transcript


@pytest.mark.parametrize("name", keep_short(1, *DAMAGES))
def test_a_damaged_transcript_is_told_once_with_what_is_missing(claude: Claude, name: str) -> None:
    damage, told = DAMAGES[name]
    session_id, transcript = three_turns(claude)
    transcript.write_bytes(damage(transcript.read_bytes()))

    claude.turn(session_id, "SCN:default four")
    claude.start()
    claude.turn(session_id, "SCN:default five")

    assert claude.of_subtype(session_id, "conversation_partly_lost") == [told]
    assert not claude.of(session_id, Error)


def folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def loop(path: Path) -> None:
    path.unlink()
    path.symlink_to(path)


def filled(content: bytes) -> Callable[[Path], object]:
    return lambda path: path.write_bytes(content)


UNREADABLE: dict[str, Callable[[Path], object]] = {
    "a folder": folder,
    "NUL": filled(b"\0" * 5000),
    "empty": filled(b""),
    "not UTF-8": filled(b"\xff\xfe\xfd\n" * 100),
    "other JSON": filled(b'[1]\n"x"\n{"type":"user","uuid":3}\n' + b"[" * 100_000 + b"\n"),
    "a link to itself": loop,
}


@pytest.mark.parametrize("name", keep_short(1, *UNREADABLE))
def test_an_unreadable_transcript_is_told_and_the_agent_begins_anew(claude: Claude, name: str) -> None:
    session_id, transcript = three_turns(claude)
    UNREADABLE[name](transcript)

    claude.turn(session_id, "SCN:default four")
    claude.start()
    claude.turn(session_id, "SCN:default five")

    assert claude.notes(session_id).count("conversation_lost") == 1
    assert "conversation_partly_lost" not in claude.notes(session_id)
    assert not claude.of(session_id, Error)
    assert [claude.times_asked(session_id, word) for word in ("one", "four", "five")] == [0, 1, 1]


@pytest.mark.parametrize("forks", [False, True])
@pytest.mark.long
def test_a_refusal_that_nobody_knows_is_told_once_and_then_the_agent_begins_anew(claude: Claude, forks: bool) -> None:
    session_id, _ = three_turns(claude)
    refuses = f"case \"$*\" in *--resume*) echo 'Nobody knows' >&2; exit 1;; esac; exec '{bundled_cli()}' \"$@\""
    claude.start(claude_cli_path=claude.executable(refuses))
    if forks:
        fork = new_session_id()
        claude.do(Fork, session_id, new_session_id=fork)
        session_id = fork
    results = len(claude.results(session_id))

    claude.send_and_fail(session_id, "SCN:default four")
    [error] = claude.of(session_id, Error)
    claude.send(session_id, "SCN:default five")
    eventually(lambda: len(claude.results(session_id)) > results, timeout=60)

    assert error.code == "ResumeRefused"
    assert "begins anew" in (error.next_step or "")
    claude.has(session_id, SessionStatus.COMPLETED)
    assert claude.notes(session_id).count("conversation_lost") == 1
    assert claude.times_asked(session_id, "five") == 1


@pytest.mark.long
def test_an_automatic_compaction_is_told_and_the_session_goes_on(claude: Claude) -> None:
    claude.start()
    session_id = claude.launch("SCN:full")
    claude.ended(session_id)

    claude.turn(session_id, "SCN:default after")
    claude.start()
    session = claude.turn(session_id, "SCN:default later")

    [told] = claude.of_subtype(session_id, "compact")
    assert told["compact_metadata"]["trigger"] == "auto"
    assert session.status == SessionStatus.COMPLETED
    assert [claude.times_asked(session_id, word) for word in ("after", "later")] == [1, 1]
    assert "conversation_lost" not in claude.notes(session_id)
    assert not claude.of(session_id, Error)
