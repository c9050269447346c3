"""The one line of a tool call: tool, argument, outcome. ``lulu/ui/tools`` draws the details."""

from __future__ import annotations

import re

import streamlit as st

from lulu.model.actors import LULU
from lulu.text.labels import safe_label
from lulu.transcript.turns import Run, ToolCall
from lulu.transcript.waits import Spent
from lulu.ui import formats
from lulu.ui.content import images
from lulu.ui.tools import look_of, title_of

#: Characters of an outcome that fit at the end of every line. Markup does not count.
_SHORT = 13
#: Title of a call if the log has its result only.
_UNTOLD = "Result of a call that is not shown"
#: Prefixes of generated ids, which mean nothing to a person.
_NUMBERED = ("toolu_", "srvtoolu_", "call_")
_MARKUP = re.compile(r":[a-z]+\[|[\]\\`]")


def label(call: ToolCall) -> str:
    """Return the label of a call: tool, argument, and "failed". An answer changes it only by that word.

    For Streamlit, an expander with another label or icon is another one. It would close under the reader's pointer.
    """
    parts = [f"**{_title(call)}**", look_of(call.name).line(call), ":red[failed]" if call.failed else ""]
    return " ".join(part for part in parts if part)


def _title(call: ToolCall) -> str:
    """Return the tool's name, or a substitute if the log does not have the call itself."""
    if call.name:
        return safe_label(title_of(call.name))
    if call.thread:
        return f"Sub-agent {'' if call.id.startswith(_NUMBERED) else safe_label(call.id, 60)}".rstrip()
    return _UNTOLD if call.result is not None else "A call that is not shown"


def run_label(run: Run) -> str:
    """Return the label of several calls in a row, as ``Read ×4, Edit ×2, Bash: 1 failed · 12 s``."""
    parts = []
    for name, count in run.counts.items():
        failed = run.failures.get(name)
        times = f" ×{count}" if count > 1 else ""
        parts.append(
            f"{safe_label(title_of(name)) if name else _UNTOLD}{times}" + (f": :red[{failed} failed]" if failed else "")
        )
    took = _took(run.spent)
    answerers = dict.fromkeys(_answerer(call) for call in run.calls)
    return formats.line(f"**{', '.join(parts)}**", f":small[:gray[{took}]]" if took else "", *answerers)


def icon(call: ToolCall) -> str:
    """Return the tool's icon as markup."""
    return f":material/{look_of(call.name or ('Agent' if call.thread else '')).icon}:"


def is_open(call: ToolCall) -> bool:
    """Whether a call is unfolded at first: it failed, a person answered it, or it read a picture."""
    opens = look_of(call.name).opens or (call.name == "Read" and images.has_any(call))
    return call.failed or (opens and call.result is not None)


def outcome(call: ToolCall, *, live: bool) -> str:
    """Return the end of a call's line: result, answer of a person, duration. May be empty."""
    look = look_of(call.name)
    if call.is_denied:
        return f":orange[{_answerer(call) or look.no}]"
    if call.is_waiting and live:
        return ":blue[waits for you]"
    if call.is_stopped:
        return formats.line(_answerer(call), "stopped")
    if call.result is None:
        return formats.line(_answerer(call), _unanswered(call, live=live), look.progress(call) if live else "")
    took = _took(call.spent)
    return formats.line(look.sum_up(call), look.progress(call), _answerer(call), took)


def _took(time: Spent | None) -> str:
    """Return the duration and the wait for a person; empty below one second."""
    return formats.took(time.seconds * 1000, time.waited * 1000) if time and time.seconds + time.waited >= 1 else ""


def is_long(outcome: str) -> bool:
    """Whether an outcome is longer than the space that each line reserves for it."""
    return len(_MARKUP.sub("", outcome)) > _SHORT


def _unanswered(call: ToolCall, *, live: bool) -> str:
    if call.decision is not None and call.decision.decision != "approved":
        return safe_label(call.decision.decision)
    return "no result" if call.use is not None and not live else ""


def _answerer(call: ToolCall) -> str:
    """Return a person's answer and their name; empty if no person was asked."""
    decision = call.decision
    if decision is None or decision.decision not in ("approved", "denied") or decision.actor in (None, LULU.name):
        return ""
    return f"{_said(call)} by {safe_label(decision.actor or '')}"


def _said(call: ToolCall) -> str:
    """Return the answer to a request, in the words of the tool's look."""
    look, decision = look_of(call.name), call.decision.decision if call.decision else ""
    return {"approved": look.yes, "denied": look.no}.get(decision, safe_label(decision)) or "not answered"


def show_permission(call: ToolCall) -> None:
    """Draw a request's answer with its author and reason, unless the line already has all of it."""
    told_in_the_line = bool(_answerer(call)) and not (call.decision and call.decision.message)
    if told_in_the_line or (call.permission is None and call.decision is None):
        return
    said = _said(call)
    who = f"by {safe_label(call.decision.actor)}" if call.decision and call.decision.actor else ""
    if call.is_stopped and not _answerer(call):
        said, who = "not answered, the turn was stopped", ""
    why = f"“{safe_label(call.decision.message, 400)}”" if call.decision and call.decision.message else ""
    st.caption(formats.line(f"Permission: {said} {who}".strip(), why))
