"""How the demo agent is stopped: interrupts, refusals, queued prompts, crashes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from claude_agent_sdk import (
    CLIConnectionError,
    Message,
    PermissionResultDeny,
    ProcessError,
    StreamEvent,
    TaskNotificationMessage,
    TaskStartedMessage,
    UserMessage,
)

from tests.agent.demo_driver import (
    Driver,
    Requests,
    drive,
    eventually,
    is_state,
    is_tool_use,
    outline,
    result_of,
    results,
    states,
    texts,
    tool_results,
)

TOUR = "The invoice total is one cent off, please fix it"
UUID = "11111111-1111-4111-8111-111111111111"


def test_interrupt_in_a_stream_delivers_the_partial_text() -> None:
    async def stop(driver: Driver) -> list[Message]:
        await driver.send("Stall, please", UUID)
        await driver.until(_streams("is"))
        await driver.client.interrupt()
        return await driver.until_idle()

    messages = drive(stop)

    result = result_of(messages)
    assert texts(messages)[-1].endswith("The first of them is")
    assert outline(messages[-12:]).endswith("text note result")
    assert (result.subtype, result.is_error) == ("error_during_execution", True)
    assert result.terminal_reason == "aborted_streaming"
    assert result.user_message_uuids == [UUID]


def test_interrupt_in_a_tool_rejects_the_call() -> None:
    async def stop(driver: Driver) -> list[Message]:
        await driver.send("Run a slow tool")
        await driver.until(is_state("requires_action"))
        await driver.until(is_state("running"))
        await driver.client.interrupt()
        return await driver.until_idle()

    messages = drive(stop, speed=20)

    [(block, data)] = tool_results(messages)
    assert "stopped while running" in str(block.content)
    assert data == "User rejected tool use"
    assert _last_note(messages) == "[Request interrupted by user for tool use]"
    assert result_of(messages).terminal_reason == "aborted_tools"


def test_interrupt_withdraws_a_pending_request() -> None:
    requests = Requests()

    async def stop(driver: Driver) -> list[Message]:
        await driver.send("Run a slow tool")
        await driver.until(is_state("requires_action"))
        await eventually(lambda: bool(requests.asked))
        await driver.client.interrupt()
        messages = await driver.until_idle()
        await eventually(lambda: requests.cancelled == 1)
        return messages

    messages = drive(stop, decide=requests.decide)

    assert "was rejected" in str(tool_results(messages)[0][0].content)
    assert result_of(messages).terminal_reason == "aborted_tools"
    assert states(messages) == ["running", "requires_action", "running", "idle"]


def test_interrupt_stops_all_subagents() -> None:
    requests = Requests()

    async def stop(driver: Driver) -> list[Message]:
        await driver.send("Use subagents")
        listening = asyncio.ensure_future(driver.until_idle())
        await eventually(lambda: len(requests.asked) == 2)
        await driver.client.interrupt()
        return await listening

    messages = drive(stop, decide=requests.decide)

    assert outline(messages).count("task_notification") == 2
    assert requests.cancelled == 2
    assert result_of(messages).terminal_reason == "aborted_tools"


def test_background_agent_can_be_stopped() -> None:
    async def stop(driver: Driver) -> list[Message]:
        await driver.send("Survey it in the background")
        started = await driver.until(lambda message: isinstance(message, TaskStartedMessage))
        assert isinstance(started, TaskStartedMessage)
        await driver.client.stop_task(started.task_id)
        return await driver.until_idle()

    messages = drive(stop, speed=20)

    ended = [message.status for message in messages if isinstance(message, TaskNotificationMessage)]
    assert ended == ["stopped"]
    assert len(results(messages)) == 1


def test_deny_and_stop_ends_the_turn() -> None:
    requests = Requests()

    async def stop(driver: Driver) -> list[Message]:
        requests.answer(PermissionResultDeny(message="stop it", interrupt=True))
        return await driver.ask(TOUR)

    messages = drive(stop, decide=requests.decide)

    assert [tool_name for tool_name, _, _ in requests.asked] == ["Edit"]
    assert result_of(messages).terminal_reason == "aborted_tools"
    assert _last_note(messages) == "[Request interrupted by user for tool use]"


def test_interrupt_of_an_idle_agent_does_nothing() -> None:
    async def stop(driver: Driver) -> list[Message]:
        await driver.client.interrupt()
        return await driver.ask("/cost")

    assert result_of(drive(stop)).is_error is False


def test_queued_prompt_runs_after_the_first() -> None:
    async def two(driver: Driver) -> list[Message]:
        await driver.send(TOUR, UUID)
        await driver.send("and then?", UUID.replace("1", "2"))
        return await driver.until_idle()

    messages = drive(two)

    assert [result.user_message_uuids for result in results(messages)] == [[UUID], [UUID.replace("1", "2")]]
    assert states(messages)[0] == "running"
    assert states(messages).count("idle") == 1


def test_interrupt_spares_the_queued_prompt() -> None:
    async def stop(driver: Driver) -> list[Message]:
        await driver.send("Stall, please")
        await driver.until(is_tool_use("Bash"))
        await driver.send("/cost")
        await driver.client.interrupt()
        return await driver.until_idle()

    stopped, ran = results(drive(stop))

    assert (stopped.is_error, ran.is_error) == (True, False)


def test_session_goes_on_after_an_interrupt() -> None:
    async def stop(driver: Driver) -> list[Message]:
        await driver.send("Stall, please")
        await driver.until(is_tool_use("Bash"))
        await driver.client.interrupt()
        await driver.until_idle()
        return await driver.ask("and now?")

    assert result_of(drive(stop)).terminal_reason == "completed"


def test_nothing_can_be_sent_to_a_crashed_agent() -> None:
    async def crash(driver: Driver) -> None:
        with pytest.raises(ProcessError):
            await driver.ask("Crash, please")
        with pytest.raises(CLIConnectionError):
            await driver.send("are you there?")

    drive(crash)


@pytest.mark.timing
def test_disconnect_in_mid_turn_is_quick() -> None:
    async def leave(driver: Driver) -> float:
        await driver.send("Stall, please")
        await driver.until(is_tool_use("Bash"))
        began = asyncio.get_running_loop().time()
        await driver.client.disconnect()
        return asyncio.get_running_loop().time() - began

    assert drive(leave) < 3


def _streams(text: str) -> Callable[[Message], bool]:
    return lambda m: isinstance(m, StreamEvent) and m.event.get("delta", {}).get("text", "").strip() == text


def _last_note(messages: list[Message]) -> str:
    notes = [message for message in messages if isinstance(message, UserMessage) and outline([message]) == "note"]
    return str(getattr(notes[-1].content[0], "text", notes[-1].content))
