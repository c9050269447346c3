"""One tool call with all of its events, and the calls that have no answer yet. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from lulu.model.events import Permission, PermissionDecision, StoredEvent, System, ToolResult, ToolUse
from lulu.transcript.waits import Spent, spent

#: The beginning of Claude Code's answer for a call that a stop has ended (measured with CLI 2.1.330).
_STOPPED = "The user doesn't want to proceed with this tool use."


@dataclass(frozen=True, kw_only=True)
class Note:
    """A single event: text, thinking, system, error, a sub-agent's prompt, or an unknown type."""

    stored: StoredEvent


@dataclass(frozen=True, kw_only=True)
class ToolCall:
    """One tool call. Any of its events may be outside of the rows that were read."""

    #: The ``tool_use`` id. A request without one has its own id here.
    id: str
    #: Its events in the rows, oldest first.
    events: tuple[StoredEvent, ...]
    use: ToolUse | None
    result: ToolResult | None
    permission: Permission | None
    decision: PermissionDecision | None
    #: The events of the sub-agent behind this call.
    thread: tuple[Item, ...]
    #: The times of the call and of its answer.
    used_at: datetime | None
    ended_at: datetime | None

    @property
    def key(self) -> str:
        """A key that is unique in these rows and does not change while rows are added. Made of event ids."""
        if self.events:
            return str(self.events[0].id)
        return f"of_{next(events_of(self.thread)).id}"

    @property
    def name(self) -> str:
        """The tool's name, or an empty string if the rows do not have it."""
        if self.use:
            return self.use.name
        return self.permission.tool_name if self.permission else ""

    @property
    def input(self) -> dict[str, object]:
        """The arguments, or an empty dict if the rows do not have them."""
        if self.use:
            return self.use.input
        return self.permission.tool_input if self.permission else {}

    @property
    def is_waiting(self) -> bool:
        """Whether the call waits for the answer of a person."""
        return self.permission is not None and self.decision is None and self.result is None

    @property
    def is_denied(self) -> bool:
        """Whether the call was denied."""
        return self.decision is not None and self.decision.decision == "denied"

    @property
    def is_stopped(self) -> bool:
        """Whether the call ended with its turn: its request was cancelled, or a stop ended it."""
        if self.decision is not None and self.decision.decision == "cancelled":
            return True
        refused = self.result is not None and str(self.result.content or "").startswith(_STOPPED)
        return refused and not self.is_denied

    @property
    def failed(self) -> bool:
        """Whether the tool answered with an error. A denial and a stop are no failures."""
        return self.result is not None and self.result.is_error and not self.is_denied and not self.is_stopped

    @property
    def spent(self) -> Spent | None:
        """The time from call to answer, without the wait for a person; ``None`` if an end is unknown."""
        return spent(events_of([self]), self.used_at, self.ended_at)


Item = Note | ToolCall


def events_of(items: Iterable[Item]) -> Iterator[StoredEvent]:
    """Yield every event in these items, in the order of the page."""
    for item in items:
        if isinstance(item, Note):
            yield item.stored
        else:
            yield from item.events
            yield from events_of(item.thread)


def untold(rows: Iterable[StoredEvent]) -> set[str]:
    """Return the ids of calls and requests that the rows name before, or without, their own event.

    The rows are in ascending order.
    """
    told: set[str] = set()
    found: set[str] = set()
    for stored in rows:
        named = [stored.event.parent]
        match stored.event:
            case ToolUse(id=call_id):
                told.add(call_id)
            case Permission(id=request, tool_use_id=call_id):
                told |= {request, call_id or request}
            case ToolResult(tool_use_id=call_id):
                named.append(call_id)
            case PermissionDecision(id=request):
                named.append(request)
            case System(data={"tool_use_id": str(call_id)}):
                named.append(call_id)
        found |= {name for name in named if name is not None} - told
    return found


class EarlierCalls:
    """Calls and requests from before the rows. They relate a row to its call."""

    def __init__(self, stored: Iterable[StoredEvent] = ()) -> None:
        self._parts: dict[str, list[StoredEvent]] = {}
        self._requests: dict[str, Permission] = {}
        for one in stored:
            if isinstance(one.event, ToolUse):
                self._parts.setdefault(one.event.id, []).append(one)
            elif isinstance(one.event, Permission):
                self._parts.setdefault(one.event.tool_use_id or one.event.id, []).append(one)
                self._requests[one.event.id] = one.event

    def call_of(self, request: str) -> str:
        """Return the id of the request's call, or the request's own id if there is none or it is unknown."""
        asked = self._requests.get(request)
        return (asked.tool_use_id if asked else None) or request

    def part(self, call_id: str, event_type: str, parent: str | None) -> StoredEvent | None:
        """Return the call's last event of this type, or ``None``.

        It is of the same agent. For the main agent it may be of any, because an answer may lack its parent.
        """
        parts = [one for one in self._parts.get(call_id, []) if one.type == event_type]
        own = [one for one in parts if one.event.parent == parent]
        found = own or (parts if parent is None else [])
        return found[-1] if found else None


class OpenCalls:
    """Tracks the calls without an answer, from events in order."""

    def __init__(self) -> None:
        #: The event of each open call, by sub-agent and call id. Two sub-agents may use the same id.
        self.stored: dict[tuple[str | None, str], StoredEvent] = {}

    def follow(self, stored: StoredEvent) -> None:
        """Take the next event."""
        event = stored.event
        if isinstance(event, ToolUse):
            self.stored[event.parent, event.id] = stored
        elif isinstance(event, ToolResult):
            own = (event.parent, event.tool_use_id)
            # If the answer does not say which agent it is for, the last call of that id gets it.
            same = [own] if own in self.stored else [key for key in self.stored if key[1] == event.tool_use_id][-1:]
            for key in same:
                del self.stored[key]
