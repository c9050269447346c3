"""What each script of the demo agent plays, message by message."""

from __future__ import annotations

import asyncio
import base64
import re
from decimal import Decimal
from typing import Any

import pytest
from claude_agent_sdk import (
    AssistantMessage,
    ConversationResetMessage,
    Message,
    PermissionResultAllow,
    ProcessError,
    StreamEvent,
    SystemMessage,
    TaskNotificationMessage,
    TaskStartedMessage,
    UserMessage,
)

from lulu.agent.demo import DemoTransport, project, scripts
from lulu.agent.demo.blocks import pieces
from tests.agent.demo_driver import (
    FOLDER,
    Driver,
    Requests,
    allow,
    answer_to,
    deny,
    drive,
    eventually,
    outline,
    result_of,
    results,
    states,
    texts,
    tool_results,
    tool_uses,
)

TOUR = "The invoice total is one cent off, please fix it"

OUTLINES = {
    "tour": "init thinking text Read Read Read done done failed text Bash done "
    "text Edit done text Bash done text result",
    "story": "init text result",
    "question": "init thinking text AskUserQuestion done text result",
    "plan": "init text Read done text ExitPlanMode done Edit done text result",
    "todo": "init thinking text TaskCreate TaskCreate TaskCreate done done done TaskUpdate done Read done "
    "TaskUpdate TaskUpdate done done text TodoWrite done text result",
    "web": "init thinking text WebSearch done WebFetch done text result",
    "image": "init text Read done text result",
    "big": "init text Bash done text result",
    "slow": "init text Bash task_started task_updated done text result",
    "error": "init text Read done api_retry api_retry api_retry api_retry text result",
    "unknown": "init hologram_ready text nothing Telescope done text result",
    "echo": "init Bash done text result",
}


@pytest.mark.parametrize("name", OUTLINES)
def test_script_plays_its_messages_in_order(name: str) -> None:
    [script] = [script for script in scripts() if script.name == name]

    messages = answer_to(script.example)

    assert outline(messages) == OUTLINES[name]
    assert (states(messages)[0], states(messages)[-1]) == ("running", "idle")


@pytest.mark.parametrize("script", scripts(), ids=lambda script: script.name)
def test_example_of_a_script_picks_it_and_uses_a_tool(script: Any) -> None:
    async def first_tool(driver: Driver) -> bool:
        await driver.send(script.example)
        try:
            await driver.until(lambda message: bool(tool_uses([message])) or bool(results([message])))
        except ProcessError:
            return False
        return bool(tool_uses(driver.seen))

    assert script.name == "tour" or re.search(script.words, script.example, re.IGNORECASE)
    assert drive(first_tool) is (script.name != "story")


def test_tour_ends_with_a_table_and_a_code_block() -> None:
    result = result_of(answer_to(TOUR))

    assert (result.subtype, result.is_error, result.terminal_reason) == ("success", False, "completed")
    assert "|---|" in (result.result or "")
    assert "```python" in (result.result or "")
    assert result.num_turns == 5


def test_tour_uses_paths_of_the_session_and_writes_a_diff() -> None:
    messages = answer_to(TOUR)

    [edit] = [data for _, data in tool_results(messages) if isinstance(data, dict) and "structuredPatch" in data]
    assert edit["filePath"] == f"{FOLDER}/billing/invoice.py"
    [hunk] = edit["structuredPatch"]
    removed = [line for line in hunk["lines"] if line.startswith("-")]
    added = [line for line in hunk["lines"] if line.startswith("+")]
    assert (len(removed), len(added)) == (5, 3)
    assert hunk["oldLines"] == len(hunk["lines"]) - len(added)
    assert hunk["newLines"] == len(hunk["lines"]) - len(removed)


def test_bug_of_the_invented_project_is_a_real_one() -> None:
    def total_of_stickers(source: str) -> Decimal:
        module: dict[str, Any] = {"__name__": __name__}
        exec(source, module)
        total = module["total"]([module["Line"](colour, 1, Decimal("0.99")) for colour in ("red", "green", "blue")])
        assert isinstance(total, Decimal)
        return total

    assert total_of_stickers(project.INVOICE) == Decimal("3.54")
    assert total_of_stickers(project.INVOICE.replace(project.FAULT, project.FIX)) == Decimal("3.53")


