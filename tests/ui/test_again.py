"""After a turn that failed: its error is told once, and one click tries again or changes the prompt."""

from __future__ import annotations

from collections.abc import Callable

from lulu.model.events import PROMPT_REFUSED, Error, Event, Result, System, User
from lulu.model.sessions import SessionId, SessionStatus
from lulu.runtime import Runtime
from tests.support import eventually
from tests.ui.conftest import OpenPage
from tests.ui.support import text_of

OVERLOADED = "API Error: 529 Overloaded"
RETRIES = [System(subtype="retry", data={"attempt": n, "max_retries": 4, "error_status": 529}) for n in range(1, 5)]
REFUSED: list[Event] = [
    User(text="my secret plan"),
    Error(message="The prompt was not sent, a hook refused it: No secrets.", code=PROMPT_REFUSED),
    Result(is_error=False),
]


def test_one_error_is_told_once_and_its_prompt_is_sent_again_with_a_click(
    open_page: OpenPage, new_session: Callable[..., SessionId], lulu: Runtime
) -> None:
    session_id = new_session(status=SessionStatus.FAILED)
    end = Result(is_error=True, subtype="success", terminal_reason="api_error", result=OVERLOADED, duration_ms=61_000)
    lulu.store.events.append(
        session_id, [User(text="go"), *RETRIES, Error(message=OVERLOADED, code="server_error"), end]
    )

    app = open_page("session", id=session_id)
    said = text_of(app)
    app.button(key="try_again").click().run()

    assert said.count(OVERLOADED) == 1
    assert "Asked the API again 4 × · HTTP 529" in said
    assert "attempt" not in said
    assert "1 min 1 s" in said
    eventually(lambda: prompts(lulu, session_id) == ["go", "go"])


def test_an_end_that_nothing_has_explained_says_why(
    open_page: OpenPage, new_session: Callable[..., SessionId], lulu: Runtime
) -> None:
    session_id = new_session(status=SessionStatus.FAILED)
    end = Result(is_error=True, subtype="success", terminal_reason="api_error", result=OVERLOADED)
    lulu.store.events.append(session_id, [User(text="go"), Error(message="Another thing."), end])

    said = text_of(open_page("session", id=session_id))

    assert OVERLOADED in said
    assert "Another thing" in said


def test_a_prompt_that_a_hook_refused_is_back_in_the_box_once(
    open_page: OpenPage, new_session: Callable[..., SessionId], lulu: Runtime
) -> None:
    session_id = new_session(status=SessionStatus.FAILED)
    lulu.store.events.append(session_id, REFUSED)

    app = open_page("session", id=session_id)
    first = app.chat_input(key="prompt").proto.value
    app.run()
    after = app.chat_input(key="prompt").proto.value
    app.button(key="change_prompt").click().run()

    assert (first, after, app.chat_input(key="prompt").proto.value) == ("my secret plan", "", "my secret plan")
    assert "No secrets." in text_of(app)
    assert "try_again" not in {button.key for button in app.button}


def prompts(lulu: Runtime, session_id: SessionId) -> list[str]:
    return [one.event.text for one in lulu.store.events.of_session(session_id) if isinstance(one.event, User)]
