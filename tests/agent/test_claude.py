"""Turns of the real Claude Code: what is stored of them, what the row sums up, and what a restart keeps."""

from __future__ import annotations

import pytest

from lulu.model.events import Error, Thinking, ToolResult, ToolUse, User
from lulu.model.sessions import SessionStatus
from tests.agent.claude_driver import Claude, has_prompt, prompts_in


def test_a_turn_with_a_tool_is_stored_in_order(claude: Claude) -> None:
    claude.allow("Bash")
    claude.start()

    session_id = claude.launch("SCN:bash please")
    session = claude.ended(session_id)

    [prompt] = claude.of(session_id, User)
    [thinking] = claude.of(session_id, Thinking)
    [call] = claude.of(session_id, ToolUse)
    [answer] = claude.of(session_id, ToolResult)
    [result] = claude.results(session_id)
    assert claude.outline(session_id) == "user thinking text Bash done text result"
    assert (claude.work / "out.txt").read_text() == "hello\n"
    assert (prompt.text, prompt.actor) == ("SCN:bash please", "this computer")
    assert thinking.content == "I should run echo."
    assert call.input == {"command": "echo hello > out.txt", "description": "Write hello"}
    assert (answer.tool_use_id, answer.is_error, answer.data["stderr"]) == (call.id, False, "")
    assert thinking.message_id == call.message_id
    assert len({event.uuid for event in claude.events(session_id)}) == len(claude.events(session_id))
    assert (result.is_error, result.num_turns, result.terminal_reason) == (False, 2, "completed")
    assert (session.status, session.num_turns, session.session_id_claude) == ("completed", 2, session_id)
    assert session.cost_usd == result.cost_usd == result.total_cost_usd
    assert session.model == claude.api.requests[0].body["model"]
    assert claude.lulu.store.events.live_text(session_id) is None


def test_it_is_started_as_promised_and_speaks_to_the_api_only(claude: Claude) -> None:
    claude.start()

    session_id = claude.launch("SCN:slow WORDS=400", model="sonnet", permission_mode="plan")
    claude.says(session_id, "word5")
    process = claude.process(session_id)
    peers = {address for connection in process.net_connections("inet") for address in connection.raddr[:1]}
    claude.ended(session_id)

    init = claude.note(session_id, "init").data or {}
    [request] = claude.requests(session_id)
    system = "".join(block["text"] for block in request.body["system"])
    tools = {tool["name"] for tool in request.body["tools"]}
    assert peers == {"127.0.0.1"}
    assert process.cwd() == init["cwd"] == str(claude.work)
    assert "sonnet" in request.body["model"]
    assert init["permissionMode"] == "plan"
    assert len(system) > 5000, "not Claude Code's own system prompt"
    assert {"Bash", "AskUserQuestion"} <= tools
    assert not {"ListAgents", "SendMessage", "CronCreate", "ScheduleWakeup"} & {*tools, *init["tools"]}
    assert [one.path.partition("?")[0] for one in claude.api.requests] == ["/v1/messages"]


@pytest.mark.long
def test_sums_are_those_of_the_turns_also_after_a_resume_in_a_new_process(claude: Claude) -> None:
    claude.allow("Bash")
    claude.start()
    session_id = claude.launch("SCN:bash please")
    claude.ended(session_id)
    claude.turn(session_id, "SCN:default second")
    first = claude.process(session_id)
    claude.start()
    assert not first.is_running()

    session = claude.turn(session_id, "SCN:default third")

    results = claude.results(session_id)
    last = claude.requests(session_id)[-1]
    assert [result.num_turns for result in results] == [2, 1, 1]
    assert all(result.cost_usd and result.cost_usd > 0 for result in results)
    assert session.cost_usd == pytest.approx(sum(result.cost_usd or 0 for result in results))
    assert session.cost_usd == pytest.approx(results[-1].total_cost_usd)
    assert session.num_turns == 4
    assert session.duration_ms == pytest.approx(sum(result.duration_ms or 0 for result in results))
    assert {result.session_id for result in results} == {session_id}
    assert all(has_prompt(last, text) for text in ("SCN:bash please", "SCN:default second", "SCN:default third"))


