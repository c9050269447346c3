"""Draws turns: one function for each event type, in a registry. Unknown types are drawn raw."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, TypeVar, cast

import streamlit as st

from lulu.errors import LuluError
from lulu.model import events
from lulu.model.events import StoredEvent
from lulu.text.labels import BLOCK_LIMIT, safe_label, safe_markdown
from lulu.text.plain import plain
from lulu.transcript import tool_results
from lulu.transcript import turns as transcript
from lulu.transcript.tool_calls import events_of
from lulu.transcript.turns import Item, Note, Retries, Run, ToolCall, Turn
from lulu.ui import alerts, formats
from lulu.ui.content import attachments, blocks, images
from lulu.ui.state import is_unfolded, state
from lulu.ui.styles import MARKED
from lulu.ui.tools import line as tools
from lulu.ui.tools import look_of
from lulu.ui.transcript import copy_menu, sources, system_events

if TYPE_CHECKING:
    from streamlit.elements.lib.mutable_expander_container import ExpanderContainer

Renderer = Callable[[StoredEvent], None]
E = TypeVar("E", bound=events.Event)

RENDERERS: dict[str, Renderer] = {}


def renderer(kind: type[E]) -> Callable[[Callable[[E, StoredEvent], None]], Callable[[E, StoredEvent], None]]:
    """Register the decorated function for one event type; its arguments are the event and its row."""

    def register(draw: Callable[[E, StoredEvent], None]) -> Callable[[E, StoredEvent], None]:
        # By the type's name: Streamlit may have reloaded the class since the event was made.
        RENDERERS[kind.type] = lambda stored: draw(cast(E, stored.event), stored)
        return draw

    return register


def show_turns(
    shown: Iterable[Turn],
    *,
    live: bool = False,
    marked: int | None = None,
    after: Callable[[Turn], None] | None = None,
    writing: Callable[[], None] | None = None,
) -> None:
    """Draw turns. With ``live``, the last one is not over; ``marked`` is the id of the event to mark.

    ``after`` draws the end of each turn. ``writing`` draws the live text in the same place as its later event, so that
    one replaces the other in one step.
    """
    turns = list(shown)
    is_written_alone = writing is not None and (not turns or turns[-1].is_over)
    for turn in turns:
        is_last = turn is turns[-1]
        written = writing if is_last and not is_written_alone else None
        # A container of its own: an element at the end of a turn moves no other turn.
        with st.container():
            show_turn(turn, live=live and is_last, marked=marked, writing=written)
            if after is not None:
                after(turn)
    if writing is not None and is_written_alone:
        with st.chat_message("assistant"):
            writing()


def show_turn(
    turn: Turn, *, live: bool = False, marked: int | None = None, writing: Callable[[], None] | None = None
) -> None:
    """Draw a prompt, all events that answer it, and the live text."""
    if turn.prompt:
        with _mark(turn.prompt.id == marked):
            show_event(turn.prompt)
    if turn.items or turn.result or writing:
        with st.chat_message("assistant"):
            show_items(turn.items, live=live, marked=marked)
            if turn.result:
                with _mark(turn.result.id == marked):
                    show_end(turn.result, turn.items)
            if writing:
                writing()


def show_items(items: Iterable[Item], *, live: bool = False, marked: int | None = None) -> None:
    """Draw the items of a turn or of a sub-agent's thread; calls in a row share one line."""
    shown = transcript.runs(items)
    for item in shown:
        if isinstance(item, Retries):
            show_retries(item, marked=marked)
        elif isinstance(item, Run) and not (live and item is shown[-1]):
            show_run(item, marked=marked)
        else:
            # The last run of calls in a live turn still grows, so its calls are drawn one by one.
            for part in item.items if isinstance(item, Run) else (item,):
                show_item(part, live=live, marked=marked)


def show_item(item: Item, *, live: bool = False, marked: int | None = None) -> None:
    """Draw one event or call."""
    if isinstance(item, Note):
        with _mark(item.stored.id == marked):
            show_event(item.stored)
    else:
        with _mark(_holds([item], marked)):
            show_call(item, live=live, marked=marked)


def show_run(run: Run, *, marked: int | None = None) -> None:
    """Draw several calls in one line with names and counts; unfolded if one has failed."""
    # An unfolded call must stay visible when its row is folded.
    if any(isinstance(item, ToolCall) and is_unfolded(_call_fold(item, False)) for item in run.items):
        state().unfolded.add(run.key)
    is_open = any(tools.is_open(call) for call in run.calls) or _holds(run.items, marked) or run.key in state().unfolded
    key = f"run_{run.key}_open" if is_open else f"run_{run.key}"
    opened = fold(tools.run_label(run), key=key, icon=":material/build:", is_open=is_open)
    if opened.open:
        with opened:
            for item in run.items:
                show_item(item, marked=marked)


def show_retries(retries: Retries, *, marked: int | None = None) -> None:
    """Draw several tries of one request in one line."""
    is_open = _holds(retries.items, marked)
    line = system_events.retried(retries.last.event, len(retries.items))
    opened = fold(f":gray[{line}]", key=f"retries_{retries.key}", icon=":material/settings:", is_open=is_open)
    if opened.open:
        with opened:
            for item in retries.items:
                show_item(item, marked=marked)


