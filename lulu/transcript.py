"""What a transcript shows: stored events grouped into turns, tool calls paired with what belongs to them.

Pure: knows rows, no store and no page. Any order and any subset of a session's events is accepted, because a page
reads a window that may begin in the middle of a turn; nothing that was read is left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from lulu.events import Permission, PermissionDecision, Result, StoredEvent, System, ToolResult, ToolUse, User

#: Sub-agents of sub-agents are drawn this deep; what is deeper stands on the last level.
MAX_DEPTH = 6
#: Tools that speak to a person or stand for much work: their calls are never folded into a run.
APART = frozenset({"AskUserQuestion", "ExitPlanMode", "Task", "Agent"})

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
    def seconds(self) -> float | None:
        """From call to answer, waiting for a person included; nothing while either end is unknown."""
        if self.used_at is None or self.ended_at is None:
            return None
        return (self.ended_at - self.used_at).total_seconds()


Item = Note | ToolCall


@dataclass(frozen=True, kw_only=True)
class Run:
    """Tool calls in a row, with the thinking between them: what one line can stand for."""

    items: tuple[Item, ...]

    @property
    def calls(self) -> list[ToolCall]:
        """The calls themselves."""
        return [item for item in self.items if isinstance(item, ToolCall)]

    @property
    def counts(self) -> dict[str, int]:
        """How often each tool was called, in the order of its first call."""
        counts: dict[str, int] = {}
        for call in self.calls:
            counts[call.name] = counts.get(call.name, 0) + 1
        return counts

    @property
    def failures(self) -> dict[str, int]:
        """How often each tool failed, where it did."""
        failed = [call.name for call in self.calls if call.failed]
        return {name: failed.count(name) for name in failed}

    @property
    def seconds(self) -> float | None:
        """From the first call to the last answer; nothing while either is unknown."""
        first, last = self.calls[0], self.calls[-1]
        if first.used_at is None or last.ended_at is None:
            return None
        return (last.ended_at - first.used_at).total_seconds()

    @property
    def key(self) -> str:
        """Tells it from other runs, and stays while calls are added at its end."""
        return self.calls[0].key


@dataclass(frozen=True, kw_only=True)
class Turn:
    """A prompt and what followed it; without a prompt where the agent went on by itself, or the rows begin later."""

    prompt: StoredEvent | None
    items: tuple[Item, ...]
    #: The turn's end, where it was read.
    result: StoredEvent | None

    @property
    def key(self) -> int:
        """The id of its first event: stable as long as the rows begin at the same place."""
        return min(stored.id for stored in self.events())

    @property
    def is_over(self) -> bool:
        """Whether its result is there."""
        return self.result is not None

    def events(self) -> Iterator[StoredEvent]:
        """Every event of the turn, as drawn."""
        if self.prompt:
            yield self.prompt
        yield from events_of(self.items)
        if self.result:
            yield self.result

    def calls(self) -> Iterator[ToolCall]:
        """Every tool call of the turn, those of sub-agents included."""
        yield from _calls(self.items)


@dataclass(frozen=True, kw_only=True)
class Totals:
    """Sums over turns."""

    turns: int
    tool_calls: int
    failures: int
    #: US dollars and milliseconds, as the turns' results tell.
    cost_usd: float
    duration_ms: float


def turns(rows: Iterable[StoredEvent]) -> list[Turn]:
    """The turns of these events, which come in ascending order."""
    builder = _Builder()
    for stored in rows:
        builder.add(stored)
    return builder.build()


def runs(items: Iterable[Item]) -> list[Item | Run]:
    """The same items, with every row of at least two finished tool calls as one ``Run``.

    Thinking between two calls belongs to their run. A call that waits, or has no answer yet, stands for itself.
    """
    found: list[Item | Run] = []
    row: list[Item] = []
    for item in items:
        if _is_finished_call(item) or (row and _is_thinking(item)):
            row.append(item)
        else:
            found += _folded(row)
            found.append(item)
            row = []
    return found + _folded(row)


def _folded(row: list[Item]) -> list[Item | Run]:
    """The row as one run, and the thinking after its last call as it is; or all of it, if it holds one call."""
    last = max((place for place, item in enumerate(row) if isinstance(item, ToolCall)), default=-1)
    calls = sum(isinstance(item, ToolCall) for item in row)
    return [Run(items=tuple(row[: last + 1])), *row[last + 1 :]] if calls > 1 else list(row)


def _is_finished_call(item: Item) -> bool:
    # A sub-agent's thread, a question and a plan are read for themselves.
    return isinstance(item, ToolCall) and item.result is not None and not item.thread and item.name not in APART


def _is_thinking(item: Item) -> bool:
    return isinstance(item, Note) and item.stored.type == "thinking"


def totals(transcript: Iterable[Turn]) -> Totals:
    """What these turns add up to."""
    all_turns = list(transcript)
    calls = [call for turn in all_turns for call in turn.calls()]
    results = [turn.result.event for turn in all_turns if turn.result and isinstance(turn.result.event, Result)]
    return Totals(
        turns=len(all_turns),
        tool_calls=len(calls),
        failures=sum(call.failed for call in calls),
        cost_usd=sum(result.cost_usd or 0 for result in results),
        duration_ms=sum(result.duration_ms or 0 for result in results),
    )


def settled_until(rows: Sequence[StoredEvent], *, live: bool, keep: int) -> int:
    """The id of the last event that belongs to settled history; what follows is the open turn.

    While the agent works that is the event before its turn's prompt; where the turn is longer than ``keep`` events,
    a later one, at which no tool call lies open, so that none is torn apart. 0 for no rows.
    """
    if not rows:
        return 0
    last = _open_turn_start(rows) if live else len(rows)
    if len(rows) - last > keep:
        last = max(last, _whole_calls_until(rows, len(rows) - keep))
    return rows[last - 1].id if last else rows[0].id - 1


def _open_turn_start(rows: Sequence[StoredEvent]) -> int:
    for index in range(len(rows) - 1, -1, -1):
        event = rows[index].event
        if event.parent is None and isinstance(event, Result):
            return index + 1
        if event.parent is None and isinstance(event, User):
            return index
    return 0


def _whole_calls_until(rows: Sequence[StoredEvent], end: int) -> int:
    """The greatest index up to ``end`` where every call before it has its answer before it."""
    open_calls: set[str] = set()
    found = 0
    for index, stored in enumerate(rows[:end]):
        if not open_calls:
            found = index
        if isinstance(stored.event, ToolUse):
            open_calls.add(stored.event.id)
        elif isinstance(stored.event, ToolResult):
            open_calls.discard(stored.event.tool_use_id)
    return found if open_calls else end


def events_of(items: Iterable[Item]) -> Iterator[StoredEvent]:
    """Every event in these items, as drawn."""
    for item in items:
        if isinstance(item, Note):
            yield item.stored
        else:
            yield from item.events
            yield from events_of(item.thread)


def _calls(items: Iterable[Item]) -> Iterator[ToolCall]:
    for item in items:
        if isinstance(item, ToolCall):
            yield item
            yield from _calls(item.thread)


@dataclass
class _OpenCall:
    """A tool call while its parts come in."""

    id: str
    depth: int
    #: The list that it stands in.
    container: list[StoredEvent | _OpenCall]
    thread: list[StoredEvent | _OpenCall] = field(default_factory=list)
    events: list[StoredEvent] = field(default_factory=list)


@dataclass
class _OpenTurn:
    prompt: StoredEvent | None = None
    items: list[StoredEvent | _OpenCall] = field(default_factory=list)
    result: StoredEvent | None = None


class _Builder:
    """Takes events in order; every part of a call finds its call by id, wherever that stands."""

    def __init__(self) -> None:
        self._turns: list[_OpenTurn] = []
        self._calls: dict[str, _OpenCall] = {}
        #: Which call a request belongs to: a decision names the request only.
        self._requests: dict[str, str] = {}

    def add(self, stored: StoredEvent) -> None:
        event = stored.event
        if event.parent is None and isinstance(event, User):
            self._turns.append(_OpenTurn(prompt=stored))
            return
        call_id = self._call_id(stored)
        if call_id is not None:
            self._call(call_id, event.parent).events.append(stored)
        elif event.parent is None and isinstance(event, Result):
            self._turn(anew_after_result=True).result = stored
        else:
            self._container(event.parent, anew_after_result=stored.type not in ("system", "error")).append(stored)

    def build(self) -> list[Turn]:
        return [Turn(prompt=turn.prompt, items=_closed(turn.items), result=turn.result) for turn in self._turns]

    def _call_id(self, stored: StoredEvent) -> str | None:
        match stored.event:
            case ToolUse(id=call_id) | ToolResult(tool_use_id=call_id):
                return call_id
            case Permission(id=request, tool_use_id=call_id):
                self._requests[request] = call_id or request
                return call_id or request
            case PermissionDecision(id=request):
                return self._requests.get(request, request)
            case System(data={"tool_use_id": str(call_id)}) if call_id in self._calls:
                return call_id
        return None

    def _turn(self, *, anew_after_result: bool) -> _OpenTurn:
        """The turn that is open; a new one where there is none, or the last one has its result."""
        if not self._turns or (anew_after_result and self._turns[-1].result is not None):
            self._turns.append(_OpenTurn())
        return self._turns[-1]

    def _container(self, parent: str | None, *, anew_after_result: bool) -> list[StoredEvent | _OpenCall]:
        if parent is None:
            return self._turn(anew_after_result=anew_after_result).items
        owner = self._call(parent, None)
        return owner.thread if owner.depth < MAX_DEPTH else owner.container

    def _call(self, call_id: str, parent: str | None) -> _OpenCall:
        """The call of this id, placed where its first part was seen."""
        container = None if call_id in self._calls else self._container(parent, anew_after_result=True)
        # An event that names itself as its parent has been placed by the line above.
        if call_id not in self._calls and container is not None:
            depth = 0 if parent is None else self._calls[parent].depth + 1
            self._calls[call_id] = _OpenCall(id=call_id, depth=min(depth, MAX_DEPTH), container=container)
            container.append(self._calls[call_id])
        return self._calls[call_id]


def _closed(entries: Iterable[StoredEvent | _OpenCall]) -> tuple[Item, ...]:
    return tuple(_closed_call(entry) if isinstance(entry, _OpenCall) else Note(stored=entry) for entry in entries)


def _closed_call(call: _OpenCall) -> ToolCall:
    parts = {stored.type: stored for stored in call.events}
    use, result = parts.get("tool_use"), parts.get("tool_result")
    permission, decision = parts.get("permission"), parts.get("permission_decision")
    return ToolCall(
        id=call.id,
        events=tuple(call.events),
        use=use.event if use and isinstance(use.event, ToolUse) else None,
        result=result.event if result and isinstance(result.event, ToolResult) else None,
        permission=permission.event if permission and isinstance(permission.event, Permission) else None,
        decision=decision.event if decision and isinstance(decision.event, PermissionDecision) else None,
        thread=_closed(call.thread),
        used_at=use.created_at if use else None,
        ended_at=result.created_at if result else None,
    )
