"""Collect the main agent's block from its stream. Text on the page always ends in an event."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from lulu.model.events import Event, Text, Thinking

#: Kinds of deltas with text, and its key.
_TEXT_IN = {"text_delta": "text", "thinking_delta": "thinking"}


@dataclass(frozen=True, kw_only=True)
class LiveBlock:
    """The block that is being written, with its text so far."""

    message_id: str | None
    #: ``text`` or ``thinking``.
    kind: str
    text: str


@dataclass(frozen=True, kw_only=True)
class Ended:
    """The remains of a block that ends."""

    #: The text that no finished block has, as partial events.
    cut_off: list[Event] = field(default_factory=list)
    #: Whether the page has to remove live text.
    had_text: bool = False


class BlockWriter:
    """Follows the stream of the main agent's messages."""

    def __init__(self) -> None:
        self._message_id: str | None = None
        self._block: LiveBlock | None = None
        self._citations: list[Any] = []
        #: The text of a failed try. It stays on the page until the next try has as much text, or other text.
        self._failed_try: LiveBlock | None = None
        self._is_retried = False

    def begin_message(self, message_id: str | None) -> Ended:
        """Begin another message. It replaces the text of a failed try, or follows a text that was cut off."""
        self._message_id = message_id
        if self._is_retried and self._block is not None and self._block.text.strip():
            self._failed_try, self._block, self._is_retried = self._block, None, False
            return Ended()
        self._is_retried = False
        return self.end()

    def begin_block(self, kind: str, text: str) -> Ended:
        """Begin a block of the message, with its first text."""
        ended = Ended() if self._failed_try is not None and self._block is None else self.end()
        if kind in (Text.type, Thinking.type):
            self._block = LiveBlock(message_id=self._message_id, kind=kind, text=text)
        return ended

    def grow(self, delta: dict[str, Any]) -> tuple[LiveBlock | None, Ended]:
        """Add text. Return the block if the page has to show it, and the remains of a text that it replaces."""
        if delta["type"] == "citations_delta" and self._block is not None:
            self._citations.append(delta["citation"])
        more = delta.get(_TEXT_IN.get(delta["type"], ""))
        block = self._block
        if block is None or not isinstance(more, str) or not more:
            return None, Ended()
        block = self._block = LiveBlock(message_id=block.message_id, kind=block.kind, text=block.text + more)
        failed = self._failed_try
        if failed is None or (failed.kind == block.kind and block.text.startswith(failed.text)):
            self._failed_try = None
            return block, Ended()
        if failed.kind == block.kind and failed.text.startswith(block.text):
            return None, Ended()
        # The next delta shows the new block. Now the old text becomes an event.
        self._failed_try = None
        return None, Ended(cut_off=[_partial(failed)], had_text=True)

    def retry(self) -> None:
        """Note that the API is asked again: the message may come again from its start."""
        self._is_retried = True

    def end(self, finished: Iterable[Event] = ()) -> Ended:
        """End the block. Text on the page that is in no ``finished`` event becomes a partial event.

        An interrupt delivers the text so far, but not the thinking (measured with CLI 2.1.330).
        """
        shown = [one for one in (self._failed_try, self._block) if one is not None and one.text.strip()]
        told = [event for event in finished if isinstance(event, Text | Thinking)]
        lost = [one for one in shown if not any(_has(event, one) for event in told)]
        cut_off = [_partial(one, self._citations if one is self._block else []) for one in lost]
        self._failed_try = self._block = None
        self._citations = []
        return Ended(cut_off=cut_off, had_text=bool(shown))


def _has(event: Text | Thinking, block: LiveBlock) -> bool:
    """Whether a finished block begins with the text on the page, ignoring blanks around it."""
    return event.type == block.kind and event.content.strip().startswith(block.text.strip())


def _partial(block: LiveBlock, citations: list[Any] | None = None) -> Event:
    if block.kind == Thinking.type:
        return Thinking(content=block.text, message_id=block.message_id, partial=True)
    return Text(content=block.text, message_id=block.message_id, partial=True, citations=citations or None)
