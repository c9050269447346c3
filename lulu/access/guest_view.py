"""Return a session's rows for guests: redacted, and without parts that are not shared.

Stored rows are not changed.
"""

from __future__ import annotations

import dataclasses
import os
from collections import Counter, OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from threading import Lock

from lulu.model import events
from lulu.model.events import Event, StoredEvent
from lulu.model.sessions import Session
from lulu.store import LiveText, ShareOptions
from lulu.text.plain import plain
from lulu.text.redaction.private_keys import stays_open
from lulu.text.redaction.redact import Redactor, redactor

#: The replacement for a tool's output that is not shared.
NOT_SHARED = "[output not shared]"
#: System events that reveal nothing about the computer. Their data is never shared.
_SYSTEM = frozenset({"compact", "compact_boundary", "retry", "api_retry", "task_started", "task_notification"})
#: The most redacted events in memory: twenty guests look at the same ones.
_MOST_KEPT = 5_000


@dataclass(frozen=True, kw_only=True)
class GuestRows:
    """Rows for a guest, and the number of hidden parts by kind."""

    rows: list[StoredEvent]
    hidden: Counter[str]


def guest_rows(stored: Iterable[StoredEvent], options: ShareOptions, *, after: int = 0) -> GuestRows:
    """Return the shared events without secrets, after the one with the id ``after``.

    Earlier events are read only to find out whether a private key continues in later ones.
    """
    stored = list(stored)
    told = _answered_requests(stored)
    shown: list[StoredEvent] = []
    hidden: Counter[str] = Counter()
    inside = False
    for one in stored:
        if isinstance(one.event, events.Permission | events.PermissionDecision) and one.event.id not in told:
            continue
        was_inside, inside = inside, stays_open(_drawn(one.event), inside=inside)
        if one.id <= after:
            continue
        event, found = _redacted(one, options, was_inside)
        hidden.update(found)
        if event is not None:
            # Not the stored text: a page that cannot read an event would show it raw.
            shown.append(dataclasses.replace(one, event=event, raw=events.encode(event)[1]))
    return GuestRows(rows=shown, hidden=hidden)


def _answered_requests(stored: list[StoredEvent]) -> set[str]:
    """Return the ids of calls' requests that were made and answered among these events.

    A guest's clocks use them to leave out waits for people. Open requests are not shown.
    """
    asked = {one.event.id for one in stored if isinstance(one.event, events.Permission) and one.event.tool_use_id}
    return asked & {one.event.id for one in stored if isinstance(one.event, events.PermissionDecision)}


def guest_session(session: Session) -> Session:
    """Return the session's row without private names."""
    hide = this_process()
    return dataclasses.replace(
        session,
        title=hide.text(session.title) if session.title else None,
        prompt=hide.text(session.prompt),
        working_directory=hide.text(session.working_directory) if session.working_directory else None,
    )


def guest_text(written: LiveText | None, options: ShareOptions) -> LiveText | None:
    """Return the shared part of live text, up to a possible beginning of a secret, or ``None``."""
    if written is None or (written.kind == "thinking" and not options.thinking):
        return None
    hide = this_process()
    return dataclasses.replace(written, text=hide.text(hide.whole(plain(written.text))))


@cache
def this_process() -> Redactor:
    """Return the redactor with this process's own secrets."""
    return redactor(os.environ, Path.home())


_kept: OrderedDict[tuple[object, ...], tuple[Event | None, Counter[str]]] = OrderedDict()
_lock = Lock()


def _drawn(event: Event) -> str:
    """Return the text of an event that may contain a part of a private key."""
    match event:
        case events.Text() | events.Thinking():
            return event.content
        case events.User():
            return event.text
        case events.ToolResult() if isinstance(event.content, str):
            return event.content
        case events.ToolResult():
            return "\n".join(str(block.get("text", "")) for block in event.content or () if isinstance(block, dict))
        case _:
            return ""


def _redacted(stored: StoredEvent, options: ShareOptions, inside_key: bool) -> tuple[Event | None, Counter[str]]:
    key = (stored.session_id, stored.id, hash(stored.raw), options, inside_key)
    with _lock:
        if key in _kept:
            return _kept[key]
    hide = dataclasses.replace(this_process(), hidden=Counter(), inside_key=inside_key)
    # Fields that this version does not read are not shared.
    found = (_shared(dataclasses.replace(stored.event, more=None), options, hide), hide.hidden)
    with _lock:
        _kept[key] = found
        while len(_kept) > _MOST_KEPT:
            _kept.popitem(last=False)
    return found


def _shared(event: Event, options: ShareOptions, hide: Redactor) -> Event | None:
    """Return the event for a guest, or ``None`` if it is not shared. Unknown events are not shared."""
    match event:
        case events.User():
            return dataclasses.replace(event, text=hide.text(event.text), attachments=None, actor=None)
        case events.Text():
            return dataclasses.replace(event, content=hide.text(event.content), citations=hide.value(event.citations))
        case events.Thinking():
            return dataclasses.replace(event, content=hide.text(event.content)) if options.thinking else None
        case events.ToolUse():
            return dataclasses.replace(event, name=hide.text(event.name), input=hide.value(event.input))
        case events.ToolResult():
            if not options.tool_output:
                return dataclasses.replace(event, content=NOT_SHARED, data=None)
            return dataclasses.replace(event, content=hide.value(event.content), data=hide.value(event.data))
        case events.Permission():
            # Shares that and when it was asked and answered, but not the content, nor the people.
            return dataclasses.replace(event, tool_name="", tool_input={}, suggestions=None, reason=None)
        case events.PermissionDecision():
            return dataclasses.replace(event, message=None, actor=None, rule_id=None)
        case events.System():
            return dataclasses.replace(event, data=None) if event.subtype in _SYSTEM else None
        case events.Result():
            text = hide.text(event.result) if event.result else None
            return dataclasses.replace(event, result=text, session_id=None, model_usage=None, permission_denials=None)
        case events.Error():
            detail = hide.text(event.detail) if event.detail else None
            step = hide.text(event.next_step) if event.next_step else None
            return dataclasses.replace(event, message=hide.text(event.message), detail=detail, next_step=step)
        case _:
            return None
