"""One use of a tool with all that the rows tell about it, and which calls have no answer yet. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from lulu.model.events import Permission, PermissionDecision, StoredEvent, System, ToolResult, ToolUse
from lulu.transcript.waits import Spent, spent

#: How Claude Code answers a call that a stop has ended, whether it was asked for or ran (measured with CLI 2.1.330).
_STOPPED = "The user doesn't want to proceed with this tool use."


@dataclass(frozen=True, kw_only=True)
class Note:
    """One event that stands for itself: text, thinking, system, error, a sub-agent's prompt, an unknown type."""

    stored: StoredEvent


@dataclass(frozen=True, kw_only=True)
class ToolCall:
    """One use of a tool, with all that the rows tell about it. Each part may lie outside the rows that were read."""

    #: The ``tool_use`` id; for a request without one, its own id.
    id: str
    #: Whatever was read of it, oldest first.
    events: tuple[StoredEvent, ...]
    use: ToolUse | None
    result: ToolResult | None
    permission: Permission | None
    decision: PermissionDecision | None
    #: What the sub-agent behind this call did.
    thread: tuple[Item, ...]
    #: When the agent called it, and when the answer came.
    used_at: datetime | None
    ended_at: datetime | None

    @property
    def key(self) -> str:
        """Tells it from everything else in these rows, and stays while rows are added. Made of event ids alone."""
        if self.events:
            return str(self.events[0].id)
        return f"of_{next(events_of(self.thread)).id}"

    @property
    def name(self) -> str:
        """The tool's name; empty where the rows do not tell it."""
        if self.use:
            return self.use.name
        return self.permission.tool_name if self.permission else ""

    @property
    def input(self) -> dict[str, object]:
        """The arguments; empty where the rows do not tell them."""
        if self.use:
            return self.use.input
        return self.permission.tool_input if self.permission else {}

    @property
    def is_waiting(self) -> bool:
        """Whether a person has to answer before it can go on."""
        return self.permission is not None and self.decision is None and self.result is None

    @property
    def is_denied(self) -> bool:
        """Whether the answer was no."""
        return self.decision is not None and self.decision.decision == "denied"

    @property
    def is_stopped(self) -> bool:
        """Whether it was given up with its turn: nobody answered it, or a stop cut it off."""
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
        """From call to answer, the wait for a person apart; nothing while either end is unknown."""
        return spent(events_of([self]), self.used_at, self.ended_at)


Item = Note | ToolCall


def events_of(items: Iterable[Item]) -> Iterator[StoredEvent]:
    """Every event in these items, as drawn."""
    for item in items:
        if isinstance(item, Note):
            yield item.stored
        else:
            yield from item.events
            yield from events_of(item.thread)


def untold(rows: Iterable[StoredEvent]) -> set[str]:
    """The ids of calls and requests that these rows, in ascending order, name before they tell them, if they do."""
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
    """Calls and requests that stand before the rows which name them: they tell what those rows are parts of."""

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
        """The id of the call that a request asks for; that of the request where it is not known, or has no call."""
        asked = self._requests.get(request)
        return (asked.tool_use_id if asked else None) or request

    def part(self, call_id: str, event_type: str, parent: str | None) -> StoredEvent | None:
        """The last such part of a call; of the same agent, unless it is the main one: an answer may not say whose."""
        parts = [one for one in self._parts.get(call_id, []) if one.type == event_type]
        own = [one for one in parts if one.event.parent == parent]
        found = own or (parts if parent is None else [])
        return found[-1] if found else None


class OpenCalls:
    """Which calls have no answer yet, told from the events in order."""

    def __init__(self) -> None:
        #: By the sub-agent that calls and the call's id, which two of them may share: the event of the call.
        self.stored: dict[tuple[str | None, str], StoredEvent] = {}

    def follow(self, stored: StoredEvent) -> None:
        """Take the next event."""
        event = stored.event
        if isinstance(event, ToolUse):
            self.stored[event.parent, event.id] = stored
        elif isinstance(event, ToolResult):
            own = (event.parent, event.tool_use_id)
            # Where the answer does not say whose it is, the last call of that id has it.
            same = [own] if own in self.stored else [key for key in self.stored if key[1] == event.tool_use_id][-1:]
            for key in same:
                del self.stored[key]
