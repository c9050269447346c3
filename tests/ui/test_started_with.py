"""What an agent says that it starts with: its commands are offered, the rest is in the session's menu."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from lulu.model.events import System, User
from lulu.model.sessions import SessionId
from lulu.runtime import Runtime
from lulu.ui.session import composer
from tests.ui.conftest import OpenPage
from tests.ui.support import folds, open_popover, text_of

NewSession = Callable[..., SessionId]


def test_a_slash_command_is_put_into_the_box(open_page: OpenPage, lulu: Runtime, new_session: NewSession) -> None:
    session_id = new_session()
    lulu.store.events.insert(session_id, System(subtype="init", data={"slash_commands": ["compact", 3]}))
    app = open_popover(open_page("session", id=session_id), "slash_menu")

    app.button(key="slash_compact").click().run()

    assert app.chat_input(key="prompt").proto.value == "/compact "


TOLD = [
    ([("init", ["a", "b"])], ["a", "b"]),
    ([("init", ["a"]), ("commands_changed", ["a", "new"])], ["a", "new"]),
    ([("init", ["a"]), ("commands_changed", ["b"]), ("init", ["c"])], ["c"]),
    ([("commands_changed", ["b"]), ("init", None)], ["b"]),
    ([("init", ["a"]), ("commands_changed", "not a list")], ["a"]),
    ([("init", ["compact", 3, "__remote-workflow", "_x", "help", "agents", "fast"])], ["compact"]),
    ([("init", ["a"]), ("commands_changed", [])], []),
    ([("init", ["a", "b", "a"])], ["a", "b"]),
    ([], []),
]


@pytest.mark.parametrize(("told", "offered"), TOLD)
def test_the_commands_told_last_are_offered_where_they_work_here(
    lulu: Runtime, new_session: NewSession, told: list[tuple[str, object]], offered: list[str]
) -> None:
    session_id = new_session()
    for subtype, names in told:
        lulu.store.events.insert(session_id, System(subtype=subtype, data={"slash_commands": names}))

    assert composer.slash_commands(lulu, session_id) == offered


def test_the_menu_says_how_many_commands_it_does_not_show(
    open_page: OpenPage, lulu: Runtime, new_session: NewSession
) -> None:
    session_id = new_session()
    names = [f"command-{number}" for number in range(73)]
    lulu.store.events.insert(session_id, System(subtype="init", data={"slash_commands": names}))
    app = open_popover(open_page("session", id=session_id), "slash_menu")

    drawn = [button for button in app.button if (button.key or "").startswith("slash_command-")]
    assert f"{len(names) - len(drawn)} more: type / and the name." in text_of(app)
    assert 0 < len(drawn) < len(names)


def test_what_the_agent_started_with_is_in_the_menu_and_not_in_the_transcript(
    open_page: OpenPage, lulu: Runtime, new_session: NewSession
) -> None:
    session_id = new_session()
    for number in range(2):
        lulu.store.events.insert(session_id, User(text="go on"))
        lulu.store.events.insert(session_id, System(subtype="init", data={"claude_code_version": f"2.1.33{number}"}))
        lulu.store.events.insert(session_id, System(subtype="commands_changed", data={"slash_commands": ["a"]}))
    app = open_page("session", id=session_id)

    assert "system_" not in " ".join(folds(app))
    app.session_state[f"started_{session_id}"] = True
    assert '"claude_code_version": "2.1.331"' in text_of(open_popover(app, "session_menu"))