def _holds(items: Iterable[Item], event_id: int | None) -> bool:
    return event_id is not None and any(stored.id == event_id for stored in events_of(items))


def _mark(is_marked: bool) -> AbstractContextManager[object]:
    return st.container(key=MARKED) if is_marked else nullcontext()


def show_event(stored: StoredEvent) -> None:
    """Draw one event on its own."""
    if isinstance(stored.event, events.Unknown):
        unknown(stored)
    else:
        RENDERERS.get(stored.type, unknown)(stored)


def show_end(stored: StoredEvent, items: Iterable[Item]) -> None:
    """Draw the end of a turn, with the reason of a failure unless an error in these items has it."""
    event = stored.event
    notes = [item.stored.event for item in items if isinstance(item, Note)]
    told = {note.message.strip() for note in notes if isinstance(note, events.Error)}
    if isinstance(event, events.Result) and told and (event.result or "").strip() in {"", *told}:
        show_figures(event, stored)
    else:
        show_event(stored)


def show_call(call: ToolCall, *, live: bool = False, marked: int | None = None) -> None:
    """Draw a tool call in an expander; unfolded if it has failed."""
    # Another key after a failure, so that it unfolds once. With the same key it would stay as it is.
    is_open = tools.is_open(call) or _holds([call], marked)
    with st.container(key=f"line_{call.key}"):
        opened = fold(tools.label(call), key=_call_fold(call, is_open), icon=tools.icon(call), is_open=is_open)
        if outcome := tools.outcome(call, live=live):
            with st.container(key=f"outcome_{'long_' if tools.is_long(outcome) else ''}{call.key}"):
                st.caption(outcome)
    if not opened.open:
        return
    with opened:
        look = look_of(call.name)
        look.body(call)
        tools.show_permission(call)
        if call.thread:
            with st.container(key=f"thread_{call.key}"):
                show_items(call.thread, live=live, marked=marked)
        if look.ending is not None:
            look.ending(call)
        show_machinery(call)
        copy_menu.show_call(list(events_of([call])))


def show_machinery(call: ToolCall) -> None:
    """Draw the system events about a call, folded into one line."""
    said = tool_results.machinery(call)
    if not said:
        return
    opened = fold(f":gray[{system_events.line(said[-1])}]", key=f"machinery_{call.key}", icon=":material/settings:")
    if opened.open:
        with opened:
            told = [{"subtype": event.subtype, **(event.data or {})} for event in said]
            blocks.code(tool_results.as_json(told), key=f"machinery_data_{call.key}", language="json")


def _call_fold(call: ToolCall, is_open: bool) -> str:
    return f"call_{call.key}_open" if is_open else f"call_{call.key}"


def fold(label: str, *, key: str, icon: str, is_open: bool = False) -> ExpanderContainer:
    """Return an expander. Its content is drawn only while it is open, to keep long transcripts fast."""
    if state().opens_all and not is_open:
        key, is_open = f"{key}_all", True
    return st.expander(label, key=key, icon=icon, expanded=is_open, type="compact", on_change="rerun")


# -- one function for each event type --------------------------------------------------------------------------------


@renderer(events.User)
def user(event: events.User, stored: StoredEvent) -> None:
    """Draw a prompt as it was typed."""
    with st.chat_message("user"):
        # The key identifies the prompt for the scroll position and for the list of turns.
        with st.container(key=f"at_{stored.id}", horizontal=True, wrap=False):
            # A character has at most four bytes. A prompt that may be cut gets its own container for "Show all".
            with st.container() if len(event.text) > BLOCK_LIMIT // 4 else nullcontext():
                prompt(event.text, key=f"prompt_{stored.id}")
            st.text(formats.clock(stored.created_at), width="content")
        if event.attachments:
            attachments.show(event.attachments, key=str(stored.id))


@renderer(events.Text)
def text(event: events.Text, stored: StoredEvent) -> None:
    """Draw a block of an answer as markdown. Output of a slash command is code, unless it is markdown."""
    is_markdown = not event.printed or _MARKDOWN_LINE.search(event.content) is not None
    if is_markdown:
        shown = blocks.shown_part(event.content, key=f"text_{stored.id}")
        st.markdown(safe_markdown(shown, line_breaks=event.printed))
    else:
        blocks.code(event.content, key=f"text_{stored.id}")
    sources.show(event)
    if event.partial:
        st.caption("Stopped here.")


#: A heading, or the line below a table's head.
_MARKDOWN_LINE = re.compile(r"^(?:#{1,6} |\|[ :|-]{3,}$)", re.MULTILINE)


@renderer(events.Thinking)
def thinking(event: events.Thinking, stored: StoredEvent) -> None:
    """Draw thinking in an expander."""
    opened = fold(":gray[Thinking]", key=f"thinking_{stored.id}", icon=":material/psychology:")
    if opened.open:
        with opened:
            st.markdown(safe_markdown(blocks.shown_part(event.content, key=f"thought_{stored.id}")))


