"""The agent's checklist: one panel above the prompt box, as the last TodoWrite, TaskCreate or TaskUpdate left it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import streamlit as st

from lulu.model.events import StoredEvent, ToolResult, ToolUse, User
from lulu.model.sessions import SessionId
from lulu.runtime import Runtime
from lulu.store import row_topic
from lulu.text.labels import safe_label
from lulu.transcript.tool_results import first_text
from lulu.ui import alerts, formats, identity
from lulu.ui.browser.doorbell import bell
from lulu.ui.styles import CHECKLIST

#: The tools that write a list.
_TOOLS = frozenset({"TodoWrite", "TaskCreate", "TaskUpdate"})
#: Items that are drawn; an agent's list is seldom longer than ten.
_MOST = 500
#: Characters of an item that are shown.
_LIMIT = 300

_MARKS = {
    "completed": ":green[:material/check_circle:]",
    "in_progress": ":yellow[:material/arrow_circle_right:]",
}
_OPEN_MARK = ":gray[:material/radio_button_unchecked:]"


@dataclass(frozen=True, kw_only=True)
class Item:
    """One thing to do."""

    text: str
    #: What it is called while it is done.
    doing: str
    #: ``pending``, ``in_progress``, ``completed``; what else an agent writes counts as not done.
    status: str


@dataclass(frozen=True, kw_only=True)
class Checklist:
    """A list of things to do, and how far it is."""

    items: tuple[Item, ...]

    @property
    def done(self) -> int:
        """How many are done."""
        return sum(item.status == "completed" for item in self.items)

    @property
    def is_done(self) -> bool:
        """Whether nothing is left to do."""
        return self.done == len(self.items)

    @property
    def now(self) -> str:
        """What is being done; nothing between two items."""
        return next((item.doing or item.text for item in self.items if item.status == "in_progress"), "")


def of_todos(arguments: Mapping[str, object]) -> Checklist:
    """The list that a TodoWrite writes."""
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
    """The list as these events leave it, oldest first; that of the agent itself, not of its sub-agents."""
    made = _Maker()
    for stored in rows:
        event = stored.event
        if isinstance(event, ToolUse) and event.parent is None:
            made.called(event)
        elif isinstance(event, ToolResult) and event.parent is None:
            made.answered(event)
    return Checklist(items=tuple(made.items.values()))


class _Maker:
    """Follows the calls. A task is known by the call that made it until its answer tells its number."""

    def __init__(self) -> None:
        #: By a task's number, or ``call`` and how many calls came before, until its answer tells the number.
        self.items: dict[str | tuple[str, int], Item] = {}
        #: The last call of an id that has made a task: ids are used again by some providers.
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
                self.items = {}  # the last list is over
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


def progress(checklist: Checklist) -> str:
    """``2 of 5 · Rounding the tax once``."""
    now = safe_label(checklist.now)
    return formats.line(f"{checklist.done} of {len(checklist.items)} done", now)


def show_items(checklist: Checklist) -> None:
    """Draw the list itself."""
    lines = [_line(item) for item in checklist.items[:_MOST]]
    if len(checklist.items) > _MOST:
        lines.append(f":gray[and {len(checklist.items) - _MOST} more]")
    st.markdown("  \n".join(lines))


def _line(item: Item) -> str:
    text = safe_label(item.text, _LIMIT) or "—"
    words = f":gray[{text}]" if item.status == "completed" else text
    return f"{_MARKS.get(item.status, _OPEN_MARK)} {f'**{words}**' if item.status == 'in_progress' else words}"


def is_kept(lulu: Runtime, session_id: SessionId) -> bool:
    """Whether the agent keeps a list: where it does not, nothing is drawn that waits for one."""
    return bool(lulu.store.checklist_events(session_id))


def begins(rows: Iterable[StoredEvent]) -> bool:
    """Whether a list may begin in these events."""
    return any(isinstance(stored.event, ToolUse) and stored.event.name in _TOOLS for stored in rows)


@st.fragment
@alerts.told
@identity.owner_only
def show(lulu: Runtime, session_id: SessionId) -> None:
    """Draw the panel, where there is a list: open while it is worked on, folded when it is done.

    A list that was done before the last prompt is not shown any more.
    """
    with st.container(key=CHECKLIST):
        topic = row_topic(session_id)
        bell(topic, seen=lulu.store.bus.version(topic), key=f"checklist_{session_id}")
        rows = lulu.store.checklist_events(session_id)
        checklist = from_events(rows)
        if not checklist.items:
            return
        if checklist.is_done and _is_of_the_past(lulu, session_id, rows[-1]):
            return
        # Folded by itself when the last item is done: another fold, for a keyed one keeps what the reader chose.
        state = "done" if checklist.is_done else "open"
        fold = st.expander(
            "Checklist",
            key=f"checklist_{state}_{session_id}",
            icon=":material/checklist:",
            expanded=not checklist.is_done and lulu.store.get_session(session_id).is_live,
            type="compact",
            on_change="rerun",
        )
        with st.container(key="checklist_progress"):
            st.caption(progress(checklist))
        if fold.open:
            with fold:
                show_items(checklist)


def _is_of_the_past(lulu: Runtime, session_id: SessionId, last: StoredEvent) -> bool:
    prompt = lulu.store.last_event(session_id, User.type)
    return prompt is not None and prompt.id > last.id
