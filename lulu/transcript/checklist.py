"""Read an agent's checklist from its tool calls. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from lulu.model.claude_tools import CHECKLIST_TOOLS
from lulu.model.events import StoredEvent, ToolResult, ToolUse
from lulu.transcript.tool_results import first_text


@dataclass(frozen=True, kw_only=True)
class Item:
    """One item of a checklist."""

    text: str
    #: The text of the item while the agent works on it.
    doing: str
    #: ``pending``, ``in_progress`` or ``completed``. Any other status counts as not done.
    status: str


@dataclass(frozen=True, kw_only=True)
class Checklist:
    """A checklist, with its progress."""

    items: tuple[Item, ...]

    @property
    def done(self) -> int:
        """The number of completed items."""
        return sum(item.status == "completed" for item in self.items)

    @property
    def is_done(self) -> bool:
        """Whether all items are completed."""
        return self.done == len(self.items)

    @property
    def now(self) -> str:
        """The text of the item in progress, or an empty string."""
        return next((item.doing or item.text for item in self.items if item.status == "in_progress"), "")


def of_todos(arguments: Mapping[str, object]) -> Checklist:
    """Return the checklist in a call of TodoWrite."""
    todos = arguments.get("todos")
    entries = [entry for entry in todos if isinstance(entry, Mapping)] if isinstance(todos, list) else []
    return Checklist(items=tuple(_item(entry, "content") for entry in entries))


def _item(entry: Mapping[str, Any], name: str) -> Item:
    return Item(
        text=first_text(entry, name, "subject", "content"),
        doing=first_text(entry, "activeForm"),
        status=first_text(entry, "status") or "pending",
    )


def from_events(rows: Iterable[StoredEvent]) -> Checklist:
    """Return the checklist after these events, oldest first. Sub-agents' lists are ignored."""
    made = _Maker()
    for stored in rows:
        event = stored.event
        if isinstance(event, ToolUse) and event.parent is None:
            made.called(event)
        elif isinstance(event, ToolResult) and event.parent is None:
            made.answered(event)
    return Checklist(items=tuple(made.items.values()))


class _Maker:
    """Follows the calls. A task has no number until its call is answered, so it is kept under the call."""

    def __init__(self) -> None:
        #: By a task's number; before that is known, by ``call`` and the count of calls so far.
        self.items: dict[str | tuple[str, int], Item] = {}
        #: The last call of an id that has made a task. Some providers use ids again.
        self._made: dict[str, tuple[str, int]] = {}
        self._calls = 0
        self._is_of_tasks = True

    def called(self, event: ToolUse) -> None:
        self._calls += 1
        self._made.pop(event.id, None)
        if event.name == "TodoWrite":
            self.items = {str(place): item for place, item in enumerate(of_todos(event.input).items)}
            self._is_of_tasks = False
        elif event.name == "TaskCreate":
            if not self._is_of_tasks or Checklist(items=tuple(self.items.values())).is_done:
                self.items = {}  # the last checklist is complete, so this task begins a new one
            self._is_of_tasks = True
            key = self._made[event.id] = ("call", self._calls)
            self.items[key] = _item(event.input, "subject")
        elif event.name == "TaskUpdate" and self._is_of_tasks:
            self._update(event.input)

    def answered(self, event: ToolResult) -> None:
        task = event.data.get("task") if isinstance(event.data, Mapping) else None
        number = task.get("id") if isinstance(task, Mapping) else None
        made = self._made.get(event.tool_use_id)
        if made not in self.items:
            return
        if event.is_error:
            del self.items[made]
        elif isinstance(number, str):
            self.items = {number if key == made else key: item for key, item in self.items.items()}

    def _update(self, change: Mapping[str, object]) -> None:
        number = str(change.get("taskId") or "")
        item = self.items.get(number)
        if item is None:
            return
        if change.get("status") == "deleted":
            del self.items[number]
            return
        self.items[number] = replace(
            item,
            text=first_text(change, "subject") or item.text,
            doing=first_text(change, "activeForm") or item.doing,
            status=first_text(change, "status") or item.status,
        )


def begins(rows: Iterable[StoredEvent]) -> bool:
    """Whether a checklist may begin in these events."""
    return any(isinstance(stored.event, ToolUse) and stored.event.name in CHECKLIST_TOOLS for stored in rows)