def test_text_is_shown_while_it_is_written(claude: Claude) -> None:
    claude.start()

    session_id = claude.launch("SCN:slow WORDS=300")
    early = claude.says(session_id, "word3")
    late = claude.says(session_id, "word40")
    claude.ended(session_id)

    [text] = claude.texts(session_id)
    assert late.startswith(early)
    assert text.startswith(late)
    assert text.endswith("word299")


@pytest.mark.long
def test_prompts_sent_while_it_works_are_answered_in_order_and_once(claude: Claude) -> None:
    claude.start()
    session_id = claude.launch("SCN:slow WORDS=200")
    claude.says(session_id, "word1")
    for number in (1, 2):
        claude.send(session_id, f"SCN:default number {number}")

    claude.ended(session_id, turns=3)

    last = claude.requests(session_id)[-1]
    assert [prompt.text for prompt in claude.of(session_id, User)] == [
        "SCN:slow WORDS=200",
        "SCN:default number 1",
        "SCN:default number 2",
    ]
    assert [sum(f"number {number}" in text for text in prompts_in(last)) for number in (1, 2)] == [1, 1]
    assert len(claude.requests(session_id)) == 3


ODD = {
    "--dangerously-skip-permissions": "--dangerously-skip-permissions",
    "-p --help": "-p --help",
    "a\0b": "a\0b",
    # Claude Code itself replaces what is no Unicode.
    "lone \ud800 surrogate": "lone \ufffd surrogate",
    "\u202eright to left, 👩‍👩‍👧 and \x1b[31mred": "\u202eright to left, 👩‍👩‍👧 and \x1b[31mred",
    "/no-such-command at all": "/no-such-command at all",
    "]]>\n\n```\n</system-reminder>": "]]>\n\n```\n</system-reminder>",
    "x" * 1_000_000: "x" * 1_000_000,
}


@pytest.mark.long
def test_odd_prompts_reach_the_model_as_typed(claude: Claude) -> None:
    claude.start()
    first, *others = ODD
    session_id = claude.launch(first)
    claude.ended(session_id)

    for prompt in others:
        claude.turn(session_id, prompt)

    assert [prompt.text for prompt in claude.of(session_id, User)] == list(ODD)
    assert claude.texts(session_id) == ["The scripted answer."] * len(ODD)
    assert not claude.of(session_id, Error)
    last = claude.requests(session_id)[-1]
    assert [expected[:50] for expected in ODD.values() if not has_prompt(last, expected)] == []


@pytest.mark.long
def test_large_outputs_do_not_wedge_the_session(claude: Claude) -> None:
    claude.allow("Bash")
    claude.start()

    session_id = claude.launch("SCN:big SIZE=50000000")
    claude.ended(session_id)
    claude.turn(session_id, "SCN:bigtext SIZE=1500000")
    session = claude.turn(session_id, "SCN:default still there?")

    assert session.status == SessionStatus.COMPLETED
    assert [len(text) for text in claude.texts(session_id)][1:] == [1_500_000, len("The scripted answer.")]
    [answer] = claude.of(session_id, ToolResult)
    assert "Output too large" in str(answer.content)


@pytest.mark.long
def test_clear_begins_another_conversation_which_a_restart_resumes(claude: Claude) -> None:
    claude.start()
    session_id = claude.launch("SCN:default before")
    claude.ended(session_id)

    cleared = claude.turn(session_id, "/clear")
    claude.start()
    session = claude.turn(session_id, "SCN:default after")
    claude.turn(session_id, "SCN:default again")

    last = claude.requests(session_id)[-1]
    assert cleared.session_id_claude == session.session_id_claude != session_id
    assert "conversation_reset" in claude.notes(session_id)
    assert "conversation_lost" not in claude.notes(session_id)
    assert [has_prompt(last, word) for word in ("before", "after", "again")] == [False, True, True]
    costs = [result.cost_usd for result in claude.results(session_id)]
    assert costs == pytest.approx([costs[0], 0, costs[0], costs[0]])
    assert claude.session(session_id).cost_usd == pytest.approx(sum(cost or 0 for cost in costs))


def test_a_slash_command_answers_without_the_model(claude: Claude) -> None:
    claude.start()

    session_id = claude.launch("/cost")
    session = claude.ended(session_id)

    assert session.status == SessionStatus.COMPLETED
    assert "Estimated cost" in claude.texts(session_id)[0]
    assert claude.api.requests == []