def test_story_streams_for_more_than_ten_seconds() -> None:
    waited: list[float] = []

    async def note(seconds: float) -> None:
        waited.append(seconds)

    answer_to("Tell me a story", decide=None, speed=1, sleep=note)

    assert 10 < sum(waited) < 40


def test_speed_divides_every_pause() -> None:
    def waited_at(speed: float) -> float:
        waited: list[float] = []

        async def note(seconds: float) -> None:
            waited.append(seconds)

        answer_to("Tell me a story", speed=speed, sleep=note)
        return sum(waited)

    assert waited_at(4) == pytest.approx(waited_at(1) / 4)
    assert waited_at(0) == 0


def test_deltas_add_up_to_the_block_that_comes_before_its_stop() -> None:
    messages = answer_to("Tell me a story")

    events = [message.event for message in messages if isinstance(message, StreamEvent)]
    deltas = [event["delta"]["text"] for event in events if event["type"] == "content_block_delta"]
    kinds = [message.event["type"] if isinstance(message, StreamEvent) else outline([message]) for message in messages]
    [block] = [message for message in messages if isinstance(message, AssistantMessage)]
    assert "".join(deltas) == texts(messages)[0]
    assert block.message_id == events[0]["message"]["id"]
    assert kinds.index("text") + 1 == kinds.index("content_block_stop")


@pytest.mark.parametrize("text", ["", " ", "one", "a b  c\n\n d\te ", "\n- x\n- y\n", "é" * 300 + " 🙂 \u2028 end"])
def test_pieces_join_to_the_text(text: str) -> None:
    assert "".join(pieces(text)) == text


def test_subagents_ask_at_the_same_time_and_report_under_their_calls() -> None:
    requests = Requests()

    async def both_asked(driver: Driver) -> list[Message]:
        await driver.send("Use subagents")
        draining = asyncio.ensure_future(driver.until_idle())
        await eventually(lambda: len(requests.asked) == 2)
        requests.answer(PermissionResultAllow())
        return await draining

    messages = drive(both_asked, decide=requests.decide)

    calls = [use.id for use in tool_uses(messages) if use.name == "Agent"]
    parents = [message.parent_tool_use_id for message in messages if isinstance(message, AssistantMessage)]
    started = [message.tool_use_id for message in messages if isinstance(message, TaskStartedMessage)]
    ended = [message.status for message in messages if isinstance(message, TaskNotificationMessage)]
    assert set(parents) == {None, *calls}
    assert sorted(filter(None, started)) == sorted(calls)
    assert ended == ["completed", "completed"]
    assert len({context.agent_id for _, _, context in requests.asked}) == 2
    assert states(messages) == ["running", "requires_action", "running", "idle"]
    assert "All 14 tests pass." in (result_of(messages).result or "")


def test_background_agent_reports_in_a_turn_of_its_own() -> None:
    messages = answer_to("Survey it in the background")

    first, second = results(messages)
    assert first.origin is None
    assert second.origin
    assert second.origin["kind"] == "task-notification"
    assert states(messages) == ["running", "idle"]


def test_api_error_is_an_error_result_and_the_session_lives_on() -> None:
    async def twice(driver: Driver) -> list[Message]:
        await driver.ask("Show me an API error 429")
        return await driver.ask("and now?")

    messages = answer_to("Show me an API error 429")

    failed = result_of(messages)
    assert "RateLimitEvent" in outline(messages)
    assert (failed.subtype, failed.is_error, failed.terminal_reason) == ("success", True, "api_error")
    assert failed.api_error_status == 429
    assert result_of(drive(twice)).is_error is False


def test_crash_raises_as_a_dead_process_does() -> None:
    lines: list[str] = []

    with pytest.raises(ProcessError) as raised:
        answer_to("Crash, please", stderr=lines.append)

    assert raised.value.exit_code == 139
    assert lines[-1] == "Segmentation fault (core dumped)"


def test_unknown_frames_reach_the_reader_raw() -> None:
    async def frames() -> list[str]:
        transport = DemoTransport(session_id="s1", cwd=FOLDER, speed=0, permission_mode="bypassPermissions")
        await transport.connect()
        await transport.write('{"type": "user", "message": {"role": "user", "content": "the unknown"}}\n')
        await transport.end_input()
        return [frame["type"] async for frame in transport.read_messages()]

    assert "telepathy" in asyncio.run(frames())


