"""The text that is being written, as a page is drawn with it."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime

from streamlit.testing.v1 import AppTest

from lulu.model.events import Text, User
from lulu.model.sessions import SessionId, SessionStatus
from lulu.runtime import Runtime
from lulu.store import Change, LiveText
from tests.ui.conftest import OpenPage
from tests.ui.support import text_of

NewSession = Callable[..., SessionId]


def flowing_text(app: AppTest) -> str:
    """What the browser shows of a text below its finished paragraphs, before it hears anything."""
    flows = [one.proto for one in app.main.get("bidi_component") if one.proto.component_name == "lulu_flow"]
    written = [json.loads(flow.json)["writing"] for flow in flows]
    return "".join(part["text"] for part in written if part)


def test_live_text_is_shown_until_its_event_is_there(
    open_page: OpenPage, lulu: Runtime, new_session: NewSession
) -> None:
    session_id = new_session(status=SessionStatus.RUNNING)
    lulu.store.events.insert(session_id, User(text="go"))
    live = LiveText(message_id="m", kind="text", text="The light", updated_at=datetime.now(UTC))
    lulu.store.events.record(Change(session_id=session_id, live=live)).result(30)

    app = open_page("session", id=session_id)
    before = flowing_text(app)
    lulu.store.events.insert(session_id, Text(content="The lighthouse", message_id="m"))
    app.run()

    assert before == "The light"
    assert flowing_text(app) == ""
    assert text_of(app).count("The light") == 1


def test_what_is_finished_of_a_live_text_is_markdown_and_the_rest_flows(
    open_page: OpenPage, lulu: Runtime, new_session: NewSession
) -> None:
    session_id = new_session(status=SessionStatus.RUNNING)
    lulu.store.events.insert(session_id, User(text="go"))
    written = "A **first** paragraph.\n\n- an item\n- and 🗼 \x1b[1manother"
    live = LiveText(message_id="m", kind="text", text=written, updated_at=datetime.now(UTC))
    lulu.store.events.record(Change(session_id=session_id, live=live)).result(30)

    app = open_page("session", id=session_id)

    assert "A **first** paragraph.\n\n- an item" in text_of(app)
    assert "another" not in text_of(app)
    assert flowing_text(app) == "- and 🗼 another"
