"""The line that says what an agent is doing, with a clock and the fill level of its context.

The server sends the activity and its start. The browser counts the seconds, so the clock costs no run of the page.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import streamlit as st

from lulu.access.source import OpenTurn, Source
from lulu.model.events import StoredEvent, ToolUse
from lulu.model.sessions import Session, SessionId
from lulu.runtime import Runtime
from lulu.store import Approval, LiveText
from lulu.text.labels import one_line
from lulu.transcript import activity
from lulu.transcript.activity import Activity
from lulu.ui.approvals import request
from lulu.ui.browser.assets import asset
from lulu.ui.session.view import SessionView

#: Arguments that tell a call from another call of the same tool, the most specific first.
_TELLING = ("command", "file_path", "notebook_path", "pattern", "url", "query", "description", "path", "prompt")
#: Characters of a call that are drawn.
_LIMIT = 120
_WORDS = {
    "starting": "Starting the agent",
    "waiting": "Waits for you",
    "retry": "Asking the API again",
    "limit": "Rate limit",
    "thinking": "Thinking",
    "writing": "Writing",
    "working": "Working",
}
_WAITS_FOR_OWNER = "Waits for the owner"

HTML = (
    '<div class="line"><span class="dot" aria-hidden="true"></span><span class="words" role="status"></span>'
    '<span class="clock"></span><span class="context"></span>'
    '<span class="meter" aria-hidden="true"><span class="used"></span></span></div>'
)

_JS = asset("activity_line.js")
_mount = st.components.v2.component("lulu_now", html=HTML, css=asset("activity_line.css"), js=_JS)
_mount_teller = st.components.v2.component("lulu_now_teller", js=_JS)


def show_line(session_id: SessionId) -> None:
    """Draw the line for this session at the bottom of the page; ``tell`` fills it."""
    _mount(key=f"now_line_{session_id}", data={"name": session_id, "isLine": True}, height="content")


def tell(view: SessionView, opened: OpenTurn, asked: list[Approval]) -> None:
    """Update the session's line. It sends only a few numbers, so it may run with every change."""
    session, rows = opened.session, opened.log.rows
    found = doing(session, rows, opened.written, asked)
    told = data_of(found, view.settings.stall_seconds) | {"asked": _announced(asked)}
    if told.get("kind") == "waiting" and view.page is None:
        # For a guest, the person whom the agent waits for is the owner.
        told["words"] = _WAITS_FOR_OWNER
    told |= _context(view.source, session, rows)
    _mount_teller(key=f"now_{session.id}", data={"name": session.id, "told": told}, height="content")


def show(lulu: Runtime, session: Session, found: Activity) -> None:
    """Draw a line with its own data, for a card."""
    told = data_of(found, lulu.settings.stall_seconds)
    name = f"card_{session.id}"
    _mount(key=f"now_{name}", data={"name": name, "isLine": True, "told": told}, height="content")


def _announced(asked: list[Approval]) -> str:
    """Return the text for screen readers about open requests; empty if there are none."""
    if not asked:
        return ""
    said = request.what(asked[0])
    more = f" {len(asked)} requests wait." if len(asked) > 1 else ""
    return f"{said}{'' if said.endswith('?') else '.'}{more}"


def doing(
    session: Session, rows: list[StoredEvent], written: LiveText | None, asked: list[Approval]
) -> Activity | None:
    """Return the activity of a session from its row, events, live text and requests; None if it is idle."""
    return activity.activity(
        session,
        rows,
        writes=written.kind if written else None,
        written_at=written.updated_at if written else None,
        asked_at=min(approval.created_at for approval in asked) if asked else None,
    )


def data_of(found: Activity | None, stall_seconds: float) -> dict[str, Any]:
    """Return the line's data for the browser: plain text, and milliseconds since and until."""
    if found is None:
        return {}
    now = datetime.now(UTC)
    return {
        "kind": found.kind,
        "words": words(found),
        "since": _milliseconds(now, found.since),
        "waited": found.waited.total_seconds() * 1000,
        "left": -_milliseconds(now, found.until) if found.until else None,
        "silent": _milliseconds(now, found.heard) if found.heard else None,
        "stall": stall_seconds * 1000,
    }


def words(found: Activity) -> str:
    """Return the activity in words, without the clock."""
    if found.kind == "tool":
        return _calls(found.tools)
    if found.kind == "retry" and found.attempt is not None:
        tries = f"{found.attempt} of {found.attempts}" if found.attempts else str(found.attempt)
        return f"{_WORDS['retry']}: try {tries}"
    return _WORDS.get(found.kind, found.kind)


def _calls(uses: tuple[ToolUse, ...]) -> str:
    """Return the newest running call, after the names of the other running tools.

    The newest call may be a sub-agent's: those follow the call that started the sub-agent.
    """
    last = uses[-1]
    values = [last.input.get(name) for name in _TELLING]
    told = [value for value in (*values, *last.input.values()) if isinstance(value, str) and value.strip()]
    others = list(dict.fromkeys(use.name for use in uses[:-1] if use.name != last.name))
    beside = f"{', '.join(others)}: " if 0 < len(others) < 4 else ""
    count = f" ({len(uses)} at once)" if len(uses) > 1 else ""
    return one_line(f"{beside}{last.name} {told[0] if told else ''}", _LIMIT) + count


def _milliseconds(now: datetime, moment: datetime) -> float:
    return (now - moment).total_seconds() * 1000


def _context(source: Source, session: Session, rows: list[StoredEvent]) -> dict[str, Any]:
    used = activity.context_tokens(rows) or source.context_tokens()
    if used is None:
        return {}
    window = source.context_window(session)
    return {
        "context": f"Context {_thousands(used)}" + (f" of {_thousands(window)}" if window else ""),
        "share": activity.context_share(used, window),
    }


def _thousands(count: int) -> str:
    return (
        f"{count / 1_000_000:.3g}M" if count >= 1_000_000 else f"{count / 1000:.0f}k" if count >= 1000 else str(count)
    )
