"""What a guest sees of a session: its rows, redacted, without what was not shared. What is stored stays whole."""

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

#: What stands in the place of a tool's output that is not shared.
NOT_SHARED = "[output not shared]"
#: System notes that say nothing of the computer; the data of none is shared.
_SYSTEM = frozenset({"compact", "compact_boundary", "retry", "api_retry", "task_started", "task_notification"})
#: Redacted events that are kept: twenty guests look at the same ones.
_MOST_KEPT = 5_000


@dataclass(frozen=True, kw_only=True)
class GuestRows:
    """Rows as a guest sees them, and how much is hidden in them."""

    rows: list[StoredEvent]
    hidden: Counter[str]


def guest_rows(stored: Iterable[StoredEvent], options: ShareOptions, *, after: int = 0) -> GuestRows:
    """Return the events that are shared, without secrets, from behind the one with the id ``after``.

    Those up to it say only whether a private key goes on behind them.
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
    """The ids of requests for a call that were made and answered among these events: a guest's clocks leave out how
    long somebody was waited for. One that is open is asked of nobody there."""
    asked = {one.event.id for one in stored if isinstance(one.event, events.Permission) and one.event.tool_use_id}
    return asked & {one.event.id for one in stored if isinstance(one.event, events.PermissionDecision)}


def guest_session(session: Session) -> Session:
    """The session's row without private names."""
    hide = this_process()
    return dataclasses.replace(
        session,
        title=hide.text(session.title) if session.title else None,
        prompt=hide.text(session.prompt),
        working_directory=hide.text(session.working_directory) if session.working_directory else None,
    )


def guest_text(written: LiveText | None, options: ShareOptions) -> LiveText | None:
    """The text that is being written, where it is shared, up to what may become a secret."""
    if written is None or (written.kind == "thinking" and not options.thinking):
        return None
    hide = this_process()
    return dataclasses.replace(written, text=hide.text(hide.whole(plain(written.text))))


@cache
def this_process() -> Redactor:
    """The redactor with this process's own secrets."""
    return redactor(os.environ, Path.home())


_kept: OrderedDict[tuple[object, ...], tuple[Event | None, Counter[str]]] = OrderedDict()
_lock = Lock()


def _drawn(event: Event) -> str:
    """The text of an event that may hold a part of a private key."""
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
    # What this version does not read is not shared.
    found = (_shared(dataclasses.replace(stored.event, more=None), options, hide), hide.hidden)
    with _lock:
        _kept[key] = found
        while len(_kept) > _MOST_KEPT:
            _kept.popitem(last=False)
    return found


def _shared(event: Event, options: ShareOptions, hide: Redactor) -> Event | None:
    """The event as a guest sees it; nothing where it is not shared. What this version does not know is not shared."""
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
            # That it was asked and answered, and when; not what it asked for, nor who said what.
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
