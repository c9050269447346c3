"""Which rules hold, which tools they speak of, and what a person is told."""

from __future__ import annotations

import statistics
import time
from typing import Any

import pytest

from lulu.errors import InputError
from lulu.rules import Explanation, Rule, decide, explain, parse
from tests.rules.rule_support import FOLDER, HOME, approves, call, denies, rule, unlinked, verdict

# Tools

TOOLS = [
    ("Read", "Read", True),
    ("Read", "ReadMcpResourceTool", False),
    ("Read*", "Read", True),
    ("Read*", "ReadMcpResourceTool", True),
    ("Read*", "Write", False),
    ("*", "WebSearch", True),
    ("read_*", "Read", False),
    ("mcp__github", "mcp__github__get_issue", True),
    ("mcp__github", "mcp__github2__get_issue", False),
    ("mcp__github", "mcp__github", True),
    ("mcp__github__*", "mcp__github__get_issue", True),
    ("mcp__github__get_*", "mcp__github__get_issue", True),
    ("mcp__github__get_*", "mcp__github__delete_issue", False),
    ("mcp__github__get_issue", "mcp__github__get_issue", True),
    ("mcp__*", "mcp__github__get_issue", True),
    ("Edit", "Write", False),
    ("Agent", "Task", True),
    ("Task", "Agent", True),
    ("Bash", "Bash", True),
    ("Bash(*)", "Bash", True),
    ("WebFetch", "WebFetch", True),
]


@pytest.mark.parametrize(("pattern", "tool", "matched"), TOOLS)
def test_pattern_names_tools(pattern: str, tool: str, matched: bool) -> None:
    judged = call(tool, {})

    assert approves(pattern, judged) is matched
    assert denies(pattern, judged) is matched


# Other tools


@pytest.mark.parametrize(
    ("pattern", "url", "approved", "denied"),
    [
        ("domain:example.org", "https://example.org/a", True, True),
        ("domain:Example.ORG.", "https://EXAMPLE.org./a", True, True),
        ("domain:example.org", "http://example.org:8080?x", True, True),
        ("domain:example.org", "https://sub.example.org/", False, False),
        ("domain:*.example.org", "https://a.b.example.org/", True, True),
        ("domain:*.example.org", "https://example.org/", False, False),
        ("domain:example.*", "https://example.com/", True, True),
        ("domain:example.*", "https://example.evil.com/", False, False),
        ("domain:*", "https://anything.example/", True, True),
        ("domain:example.org", "https://example.org@evil.com/", False, False),
        ("domain:evil.com", "https://example.org@evil.com/", False, True),
        ("domain:example.org", "https://evil.com/example.org", False, False),
        ("domain:example.org", "https://evil.com\\@example.org/", False, True),
        ("domain:evil.com", "https://evil.com\\@example.org/", False, True),
        ("domain:evil.com", "https://%65vil.com/", False, True),
        ("domain:evil.com", "https://\uff45vil.com/", False, True),  # a fullwidth letter
        ("domain:münchen.de", "https://xn--mnchen-3ya.de/", True, True),
        ("domain:example.org", "file:///example.org", False, False),
        ("domain:example.org", "not a url", False, False),
    ],
)
def test_domain_is_matched(pattern: str, url: str, approved: bool, denied: bool) -> None:
    judged = call("WebFetch", url)

    assert approves(f"WebFetch({pattern})", judged) is approved
    assert denies(f"WebFetch({pattern})", judged) is denied


