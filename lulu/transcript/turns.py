"""Group stored events into turns, and pair tool calls with their answers and requests.
Pure: knows rows, no store and no page. Accepts any subset of a session's events in any order, because a page reads a
window that may begin in the middle of a turn. Every event that was read is kept.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from lulu.model.claude_tools import FOR_A_PERSON, SUB_AGENTS
from lulu.model.events import Permission, PermissionDecision, Result, StoredEvent, System, ToolResult, ToolUse, User
from lulu.transcript.tool_calls import EarlierCalls, OpenCalls, events_of
from lulu.transcript.tool_calls import Item as Item
from lulu.transcript.tool_calls import Note as Note
from lulu.transcript.tool_calls import ToolCall as ToolCall
from lulu.transcript.waits import Spent, spent

#: The most levels of sub-agents on a page. Deeper ones are drawn on the last level.
MAX_DEPTH = 6
#: Tools that ask a person or do much work. Their calls are never folded into a run.
APART = FOR_A_PERSON | SUB_AGENTS


@dataclass(frozen=True, kw_only=True)
class Run:
    """Tool calls in a row, with the thinking between them. A page folds them into one line."""

    items: tuple[Item, ...]

    @property
    def calls(self) -> list[ToolCall]:
        """The calls in the run."""
        return [item for item in self.items if isinstance(item, ToolCall)]

    @property
    def counts(self) -> dict[str, int]:
        """The number of calls of each tool, in the order of the first calls."""
        counts: dict[str, int] = {}
        for call in self.calls:
            counts[call.name] = counts.get(call.name, 0) + 1
        return counts

    @property
    def failures(self) -> dict[str, int]:
        """The number of failed calls of each tool that failed."""
        failed = [call.name for call in self.calls if call.failed]
        return {name: failed.count(name) for name in failed}

    @property
    def spent(self) -> Spent | None:
        """The time from first call to last answer, without waits for people; ``None`` if an end is unknown."""
        return spent(events_of(self.items), self.calls[0].used_at, self.calls[-1].ended_at)

    @property
    def key(self) -> str:
        """A key that is unique among runs and does not change while calls are added."""
        return self.calls[0].key


#: Subtypes of the events for a repeated API call, in older and newer versions.
RETRIES = frozenset({"retry", "api_retry"})


@dataclass(frozen=True, kw_only=True)
class Retries:
    """Several tries of the API in a row. A page folds them into one line."""

    items: tuple[Note, ...]

    @property
    def last(self) -> StoredEvent:
        """The last try. It has the newest figures."""
        return self.items[-1].stored

    @property
    def key(self) -> str:
        """A key that is unique and does not change while tries are added."""
        return str(self.items[0].stored.id)


@dataclass(frozen=True, kw_only=True)
class Turn:
    """A prompt and all that answers it.
    ``prompt`` is ``None`` if the agent went on by itself, or if the rows begin later.
    """

    prompt: StoredEvent | None
    items: tuple[Item, ...]
    #: The end of the turn, if it was read.
    result: StoredEvent | None

    @property
    def key(self) -> int:
        """The id of its first event. It does not change as long as the rows begin at the same event."""
        return min(stored.id for stored in self.events())

    @property
    def is_over(self) -> bool:
        """Whether the turn has a result."""
        return self.result is not None

    def events(self) -> Iterator[StoredEvent]:
        """Yield every event of the turn, in the order of the page."""
        if self.prompt:
            yield self.prompt
        yield from events_of(self.items)
        if self.result:
            yield self.result

    def calls(self) -> Iterator[ToolCall]:
        """Yield every tool call of the turn, those of sub-agents included."""
        yield from _calls(self.items)


@dataclass(frozen=True, kw_only=True)
class Totals:
    """Sums over turns."""

    turns: int
    tool_calls: int
    failures: int
    #: US dollars and milliseconds, from the turns' results.
    cost_usd: float
    duration_ms: float


def turns(rows: Iterable[StoredEvent], *, earlier: Iterable[StoredEvent] = ()) -> list[Turn]:
    """Return the turns of these events, given in ascending order.
    ``earlier``: calls and requests from before the rows. They are not drawn, but tell which call a row belongs to.
    """
    builder = _Builder(EarlierCalls(earlier))
    for stored in rows:
        builder.add(stored)
    return builder.build()


def runs(items: Iterable[Item]) -> list[Item | Run | Retries]:
    """Return the items with finished tool calls in a row as one ``Run``, and retries as ``Retries``.
    Thinking between two calls belongs to their run. A call that waits, or has no answer yet, stays single.
    """
    found: list[Item | Run | Retries] = []
    row: list[Item] = []
    for item in items:
        before = found[-1] if found and not row else None
        if _is_retry(item) and isinstance(item, Note) and before is not None and _is_retry(before):
            tries = before.items if isinstance(before, Retries) else (before,) if isinstance(before, Note) else ()
            found[-1] = Retries(items=(*tries, item))
            continue
        if _is_finished_call(item) or (row and _is_thinking(item)):
            row.append(item)
        else:
            found += _folded(row)
            found.append(item)
            row = []
    return found + _folded(row)


def _folded(row: list[Item]) -> list[Item | Run]:
    """Return the row as one run, followed by the thinking after it; unchanged if it has only one call."""
    last = max((place for place, item in enumerate(row) if isinstance(item, ToolCall)), default=-1)
    calls = sum(isinstance(item, ToolCall) for item in row)
    return [Run(items=tuple(row[: last + 1])), *row[last + 1 :]] if calls > 1 else list(row)


def _is_finished_call(item: Item) -> bool:
    # A sub-agent's thread, a question and a plan are shown separately.
    return isinstance(item, ToolCall) and item.result is not None and not item.thread and item.name not in APART


def _is_retry(item: Item | Run | Retries) -> bool:
    if isinstance(item, Note):
        return isinstance(item.stored.event, System) and item.stored.event.subtype in RETRIES
    return isinstance(item, Retries)


def _is_thinking(item: Item) -> bool:
    return isinstance(item, Note) and item.stored.type == "thinking"


def totals(transcript: Iterable[Turn]) -> Totals:
    """Return the sums over these turns."""
    all_turns = list(transcript)
    calls = [call for turn in all_turns for call in turn.calls()]
    results = [stored.event for turn in all_turns for stored in turn.events() if isinstance(stored.event, Result)]
    return Totals(
        turns=len(all_turns),
        tool_calls=len(calls),
        failures=sum(call.failed for call in calls),
        cost_usd=sum(result.cost_usd or 0 for result in results),
        duration_ms=sum(result.duration_ms or 0 for result in results),
    )


def settled_until(rows: Sequence[StoredEvent], *, live: bool, keep: int) -> int:
    """Return the id of the last settled event; all later ones are the open turn. 0 for no rows.
    While the agent works, that is the event before the open turn's prompt. If the turn has more than ``keep`` events,
    it is a later one, never between a tool call and its answer.
    """
    if not rows:
        return 0
    last = _open_turn_start(rows) if live else len(rows)
    if len(rows) - last > keep:
        last = max(last, _whole_calls_until(rows, len(rows) - keep))
    return rows[last - 1].id if last else rows[0].id - 1


def _open_turn_start(rows: Sequence[StoredEvent]) -> int:
    after_a_task = 0
    for index in range(len(rows) - 1, -1, -1):
        event = rows[index].event
        if event.parent is None and isinstance(event, User):
            return index
        if event.parent is None and isinstance(event, Result):
            after_a_task = after_a_task or index + 1
            if not event.is_of_a_task:
                break
    return after_a_task


def _whole_calls_until(rows: Sequence[StoredEvent], end: int) -> int:
    """Return the greatest index up to ``end`` without an open call before it."""
    calls = OpenCalls()
    found = 0
    for index, stored in enumerate(rows[:end]):
        if not calls.stored:
            found = index
        calls.follow(stored)
    return found if calls.stored else end


def _calls(items: Iterable[Item]) -> Iterator[ToolCall]:
    for item in items:
        if isinstance(item, ToolCall):
            yield item
            yield from _calls(item.thread)


@dataclass
class _OpenCall:
    """A tool call while its events are being collected."""

    id: str
    #: The call of the sub-agent that makes this call.
    parent: str | None
    depth: int
    #: The list that contains the call.
    container: list[StoredEvent | _OpenCall]
    thread: list[StoredEvent | _OpenCall] = field(default_factory=list)
    events: list[StoredEvent] = field(default_factory=list)

    def has(self, *types: str) -> bool:
        """Whether an event of one of these types was added."""
        return any(stored.type in types for stored in self.events)

    @property
    def is_of_sub_agent(self) -> bool:
        """Whether a sub-agent works behind the call, as far as the rows show."""
        uses = (stored.event for stored in self.events if isinstance(stored.event, ToolUse))
        return bool(self.thread) or any(use.name in SUB_AGENTS for use in uses)


@dataclass
class _OpenTurn:
    prompt: StoredEvent | None = None
    items: list[StoredEvent | _OpenCall] = field(default_factory=list)
    result: StoredEvent | None = None


class _Builder:
    """Collects events in order; each event finds its call by id.
    Ids are not unique in a session: some providers number the calls of each answer from 0. An event belongs to the last
    call of its id that still lacks such an event.
    """

    def __init__(self, earlier: EarlierCalls) -> None:
        self._earlier = earlier
        self._turns: list[_OpenTurn] = []
        #: The calls of each id, oldest first.
        self._calls: dict[str, list[_OpenCall]] = {}
        #: The call of each request. A decision names only the request.
        self._requests: dict[str, _OpenCall] = {}

    def add(self, stored: StoredEvent) -> None:
        event = stored.event
        if event.parent is None and isinstance(event, User):
            self._turns.append(_OpenTurn(prompt=stored))
        elif (call := self._call_of(stored)) is not None:
            call.events.append(stored)
        elif event.parent is None and isinstance(event, Result) and not self._waits_behind(event):
            self._turn(anew_after_result=True).result = stored
        else:
            self._container(event.parent, anew_after_result=stored.type not in ("system", "error")).append(stored)

    def _waits_behind(self, result: Result) -> bool:
        """Whether the open turn's prompt still needs its own result, because this one is of a background task."""
        turn = self._turns[-1] if self._turns else _OpenTurn()
        prompt = turn.prompt.event.uuid if turn.prompt and turn.result is None else None
        return prompt is not None and result.is_of_a_task and prompt not in str(result.more)

    def build(self) -> list[Turn]:
        return [Turn(prompt=turn.prompt, items=self._closed(turn.items), result=turn.result) for turn in self._turns]

    def _call_of(self, stored: StoredEvent) -> _OpenCall | None:
        """Return the call of an event. Make one if no call lacks such an event."""
        parent = stored.event.parent
        match stored.event:
            case ToolUse(id=call_id):
                # The request for the call may be stored before the call.
                waiting = [one for one in self._of(call_id) if one.events and not one.has("tool_use", "tool_result")]
                return self._last(waiting, parent) or self._new(call_id, parent)
            case ToolResult(tool_use_id=call_id):
                waiting = [one for one in self._of(call_id) if not one.has("tool_result")]
                return self._last(waiting, parent) or self._new(call_id, parent)
            case Permission(id=request, tool_use_id=call_id):
                waiting = [one for one in self._of(call_id or request) if not one.has("tool_result", "permission")]
                call = waiting[-1] if waiting else self._new(call_id or request, parent)
                self._requests[request] = call
                return call
            case PermissionDecision(id=request):
                call_id = self._earlier.call_of(request)
                found = self._requests.get(request)
                return found or self._last(self._of(call_id), parent) or self._new(call_id, parent)
            case System(data={"tool_use_id": str(call_id)}):
                return self._owner(call_id)
        return None

    def _of(self, call_id: str) -> list[_OpenCall]:
        return self._calls.get(call_id, [])

    def _last(self, calls: list[_OpenCall], parent: str | None) -> _OpenCall | None:
        """Return the last call, of the same agent if there is one."""
        found = [one for one in calls if one.parent == parent] or calls
        return found[-1] if found else None

    def _owner(self, call_id: str) -> _OpenCall | None:
        """Return the call of this id that has a sub-agent, or else the last one."""
        calls = self._of(call_id)
        found = [one for one in calls if one.is_of_sub_agent] or calls
        return found[-1] if found else None

    def _turn(self, *, anew_after_result: bool) -> _OpenTurn:
        """Return the open turn. Begin one if there is none, or if the last one has its result."""
        if not self._turns or (anew_after_result and self._turns[-1].result is not None):
            self._turns.append(_OpenTurn())
        return self._turns[-1]

    def _container(self, parent: str | None, *, anew_after_result: bool) -> list[StoredEvent | _OpenCall]:
        if parent is None:
            return self._turn(anew_after_result=anew_after_result).items
        owner = self._owner(parent) or self._new(parent, None)
        return owner.thread if owner.depth < MAX_DEPTH else owner.container

    def _new(self, call_id: str, parent: str | None) -> _OpenCall:
        """Begin a call."""
        container = self._container(parent, anew_after_result=True)
        owner = None if parent is None else self._owner(parent)
        depth = 0 if owner is None else min(owner.depth + 1, MAX_DEPTH)
        call = _OpenCall(id=call_id, parent=parent, depth=depth, container=container)
        container.append(call)
        self._calls.setdefault(call_id, []).append(call)
        return call

    def _closed(self, entries: Iterable[StoredEvent | _OpenCall]) -> tuple[Item, ...]:
        return tuple(
            self._closed_call(entry) if isinstance(entry, _OpenCall) else Note(stored=entry) for entry in entries
        )

    def _closed_call(self, call: _OpenCall) -> ToolCall:
        parts = {stored.type: stored for stored in call.events}
        use = parts.get("tool_use") or self._earlier.part(call.id, "tool_use", call.parent)
        result, decision = parts.get("tool_result"), parts.get("permission_decision")
        # A request from before the rows is only used with its decision: its answer may also be from before the rows.
        permission = parts.get("permission") or (decision and self._earlier.part(call.id, "permission", call.parent))
        return ToolCall(
            id=call.id,
            events=tuple(call.events),
            use=use.event if use and isinstance(use.event, ToolUse) else None,
            result=result.event if result and isinstance(result.event, ToolResult) else None,
            permission=permission.event if permission and isinstance(permission.event, Permission) else None,
            decision=decision.event if decision and isinstance(decision.event, PermissionDecision) else None,
            thread=self._closed(call.thread),
            used_at=use.created_at if use else None,
            ended_at=result.created_at if result else None,
        )
