"""Derive the status of a turn and the error to show: an API error, a hook, a failed command."""

from __future__ import annotations

from typing import Any

from lulu.agent.stream.frames import Frame, blocks_of, text_of
from lulu.model.events import PROMPT_REFUSED, Error, made
from lulu.model.sessions import SessionStatus

#: ``terminal_reason`` of a turn that a person or a hook stopped. Checked before ``is_error``, because that may be true.
_ABORTED = frozenset({"aborted_streaming", "aborted_tools", "hook_stopped", "stop_hook_prevented"})
#: Other reasons for an early end of a turn. "max_turns" and the like also have the error flag.
_FAILED = frozenset(
    {
        *("api_error", "model_error", "image_error", "prompt_too_long", "blocking_limit", "rapid_refill_breaker"),
        *("malformed_tool_use_exhausted", "structured_output_retry_exhausted", "turn_setup_failed"),
        *("max_turns", "budget_exhausted", "tool_deferred_unavailable"),
    }
)
#: Outcomes of slash commands without effect (``local_command_outcome``, CLI 2.1.332).
_REFUSALS = frozenset({"failed", "unknown", "unavailable_headless"})
#: The beginning of a reason for Claude Code's own developers.
_DIAGNOSTIC = "[ede_diagnostic]"


def api_error(frame: Frame, common: dict[str, Any]) -> Error:
    """Return the event for an API error that replaces a message."""
    code = str(frame["error"])
    texts = [text_of(block.get("text")) for block in blocks_of(frame["message"]["content"]) if isinstance(block, dict)]
    return Error(message="".join(text for text in texts if text) or code, code=code, **common)


def _outcome(frame: Frame) -> str | None:
    """Return the outcome of a failed slash command, or ``None``."""
    outcome = frame.get("local_command_outcome")
    return text_of(outcome.get("kind")) if isinstance(outcome, dict) else None


def command_failed(frame: Frame, common: dict[str, Any]) -> Error:
    """Return the event for Claude Code's report that a slash command failed."""
    texts = [text_of(block.get("text")) for block in blocks_of(frame["message"]["content"]) if isinstance(block, dict)]
    message = "\n".join(text for text in texts if text).removeprefix("Error: ")
    more: dict[str, Any] = {
        name: frame[name] for name in ("local_command_outcome", "local_command_run") if name in frame
    }
    values = {"message": message or "The command failed.", "code": f"command_{_outcome(frame)}"}
    return made(Error, {**values, "next_step": "Nothing was changed. Send another prompt.", **common}, more)


def status_of(frame: Frame, *, is_refused: bool) -> SessionStatus:
    """Return the status of a turn from its result."""
    reason = frame.get("terminal_reason")
    if reason in _ABORTED:
        return SessionStatus.INTERRUPTED
    is_failed = is_refused or frame.get("is_error") or reason in _FAILED
    return SessionStatus.FAILED if is_failed else SessionStatus.COMPLETED


def error_of(frame: Frame) -> Error:
    """Return the error of a failed turn. Needed only if no earlier event has it."""
    errors = frame.get("errors")
    reasons = [str(reason) for reason in errors] if isinstance(errors, list) else []
    told = [reason for reason in reasons if not reason.startswith(_DIAGNOSTIC)]
    text = frame.get("result") or (told[0] if told else "The turn failed.")
    status = frame.get("api_error_status")
    details = [f"HTTP {status}"] if status else []
    return Error(
        message=str(text),
        code=str(frame.get("subtype")) if frame.get("subtype") != "success" else str(frame.get("terminal_reason")),
        detail="\n".join([*details, *(reason for reason in reasons if reason != text)]) or None,
    )


def is_failed_command(frame: Frame) -> bool:
    """Whether an answer of Claude Code itself reports that a slash command had no effect."""
    return _outcome(frame) in _REFUSALS


def is_refusal(data: Frame) -> bool:
    """Whether a notice reports that a prompt was not sent."""
    return isinstance(data.get("prompt_submit_outcome"), dict)


def stopped_by_hook(data: Frame, common: dict[str, Any]) -> Error:
    """Return the event for a user's hook that refused the prompt or stopped the agent."""
    outcome, content = data.get("prompt_submit_outcome"), text_of(data.get("content")) or ""
    if not isinstance(outcome, dict):
        return made(Error, {"message": f"A hook stopped the agent: {content}", **common}, data)
    values = {
        "message": f"The prompt was not sent, a hook refused it: {text_of(outcome.get('reason')) or content}",
        "code": PROMPT_REFUSED,
        "next_step": "Change the prompt and send it again.",
    }
    return made(Error, {**values, **common}, data)
