"""How the demo agent is steered: permissions, hooks, models, costs."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from claude_agent_sdk import (
    AssistantMessage,
    HookMatcher,
    Message,
    PermissionResultAllow,
    PermissionUpdate,
    SystemMessage,
    ToolPermissionContext,
)
from claude_agent_sdk.types import PermissionRuleValue

from tests.agent.demo_driver import (
    Decision,
    Driver,
    allow,
    answer_to,
    deny,
    drive,
    outline,
    result_of,
    results,
    states,
    texts,
    tool_results,
    tool_uses,
)

TOUR = "The invoice total is one cent off, please fix it"
UUID = "11111111-1111-4111-8111-111111111111"


class Asked:
    """Remembers which tools were asked for, and answers each in the same way."""

    def __init__(self, decision: Decision) -> None:
        self.tools: list[str] = []
        self.contexts: list[ToolPermissionContext] = []
        self._decision = decision

    async def decide(self, tool_name: str, tool_input: dict[str, Any], context: ToolPermissionContext) -> Decision:
        self.tools.append(tool_name)
        self.contexts.append(context)
        return self._decision


@pytest.mark.parametrize(
    ("mode", "asked"),
    [
        ("default", ["Edit", "Bash"]),
        ("acceptEdits", ["Bash"]),
        ("bypassPermissions", []),
        ("dontAsk", []),
    ],
)
def test_mode_decides_what_is_asked_for(mode: str, asked: list[str]) -> None:
    person = Asked(PermissionResultAllow())

    answer_to(TOUR, decide=person.decide, permission_mode=mode)

    assert person.tools == asked


def test_dont_ask_denies_and_says_so() -> None:
    messages = answer_to(TOUR, permission_mode="dontAsk")

    assert "permission_denied" in outline(messages)
    assert [denial["tool_name"] for denial in result_of(messages).permission_denials or []] == ["Edit"]


def test_hook_can_allow_where_nobody_is_asked() -> None:
    async def yes(hook_input: Any, tool_use_id: str | None, context: Any) -> Any:
        return {"hookSpecificOutput": {"hookEventName": "PreToolUse", "permissionDecision": "allow"}}

    messages = answer_to(TOUR, permission_mode="dontAsk", hooks={"PreToolUse": [HookMatcher(hooks=[yes])]})

    assert not result_of(messages).permission_denials


def test_deny_rule_of_the_session_wins() -> None:
    rule = PermissionUpdate(
        type="addRules", rules=[PermissionRuleValue("Read")], behavior="deny", destination="session"
    )
    person = Asked(PermissionResultAllow(updated_permissions=[rule]))

    async def twice(driver: Driver) -> list[Message]:
        await driver.ask(TOUR)
        return await driver.ask("Show me an image")

    assert "permission_denied" in outline(drive(twice, decide=person.decide))


def test_hook_that_fails_is_silent_unless_it_must_block() -> None:
    async def fails(hook_input: Any, tool_use_id: str | None, context: Any) -> Any:
        raise RuntimeError("no rules today")

    def first_result(matcher: HookMatcher) -> Any:
        return tool_results(answer_to("Show me an image", hooks={"PreToolUse": [matcher]}))[0][0].is_error

    assert first_result(HookMatcher(hooks=[fails])) is False
    assert first_result(HookMatcher(hooks=[fails], on_failure="block")) is True


def test_plan_mode_plans_and_leaves_it_on_approval() -> None:
    async def talk(driver: Driver) -> list[Message]:
        return await driver.ask(TOUR)

    messages = drive(talk, permission_mode="plan")

    modes = [m.data["permissionMode"] for m in messages if isinstance(m, SystemMessage) and "permissionMode" in m.data]
    assert modes == ["plan", "default"]
    assert [use.name for use in tool_uses(messages)] == ["Read", "ExitPlanMode", "Edit"]


def test_plan_that_is_denied_changes_nothing() -> None:
    messages = answer_to("Make a plan", decide=deny)

    assert [use.name for use in tool_uses(messages)] == ["Read", "ExitPlanMode"]


def test_a_request_carries_what_a_person_needs() -> None:
    person = Asked(PermissionResultAllow())

    messages = answer_to(TOUR, decide=person.decide)

    edit, bash = person.contexts
    assert [edit.tool_use_id, bash.tool_use_id] == [use.id for use in tool_uses(messages) if use.name == "Edit"] + [
        tool_uses(messages)[-1].id
    ]
    assert bash.description == "Run the test suite"
    assert bash.suggestions[0].rules == [PermissionRuleValue("Bash", "python -m pytest -q")]
    assert edit.suggestions[0].mode == "acceptEdits"
    assert states(messages) == ["running", *["requires_action", "running"] * 2, "idle"]


def test_denial_reaches_the_agent_and_the_result() -> None:
    messages = answer_to("Run a slow tool", decide=deny)

    [(block, data)] = tool_results(messages)
    assert (block.is_error, block.content, data) == (True, "not today", "Error: not today")
    assert [denial["tool_name"] for denial in result_of(messages).permission_denials or []] == ["Bash"]
    assert result_of(messages).is_error is False


def test_updated_input_is_what_runs() -> None:
    async def other_command(tool_name: str, tool_input: dict[str, Any], context: ToolPermissionContext) -> Decision:
        return PermissionResultAllow(updated_input={**tool_input, "command": "true"})

    async def other_text(tool_name: str, tool_input: dict[str, Any], context: ToolPermissionContext) -> Decision:
        changed = {"new_string": "    return Decimal(0)\n"} if tool_name == "Edit" else {}
        return PermissionResultAllow(updated_input={**tool_input, **changed})

    ran = tool_results(answer_to("Use subagents", decide=other_command))
    edited = [data for _, data in tool_results(answer_to(TOUR, decide=other_text)) if isinstance(data, dict)]

    assert any("as you changed it" in str(block.content) for block, _ in ran)
    assert any("+    return Decimal(0)" in str(data.get("structuredPatch")) for data in edited)


def test_answers_to_a_question_are_heard() -> None:
    async def choose(tool_name: str, tool_input: dict[str, Any], context: ToolPermissionContext) -> Decision:
        first, second = (question["question"] for question in tool_input["questions"])
        return PermissionResultAllow(
            updated_input={**tool_input, "answers": {first: "Once per rate", second: ["Tests", "Changelog"]}}
        )

    messages = answer_to("Ask me a question", decide=choose)

    [(block, data)] = tool_results(messages)
    assert '"What else shall I update?"="Tests, Changelog"' in str(block.content)
    assert data["answers"]["How should the tax be rounded?"] == "Once per rate"
    assert "**Tests, Changelog**" in (result_of(messages).result or "")


def test_a_question_is_asked_even_where_nothing_else_is() -> None:
    person = Asked(PermissionResultAllow())

    messages = answer_to("Ask me a question", decide=person.decide, permission_mode="bypassPermissions")

    assert person.tools == ["AskUserQuestion"]
    assert tool_results(messages)[0][0].content == "The user did not answer the questions."


@pytest.mark.parametrize(("content", "asked_again"), [("python -m *", 0), (None, 0), ("npm *", 1)])
def test_session_rule_answers_from_then_on(content: str | None, asked_again: int) -> None:
    rule = PermissionUpdate(
        type="addRules", rules=[PermissionRuleValue("Bash", content)], behavior="allow", destination="session"
    )
    person = Asked(PermissionResultAllow(updated_permissions=[rule]))

    async def twice(driver: Driver) -> int:
        await driver.ask(TOUR)
        before = person.tools.count("Bash")
        await driver.ask("the tour again")
        return person.tools.count("Bash") - before

    assert drive(twice, decide=person.decide) == asked_again


def test_mode_set_by_an_answer_is_told() -> None:
    update = PermissionUpdate(type="setMode", mode="acceptEdits", destination="session")
    person = Asked(PermissionResultAllow(updated_permissions=[update]))

    messages = answer_to(TOUR, decide=person.decide)

    statuses = [message.data for message in messages if isinstance(message, SystemMessage)]
    assert any(data.get("permissionMode") == "acceptEdits" and data["subtype"] == "status" for data in statuses)


def test_without_a_callback_the_request_fails_as_a_result() -> None:
    messages = answer_to("Run a slow tool", decide=None)

    assert "Tool permission request failed" in str(tool_results(messages)[0][0].content)


def test_hook_denies_even_what_needs_no_permission() -> None:
    seen: list[tuple[str, str]] = []

    async def no_reading(hook_input: Any, tool_use_id: str | None, context: Any) -> Any:
        seen.append((hook_input["hook_event_name"], hook_input["tool_name"]))
        specific = {"hookEventName": "PreToolUse", "permissionDecision": "deny", "permissionDecisionReason": "a rule"}
        return {"hookSpecificOutput": specific}

    hooks = {"PreToolUse": [HookMatcher(matcher="Read|Write", hooks=[no_reading])]}
    messages = answer_to("Show me an image", hooks=hooks)

    [(block, _)] = tool_results(messages)
    assert (block.is_error, block.content) == (True, "PreToolUse:Read hook error: a rule")
    assert seen == [("PreToolUse", "Read")]


def test_hook_allows_without_asking_and_hears_of_the_end() -> None:
    ended: list[Any] = []

    async def yes(hook_input: Any, tool_use_id: str | None, context: Any) -> Any:
        return {"hookSpecificOutput": {"hookEventName": "PreToolUse", "permissionDecision": "allow"}}

    async def end(hook_input: Any, tool_use_id: str | None, context: Any) -> Any:
        ended.append(hook_input["tool_response"])
        return {}

    person = Asked(PermissionResultAllow())
    hooks = {"PreToolUse": [HookMatcher(hooks=[yes])], "PostToolUse": [HookMatcher(matcher="Bash", hooks=[end])]}
    answer_to("Run a slow tool", decide=person.decide, hooks=hooks)

    assert person.tools == []
    assert "137 passed" in ended[0]["stdout"]


def test_costs_add_up_over_turns_and_resume() -> None:
    async def two(driver: Driver) -> list[Message]:
        await driver.ask(TOUR)
        await driver.ask("and then?")
        return driver.seen

    first, second = (result.total_cost_usd or 0 for result in results(drive(two)))
    resumed = result_of(answer_to("go on", earlier_turns=2, earlier_cost_usd=second))

    assert 0.01 < first < second < (resumed.total_cost_usd or 0) < 1
    [entry] = (resumed.model_usage or {}).values()
    assert entry["costUSD"] == pytest.approx(resumed.total_cost_usd)
    assert (resumed.usage or {})["output_tokens"] > 10


def test_resumed_session_answers_follow_ups() -> None:
    messages = answer_to("what else?", earlier_turns=1)

    assert [use.name for use in tool_uses(messages)] == ["Write"]


def test_model_and_mode_can_be_switched() -> None:
    async def switch(driver: Driver) -> list[Message]:
        await driver.client.set_model("opus")
        await driver.client.set_permission_mode("acceptEdits")
        return await driver.ask("Show me an image")

    messages = drive(switch)

    [init] = [message for message in messages if isinstance(message, SystemMessage) and message.subtype == "init"]
    assert (init.data["model"], init.data["permissionMode"]) == ("opus", "acceptEdits")
    assert {message.model for message in messages if isinstance(message, AssistantMessage)} == {"opus"}


def test_bypass_cannot_be_switched_on_later() -> None:
    async def switch(driver: Driver) -> None:
        await driver.client.set_permission_mode("bypassPermissions")

    with pytest.raises(Exception, match="not launched"):
        drive(switch)


def test_reader_that_lags_holds_the_agent_back_and_loses_nothing() -> None:
    async def lag(driver: Driver) -> list[Message]:
        await driver.send("fast 2000")
        for _ in range(50):
            await asyncio.sleep(0)
        return await driver.until_idle()

    assert len(texts(drive(lag, decide=allow))) == 2000
