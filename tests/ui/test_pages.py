"""Every page opens: empty, for each status, for each event type, for what no version knows, and for no session."""

from __future__ import annotations

from collections.abc import Callable

import dataset
import pytest
from streamlit.testing.v1 import AppTest

from lulu.errors import LuluError, StoreError
from lulu.model import events
from lulu.model.actors import Actor
from lulu.model.events import Event, Text, ToolUse, User
from lulu.model.sessions import SessionId, SessionStatus
from lulu.runtime import Runtime
from lulu.settings import Settings
from lulu.ui.transcript import event_views
from lulu.ui.views import settings
from tests.samples import EVENTS, UNKNOWN
from tests.ui.conftest import MAIN, OpenPage
from tests.ui.support import open_folds, rows, text_of

NewSession = Callable[..., SessionId]


def test_home_without_sessions_says_what_to_do(open_page: OpenPage) -> None:
    app = open_page()

    assert "What should the agent do?" in text_of(app)
    assert "No sessions yet" in text_of(app)
    assert app.chat_input(key="prompt").placeholder == "Type a prompt"
    assert app.text_input(key="cwd").value
    assert [box.key for box in app.main.selectbox] == ["model", "permission_mode"]


@pytest.mark.parametrize("status", SessionStatus)
def test_each_status_is_named_in_list_and_header(
    open_page: OpenPage, new_session: NewSession, status: SessionStatus
) -> None:
    session_id = new_session(status=status)

    app = open_page("session", id=session_id)

    assert status.value in rows(app)[0]
    assert f"● {status.value}]" in text_of(app)
    live = status in (SessionStatus.STARTING, SessionStatus.RUNNING, SessionStatus.WAITING)
    assert [button.key for button in app.button if button.key == "stop"] == ["stop"] * live


def test_a_status_of_another_version_is_shown_and_is_not_live(
    open_page: OpenPage, new_session: NewSession, lulu: Runtime
) -> None:
    session_id = new_session()
    set_column(lulu, session_id, "status", "meditating")

    app = open_page("session", id=session_id)

    assert "gray[● meditating]" in rows(app)[0]
    assert ":gray[● meditating]" in text_of(app)
    assert not [button for button in app.button if button.key == "stop"]


@pytest.mark.parametrize("event_type", events.TYPES)
def test_each_event_type_is_drawn_folded_and_open(
    open_page: OpenPage, new_session: NewSession, lulu: Runtime, event_type: str
) -> None:
    session_id = new_session()
    for event in EVENTS[event_type]:
        lulu.store.events.insert(session_id, event)

    app = open_page("session", id=session_id)
    closed = text_of(app)
    opened = text_of(open_folds(app))

    assert MARKS[event_type] in opened
    assert len(opened) >= len(closed)


#: What a page says about the first sample of each type.
MARKS = {
    "user": "Fix the bug in billing/invoice.py",
    "text": "rounds **once**",
    "thinking": "The tax is rounded for each line.",
    "tool_use": "npm test",
    "tool_result": "14 passed",
    "system": "claude-opus-5-5",
    "permission": "rm -r build",
    "permission_decision": "Not that folder",
    "result": r"12 s · 3 steps · 1.5k tokens · \$0.0123",
    "error": "The agent process ended",
}


def test_every_event_type_has_a_renderer_and_a_sample() -> None:
    assert set(event_views.RENDERERS) == set(events.TYPES)
    assert set(EVENTS) == set(events.TYPES) == set(MARKS)


def test_unknown_events_are_shown_raw(open_page: OpenPage, new_session: NewSession, lulu: Runtime) -> None:
    session_id = new_session()
    for event in UNKNOWN:
        lulu.store.events.insert(session_id, event)

    app = open_page("session", id=session_id)
    shown = text_of(open_folds(app))

    assert "unknown event `hologram`" in shown
    assert '{"depth": 3}' in shown
    assert "{not json" in shown