@pytest.mark.parametrize(
    ("pattern", "tool", "tool_input", "approved", "denied"),
    [
        ("Agent(Explore)", "Agent", {"subagent_type": "Explore"}, True, True),
        ("Agent(Explore)", "Task", {"subagent_type": "Explore"}, True, True),
        ("Agent(Explore)", "Agent", {"subagent_type": "Plan"}, False, False),
        ("Agent(general-purpose)", "Agent", {}, False, True),
        ("Agent(model:opus)", "Agent", {"model": "opus", "subagent_type": "Plan"}, False, True),
        ("Agent(model : op*)", "Agent", {"model": "opus"}, False, True),
        ("Agent(model:*)", "Agent", {"subagent_type": "Plan"}, False, False),
        ("Skill(deploy *)", "Skill", {"skill": "deploy"}, True, True),
        ("Bash(ls *)", "Monitor", {"command": "ls x"}, True, True),
        ("Bash", "Monitor", {"ws": {"url": "wss://x"}}, False, True),
        ("PowerShell(Get-Date)", "PowerShell", {"command": "Get-Date"}, True, True),
        ("PowerShell(Get-*)", "PowerShell", {"command": "Get-Date; Remove-Item x"}, False, True),
        ("mcp__db__query(mode:write)", "mcp__db__query", {"mode": "write"}, False, True),
        ("AskUserQuestion", "AskUserQuestion", {"questions": []}, False, True),
        ("ExitPlanMode", "ExitPlanMode", {}, False, True),
        ("*", "AskUserQuestion", {"questions": []}, False, True),
        ("Bash(ls *)", "Bash", {"command": ["ls"]}, False, False),
        ("Bash(ls *)", "Bash", {}, False, False),
        ("Read(x)", "Read", {"file_path": None}, False, False),
    ],
)
def test_other_fields_are_matched(
    pattern: str, tool: str, tool_input: dict[str, Any], approved: bool, denied: bool
) -> None:
    judged = call(tool, tool_input)

    assert approves(pattern, judged) is approved
    assert denies(pattern, judged) is denied


# Which rules hold


@pytest.mark.parametrize("order", [1, -1])
def test_deny_beats_approve_in_any_order(order: int) -> None:
    rules = [rule("Bash"), rule("Bash(rm *)", "deny", id=2), rule("Bash(rm x)")][::order]

    found = decide(rules, call("Bash", "ls; rm x"), resolve=unlinked)

    assert found is not None
    assert (found.action, found.rule.id) == ("deny", 2)
    assert found.why == "The rule Bash(rm *) denies it: it matches “rm x”."


@pytest.mark.parametrize("action", ["approve", "deny"])
@pytest.mark.parametrize(
    ("limits", "holds"),
    [
        ({}, True),
        ({"enabled": False}, False),
        ({"session_id": "s1"}, True),
        ({"session_id": "s2"}, False),
        ({"folder": FOLDER}, True),
        ({"folder": f"{FOLDER}/"}, True),
        ({"folder": HOME}, True),
        ({"folder": f"{HOME}/proj"}, False),
        ({"folder": f"{FOLDER}/src"}, False),
        ({"folder": f"{HOME}/other/../project"}, True),
        ({"folder": "project"}, False),
        ({"folder": ""}, False),
        ({"folder": HOME, "session_id": "s1"}, True),
        ({"folder": HOME, "session_id": "s2"}, False),
    ],
)
def test_rule_holds_within_its_limits(limits: dict[str, Any], holds: bool, action: str) -> None:
    assert verdict([rule("Bash", action, **limits)], call("Bash", "ls")) == (action if holds else None)


def test_nothing_is_approved_while_a_deny_rule_cannot_be_read() -> None:
    rules = [rule("Bash"), rule("Bash(", "deny")]

    found = explain(rules, call("Bash", "ls"), resolve=unlinked)

    assert found.verdict is None
    assert found.why == "A deny rule cannot be read, so nothing is approved without a person."
    assert found.judged[1].why == "Its pattern cannot be read; edit it or delete it."
    assert verdict([rule("Bash"), rule("Bash(", "deny", session_id="s2")], call("Bash", "ls")) == "approve"


# Patterns


