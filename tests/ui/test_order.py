"""The list's order and filters, several sessions at once, rules on the Settings page, keys and help."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from streamlit.elements.lib.shortcut_utils import normalize_shortcut

from lulu.errors import InputError
from lulu.model.commands import AddRule, Archive, Pin
from lulu.model.events import User
from lulu.model.sessions import Launch, SessionId, SessionStatus
from lulu.runtime import Runtime
from lulu.ui.browser import keyboard
from lulu.ui.sidebar import session_rows
from lulu.ui.views import help as help_page
from lulu.ui.views import rules
from tests.ui.conftest import OWNER, OpenPage
from tests.ui.support import ask, keys_of, links, needs_you, open_popover, rows, text_of

NewSession = Callable[..., SessionId]


def names(labels: list[str]) -> list[str]:
    return [label.replace("Pinned: ", "").split()[0] for label in labels]


# ---- the list


def test_pinned_ones_come_first_then_the_last_active(
    open_page: OpenPage, lulu: Runtime, new_session: NewSession
) -> None:
    pinned, old = new_session("pinned"), new_session("old")
    for number in range(60):
        new_session(f"other{number}")
    lulu.store.commands.submit(Pin(actor=OWNER, session_id=pinned, pinned=True))

    before = names(rows(open_page()))
    lulu.store.events.append(old, [User(text="go on")])
    after = names(rows(open_page()))

    assert before[:2] == ["pinned", "other59"]
    assert "old" not in before
    assert after[:3] == ["pinned", "old", "other59"]


@pytest.mark.parametrize("status", SessionStatus)
def test_the_place_in_the_list_does_not_depend_on_the_status(
    open_page: OpenPage, new_session: NewSession, status: SessionStatus
) -> None:
    new_session("one")
    new_session("two", status=status)
    new_session("three")

    assert names(rows(open_page())) == ["three", "two", "one"]


def test_those_that_wait_have_one_order_everywhere(open_page: OpenPage, lulu: Runtime, new_session: NewSession) -> None:
    first, second, third = (new_session(name, status=SessionStatus.RUNNING) for name in ("one", "two", "three"))
    # Neither the order in which they were made, nor that of their last activity.
    for number, session_id in enumerate([third, first, second, third]):
        ask(lulu, session_id, f"a{number}")
    order = ["three", "one", "two"]

    home, inbox = open_page(), open_page("inbox")

    assert needs_you(home) == ["Needs you (3)", *order]
    assert names(rows(home)) == ["three", "two", "one"]
    on_home = [label.strip("*") for label in links(home) if label.startswith("**")]
    assert on_home == order
    in_inbox = [label.strip("*") for label in links(inbox) if label.startswith("**")]
    assert list(dict.fromkeys(in_inbox)) == order


def test_the_group_is_there_whatever_the_list_is_asked_for(
    open_page: OpenPage, lulu: Runtime, new_session: NewSession
) -> None:
    ask(lulu, new_session("waits", status=SessionStatus.RUNNING))
    app = open_page()
    app.text_input(key="session_search").set_value("nothing like it").run()

    assert needs_you(app) == ["Needs you (1)", "waits"]
    assert rows(app) == []


def test_many_that_wait_are_counted(open_page: OpenPage, new_session: NewSession) -> None:
    for number in range(session_rows.MOST_WAITING + 3):
        new_session(f"w{number}", status=SessionStatus.WAITING)

    shown = needs_you(open_page())

    assert shown == ["Needs you (13)", *(f"w{number}" for number in range(session_rows.MOST_WAITING))]


def test_archived_sessions_are_out_of_the_list_until_they_are_asked_for(
    open_page: OpenPage, lulu: Runtime, new_session: NewSession
) -> None:
    archived = new_session("old")
    new_session("new")
    lulu.store.commands.submit(Archive(actor=OWNER, session_id=archived, archived=True))
    app = open_page()

    before = names(rows(app))
    open_popover(app, "filters").toggle(key="filter_archived").set_value(True).run()

    assert before == ["new"]
    assert names(rows(app)) == ["old"]


def test_the_list_is_filtered_by_status_folder_and_pin(
    open_page: OpenPage, lulu: Runtime, new_session: NewSession
) -> None:
    new_session("failed", status=SessionStatus.FAILED)
    pinned = new_session("pinned")
    lulu.store.commands.submit(Pin(actor=OWNER, session_id=pinned, pinned=True))
    elsewhere = Launch(prompt="elsewhere", working_directory="/elsewhere", agent="demo")
    lulu.store.sessions.insert(elsewhere, status=SessionStatus.COMPLETED)
    app = open_page()

    open_popover(app, "filters").selectbox(key="filter_status").set_value("failed").run()
    by_status = names(rows(app))
    app.button(key="clear_filters").click().run()
    open_popover(app, "filters").selectbox(key="filter_folder").set_value("/elsewhere").run()
    by_folder = names(rows(app))
    app.button(key="clear_filters").click().run()
    open_popover(app, "filters").toggle(key="filter_pinned").set_value(True).run()
    by_pin = names(rows(app))
    app.button(key="clear_filters").click().run()

    assert (by_status, by_folder, by_pin) == (["failed"], ["elsewhere"], ["pinned"])
    assert len(rows(app)) == 3
    assert "clear_filters" not in keys_of(app)


def test_several_sessions_are_changed_at_once(open_page: OpenPage, lulu: Runtime, new_session: NewSession) -> None:
    one, two, three = new_session("one"), new_session("two"), new_session("three", status=SessionStatus.RUNNING)
    app = open_page()
    open_popover(app, "filters").toggle(key="selecting").set_value(True).run()

    def tick(*ids: SessionId) -> None:
        for session_id in ids:
            app.checkbox(key=f"pick_{session_id}").check()
        app.run()

    tick(one, two)
    app.button(key="selected_pin").click().run()
    pinned = [session.id for session in lulu.store.sessions.latest() if session.pinned_at]
    tick(two, three)
    app.button(key="selected_archive").click().run()
    told = app.info[0].value
    tick(one)
    app.toggle(key="delete_selected_sure").set_value(True).run()
    app.button(key="selected_delete").click().run()

    assert set(pinned) == {one, two}
    assert "1 done, 1 not: " in told
    assert {session.id: bool(session.archived_at) for session in lulu.store.sessions.latest()} == {
        two: True,
        three: False,
    }


# ---- rules


def test_rules_are_added_switched_and_deleted(open_page: OpenPage, lulu: Runtime) -> None:
    app = open_page("settings")
    app.text_input(key="rule_pattern").set_value("Bash(git diff *)")
    app.selectbox(key="rule_action").set_value("deny")
    app.button(key="add_rule").click().run()
    (added,) = lulu.store.approvals.rules()
    shown = text_of(app)

    app.toggle(key=f"rule_on_{added.id}_True").set_value(False).run()
    (switched,) = lulu.store.approvals.rules()
    app.button(key=f"delete_rule_{added.id}").click().run()

    assert (added.tool_pattern, added.action, added.folder, added.enabled) == ("Bash(git diff *)", "deny", None, True)
    assert ":red[Deny] `Bash(git diff *)`" in shown
    assert not switched.enabled
    assert lulu.store.approvals.rules() == []


@pytest.mark.parametrize("pattern", ["", "Bash("])
def test_a_rule_that_cannot_be_read_is_refused(open_page: OpenPage, lulu: Runtime, pattern: str) -> None:
    app = open_page("settings")

    app.text_input(key="rule_pattern").set_value(pattern)
    app.button(key="add_rule").click().run()

    assert len(app.error) == 1
    assert lulu.store.approvals.rules() == []


def test_the_tester_says_which_rule_decides_and_why(open_page: OpenPage, lulu: Runtime) -> None:
    for pattern, action in (("Bash(git *)", "approve"), ("Bash(git push *)", "deny")):
        lulu.store.commands.submit(
            AddRule(actor=OWNER, tool_pattern=pattern, action="deny" if action == "deny" else "approve")
        )
    app = open_page("settings")

    told = {}
    for command in ("git status", "git push origin", "rm -r /"):
        app.text_area(key="try_input").set_value(command).run()
        told[command] = text_of(app)

    assert "**:green[Approved.]**" in told["git status"]
    assert "**:red[Denied.]**" in told["git push origin"]
    assert "**:blue[You would be asked.]**" in told["rm -r /"]


def test_a_pasted_tool_use_is_tried_as_it_is() -> None:
    call = rules.call_typed("Bash", '{"name": "Write", "input": {"file_path": "a.py"}}', "/w")

    assert (call.tool_name, call.tool_input, call.folder) == ("Write", {"file_path": "a.py"}, "/w")
    with pytest.raises(InputError, match="JSON"):
        rules.call_typed("mcp__x__y", "text", "/w")


# ---- keys, help, notifications


def test_every_key_can_be_a_shortcut_and_is_on_the_help_page(open_page: OpenPage) -> None:
    shown = text_of(open_page("help"))

    shortcuts = [key for key in keyboard.MEANINGS if key.startswith("Alt+")]
    assert len({normalize_shortcut(key) for key in shortcuts}) == 7
    assert all(f"`{key}`" in shown for key in keyboard.MEANINGS)
    assert help_page.show.__doc__


def test_a_session_that_ends_is_told_whatever_the_list_shows(
    open_page: OpenPage, lulu: Runtime, new_session: NewSession
) -> None:
    new_session("Long over")
    ends = new_session("Ends", status=SessionStatus.RUNNING)
    waits = new_session("Waits", status=SessionStatus.WAITING)
    app = open_page()

    lulu.store.sessions.move(ends, SessionStatus.COMPLETED)
    app.text_input(key="session_search").set_value("nothing of that name").run()

    (signal,) = (element.proto for element in app.get("bidi_component") if element.proto.id.endswith("-signals"))
    told = json.loads(signal.json)
    assert {one["id"]: one["words"] for one in told["sessions"]} == {ends: "is done", waits: "waits for you"}
    assert told["waiting"] == 1
