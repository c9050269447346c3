"""What is offered for "don't ask again"."""

from __future__ import annotations

import pytest

from lulu.rules import ToolCall, narrowing, suggest
from tests.rules.rule_support import FOLDER, HOME, call, rule, unlinked

# Offers


@pytest.mark.parametrize(
    ("judged", "offers"),
    [
        (call("Bash", "git diff --stat"), ["Bash(git diff --stat)", "Bash(git diff *)"]),
        (call("Bash", "touch a"), ["Bash(touch a)", "Bash(touch *)"]),
        (call("Bash", "ls"), ["Bash(ls)", "Bash(ls *)"]),
        (call("Bash", "ls *.py"), [r"Bash(ls \*.py)", "Bash(ls *)"]),
        (call("Bash", "npm run test:unit -- x"), ["Bash(npm run test:unit -- x)", "Bash(npm run test:unit *)"]),
        (call("Bash", "git status && npm test"), ["Bash(git status && npm test)"]),
        (call("Bash", "echo $(date)"), ["Bash(echo $(date))"]),
        (call("Bash", "echo x > y"), ["Bash(echo x > y)"]),
        (call("Bash", "CI=1 git diff"), ["Bash(CI=1 git diff)"]),
        (call("Bash", "ls\npwd"), []),
        (call("Bash", ""), []),
        (call("Bash", {}), []),
        (
            call("Edit", f"{FOLDER}/src/a (1).py"),
            [rf"Edit(/{FOLDER}/src/a \(1\).py)", f"Edit(/{FOLDER}/src/**)", f"Edit(/{FOLDER}/**)"],
        ),
        (call("Write", "a.py"), [f"Edit(/{FOLDER}/a.py)", f"Edit(/{FOLDER}/**)"]),
        (call("Read", "/etc/hosts"), ["Read(//etc/hosts)"]),
        (call("Edit", ".git/config"), [f"Edit(/{FOLDER}/.git/config)"]),
        (call("Edit", "~/.bashrc", folder=HOME), [f"Edit(/{HOME}/.bashrc)"]),
        (call("Grep", {"pattern": "x", "path": "src"}), [f"Read(/{FOLDER}/src/**)", f"Read(/{FOLDER}/**)"]),
        (call("WebFetch", "https://Docs.example.org/a"), ["WebFetch(domain:docs.example.org)"]),
        (call("WebFetch", "https://a@example.org/a"), []),
        (call("mcp__github__get_issue", {}), ["mcp__github__get_issue", "mcp__github__*"]),
        (call("Agent", "Explore"), ["Agent(Explore)"]),
        (call("WebSearch", {"query": "x"}), ["WebSearch"]),
        (call("AskUserQuestion", {"questions": []}), []),
        (call("ExitPlanMode", {}), []),
    ],
)
def test_offers_are_narrow_first(judged: ToolCall, offers: list[str]) -> None:
    assert suggest(judged, resolve=unlinked) == offers


@pytest.mark.parametrize(
    ("pattern", "action", "asks"),
    [
        ("Bash(git diff *)", "approve", "option"),
        ("Bash(git diff)", "approve", ""),
        ("Bash(rm *)", "approve", ""),
        ("Bash(git diff *)", "deny", ""),
        ("Edit(./**)", "approve", ".git"),
        ("Write", "approve", ".git"),
        ("Edit(.git/config)", "approve", ""),
        ("Read(**)", "approve", ""),
        ("Bash(", "approve", ""),
    ],
)
def test_rule_says_what_it_asks_about_all_the_same(pattern: str, action: str, asks: str) -> None:
    said = narrowing(rule(pattern, action))

    assert asks in (said or "")
    assert bool(said) is bool(asks)


#: Programs that run what their arguments say, delete, or reach the network.
_BLANK_CHEQUES = (
    "python python3 python3.12 pypy ruby perl node deno bun php lua bash sh zsh fish sudo doas su env xargs timeout"
    " nice nohup time watch setsid eval exec source rm rmdir dd shred mkfs mv cp chmod chown kill curl wget ssh scp nc"
    " find awk sed npx uvx make docker kubectl git npm pip pwsh osascript tee ./run.sh unknown"
)


@pytest.mark.parametrize("program", _BLANK_CHEQUES.split())
def test_blank_cheques_are_not_offered(program: str) -> None:
    for command in (f"{program} x", f"{program} -c x", f"{program} run x", f"{program} push x", f"{program} exec x"):
        offers = suggest(call("Bash", command), resolve=unlinked)

        assert offers == [f"Bash({command})"] or offers == [f"Bash({command})", f"Bash({program} run x *)"]
        assert program in ("npm", "bun") or len(offers) == 1
