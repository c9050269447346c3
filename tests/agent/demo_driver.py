"""Drives the demo agent through the real ``ClaudeSDKClient``, and reads what it said."""

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

Seen = TypeVar("Seen")
Decision = PermissionResultAllow | PermissionResultDeny
Decide = Callable[[str, dict[str, Any], ToolPermissionContext], Awaitable[Decision]]

#: No scenario takes longer than this.
SECONDS = 60
FOLDER = "/home/ada/shop"


async def allow(tool_name: str, tool_input: dict[str, Any], context: ToolPermissionContext) -> Decision:
    """Approves everything."""
    return PermissionResultAllow()


async def deny(tool_name: str, tool_input: dict[str, Any], context: ToolPermissionContext) -> Decision:
    """Denies everything, with a reason."""
    return PermissionResultDeny(message="not today")


class Requests:
    """A person who answers nothing until told to, and remembers what was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, dict[str, Any], ToolPermissionContext]] = []
        self.cancelled = 0
        self._answer: asyncio.Future[Decision] | None = None

    async def decide(self, tool_name: str, tool_input: dict[str, Any], context: ToolPermissionContext) -> Decision:
        """Waits for ``answer``."""
        self.asked.append((tool_name, tool_input, context))
        self._answer = self._answer or asyncio.get_running_loop().create_future()
        try:
            return await asyncio.shield(self._answer)
        except asyncio.CancelledError:
            self.cancelled += 1
            raise

    def answer(self, decision: Decision) -> None:
        """Answers what was asked, and whatever is asked later."""
        self._answer = self._answer or asyncio.get_running_loop().create_future()
        self._answer.set_result(decision)


class Driver:
    """A client and everything that it received."""

    def __init__(self, client: ClaudeSDKClient) -> None:
        self.client = client
        self.seen: list[Message] = []
        self._messages = client.receive_messages()

    async def send(self, text: str, uuid: str | None = None) -> None:
        """Sends a prompt as the host does, with a uuid of its own."""

        async def prompts() -> AsyncIterator[dict[str, Any]]:
            message = {"role": "user", "content": text}
            yield {"type": "user", "message": message, "parent_tool_use_id": None, "uuid": uuid}

        await self.client.query(prompts())

    async def until(self, wanted: Callable[[Message], bool]) -> Message:
        """The next message that is wanted; all up to it are kept."""
        async with asyncio.timeout(SECONDS):
            async for message in self._messages:
                self.seen.append(message)
                if wanted(message):
                    return message
        raise AssertionError("the stream ended before the wanted message")

    async def until_idle(self) -> list[Message]:
        """Everything so far, once the agent is idle."""
        await self.until(is_state("idle"))
        return self.seen

    async def ask(self, text: str, uuid: str | None = None) -> list[Message]:
        """Everything that the answer to one prompt consists of."""
        before = len(self.seen)
        await self.send(text, uuid)
        return (await self.until_idle())[before:]


async def eventually(holds: Callable[[], bool]) -> None:
    """Waits until something holds."""
    async with asyncio.timeout(SECONDS):
        while not holds():
            await asyncio.sleep(0.005)


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
        settings: dict[str, Any] = {"session_id": "s1", "cwd": FOLDER, "speed": 0, **transport}
        client = ClaudeSDKClient(options, transport=DemoTransport(**settings))
        await client.connect()
        try:
            return await scenario(Driver(client))
        finally:
            await client.disconnect()

    return asyncio.run(run())


def answer_to(prompt: str, **settings: Any) -> list[Message]:
    """All messages of a new session's answer to one prompt."""
    return drive(lambda driver: driver.ask(prompt), **settings)


def is_state(state: str) -> Callable[[Message], bool]:
    """Matches ``session_state_changed`` to this state."""
    return lambda message: isinstance(message, SystemMessage) and message.data.get("state") == state


def is_tool_use(name: str) -> Callable[[Message], bool]:
    """Matches the call of this tool."""
    return lambda message: any(use.name == name for use in tool_uses([message]))


def outline(messages: list[Message]) -> str:
    """The messages in few words, without the stream and the states."""
    words: list[str] = []
    for message in messages:
        match message:
            case AssistantMessage():
                words += [_block(block) for block in message.content] or ["nothing"]
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
            case StreamEvent():
                pass
            case _:
                words.append(type(message).__name__)
    return " ".join(words)


def _block(block: object) -> str:
    match block:
        case TextBlock():
            return "text"
        case ThinkingBlock():
            return "thinking"
        case ToolUseBlock():
            return block.name
    return type(block).__name__


def states(messages: list[Message]) -> list[str]:
    """The states that the session went through."""
    found = [message.data.get("state") for message in messages if isinstance(message, SystemMessage)]
    return [state for state in found if state]


def texts(messages: list[Message]) -> list[str]:
    """The text blocks."""
    blocks = [block for message in messages if isinstance(message, AssistantMessage) for block in message.content]
    return [block.text for block in blocks if isinstance(block, TextBlock)]


def tool_uses(messages: list[Message]) -> list[ToolUseBlock]:
    """The calls."""
    blocks = [block for message in messages if isinstance(message, AssistantMessage) for block in message.content]
    return [block for block in blocks if isinstance(block, ToolUseBlock)]


def tool_results(messages: list[Message]) -> list[tuple[ToolResultBlock, Any]]:
    """The tools' answers: block and structured result."""
    return [
        (block, message.tool_use_result)
        for message in messages
        if isinstance(message, UserMessage)
        for block in message.content
        if isinstance(block, ToolResultBlock)
    ]


def results(messages: list[Message]) -> list[ResultMessage]:
    """The ends of turns."""
    return [message for message in messages if isinstance(message, ResultMessage)]


def result_of(messages: list[Message]) -> ResultMessage:
    """The end of the one turn there was."""
    [result] = results(messages)
    return result