@pytest.mark.parametrize(
    ("pattern", "words"),
    [
        ("", "empty"),
        ("   ", "empty"),
        ("Bash(ls", "parentheses"),
        ("Bash ls)", "parentheses"),
        ("Bash(ls) x", "parentheses"),
        ("Bash(ls))", "parentheses"),
        ("Bash((ls)", "parentheses"),
        ("Bash()", "nothing between"),
        ("(ls)", "no tool"),
        ("git diff", "not the name of a tool"),
        ("Bash, Read", "not the name of a tool"),
        ("Bash(ls\nrm)", "control character"),
        ("Bash(ls \u202e)", "control character"),
        ("Bash\x00", "control character"),
        ("Bash(" + "x" * 3000 + ")", "longer"),
        ("*(ls)", "whole name"),
        ("Read*(src/**)", "whole name"),
        ("bash(ls *)", "write Bash"),
        ("webfetch", "write WebFetch"),
        ("WebFetch(https://example.org/*)", "by domain"),
        ("WebFetch(domain:exa mple)", "not a domain"),
        ("WebFetch(url:x)", "cannot be named"),
        ("Bash(command:rm *)", "cannot be named"),
        ("Read(file_path:x)", "cannot be named"),
        ("Read(!x)", "cannot start with"),
        ("Read(a/../b)", "in the middle"),
    ],
)
def test_bad_pattern_says_what_to_type(pattern: str, words: str) -> None:
    with pytest.raises(InputError, match=words) as raised:
        parse(pattern)

    assert raised.value.safe
    assert raised.value.next_step


@pytest.mark.parametrize(
    "pattern",
    [
        "Bash(echo don't *)",
        'Bash(grep "foo(" *)',
        "Bash(echo $(date))",
        r"Read(/Next \(app)",
        "Read(/Next (app)/**)",
        "Read(Bob's (x)/**)",
        "mcp__claude_ai_Linear__*",
        "Agent(plugin:reviewer)",
        "Bash(ls )",
    ],
)
def test_good_pattern_is_read(pattern: str) -> None:
    assert parse(pattern).text == pattern.strip()


# Explanations


def test_explanation_names_every_rules_part() -> None:
    rules = [
        rule("Bash(ls *)"),
        rule("Bash(git *)", enabled=False),
        rule("Read"),
        rule("Bash(npm *)", session_id="s2"),
        rule("Bash(npm *)", folder="/srv"),
        rule("Bash(curl *)", "deny"),
    ]

    found = explain(rules, call("Bash", "ls a && npm test"), resolve=unlinked)

    assert found.verdict is None
    assert found.why == "No rule approves “npm test”."
    assert [(each.matched, each.why) for each in found.judged] == [
        (False, "It does not approve “npm test”; it does approve “ls a”."),
        (False, "It is switched off."),
        (False, "It is about Read, not Bash."),
        (False, "It holds for another session."),
        (False, f"It holds for the folder /srv; this session works in {FOLDER}."),
        (False, "It speaks of this tool, but nothing in the call matches it."),
    ]


@pytest.mark.parametrize(
    ("rules", "command", "why"),
    [
        ([rule("Bash(ls *)")], "ls a", "The rule Bash(ls *) approves “ls a”."),
        ([rule("Bash(ls a; ls)")], "ls a; ls", "The rule Bash(ls a; ls) approves exactly this command."),
        ([rule("Bash")], "ls a", "The rule Bash approves every call of Bash."),
        ([rule("Bash", "deny")], "ls a", "The rule Bash denies every call of Bash."),
        ([rule("Bash(rm *)", "deny")], "ls $(/bin/rm x)", "The rule Bash(rm *) denies it: it matches “rm x”."),
        ([], "ls", "No rule matches."),
    ],
)
def test_decision_is_explained(rules: list[Rule], command: str, why: str) -> None:
    found: Explanation = explain(rules, call("Bash", command), resolve=unlinked)

    assert found.why == why
    assert (found.verdict.why if found.verdict else why) == why


def test_doubt_is_named() -> None:
    found = explain([rule("Bash(git *)")], call("Bash", "git diff $(ls)"), resolve=unlinked)

    assert found.judged[0].why == "It cannot approve this command: it has a command inside a command."


def test_hundred_rules_are_judged_within_a_few_milliseconds() -> None:
    rules = [rule(f"Bash(tool{number} *)", "deny" if number % 2 else "approve") for number in range(80)]
    rules += [rule(f"Edit(src/{number}/**)", "deny" if number % 2 else "approve") for number in range(20)]
    taken = []

    for number in range(30):
        judged = call("Bash", f"cd web && npm run build{number} -- --out 'a b' | tee build.log")
        began = time.process_time()
        decide(rules, judged)
        taken.append(time.process_time() - began)

    assert statistics.median(taken) < 0.02
