"""Return a session's rows for guests: redacted, and without parts that are not shared.

Stored rows are not changed. ``GuestEvents`` is the only way from the store to a guest.
"""

from __future__ import annotations

import dataclasses
import os
from collections import Counter, OrderedDict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from threading import Lock

from lulu.access.source import Log, OpenTurn, OwnerEvents, Words, hidden_in
from lulu.model import events
from lulu.model.actors import Actor
from lulu.model.events import Event, StoredEvent, Text
from lulu.model.sessions import Session, SessionId
from lulu.store import Approval, LiveText, ShareOptions, Store
from lulu.text.plain import plain
from lulu.text.redaction.private_keys import stays_open
from lulu.text.redaction.redact import Redactor, redactor

#: The replacement for a tool's output that is not shared.
NOT_SHARED = "[output not shared]"
#: System events that reveal nothing about the computer. Their data is never shared.
_SYSTEM = frozenset({"compact", "compact_boundary", "retry", "api_retry", "task_started", "task_notification"})
#: The most redacted events in memory: twenty guests look at the same ones.
_MOST_KEPT = 5_000


class GuestEvents:
    """One session as a guest may see it: a ``Source`` that redacts all that it returns."""

    def __init__(self, store: Store, session_id: SessionId, options: ShareOptions) -> None:
        self._stored = OwnerEvents(store, session_id)
        self._options = options

    @property
    def session_id(self) -> SessionId:
        """The session."""
        return self._stored.session_id

    def is_open_to(self, actor: Actor) -> bool:
        """Return whether the session is shared with this person now, or is their own."""
        return actor.may_watch(self.session_id)

    def version(self, topic: str) -> int:
        """Return the version of a topic."""
        return self._stored.version(topic)

    def session(self) -> Session:
        """Return the session's row without private names. Raises ``SessionNotFound``."""
        return guest_session(self._stored.session())

    def events(self, *, after: int = 0, before: int | None = None, limit: int | None = None) -> Log:
        """Return the shared parts of the events with ``after < id < before``.

        With ``limit``, only the last that many of them.
        """
        return self._shared(self._stored.events(after=after, before=before, limit=limit))

    def events_around(self, event_id: int, *, before: int, after: int) -> Log:
        """Return what is shared of the event, and of up to so many before and after it."""
        return self._shared(self._stored.events_around(event_id, before=before, after=after))

    def calls_before(self, event_id: int, names: Collection[str]) -> list[StoredEvent]:
        """Return the last call or request before an event with each of these ids, redacted."""
        return guest_rows(self._stored.calls_before(event_id, names), self._options).rows

    def open_turn(self, *, after: int) -> OpenTurn:
        """Return the session, the shared parts of its events behind ``after``, and of its live text."""
        stored = self._stored.open_turn(after=after)
        return OpenTurn(
            session=guest_session(stored.session),
            log=self._shared(stored.log),
            written=guest_text(stored.written, self._options),
        )

    def words(self, limit: int) -> Words:
        """Return up to ``limit`` of the last events with their texts, and the live text, redacted."""
        stored = self._stored.words(limit)
        return Words(
            latest=[(event_id, _hidden_text(text)) for event_id, text in stored.latest],
            written=guest_text(stored.written, self._options),
        )

    def requests(self) -> list[Approval]:
        """Return no request: a guest answers none."""
        return []

    def checklist(self) -> list[StoredEvent]:
        """Return nothing: a guest's page has no checklist."""
        return []

    def context_tokens(self) -> int | None:
        """Return the tokens that the model had read last; ``None`` if the latest events do not say."""
        return self._stored.context_tokens()

    def context_window(self, session: Session) -> int | None:
        """Return the tokens that fit the session's model; ``None`` if its last result does not say."""
        return self._stored.context_window(session)

    def _shared(self, log: Log) -> Log:
        return dataclasses.replace(log, rows=guest_rows(log.rows, self._options).rows)


def shared_with(store: Store, actor: Actor) -> GuestEvents | None:
    """Return the session that was shared with this guest; ``None`` if none is."""
    row = store.access.get(actor.access_id) if actor.access_id is not None else None
    if row is None or actor.session_id is None:
        return None
    return GuestEvents(store, SessionId(actor.session_id), row.options)


@dataclass(frozen=True, kw_only=True)
class GuestRows:
    """Rows for a guest, and the number of hidden parts by kind."""

    rows: list[StoredEvent]
    hidden: Counter[str]


def guest_rows(stored: Iterable[StoredEvent], options: ShareOptions) -> GuestRows:
    """Return the shared events without secrets."""
    stored = list(stored)
    told = _answered_requests(stored)
    shown: list[StoredEvent] = []
    inside = False
    for one in stored:
        if isinstance(one.event, events.Permission | events.PermissionDecision) and one.event.id not in told:
            continue
        was_inside, inside = inside, stays_open(_drawn(one.event), inside=inside)
        event, found = _redacted(one, options, was_inside)
        if event is not None:
            # Not the stored text: a page that cannot read an event would show it raw.
            raw = events.encode(event)[1]
            shown.append(dataclasses.replace(one, event=event, raw=raw, hidden=tuple(found.elements())))
    return GuestRows(rows=shown, hidden=hidden_in(shown))


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


def _hidden_text(text: Text | None) -> Text | None:
    if text is None:
        return None
    return dataclasses.replace(text, content=this_process().text(text.content), citations=None, more=None)


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