def test_image_is_a_png_block() -> None:
    [(block, data)] = tool_results(answer_to("Show me an image"))

    assert isinstance(block.content, list)
    assert base64.b64decode(block.content[0]["source"]["data"]).startswith(b"\x89PNG\r\n\x1a\n")
    assert data["file"]["dimensions"] == {"originalWidth": 96, "originalHeight": 56}


def test_big_output_is_200_kb() -> None:
    [(block, _)] = tool_results(answer_to("Show me something big"))

    assert 200_000 <= len(block.content or "") < 201_000


@pytest.mark.parametrize(("prompt", "count"), [("bench:50:2", 100), ("bench:7.5:10", 75), ("fast 321", 321)])
def test_bench_emits_exactly_so_many_texts(prompt: str, count: int) -> None:
    messages = answer_to(prompt)

    assert len(texts(messages)) == count
    assert outline(messages).endswith("text text result")


def test_bench_is_no_faster_than_its_rate() -> None:
    async def timed(driver: Driver) -> float:
        loop = asyncio.get_running_loop()
        began = loop.time()
        await driver.send("bench:100:1")
        await driver.until_idle()
        return loop.time() - began

    assert drive(timed, speed=1, sleep=_skip_short_pauses) > 0.9


async def _skip_short_pauses(seconds: float) -> None:
    await asyncio.sleep(0 if seconds >= 0.1 else seconds)


def test_follow_ups_vary_and_use_a_tool() -> None:
    async def talk(driver: Driver) -> list[list[Message]]:
        await driver.ask(TOUR)
        return [await driver.ask(f"and what about case {number}?") for number in range(3)]

    answers = drive(talk)

    assert [use.name for answer in answers for use in tool_uses(answer)] == ["Write", "Bash", "Read"]
    assert "case 1" in (result_of(answers[1]).result or "")


def test_denied_tools_change_the_story() -> None:
    messages = answer_to(TOUR, decide=deny)

    assert "I leave `billing/invoice.py` as it is" in (result_of(messages).result or "")
    assert [block.content for block, _ in tool_results(messages)][-1] == "not today"


def test_echo_says_the_prompt_back() -> None:
    prompt = "echo ![x](http://127.0.0.1:9/x.png) :red[a] $b$ \x1b[31m"

    assert texts(answer_to(prompt)) == [prompt]


@pytest.mark.parametrize(
    ("prompt", "answer"),
    [("/help", "demo agent"), ("/cost", "$0.0000"), ("/context", "Tokens"), ("/nonsense x", "Unknown slash command")],
)
def test_slash_command_is_answered_without_a_model(prompt: str, answer: str) -> None:
    messages = answer_to(prompt)

    [message] = [message for message in messages if isinstance(message, AssistantMessage)]
    result = result_of(messages)
    assert message.model == "<synthetic>"
    assert answer in texts(messages)[0]
    assert (result.num_turns, result.is_error, result.terminal_reason) == (0, False, None)
    assert result.result == texts(messages)[0]


def test_a_path_is_no_slash_command() -> None:
    assert tool_uses(answer_to("/etc/hosts is what?"))


def test_clear_begins_another_conversation_that_costs_nothing_yet() -> None:
    async def talk(driver: Driver) -> tuple[list[Message], list[Message]]:
        await driver.ask(TOUR)
        return await driver.ask("/clear"), await driver.ask(TOUR)

    cleared, after = drive(talk)

    [reset] = [message for message in cleared if isinstance(message, ConversationResetMessage)]
    assert reset.session_id == "s1"
    assert result_of(cleared).session_id not in ("s1", reset.new_conversation_id)
    assert result_of(cleared).total_cost_usd == 0
    assert result_of(after).session_id == result_of(cleared).session_id
    assert outline(after) == OUTLINES["tour"]


def test_compact_marks_its_boundary() -> None:
    messages = answer_to("/compact")

    assert outline(messages) == "init compact_boundary note result"
    assert [message for message in messages if isinstance(message, UserMessage)]


def test_init_names_the_session() -> None:
    messages = answer_to(TOUR, model="opus", permission_mode="acceptEdits", decide=allow)

    [init] = [message for message in messages if isinstance(message, SystemMessage) and message.subtype == "init"]
    named = {key: init.data[key] for key in ("cwd", "model", "permissionMode", "session_id")}
    assert named == {"cwd": FOLDER, "model": "opus", "permissionMode": "acceptEdits", "session_id": "s1"}
