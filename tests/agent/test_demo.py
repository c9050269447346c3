"""The demo agent, driven by the real ``ClaudeSDKClient`` as the host drives it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, TypeVar

from claude_agent_sdk import (
    AssistantMessage,
    ClaudeAgentOptions,
    ClaudeSDKClient,
    Message,
    PermissionResultAllow,
    PermissionResultDeny,
    ResultMessage,
    StreamEvent,
    SystemMessage,
    TextBlock,
    ThinkingBlock,
    ToolPermissionContext,
    ToolResultBlock,
    ToolUseBlock,
    UserMessage,
)

from lulu.agent.demo import DemoTransport

Decide = Callable[[str, dict[str, Any], ToolPermissionContext], Awaitable[PermissionResultAllow | PermissionResultDeny]]

SECONDS = 10
Seen = TypeVar("Seen")


async def allow(
    tool_name: str, tool_input: dict[str, Any], context: ToolPermissionContext
) -> PermissionResultAllow | PermissionResultDeny:
    return PermissionResultAllow()


async def deny(
    tool_name: str, tool_input: dict[str, Any], context: ToolPermissionContext
) -> PermissionResultAllow | PermissionResultDeny:
    return PermissionResultDeny(message="not today")


class Driver:
    """A client and everything that it received."""

    def __init__(self, client: ClaudeSDKClient) -> None:
        self.client = client
        self.seen: list[Message] = []
        self._messages = client.receive_messages()

    async def send(self, text: str, uuid: str | None = None) -> None:
        async def prompts() -> AsyncIterator[dict[str, Any]]:
            message = {"role": "user", "content": text}
            yield {"type": "user", "message": message, "parent_tool_use_id": None, "uuid": uuid}

        await self.client.query(prompts())

    async def until(self, wanted: Callable[[Message], bool]) -> Message:
        async with asyncio.timeout(SECONDS):
            async for message in self._messages:
                self.seen.append(message)
                if wanted(message):
                    return message
        raise AssertionError("the stream ended before the wanted message")

    async def until_idle(self) -> list[Message]:
        await self.until(is_state("idle"))
        return self.seen

    async def ask(self, text: str) -> list[Message]:
        """Everything that the answer to one prompt consists of."""
        before = len(self.seen)
        await self.send(text)
        return (await self.until_idle())[before:]


def is_state(state: str) -> Callable[[Message], bool]:
    return lambda message: isinstance(message, SystemMessage) and message.data.get("state") == state


def drive(
    scenario: Callable[[Driver], Awaitable[Seen]],
    *,
    decide: Decide | None = allow,
    hooks: Any = None,
    **transport: Any,
) -> Seen:
    """Runs a scenario with a client of its own."""

    async def run() -> Seen:
        options = ClaudeAgentOptions(can_use_tool=decide, hooks=hooks, include_partial_messages=True)
        settings: dict[str, Any] = {"session_id": "s1", "cwd": "/home/ada/shop", "speed": 0, **transport}
        client = ClaudeSDKClient(options, transport=DemoTransport(**settings))
        await client.connect()
        try:
            return await scenario(Driver(client))
        finally:
            await client.disconnect()

    return asyncio.run(run())


def answer_to(prompt: str, **settings: Any) -> list[Message]:
    return drive(lambda driver: driver.ask(prompt), **settings)


def outline(messages: list[Message]) -> list[str]:
    """The messages in few words, without the stream and the states."""
    words: list[str] = []
    for message in messages:
        match message:
            case AssistantMessage():
                words += [_block(block) for block in message.content]
            case UserMessage(content=[ToolResultBlock(is_error=is_error)]):
                words.append("failed" if is_error else "done")
            case UserMessage():
                words.append("note")
            case SystemMessage(subtype="session_state_changed" | "status"):
                pass
            case SystemMessage():
                words.append(message.subtype)
            case ResultMessage():
                words.append("result")
    return words


def _block(block: object) -> str:
    match block:
        case TextBlock():
            return "text"
        case ThinkingBlock():
            return "thinking"
        case ToolUseBlock():
            return block.name
    return type(block).__name__


def result_of(messages: list[Message]) -> ResultMessage:
    [result] = [message for message in messages if isinstance(message, ResultMessage)]
    return result


def test_tour_thinks_reads_fails_edits_and_ends_with_a_table() -> None:
    messages = answer_to("The invoice total is one cent off, please fix it")

    assert outline(messages) == [
        *("init", "thinking", "text", "Read", "Read", "Read", "done", "done", "failed"),
        *("text", "Bash", "done", "text", "Edit", "done", "text", "Bash", "done", "text", "result"),
    ]
    result = result_of(messages)
    assert (result.subtype, result.is_error, result.terminal_reason) == ("success", False, "completed")
    assert "|---|" in (result.result or "")
    assert "```python" in (result.result or "")


def test_story_streams_for_ten_seconds_and_asks_nothing() -> None:
    waited: list[float] = []

    async def note(seconds: float) -> None:
        waited.append(seconds)

    messages = answer_to("Tell me a story", decide=None, speed=1, sleep=note)

    assert outline(messages) == ["init", "text", "result"]
    assert 10 < sum(waited) < 40


def test_stream_events_add_up_to_the_block_that_precedes_their_stop() -> None:
    messages = answer_to("Tell me a story")

    events = [message.event for message in messages if isinstance(message, StreamEvent)]
    deltas = [event["delta"]["text"] for event in events if event["type"] == "content_block_delta"]
    kinds = [message.event["type"] if isinstance(message, StreamEvent) else outline([message]) for message in messages]
    [block] = [message for message in messages if isinstance(message, AssistantMessage)]
    assert isinstance(block.content[0], TextBlock)
    assert "".join(deltas) == block.content[0].text
    assert block.message_id == events[0]["message"]["id"]
    assert kinds.index(["text"]) + 1 == kinds.index("content_block_stop")
