"""The search page: what is found, what is told, and where a hit leads."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing

import pytest

from lulu import runtime
from lulu.engine import host
from lulu.model.events import Text, ToolUse
from lulu.model.sessions import SessionId
from lulu.runtime import Runtime
from tests.support import eventually
from tests.ui.conftest import OpenPage
from tests.ui.support import text_of

NewSession = Callable[..., SessionId]


def test_an_empty_search_says_what_it_searches(open_page: OpenPage) -> None:
    assert "Every prompt, answer, thought" in text_of(open_page("search"))


def test_a_hit_shows_its_text_and_leads_to_its_event(
    open_page: OpenPage, lulu: Runtime, new_session: NewSession
) -> None:
    session_id = new_session(title="Parser")
    event_id = lulu.store.events.insert(session_id, Text(content="Look at self._conn here"))

    app = open_page("search")
    app.text_input(key="q").input("self._conn").run()

    assert ":blue-background[self" in text_of(app)
    queries = [link.proto.query_string for link in app.main.get("page_link")]
    assert queries == [f"id={session_id}&event={event_id}"]


def test_a_filter_narrows_what_is_found(open_page: OpenPage, lulu: Runtime, new_session: NewSession) -> None:
    session_id = new_session()
    lulu.store.events.insert(session_id, Text(content="needle in an answer"))
    app = open_page("search")
    app.text_input(key="q").input("needle").run()
    assert "Nothing found" not in text_of(app)

    app.selectbox(key="kind").select("tool_use").run()

    assert "Nothing found" in text_of(app)
    lulu.store.events.insert(session_id, ToolUse(id="t", name="Bash", input={"command": "needle"}))
    assert "Nothing found" not in text_of(app.run())


def test_a_bad_query_is_told(open_page: OpenPage) -> None:
    app = open_page("search")
    app.text_input(key="q").input('an "open quote').run()

    assert "A quotation mark is missing" in text_of(app)
    assert not app.exception


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Named before Lulu."""
    monkeypatch.setattr(host, "INDEX_RETRY", 0.1)


@pytest.mark.usefixtures("impatient")
def test_events_that_cannot_be_indexed_yet_are_told_and_tried_again(
    open_page: OpenPage, lulu: Runtime, new_session: NewSession
) -> None:
    lulu.store.events.insert(new_session(), Text(content="an old needle"))
    runtime.stop()
    with closing(sqlite3.connect(lulu.store.path)) as connection, connection:
        connection.execute("DELETE FROM search")
        connection.execute("UPDATE search_progress SET below = (SELECT max(id) + 1 FROM conversation_events)")
        connection.execute(
            "CREATE TRIGGER refuse BEFORE UPDATE ON search_progress BEGIN SELECT RAISE(ABORT, 'refused here'); END"
        )
    store = runtime.start(lulu.settings).store

    app = open_page("search")
    app.text_input(key="q").input("needle").run()
    told = eventually(lambda: [box.value for box in app.run().warning])
    hits = app.main.get("page_link")
    with closing(sqlite3.connect(lulu.store.path)) as connection, connection:
        connection.execute("DROP TRIGGER refuse")
    eventually(lambda: store.search.not_indexed() == 0)
    eventually(lambda: store.search.index_problem is None)
    app.run()

    assert "could not be added to the search index" in told[0]
    assert "refused here" in told[0]
    assert "tried again by itself" in told[0]
    assert hits == []
    assert len(app.main.get("page_link")) == 1
    assert not app.warning


def test_older_hits_come_a_page_at_a_time(open_page: OpenPage, lulu: Runtime, new_session: NewSession) -> None:
    session_id = new_session()
    for number in range(60):
        lulu.store.events.insert(session_id, Text(content=f"needle number {number}"))
    app = open_page("search")
    app.text_input(key="q").input("needle").run()
    assert "number 9" not in text_of(app).split()

    app.button(key="search_more").click().run()

    assert "number 59" not in text_of(app)
    assert "number 0" in text_of(app)


def test_a_link_to_an_event_opens_its_part_of_the_session_marked(
    open_page: OpenPage, lulu: Runtime, new_session: NewSession
) -> None:
    session_id = new_session()
    ids = [lulu.store.events.insert(session_id, Text(content=f"line {number}.")) for number in range(300)]

    app = open_page("session", id=session_id, event=str(ids[100]))

    assert "line 100." in text_of(app)
    assert "line 299." not in text_of(app)


def test_a_link_to_no_event_opens_the_session_s_end(
    open_page: OpenPage, lulu: Runtime, new_session: NewSession
) -> None:
    session_id, other = new_session(), new_session()
    elsewhere = lulu.store.events.insert(other, Text(content="elsewhere."))
    lulu.store.events.insert(session_id, Text(content="the end."))

    for event in (str(elsewhere), "0", "-1", "x", "9" * 30, "1 OR 1=1"):
        said = text_of(open_page("session", id=session_id, event=event))
        assert "the end." in said
        assert "elsewhere." not in said
