"""Search: what is stored is found, and nothing else is."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dataset
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lulu.errors import InputError
from lulu.model.actors import Actor, Role
from lulu.model.commands import Delete
from lulu.model.events import Error, Event, System, Text, Thinking, ToolResult, ToolUse, User
from lulu.model.sessions import Launch, SessionId, SessionStatus
from lulu.store import Query, Store
from lulu.store.parts import search as searching_module
from lulu.store.parts.search import words_of
from lulu.text.plain import plain

OWNER = Actor(role=Role.OWNER, name="this computer")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store.open(tmp_path / "lulu.db")
    yield opened
    opened.close()


def new_session(store: Store, *, folder: str = "/work", model: str | None = None, title: str = "A title") -> SessionId:
    launch = Launch(prompt="hi", working_directory=folder, model=model, title=title)
    return store.sessions.insert(launch, status=SessionStatus.RUNNING)


def found(store: Store, text: str, **filters: object) -> list[int]:
    return [hit.stored.id for hit in store.search.find(Query(text=text, **filters)).hits]  # type: ignore[arg-type]


EVENTS: list[tuple[Event, str]] = [
    (User(text="please mend the parser"), "mend the"),
    (Text(content="The answer is `self._conn` here"), "self._conn"),
    (Thinking(content="Perhaps the cache is stale"), "stale"),
    (ToolUse(id="t1", name="Bash", input={"command": "grep -rn 'needle' src/"}), "'needle'"),
    (ToolUse(id="t2", name="mcp__db__query", input={"nested": [{"deep": "buried treasure"}]}), "buried treasure"),
    (ToolResult(tool_use_id="t1", content="src/app.py:3: found it"), "src/app.py:3"),
    (ToolResult(tool_use_id="t2", content=[{"type": "text", "text": "in a block"}]), "in a block"),
    (Error(message="API Error: 529", detail="overloaded_error"), "overloaded"),
    (System(subtype="note", data={"text": "interrupted by hand"}), "by hand"),
    (Text(content="日本語のテキスト"), "本語のテ"),
    (Text(content='He said "quoted words" aloud'), "quoted words"),
]


@pytest.mark.parametrize(("event", "words"), EVENTS, ids=lambda value: getattr(value, "type", None))
def test_every_kind_of_text_is_found_by_a_part_of_it(store: Store, event: Event, words: str) -> None:
    session_id = new_session(store)
    store.events.insert(session_id, Text(content="something else entirely"))
    event_id = store.events.insert(session_id, event)

    assert found(store, f'"{words}"') == [event_id]


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(st.data())
def test_every_stored_substring_is_found_and_nothing_else(store: Store, data: st.DataObject) -> None:
    letters = st.characters(min_codepoint=32, max_codepoint=0x2FFF, exclude_characters='"', exclude_categories=["Cs"])
    text = data.draw(st.text(letters, min_size=3, max_size=60))
    shown = plain(text)
    start = data.draw(st.integers(0, len(shown) - 3))
    part = shown[start : data.draw(st.integers(start + 3, len(shown)))]
    session_id = new_session(store)
    event_id = store.events.insert(session_id, Text(content=text))
    if not part.strip():
        with pytest.raises(InputError):
            found(store, f'"{part}"')
        return

    hits = store.search.find(Query(text=f'"{part}"'), limit=10_000).hits

    assert event_id in [hit.stored.id for hit in hits]
    contents = [plain(hit.stored.event.content) for hit in hits if isinstance(hit.stored.event, Text)]
    assert all(_folded(part) in _folded(content) for content in contents)


def _folded(text: str) -> str:
    """Case as the index folds it is between these two; a hit fits at least one."""
    return text.lower().casefold()


def test_text_is_found_as_the_page_shows_it(store: Store) -> None:
    session_id = new_session(store)
    shown = store.events.insert(
        session_id, ToolResult(tool_use_id="t", content="\x1b[31mFAILED\x1b[0m \x1b[1mtests/\x1b[0mtest_rain.py\r\nend")
    )

    for words in ('"FAILED tests"', "tests/test_rain.py", '"failed tests/test_rain.py"'):
        assert found(store, words) == [shown]
    assert found(store, "31mFAILED") == []


@pytest.mark.parametrize("words", ["ÄN", "än", "SS", "ß"])
def test_short_words_are_found_in_capitals_too(store: Store, words: str) -> None:
    session_id = new_session(store)
    event_id = store.events.insert(session_id, Text(content="Änderung der Straße" if words != "SS" else "Straße"))

    assert found(store, words) == [event_id]


def test_words_must_all_be_there_and_case_does_not_matter(store: Store) -> None:
    session_id = new_session(store)
    both = store.events.insert(session_id, Text(content="The Parser fails on Comments"))
    store.events.insert(session_id, Text(content="The parser is fine"))

    assert found(store, "comments PARSER") == [both]


def test_newest_first_a_page_at_a_time(store: Store) -> None:
    session_id = new_session(store)
    ids = [store.events.insert(session_id, Text(content=f"common word {number}")) for number in range(5)]

    first = store.search.find(Query(text="common"), limit=2)
    second = store.search.find(Query(text="common"), limit=2, before=first.next_before)
    third = store.search.find(Query(text="common"), limit=2, before=second.next_before)

    assert [hit.stored.id for page in (first, second, third) for hit in page.hits] == ids[::-1]
    assert third.next_before is None


FILTERS = {
    "event_type": ("text", "thinking"),
    "tool": ("Bash", "Read"),
    "folder": ("/work", "/other"),
    "status": ("running", "failed"),
    "model": ("opus", "haiku"),
    "since": (datetime.now(UTC) - timedelta(hours=1), datetime.now(UTC) + timedelta(hours=1)),
    "until": (datetime.now(UTC) + timedelta(hours=1), datetime.now(UTC) - timedelta(hours=1)),
}


@pytest.mark.parametrize("name", FILTERS)
def test_each_filter_lets_through_and_keeps_out(store: Store, name: str) -> None:
    right, wrong = FILTERS[name]
    session_id = new_session(store, model="opus")
    event: Event = Text(content="needle")
    if name == "tool":
        event = ToolUse(id="t", name="Bash", input={"command": "needle"})
    event_id = store.events.insert(session_id, event)

    assert found(store, "needle") == [event_id]
    assert found(store, "needle", **{name: right}) == [event_id]
    assert found(store, "needle", **{name: wrong}) == []


@pytest.mark.parametrize("name", ["event_type", "tool", "folder", "status", "model"])
def test_each_filter_works_for_short_words_too(store: Store, name: str) -> None:
    right, wrong = FILTERS[name]
    session_id = new_session(store, model="opus")
    event: Event = Text(content="an x1 here")
    if name == "tool":
        event = ToolUse(id="t", name="Bash", input={"command": "x1"})
    event_id = store.events.insert(session_id, event)

    assert found(store, "x1", **{name: right}) == [event_id]
    assert found(store, "x1", **{name: wrong}) == []


def test_short_words_are_looked_for_in_the_newest_events_only_and_said_so(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(searching_module, "SCANNED", 2)
    session_id = new_session(store)
    store.events.insert(session_id, Text(content="早い ab"))
    newer = [store.events.insert(session_id, Text(content="早い ab")) for _ in range(2)]

    page = store.search.find(Query(text="早い"))

    assert [hit.stored.id for hit in page.hits] == newer[::-1]
    assert page.scanned_only


def test_the_snippet_marks_the_hit_as_it_is_written(store: Store) -> None:
    session_id = new_session(store, title="My title")
    store.events.insert(session_id, Text(content="x" * 200 + " The NEEDLE here " + "y" * 200))

    hit = store.search.find(Query(text="needle")).hits[0]

    assert (hit.session_name, hit.match) == ("My title", "NEEDLE")
    assert hit.before.startswith("…")
    assert hit.before.endswith("The ")
    assert hit.after.startswith(" here y")
    assert hit.after.endswith("…")


@pytest.mark.parametrize("text", ["", "   ", '"', 'a "b', "x" * 501, '""'])
def test_a_query_that_says_nothing_is_told(store: Store, text: str) -> None:
    with pytest.raises(InputError):
        store.search.find(Query(text=text))


HOSTILE = [
    "text:",
    "NEAR(a b)",
    "a* OR b",
    "-x --",
    "'; DROP TABLE search; --",
    "()",
    "^abc",
    "a\0b",
    "\ud800\ud800a",
    "%%%",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_nothing_in_a_query_is_obeyed(store: Store, text: str) -> None:
    session_id = new_session(store)
    store.events.insert(session_id, Text(content="abc aaa bbb"))

    assert found(store, text) == []
    assert found(store, "abc") != []


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(st.text(max_size=40))
def test_no_query_crashes(store: Store, text: str) -> None:
    try:
        words = words_of(text)
    except InputError:
        return
    assert words
    assert isinstance(found(store, text), list)


def test_a_deleted_session_is_not_found_any_more(store: Store) -> None:
    session_id = new_session(store)
    store.events.insert(session_id, Text(content="needle"))
    store.sessions.move(session_id, SessionStatus.COMPLETED)

    store.commands.submit(Delete(actor=OWNER, session_id=session_id))

    assert found(store, "needle") == []


def test_events_from_before_the_index_are_indexed_step_by_step(store: Store) -> None:
    session_id = new_session(store)
    ids = [store.events.insert(session_id, Text(content=f"old needle {number}")) for number in range(450)]
    _forget_the_index(store.path)
    newer = store.events.insert(session_id, Text(content="new needle"))
    first = store.search.find(Query(text="needle"), limit=1000)

    assert [hit.stored.id for hit in first.hits] == [newer]
    assert first.not_indexed == 450
    while store.search.index_older().result():
        pass

    last = store.search.find(Query(text="needle"), limit=1000)
    assert [hit.stored.id for hit in last.hits] == [newer, *ids[::-1]]
    assert last.not_indexed == 0


def _forget_the_index(path: Path) -> None:
    """As a file from before the index is after its migration."""
    db = dataset.connect(f"sqlite:///{path}")
    with db:
        db.query("DELETE FROM search")
        db.query("UPDATE search_progress SET below = (SELECT max(id) + 1 FROM conversation_events)")
    db.close()
