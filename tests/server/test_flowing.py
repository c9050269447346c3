"""What the doorbell says of a session's words: the newest texts, and the one that is being written."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from lulu.model.events import Event, Text, Thinking, ToolUse, User
from lulu.model.sessions import Launch, SessionId
from lulu.server.push import live_text
from lulu.store import Change, LiveText, Store

TOKEN = "ghp_" + "aB3d" * 9


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store.open(tmp_path / "lulu.db")
    yield opened
    opened.close()


@pytest.fixture
def session_id(store: Store) -> SessionId:
    return store.sessions.insert(Launch(prompt="go", working_directory="/"))


def write(store: Store, session_id: SessionId, text: str, kind: str = "text") -> None:
    live = LiveText(message_id="m", kind=kind, text=text, updated_at=datetime.now(UTC))
    store.events.record(Change(session_id=session_id, live=live)).result(10)


def told(store: Store, session_id: SessionId, *events: Event, kind: str = live_text.OWN) -> dict[str, Any]:
    for event in events:
        store.events.insert(session_id, event)
    return live_text.told(store, kind, session_id)


def test_the_newest_events_are_told_and_only_texts_with_their_words(store: Store, session_id: SessionId) -> None:
    said = told(
        store,
        session_id,
        User(text="go"),
        Text(content="too old to be told"),
        Text(content="one"),
        ToolUse(id="t", name="Bash", input={"command": "ls"}),
        Text(content="of a sub-agent", parent="t"),
        Text(content="two\n\nand"),
    )

    first, *_, last = store.events.of_session(session_id)
    assert [one.get("text") for one in said["latest"]] == ["one", None, None, "two\n\nand"]
    assert [one["id"] for one in said["latest"]] == [first.id + 2, first.id + 3, first.id + 4, last.id]
    assert said["latest"][-1] == {"id": last.id, "from": 0, "text": "two\n\nand", "finished": 5}
    assert said["writing"] is None


def test_a_text_that_is_not_for_a_glance_is_left_to_the_run(store: Store, session_id: SessionId) -> None:
    said = told(store, session_id, Text(content="x" * 60_000))

    assert list(said["latest"][0]) == ["id"]


def test_what_is_written_is_counted_as_a_browser_counts(store: Store, session_id: SessionId) -> None:
    write(store, session_id, "🗼 one.\n\n\x1b[1mtwo\ud800")

    assert told(store, session_id)["writing"] == {"from": 0, "text": "🗼 one.\n\ntwo\ufffd", "finished": 9}


def test_of_a_long_text_the_end_is_told(store: Store, session_id: SessionId) -> None:
    paragraphs = "".join(f"🗼 paragraph {number}.\n\n" for number in range(500))
    write(store, session_id, paragraphs + "the last")

    part = told(store, session_id)["writing"]

    assert part["finished"] == live_text.units(paragraphs)
    assert part["from"] + live_text.units(part["text"]) == live_text.units(paragraphs + "the last")
    assert len(part["text"]) == 2_000 + len("the last")


def test_a_thought_is_not_told(store: Store, session_id: SessionId) -> None:
    write(store, session_id, "hm", kind="thinking")

    assert told(store, session_id, Thinking(content="hm"))["latest"][0].keys() == {"id"}
    assert told(store, session_id)["writing"] is None


def test_a_block_that_is_stored_is_told_once(store: Store, session_id: SessionId) -> None:
    write(store, session_id, "half")

    said = told(store, session_id, Text(content="half a word", message_id="m"))

    assert [one["text"] for one in said["latest"]] == ["half a word"]
    assert said["writing"] is None


def test_a_guest_is_told_neither_a_secret_nor_its_beginning(store: Store, session_id: SessionId) -> None:
    text = f"I take {TOKEN} for it."
    heard = []
    for end in range(len(text) + 1):
        write(store, session_id, text[:end])
        heard.append(told(store, session_id, kind=live_text.SHARED)["writing"]["text"])
    stored = told(store, session_id, Text(content=text), kind=live_text.SHARED)

    assert not [said for said in heard if "ghp_" in said]
    assert heard[-1].startswith("I take ")
    assert "for" in heard[-1]
    assert TOKEN not in repr(stored)
    assert [one["text"][:7] for one in stored["latest"]] == ["I take "]


def test_what_has_no_spaces_is_told_to_a_guest_too(store: Store, session_id: SessionId) -> None:
    write(store, session_id, "灯塔是一种建筑")

    assert told(store, session_id, kind=live_text.SHARED)["writing"]["text"] == "灯塔是一种建筑"
