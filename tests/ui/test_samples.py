"""Every recorded sample is drawn, folded and open, and says what a reader must see."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

from lulu.model import events
from lulu.model.events import ToolUse, Unknown
from lulu.model.sessions import SessionId, SessionStatus
from lulu.runtime import Runtime
from lulu.ui import tools as looks
from lulu.ui.transcript import system_events
from tests.ui.conftest import OpenPage
from tests.ui.recorded import SAMPLES, Sample
from tests.ui.support import folds, text_of

#: Samples of an agent at work.
LIVE = {"agent_at_work", "question_waiting"}


def test_every_tool_and_event_type_has_a_sample() -> None:
    recorded = [event for sample in SAMPLES.values() for event in sample.events]
    tools = {event.name for event in recorded if isinstance(event, ToolUse)}
    subtypes = {event.subtype for event in recorded if isinstance(event, events.System)}

    assert set(looks.LOOKS) - tools == OTHER_NAMES
    assert {event.type for event in recorded} == {*events.TYPES, Unknown.type}
    assert set(system_events.LINES) - subtypes == OTHER_SUBTYPES


#: Other names of tools that have a sample, and of subtypes.
OTHER_NAMES = {"PowerShell", "KillBash", "TaskOutput", "TaskStop", "NotebookRead"}
OTHER_SUBTYPES = {"compact_boundary", "api_retry", "hook_started"}


@pytest.mark.parametrize("names", [sorted(SAMPLES)[start::4] for start in range(4)], ids=range(4))
def test_samples_are_drawn_folded_and_open(
    open_page: OpenPage, new_session: Callable[..., SessionId], lulu: Runtime, names: list[str]
) -> None:
    app = open_page()
    wrong: dict[str, list[str]] = {}
    for name in names:
        sample = SAMPLES[name]
        status = SessionStatus.RUNNING if name in LIVE else SessionStatus.COMPLETED
        session_id = new_session(status=status)
        lulu.store.events.append(session_id, sample.events)
        wrong[name] = look_at(app, session_id, sample)

    assert {name: found for name, found in wrong.items() if found} == {}


def look_at(app: AppTest, session_id: SessionId, sample: Sample) -> list[str]:
    """What a reader misses in a sample, and what should not be there."""
    app.switch_page("../../pages/session.py")
    app.query_params["id"] = session_id
    folded = text_of(app.run())
    opened = open_all(app)
    return [
        *(f"not seen while folded: {text}" for text in sample.line if text not in folded),
        *(f"not seen when open: {text}" for text in [*sample.line, *sample.shows] if text not in opened),
        *(f"should not be seen: {text}" for text in sample.hides if text in opened),
    ]


def open_all(app: AppTest) -> str:
    """Open every fold, and those that come to light; what the page says then."""
    before: set[str] = set()
    while (found := {key for key in folds(app) if not key.startswith("raw_call_")}) - before:
        before = found
        for key in found:
            app.session_state[key] = True
        app.run()
    return "\n".join([text_of(app), *(box.label for box in app.checkbox)])