def test_all_samples_at_once_fit_on_one_page(open_page: OpenPage, new_session: NewSession, lulu: Runtime) -> None:
    session_id = new_session(status=SessionStatus.RUNNING)
    for samples in EVENTS.values():
        for event in samples:
            lulu.store.events.insert(session_id, event)

    app = open_folds(open_page("session", id=session_id))

    assert "Fix the bug in billing/invoice.py" in text_of(app)


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"id": ""},
        {"id": "no-such-session"},
        {"id": "../x"},
        {"id": "' OR 1=1--"},
        {"id": "x" * 10_000},
        {"id": "a\x00b"},
    ],
)
def test_what_is_no_session_is_not_found(open_page: OpenPage, new_session: NewSession, query: dict[str, str]) -> None:
    new_session("Somebody's secret")

    app = open_page("session", **query)

    assert [title.value for title in app.main.title] == ["Not found"]
    assert "There is no session at this address" in text_of(app)
    assert not app.chat_input


def test_a_repeated_id_is_not_found(open_page: OpenPage, new_session: NewSession) -> None:
    session_id = new_session()

    app = open_page("session", id=[session_id, session_id])

    assert [title.value for title in app.main.title] == ["Not found"]


def test_settings_page_tells_the_agent_and_every_setting(open_page: OpenPage) -> None:
    shown = text_of(open_page("settings"))

    assert "Demo agent" in shown
    assert "credential: none found" in shown
    for name in Settings.model_fields:
        assert f"| `LULU_{name.upper()}` |" in shown


