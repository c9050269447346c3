"""The scripted Messages API: by hand, and with the real Claude Code."""

from __future__ import annotations

import asyncio
import http.client
import json
from pathlib import Path
from typing import Any

import pytest
from claude_agent_sdk import (
    AssistantMessage,
    ClaudeAgentOptions,
    ClaudeSDKClient,
    Message,
    ResultMessage,
    ToolUseBlock,
)

from tests.messages_api import MessagesApi
from tests.scenarios import SCENARIOS, newest_prompt


def post(api: MessagesApi, *messages: dict[str, Any], stream: bool = False) -> tuple[int, str]:
    """One request: status and body."""
    connection = http.client.HTTPConnection(api.url.removeprefix("http://"), timeout=60)
    body = json.dumps({"model": "scripted", "stream": stream, "messages": messages})
    try:
        connection.request("POST", "/v1/messages?beta=true", body)
        response = connection.getresponse()
        return response.status, response.read().decode()
    finally:
        connection.close()


def user(text: str) -> dict[str, Any]:
    return {"role": "user", "content": text}


@pytest.mark.parametrize("name", sorted(set(SCENARIOS) - {"hang", "stall", "cut", "bigtext", "slow", "think"}))
def test_scenario_streams_a_whole_message(name: str) -> None:
    with MessagesApi() as api:
        status, stream = post(api, user(f"SCN:{name}"), stream=True)

    kinds = [line.removeprefix("event: ") for line in stream.splitlines() if line.startswith("event: ")]
    assert status == 200
    assert kinds[0] == "message_start"
    assert kinds[-1] == ("error" if name == "broken" else "message_stop")


def test_stream_and_plain_answer_say_the_same() -> None:
    with MessagesApi() as api:
        _, plain = post(api, user("hello"))
        _, stream = post(api, user("hello"), stream=True)

    events = [json.loads(line.removeprefix("data: ")) for line in stream.splitlines() if line.startswith("data: ")]
    streamed = "".join(event["delta"]["text"] for event in events if event["type"] == "content_block_delta")
    assert streamed == json.loads(plain)["content"][0]["text"] == "The scripted answer."


def test_requests_are_kept() -> None:
    with MessagesApi() as api:
        post(api, user("SCN:bash please"))

    [request] = api.requests
    assert (request.method, request.path) == ("POST", "/v1/messages?beta=true")
    assert request.body["messages"] == [user("SCN:bash please")]


@pytest.mark.parametrize(
    ("messages", "prompt", "answers"),
    [
        ([user("one")], "one", 0),
        ([user("one"), {"role": "assistant", "content": []}, user("two")], "two", 0),
        ([user("one"), {"role": "assistant", "content": []}, user("[Request interrupted by user]")], "one", 1),
        ([user("one"), {"role": "system", "content": "x"}], "one", 0),
        ([user("<system-reminder>SCN:x</system-reminder>\none")], "one", 0),
        (
            [
                user("one"),
                {"role": "assistant", "content": []},
                {"role": "user", "content": [{"type": "tool_result", "content": "SCN:x"}]},
            ],
            "one",
            1,
        ),
        (
            [
                user("one"),
                {"role": "assistant", "content": []},
                {"role": "user", "content": [{"type": "tool_result"}, {"type": "text", "text": "two"}]},
            ],
            "two",
            0,
        ),
    ],
)
def test_newest_prompt_is_a_persons(messages: list[dict[str, Any]], prompt: str, answers: int) -> None:
    assert newest_prompt({"messages": messages}) == (prompt, answers)


def test_http_error_ends_after_so_many_times() -> None:
    with MessagesApi() as api:
        answers = [post(api, user("SCN:http429-2"))[0] for _ in range(3)]
        always = [post(api, user("SCN:http500"))[0] for _ in range(3)]

    assert answers == [429, 429, 200]
    assert always == [500, 500, 500]


def test_cut_breaks_the_connection() -> None:
    with MessagesApi() as api:
        with pytest.raises((http.client.IncompleteRead, ConnectionError)):
            post(api, user("SCN:cut TIMES=1"), stream=True)
        status, _ = post(api, user("SCN:cut TIMES=1"), stream=True)

    assert status == 200


@pytest.mark.parametrize("name", ["hang", "stall"])
def test_silent_request_ends_with_the_api(name: str) -> None:
    with MessagesApi() as api:
        connection = http.client.HTTPConnection(api.url.removeprefix("http://"), timeout=60)
        connection.request("POST", "/v1/messages", json.dumps({"stream": True, "messages": [user(f"SCN:{name}")]}))

    with pytest.raises((http.client.HTTPException, ConnectionError)):
        connection.getresponse().read()
    connection.close()


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The API, with the environment set for Claude Code."""
    with MessagesApi() as api:
        for name, value in api.environment.items():
            monkeypatch.setenv(name, value)
        yield api


def run_claude(prompts: list[str], folder: Path, **options: Any) -> list[Message]:
    """Whole turns of the real Claude Code."""

    async def turns() -> list[Message]:
        settings = ClaudeAgentOptions(cwd=folder, setting_sources=[], permission_mode="acceptEdits", **options)
        messages: list[Message] = []
        async with ClaudeSDKClient(settings) as client:
            for prompt in prompts:
                await client.query(prompt)
                messages += [message async for message in client.receive_response()]
        return messages

    return asyncio.run(turns())


def test_real_claude_code_writes_a_file_and_remembers(api: MessagesApi, tmp_path: Path) -> None:
    folder = tmp_path / "project"
    folder.mkdir()

    messages = run_claude(["SCN:bash please", "SCN:echo"], folder, allowed_tools=["Bash"])

    first, second = (message for message in messages if isinstance(message, ResultMessage))
    assert (folder / "out.txt").read_text() == "hello\n"
    assert (first.is_error, first.num_turns) == (False, 2)
    assert "SCN:bash please" in (second.result or "")
    assert {request.session_id for request in api.requests} == {first.session_id}
    calls = [block for m in messages if isinstance(m, AssistantMessage) for block in m.content]
    assert [block.name for block in calls if isinstance(block, ToolUseBlock)] == ["Bash"]


def test_real_claude_code_reports_an_http_error(api: MessagesApi, tmp_path: Path) -> None:
    [result] = (message for message in run_claude(["SCN:http401"], tmp_path) if isinstance(message, ResultMessage))

    assert (result.is_error, result.api_error_status, result.terminal_reason) == (True, 401, "api_error")
