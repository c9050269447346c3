"""How a turn ends where a hook, a slash command or the API did not do what was asked."""

from __future__ import annotations

from typing import Any

import pytest

from lulu.agent.stream.translate import Translator
from lulu.model.events import Error, decode, encode
from lulu.model.sessions import SessionStatus
from tests.agent.test_translate import Frame, result, says, text


def informational(**more: Any) -> Frame:
    content = "UserPromptSubmit operation blocked by hook:\nNo secrets."
    return {"type": "system", "subtype": "informational", "level": "warning", "content": content, **more}


def commands_answer(words: str, kind: str | None) -> Frame:
    outcome: Frame = {"local_command_outcome": {"kind": kind}} if kind else {}
    return {**says(text(words)), "local_command_run": {"command": "compact", "args": ""}, **outcome}


REASON = "No secrets.\n" + "why " * 400
ENDINGS: dict[str, tuple[list[Frame], SessionStatus, list[str]]] = {
    **{
        f"a prompt {kind}": (
            [
                informational(prevent_continuation=True, prompt_submit_outcome={"kind": kind, "reason": REASON}),
                result(terminal_reason=None, num_turns=0),
            ],
            SessionStatus.FAILED,
            [f"The prompt was not sent, a hook refused it: {REASON}"],
        )
        for kind in ("blocked_by_hook", "stopped_by_hook", "dropped_by_hook", "no_verdict", "of_a_later_version")
    },
    "a prompt without a reason": (
        [informational(prevent_continuation=True, prompt_submit_outcome={}), result(terminal_reason=None)],
        SessionStatus.FAILED,
        ["The prompt was not sent, a hook refused it: UserPromptSubmit operation blocked by hook:\nNo secrets."],
    ),
    "a notice": ([informational(), result()], SessionStatus.COMPLETED, []),
    **{
        f"a command that is {kind}": (
            [commands_answer("Error: No messages to compact", kind), result(terminal_reason=None)],
            SessionStatus.FAILED,
            ["No messages to compact"],
        )
        for kind in ("failed", "unknown", "unavailable_headless")
    },
    "a command": ([commands_answer("Compacted", None), result(terminal_reason=None)], SessionStatus.COMPLETED, []),
    "a hook that goes no further": ([result(terminal_reason="hook_stopped")], SessionStatus.INTERRUPTED, []),
    "a stop hook": ([result(terminal_reason="stop_hook_prevented")], SessionStatus.INTERRUPTED, []),
    "a prompt that is too long": (
        [result(terminal_reason="prompt_too_long", result="Too long")],
        SessionStatus.FAILED,
        ["Too long"],
    ),
}


@pytest.mark.parametrize(("frames", "status", "told"), ENDINGS.values(), ids=ENDINGS)
def test_a_turn_that_did_not_do_what_was_asked_is_not_completed(
    frames: list[Frame], status: SessionStatus, told: list[str]
) -> None:
    translator = Translator()
    said = [translator.translate(frame) for frame in frames]
    later = translator.translate(result())

    ends = [one.turn_end.status for one in [*said, later] if one.turn_end]
    errors = [event for one in said for event in one.events if isinstance(event, Error)]
    assert ends == [status, SessionStatus.COMPLETED]
    assert [error.message for error in errors] == told
    assert all(isinstance(decode(*encode(error)), Error) for error in errors)