def test_setting_table_tells_where_a_value_comes_from(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LULU_MAX_RUNNING", "7")
    monkeypatch.setenv("LULU_MODEL", "a|b `c` ![x](http://evil.example)")

    table = settings.setting_table(Settings())

    assert "| `LULU_MAX_RUNNING` | `7` | environment |" in table
    assert "| `LULU_AGENT` | `auto` | default |" in table
    assert r"| `LULU_MODEL` | `` a\|b `c` ![x](http://evil.example) `` | environment |" in table


def test_the_stores_notices_stand_on_every_page(
    open_page: OpenPage, lulu: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    notice = LuluError("The database was damaged.", safe="It is kept as lulu.db.corrupt.", next_step="Look at it.")
    monkeypatch.setattr(type(lulu.store), "notices", property(lambda store: [notice]))

    for page in ("home", "settings", "session"):
        (warning,) = open_page(page).warning
        assert warning.value.startswith("**The database was damaged")
        assert "kept as" in warning.value


def test_a_long_session_shows_its_last_window_and_loads_earlier(
    open_page: OpenPage, new_session: NewSession, lulu: Runtime
) -> None:
    session_id = new_session()
    lulu.store.events.append(session_id, [User(text=f"prompt number {number}.") for number in range(150)])

    app = open_page("session", id=session_id)

    # What is in view comes first, and the rest with the run that the page asks for by itself.
    assert "number 149." in text_of(app)
    assert "number 140." in text_of(app)
    assert "number 139." not in text_of(app)
    app.run()
    said = text_of(app)
    places = [said.index(f"number {number}.") for number in range(110, 150)]
    assert places == sorted(places)
    assert "number 109." not in said
    app.button(key="load_earlier").click().run()
    assert "number 70." in text_of(app)
    assert "number 149." in text_of(app)
    app.button(key="load_earlier").click().run()
    app.button(key="load_earlier").click().run()
    app.run()
    assert "number 0." in text_of(app)
    assert not [button for button in app.button if button.key == "load_earlier"]


def test_a_long_open_turn_is_shown_whole_without_end(
    open_page: OpenPage, new_session: NewSession, lulu: Runtime
) -> None:
    session_id = new_session(status=SessionStatus.RUNNING)
    turn: list[Event] = [User(text="go")]
    for number in range(100):
        turn += [ToolUse(id=f"t{number}", name="Bash", input={"command": f"step {number}."})]
    lulu.store.events.append(session_id, turn)

    shown = text_of(open_page("session", id=session_id))

    assert "step 99." in shown
    assert "step 65." in shown


def test_a_long_call_that_is_open_is_drawn_whole_beside_other_sessions(
    open_page: OpenPage, new_session: NewSession, lulu: Runtime
) -> None:
    session_id, other = new_session(status=SessionStatus.RUNNING), new_session()
    lulu.store.events.append(session_id, [User(text="go")])
    lulu.store.events.append(other, [Text(content="between")] * 5)
    inside: list[Event] = [ToolUse(id="task", name="Task", input={"description": "work on"})]
    lulu.store.events.append(session_id, inside)
    app = open_page("session", id=session_id)

    lulu.store.events.append(session_id, [Text(content=f"inside {number}.", parent="task") for number in range(90)])
    app.run()

    assert not app.exception
    assert "**Task** work on" in text_of(app)


@pytest.mark.parametrize("page", ["session", "preview"])
def test_what_is_shown_stays_while_more_is_said_up_to_a_limit(
    page: str, open_page: OpenPage, new_session: NewSession, lulu: Runtime
) -> None:
    session_id = new_session()
    lulu.store.events.append(session_id, [User(text=f"prompt number {number}.") for number in range(60)])
    app = open_page(page, id=session_id).run()
    assert "number 20." in text_of(app)

    lulu.store.events.append(session_id, [User(text=f"prompt number {number}.") for number in range(60, 110)])
    app.run()
    kept = text_of(app)
    lulu.store.events.append(session_id, [User(text=f"prompt number {number}.") for number in range(110, 150)])
    app.run()

    assert "number 20." in kept
    assert "number 109." in kept
    assert "number 149." in text_of(app)
    assert "number 109." not in text_of(app)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A Lulu that takes every pause for a stall; ask for it before ``lulu``."""
    monkeypatch.setenv("LULU_STALL_SECONDS", "0.001")


def test_a_silent_agent_is_shown_as_stalled(
    impatient: None, open_page: OpenPage, new_session: NewSession, lulu: Runtime
) -> None:
    session_id = new_session(status=SessionStatus.RUNNING)
    lulu.store.events.insert(session_id, User(text="go"))

    (warning,) = open_page("session", id=session_id).warning

    assert "The agent has been silent for" in warning.value
    assert "nothing is lost" in warning.value


def test_an_agent_that_spoke_just_now_or_waits_is_not_stalled(
    open_page: OpenPage, new_session: NewSession, lulu: Runtime
) -> None:
    session_id = new_session(status=SessionStatus.RUNNING)
    lulu.store.events.insert(session_id, User(text="go"))

    assert not open_page("session", id=session_id).warning


def test_a_part_that_cannot_be_read_is_told_and_the_rest_stands(
    open_page: OpenPage, new_session: NewSession, lulu: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    session_id = new_session("Fix the bug")
    monkeypatch.setattr(type(lulu.store.sessions), "latest", failing)

    app = open_page("session", id=session_id)

    assert "The list is broken" in app.sidebar.get("error")[0].proto.body
    assert "# Fix the bug" in text_of(app)


def test_without_a_running_lulu_the_page_says_how_to_start_it(as_actor: Callable[[Actor], None]) -> None:
    app = AppTest.from_file(str(MAIN), default_timeout=60).run()

    assert "Lulu is not running here" in app.error[0].value
    assert "make run" in app.error[0].value


def failing(*args: object, **options: object) -> list[object]:
    raise StoreError("The list is broken.", safe="Nothing was changed.", next_step="Reload the page.")


def set_column(lulu: Runtime, session_id: str, column: str, value: str) -> None:
    """Write a row as another program would."""
    with dataset.connect(f"sqlite:///{lulu.store.path}") as database:
        database["sessions"].update({"id": session_id, column: value}, ["id"], ensure=False)
