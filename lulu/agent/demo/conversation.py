"""The demo agent's state between turns: its identity, permissions, context and cost."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from lulu.agent.demo import frames
from lulu.agent.demo.permissions import Permissions

#: The model's name if none was chosen.
DEFAULT_MODEL = "demo"
#: Invented prices, in US dollars per token, in the usual proportions.
_PRICES = {"input": 4e-6, "output": 20e-6, "cache_read": 0.4e-6, "cache_creation": 5e-6}
_CONTEXT_WINDOW = 200_000
_MAX_OUTPUT = 32_000
_SYSTEM_PROMPT_TOKENS = 14_200
_TOKENS_A_TURN = 2_600


class Conversation:
    """One session, from the agent's side."""

    def __init__(
        self,
        *,
        session_id: str,
        cwd: str,
        model: str | None,
        permission_mode: str,
        may_bypass: bool,
        earlier_turns: int,
        earlier_cost_usd: float,
    ) -> None:
        self.session_id = session_id
        self.cwd = cwd
        self.model = model or DEFAULT_MODEL
        self.permissions = Permissions(permission_mode)
        #: Whether ``bypassPermissions`` may be switched on: only if the session was launched with it.
        self.may_bypass = may_bypass or permission_mode == "bypassPermissions"
        #: The hooks of ``initialize``: event → matchers with their callback ids.
        self.hooks: Mapping[str, Any] = {}
        #: The number of answered prompts, including earlier processes.
        self.turns = earlier_turns
        self.total_cost_usd = earlier_cost_usd
        #: The number of permission requests without an answer.
        self.open_requests = 0
        self._model_usage: dict[str, dict[str, Any]] = {}
        self._context = _SYSTEM_PROMPT_TOKENS + _TOKENS_A_TURN * earlier_turns
        self._cached = 0
        if earlier_cost_usd:
            self._of_model(self.model)["costUSD"] = earlier_cost_usd

    def clear(self) -> None:
        """Run ``/clear``: a new session id, an empty context, and costs from zero."""
        self.session_id = frames.new_uuid()
        self.turns = 0
        self.total_cost_usd = 0.0
        self._model_usage = {}
        self._context, self._cached = _SYSTEM_PROMPT_TOKENS, 0

    def compact(self) -> tuple[int, int]:
        """Run ``/compact``. Return the context before and after, in tokens."""
        before = self._context
        self._context, self._cached = min(before, _SYSTEM_PROMPT_TOKENS + 900), 0
        return before, self._context

    @property
    def context_tokens(self) -> int:
        """The tokens of the next model call."""
        return self._context

    @property
    def context_window(self) -> int:
        """The size of the model's context, in tokens."""
        return _CONTEXT_WINDOW

    def read(self, content: object) -> None:
        """Add a text to the model's context: a prompt, or a tool's answer."""
        text = content if isinstance(content, str) else json.dumps(content, default=str)
        self._context = min(self._context + tokens(text), _CONTEXT_WINDOW - _MAX_OUTPUT)

    def opening_usage(self) -> dict[str, int]:
        """Return the usage at the start of a message."""
        return {
            "input_tokens": 4,
            "cache_creation_input_tokens": self._context - self._cached,
            "cache_read_input_tokens": self._cached,
            "output_tokens": 1,
        }

    def bill(self, opening: Mapping[str, int], written: str) -> dict[str, int]:
        """Add the cost of one model call, and return its final usage."""
        usage = {**opening, "output_tokens": tokens(written)}
        self._book(usage)
        self._cached = self._context
        self.read(written)
        return usage

    def bill_aside(self, *, read: int, written: str) -> int:
        """Add the cost of a sub-agent's model call, with a context of its own. Return its tokens."""
        usage = {
            "input_tokens": 4,
            "cache_creation_input_tokens": read,
            "cache_read_input_tokens": 0,
            "output_tokens": tokens(written),
        }
        self._book(usage)
        return sum(usage.values())

    def _book(self, usage: Mapping[str, int]) -> None:
        cost = (
            usage["input_tokens"] * _PRICES["input"]
            + usage["output_tokens"] * _PRICES["output"]
            + usage["cache_read_input_tokens"] * _PRICES["cache_read"]
            + usage["cache_creation_input_tokens"] * _PRICES["cache_creation"]
        )
        self.total_cost_usd += cost
        entry = self._of_model(self.model)
        entry["inputTokens"] += usage["input_tokens"]
        entry["outputTokens"] += usage["output_tokens"]
        entry["cacheReadInputTokens"] += usage["cache_read_input_tokens"]
        entry["cacheCreationInputTokens"] += usage["cache_creation_input_tokens"]
        entry["costUSD"] += cost

    def model_usage(self) -> dict[str, dict[str, Any]]:
        """Return cumulative figures by model, as in the result."""
        return {model: dict(entry) for model, entry in self._model_usage.items()}

    def _of_model(self, model: str) -> dict[str, Any]:
        return self._model_usage.setdefault(
            model,
            {
                "inputTokens": 0,
                "outputTokens": 0,
                "cacheReadInputTokens": 0,
                "cacheCreationInputTokens": 0,
                "webSearchRequests": 0,
                "costUSD": 0.0,
                "contextWindow": _CONTEXT_WINDOW,
                "maxOutputTokens": _MAX_OUTPUT,
            },
        )


def tokens(text: str) -> int:
    """Return the approximate number of tokens of a text."""
    return max(1, len(text) // 4)