@renderer(events.System)
def system(event: events.System, stored: StoredEvent) -> None:
    """Draw a system event in an expander. A picture that the model made is drawn itself."""
    if event.subtype == "image":
        images.show_block(event.data)
        return
    opened = fold(f":gray[{system_events.line(event)}]", key=f"system_{stored.id}", icon=":material/settings:")
    if opened.open:
        with opened:
            if text := system_events.text_of(event):
                blocks.code(text, key=f"system_text_{stored.id}")
            else:
                blocks.code(tool_results.as_json(event.data or {}), key=f"system_data_{stored.id}", language="json")


@renderer(events.Result)
def result(event: events.Result, stored: StoredEvent) -> None:
    """Draw the end of a turn: its outcome and its figures."""
    if event.is_error and not _was_stopped(event):
        st.error(f"**{_ENDINGS.get(event.terminal_reason or '', 'The turn failed.')}**", icon=":material/error:")
        if event.result:
            blocks.code(event.result, key=f"turn_result_{stored.id}")
    show_figures(event, stored)


def show_figures(event: events.Result, stored: StoredEvent) -> None:
    """Draw how a turn ended, with its duration, steps, tokens and cost, in small print."""
    if event.terminal_reason == _CUT_OFF:
        st.caption("Stopped here.")
    st.caption(
        formats.line(
            _stop_word(event),
            formats.clock(stored.created_at),
            _took(event),
            formats.plural(event.num_turns, "step") if event.num_turns else "",
            _STOPS.get(event.stop_reason or "end_turn", safe_label(event.stop_reason or "")),
            formats.plural(len(denied), "call") + " not allowed" if (denied := event.permission_denials) else "",
            formats.tokens(event.usage),
            formats.money(event.cost_usd) if event.cost_usd is not None else "",
        )
    )


@renderer(events.Error)
def error(event: events.Error, stored: StoredEvent) -> None:
    """Draw an error with the next step, and its details in an expander."""
    safe = "Everything else is stored." if event.code == events.NOT_SAVED else "Everything up to here is stored."
    alerts.show(LuluError(event.message, safe=safe, next_step=event.next_step or _NEXT_STEP))
    details = "\n".join(part for part in (event.code, event.detail) if part)
    if details:
        opened = fold(":gray[Details]", key=f"error_{stored.id}", icon=":material/data_object:")
        if opened.open:
            with opened:
                blocks.code(details, key=f"detail_{stored.id}")


def part_of_a_call(event: events.Event, stored: StoredEvent) -> None:
    """Draw a single row of a tool call as a call, as far as that row allows."""
    for turn in transcript.turns([stored]):
        show_items(turn.items)


for _kind in (events.ToolUse, events.ToolResult, events.Permission, events.PermissionDecision):
    renderer(_kind)(part_of_a_call)


def unknown(stored: StoredEvent) -> None:
    """Draw an event that this version cannot read: its type and its stored payload."""
    label = f":gray[unknown event {formats.code(stored.type, 40)}]"
    opened = fold(label, key=f"unknown_{stored.id}", icon=":material/help:")
    if opened.open:
        with opened:
            blocks.code(stored.raw, key=f"raw_{stored.id}")


def prompt(typed: str, *, key: str) -> None:
    """Draw a prompt as it was typed, without any markup."""
    st.text(blocks.shown_part(typed, key=key, form=plain), width="stretch")


#: The outcome of a failed turn, by ``terminal_reason``.
_ENDINGS: dict[str, str] = {
    "api_error": "The API answered with an error.",
    "max_turns": "The turn reached its limit of steps.",
    "budget_exhausted": "The session reached its budget.",
    "prompt_too_long": "The conversation is longer than the model can read.",
    "image_error": "A picture could not be read.",
    "model_error": "The model failed.",
}

#: Reasons why the model stopped early. An unknown reason is drawn as it is.
_STOPS: dict[str, str] = {
    **dict.fromkeys(("end_turn", "tool_use", "stop_sequence"), ""),
    "refusal": ":orange[The model refused to answer]",
    "max_tokens": ":orange[Cut off: the answer had reached the longest length]",
    "model_context_window_exceeded": ":orange[Cut off: the context was full]",
    "pause_turn": ":orange[The API paused the turn; send a prompt to go on]",
}

#: The ``terminal_reason`` of a turn that was stopped while the agent was writing.
_CUT_OFF = "aborted_streaming"
_NEXT_STEP = "Send a prompt to go on from here."


def _stop_word(event: events.Result) -> str:
    if "hook" in (event.terminal_reason or ""):
        return ":orange[Stopped by a hook]"
    return ":orange[Stopped]" if _was_stopped(event) else ""


def _took(event: events.Result) -> str:
    if event.duration_ms is None:
        return ""
    return formats.took(event.duration_ms - (event.waited_ms or 0), event.waited_ms)


def _was_stopped(event: events.Result) -> bool:
    return (event.terminal_reason or "").startswith(("aborted", "hook_stopped", "stop_hook"))
