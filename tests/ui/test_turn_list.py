"""The list of turns: what was asked, how it went, and the way there."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from lulu.model.events import Event, Result, Text, ToolResult, ToolUse, User
from lulu.model.sessions import SessionId, SessionStatus
from lulu.runtime import Runtime
from lulu.ui.session import turn_list
from tests.ui.conftest import OpenPage
from tests.ui.support import keys_of, links, open_popover, text_of

NewSession = Callable[..., SessionId]


def talk(lulu: Runtime, session_id: SessionId, *said: Event) -> None:
    lulu.store.events.append(session_id, list(said))


def test_each_turn_tells_how_it_went_and_leads_there(
    open_page: OpenPage, new_session: NewSession, lulu: Runtime
) -> None:
    session_id = new_session(status=SessionStatus.RUNNING)
    done = Result(duration_ms=2000, cost_usd=0.5)
    talk(lulu, session_id, User(text="\n  first\nmore"), Text(content="x"), done)
    talk(lulu, session_id, User(text=":red[second]"), Result(is_error=True, terminal_reason="api_error"))
    talk(lulu, session_id, User(text="third"), Result(is_error=True, terminal_reason="aborted_tools"))
    talk(lulu, session_id, User(text="lost"), User(text="a sub-agent's", parent="t1"), User(text=""))

    app = open_popover(open_page("session", id=session_id), "turns_menu")

    shown = [label for label in links(app) if ":small[" in label and label.startswith("**")]
    assert [label.partition(" :small[")[0].replace("\\", "") for label in shown] == [
        "**1** first",
        "**2** :red[second]",
        "**3** third",
        "**4** lost",
        "**5** (empty)",
    ]
    states = ["● completed", "● failed", "● interrupted", "● unfinished", "● running"]
    assert all(state in label for state, label in zip(states, shown, strict=True))
    assert "2.0 s · \\$0.50" in shown[0]
    first = lulu.store.events.turn_marks(session_id, limit=99)[0]
    assert f"event={first.id}" in app.main.get("page_link")[0].proto.query_string


def test_the_latest_are_listed_and_numbered_from_the_first(
    open_page: OpenPage, new_session: NewSession, lulu: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turn_list, "MOST", 2)
    session_id = new_session()
    for number in range(5):
        talk(lulu, session_id, User(text=f"ask {number}"), Result())

    app = open_popover(open_page("session", id=session_id), "turns_menu")

    assert "The last 2 of 5 turns." in text_of(app)
    assert [label[:12] for label in links(app) if label.startswith("**")] == ["**4** ask 3 ", "**5** ask 4 "]


def test_a_session_without_turns_says_so(open_page: OpenPage, new_session: NewSession) -> None:
    app = open_popover(open_page("session", id=new_session()), "turns_menu")

    assert "No turn yet." in text_of(app)


def test_a_turn_and_a_session_can_be_taken(open_page: OpenPage, new_session: NewSession, lulu: Runtime) -> None:
    session_id = new_session()
    talk(lulu, session_id, User(text="ask"), Text(content="x" * 400_000), Result())
    first = lulu.store.events.turn_marks(session_id, limit=1)[0].id - 2

    app = open_popover(open_page("session", id=session_id), f"copy_{first}")
    assert "Too long to copy: download instead." in text_of(app)
    assert {f"save_{end}_turn_{first}" for end in ("txt", "md", "json")} <= set(keys_of(app, "download_button"))

    app = open_popover(app, "session_menu")
    assert f"save_json_session_{session_id}" in keys_of(app, "download_button")


def test_one_event_of_a_turn_can_be_taken(open_page: OpenPage, new_session: NewSession, lulu: Runtime) -> None:
    session_id = new_session()
    talk(lulu, session_id, User(text="ask"), Text(content="one answer"), Text(content="another"), Result())
    first, answer = (stored.id for stored in lulu.store.events.of_session(session_id)[:2])
    app = open_popover(open_page("session", id=session_id), f"copy_{first}")
    assert "another" in offered(app)["forms"]["Text"]

    app.selectbox(key=f"copy_what_{first}").set_value(answer).run()

    told = offered(app)
    assert told["forms"]["Text"] == "[Answer]\none answer\n"
    assert told["forms"]["Markdown"] == "one answer\n"
    assert [one["id"] for one in json.loads(told["forms"]["JSON"])] == [answer]
    assert told["link"] == f"?id={session_id}&event={answer}"


def test_an_opened_call_can_be_taken_and_a_folded_one_costs_nothing(
    open_page: OpenPage, new_session: NewSession, lulu: Runtime
) -> None:
    session_id = new_session()
    failed = [
        ToolUse(id="f", name="Bash", input={"command": "rm x"}),
        ToolResult(tool_use_id="f", content="no x", is_error=True),
    ]
    went_well = [ToolUse(id="t", name="Bash", input={"command": "ls"}), ToolResult(tool_use_id="t", content="y")]
    talk(lulu, session_id, User(text="ask"), *failed, Text(content="so"), *went_well, Result())
    rows = lulu.store.events.of_session(session_id)
    app = open_page("session", id=session_id)
    labels = [str(one.proto.popover.label) for one in app.get("popover")]
    assert (labels.count("Copy or fork"), labels.count("Copy")) == (1, 1)  # the turn, the failure

    app = open_popover(app, f"copy_call_{rows[1].id}")

    assert offered(app)["forms"]["Text"] == "[Call of Bash]\nrm x\n\n[Failed]\nno x\n"


def offered(app: AppTest) -> dict[str, Any]:
    """What the open menu puts on the clipboard."""
    (told,) = [one.proto.json for one in app.main.get("bidi_component") if one.proto.component_name == "lulu_copy"]
    offer: dict[str, Any] = json.loads(told)
    return offer


def test_all_tool_output_is_loaded_and_folded_again(
    open_page: OpenPage, new_session: NewSession, lulu: Runtime
) -> None:
    session_id = new_session()
    calls = [ToolUse(id="t", name="Bash", input={"command": "ls"}), ToolResult(tool_use_id="t", content="all of it")]
    talk(lulu, session_id, User(text="ask"), *calls, Result())
    app = open_popover(open_page("session", id=session_id), "turns_menu")
    assert "all of it" not in text_of(app)

    app.toggle(key="opens_all").set_value(True).run()
    assert "all of it" in text_of(app)

    app.toggle(key="opens_all").set_value(False).run()
    assert "all of it" not in text_of(app)
