"""How a turn ended, and what to say where it failed: the API, a hook that refuses, a command that did nothing."""

from __future__ import annotations

from typing import Any

from lulu.agent.stream.frames import Frame, blocks_of, text_of
from lulu.model.events import PROMPT_REFUSED, Error, made
from lulu.model.sessions import SessionStatus

#: ``terminal_reason`` of a turn that somebody, or a hook, stopped. Looked at before ``is_error``, which may be true.
_ABORTED = frozenset({"aborted_streaming", "aborted_tools", "hook_stopped", "stop_hook_prevented"})
#: Other reasons for which a turn ends before its work is done; "max_turns" and the like are errors by their flag, too.
_FAILED = frozenset(
    {
        *("api_error", "model_error", "image_error", "prompt_too_long", "blocking_limit", "rapid_refill_breaker"),
        *("malformed_tool_use_exhausted", "structured_output_retry_exhausted", "turn_setup_failed"),
        *("max_turns", "budget_exhausted", "tool_deferred_unavailable"),
    }
)
#: How slash commands end that did nothing (``local_command_outcome``, CLI 2.1.332).
_REFUSALS = frozenset({"failed", "unknown", "unavailable_headless"})
#: How Claude Code begins a reason that is meant for its own developers.
_DIAGNOSTIC = "[ede_diagnostic]"


def api_error(frame: Frame, common: dict[str, Any]) -> Error:
    """What the API answered in the place of a message."""
    code = str(frame["error"])
    texts = [text_of(block.get("text")) for block in blocks_of(frame["message"]["content"]) if isinstance(block, dict)]
    return Error(message="".join(text for text in texts if text) or code, code=code, **common)


def _outcome(frame: Frame) -> str | None:
    """How a slash command went that needs no model; nothing where it went well, or is none."""
    outcome = frame.get("local_command_outcome")
    return text_of(outcome.get("kind")) if isinstance(outcome, dict) else None


def command_failed(frame: Frame, common: dict[str, Any]) -> Error:
    """What Claude Code says in the place of what a slash command does."""
    texts = [text_of(block.get("text")) for block in blocks_of(frame["message"]["content"]) if isinstance(block, dict)]
    message = "\n".join(text for text in texts if text).removeprefix("Error: ")
    more: dict[str, Any] = {
        name: frame[name] for name in ("local_command_outcome", "local_command_run") if name in frame
    }
    values = {"message": message or "The command failed.", "code": f"command_{_outcome(frame)}"}
    return made(Error, {**values, "next_step": "Nothing was changed. Send another prompt.", **common}, more)


def status_of(frame: Frame, *, is_refused: bool) -> SessionStatus:
    reason = frame.get("terminal_reason")
    if reason in _ABORTED:
        return SessionStatus.INTERRUPTED
    is_failed = is_refused or frame.get("is_error") or reason in _FAILED
    return SessionStatus.FAILED if is_failed else SessionStatus.COMPLETED


def error_of(frame: Frame) -> Error:
    """Why a turn failed, where nothing before its result has said it."""
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
    """Whether an answer of Claude Code's own says that a slash command did nothing."""
    return _outcome(frame) in _REFUSALS


def is_refusal(data: Frame) -> bool:
    """Whether a notice says that a prompt was not sent."""
    return isinstance(data.get("prompt_submit_outcome"), dict)


def stopped_by_hook(data: Frame, common: dict[str, Any]) -> Error:
    """A hook of the user's has refused the prompt, or goes no further."""
    outcome, content = data.get("prompt_submit_outcome"), text_of(data.get("content")) or ""
    if not isinstance(outcome, dict):
        return made(Error, {"message": f"A hook stopped the agent: {content}", **common}, data)
    values = {
        "message": f"The prompt was not sent, a hook refused it: {text_of(outcome.get('reason')) or content}",
        "code": PROMPT_REFUSED,
        "next_step": "Change the prompt and send it again.",
    }
    return made(Error, {**values, **common}, data)
