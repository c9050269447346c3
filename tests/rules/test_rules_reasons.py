"""One short case for each reason for which the matcher decides as it does; `make mutants` asks these first."""

from __future__ import annotations

from typing import Any

import pytest

from lulu.rules import Rule, ToolCall, decide
from tests.rules.rule_support import FOLDER, HOME, call, rule, unlinked


def linked(path: str) -> str:
    """A file system with links: ``src/out`` leads out of the project, ``in`` to ``src``, ``/alias`` to the project."""
    links = {f"{FOLDER}/src/out": "/secret", f"{FOLDER}/in": f"{FOLDER}/src", "/alias": FOLDER}
    for link, target in links.items():
        if path == link or path.startswith(f"{link}/"):
            return target + path[len(link) :]
    return path


def approve(*patterns: str, **limits: Any) -> list[Rule]:
    """Approve rules."""
    return [rule(pattern, **limits) for pattern in patterns]


def deny(*patterns: str, **limits: Any) -> list[Rule]:
    """Deny rules."""
    return [rule(pattern, "deny", **limits) for pattern in patterns]


#: Reasons, each with rules, a call, and what is right.
CASES: dict[str, tuple[list[Rule], ToolCall, str | None]] = {
    # Which rules count.
    "a deny rule beats every approve rule, whatever their order": (
        [*approve("Bash"), *deny("Bash(rm *)")],
        call("Bash", "rm x"),
        "deny",
    ),
    "a rule that is switched off decides nothing": (approve("Bash", enabled=False), call("Bash", "ls"), None),
    "a rule of one session holds for that session only": (approve("Bash", session_id="s2"), call("Bash", "ls"), None),
    "a rule of one folder holds for sessions in that folder or below it": (
        approve("Bash", folder="/srv"),
        call("Bash", "ls"),
        None,
    ),
    "questions and plans are always put to a person": (approve("*"), call("AskUserQuestion", {}), None),
    "nothing is approved by rule while a deny rule that holds here cannot be read": (
        [*approve("Bash"), *deny("Bash(rm")],
        call("Bash", "rm x"),
        None,
    ),
    # Tools.
    "a star stands for any part of a tool's name": (deny("mcp__*"), call("mcp__a__b", {}), "deny"),
    "mcp__server is every tool of that server": (deny("mcp__a"), call("mcp__a__b", {}), "deny"),
    "Monitor runs commands as Bash does": (deny("Bash(rm *)"), call("Monitor", "rm x"), "deny"),
    "Edit(path) holds for every tool that edits": (deny("Edit(src/**)"), call("Write", "src/a"), "deny"),
    "a denied Read(path) denies edits there, too": (deny("Read(.env)"), call("Edit", ".env"), "deny"),
    "Tool(field:value) looks at one field, to deny": (
        deny("Agent(model:opus)"),
        call("Agent", {"model": "opus"}),
        "deny",
    ),
    # Command patterns.
    "Bash(ls *) takes ls, not lsof": (approve("Bash(ls *)"), call("Bash", "lsof"), None),
    "a star behind a backslash is an asterisk": (approve(r"Bash(ls \*)"), call("Bash", "ls -la"), None),
    "a pattern that is the whole command approves it, whatever it does": (
        approve("Bash(a && b)"),
        call("Bash", "a && b"),
        "approve",
    ),
    # To approve a command.
    "each of the commands that are chained needs its approval": (
        approve("Bash(ls *)"),
        call("Bash", "ls && rm x"),
        None,
    ),
    "a command in a command is in doubt": (approve("Bash(ls *)"), call("Bash", "ls $(rm x)"), None),
    "a variable is in doubt": (approve("Bash(ls *)"), call("Bash", "ls $X"), None),
    "parentheses are in doubt": (approve("Bash(ls *)"), call("Bash", "(ls x)"), None),
    "a keyword of the shell is in doubt": (approve("Bash(ls *)"), call("Bash", "! ls x"), None),
    "a text that is given to a command is in doubt": (approve("Bash(cat *)"), call("Bash", "cat <<X\nx\nX"), None),
    "a long quoted text that cat prints is only a text": (
        approve("Bash(git *)"),
        call("Bash", "git commit -m \"$(cat <<'X'\nx\nX\n)\""),
        "approve",
    ),
    "a blank that only looks like one is in doubt": (approve("Bash(ls *)"), call("Bash", "ls \u00a0x"), None),
    "braces are in doubt": (approve("Bash(ls *)"), call("Bash", "ls {a,b}"), None),
    "more than 10,000 characters are in doubt": (approve("Bash(ls *)"), call("Bash", "ls " + "x" * 10_000), None),
    "a quote that is not closed is in doubt": (approve("Bash(ls *)"), call("Bash", "ls 'x"), None),
    "a program that may be several is in doubt": (approve("Bash(* x)"), call("Bash", "/bin/r? x"), None),
    "a variable that is set before a command may change what the command is": (
        approve("Bash(ls *)"),
        call("Bash", "PATH=/evil ls x"),
        None,
    ),
    "CI=1 npm test is npm test": (approve("Bash(npm *)"), call("Bash", "CI=1 npm test"), "approve"),
    "timeout 5 npm test is npm test": (approve("Bash(npm *)"), call("Bash", "timeout 5 npm test"), "approve"),
    "Bash(timeout *) says nothing about what runs in the timeout": (
        approve("Bash(timeout *)"),
        call("Bash", "timeout 5 rm x"),
        None,
    ),
    "Bash(grep x) does not approve xargs grep x, which adds arguments": (
        approve("Bash(grep x)"),
        call("Bash", "xargs grep x"),
        None,
    ),
    "watch needs the exact command": (approve("Bash(watch *)"), call("Bash", "watch rm x"), None),
    "so does find with an action": (approve("Bash(find *)"), call("Bash", "find . -delete"), None),
    "git diff --output=x writes": (approve("Bash(git diff *)"), call("Bash", "git diff --output=x"), None),
    "a blank in a word ends no word": (
        approve("Bash(git push * --dry-run)"),
        call("Bash", "git push a\\ --dry-run"),
        None,
    ),
    "a file that output goes to needs its own approval": (approve("Bash(ls *)"), call("Bash", "ls > x"), None),
    "/dev/null needs none": (approve("Bash(ls *)"), call("Bash", "ls > /dev/null"), "approve"),
    "git obeys the folder that cd has changed to": (
        approve("Bash(git *)", "Bash(cd *)"),
        call("Bash", "cd a && git status"),
        None,
    ),
    # To deny a command.
    "any of the chained commands denies the call": (deny("Bash(rm *)"), call("Bash", "ls && rm x"), "deny"),
    "quotes hide no program": (deny("Bash(rm *)"), call("Bash", 'r"m" x'), "deny"),
    "a variable before it hides no program": (deny("Bash(rm *)"), call("Bash", "A=b rm x"), "deny"),
    "a redirection before it hides no program": (deny("Bash(rm *)"), call("Bash", ">a rm x"), "deny"),
    "a keyword before it hides no program": (deny("Bash(rm *)"), call("Bash", "! rm x"), "deny"),
    "a variable is its value": (deny("Bash(rm *)"), call("Bash", "X=rm; $X y"), "deny"),
    "a command in a command counts": (deny("Bash(rm *)"), call("Bash", "echo $(rm x)"), "deny"),
    "/bin/rm is rm": (deny("Bash(rm *)"), call("Bash", "/bin/rm x"), "deny"),
    "RM is rm where the file system does not tell them apart": (deny("Bash(rm *)"), call("Bash", "RM x"), "deny"),
    "git -C a push is git push": (deny("Bash(git push *)"), call("Bash", "git -C a push"), "deny"),
    "sudo rm runs rm": (deny("Bash(rm *)"), call("Bash", "sudo rm x"), "deny"),
    "bash -c runs its text": (deny("Bash(rm *)"), call("Bash", "bash -c 'ls && rm x'"), "deny"),
    "cat .env reads .env": (deny("Read(.env)"), call("Bash", "cat .env"), "deny"),
    # Paths.
    "a/../b is b": (approve("Edit(src/**)"), call("Edit", "src/../../x"), None),
    "what a link points to counts too": (approve("Edit(src/**)"), call("Edit", "src/out/x"), None),
    "a link itself counts too": (approve("Edit(src/**)"), call("Edit", "in/x"), None),
    "the folder that a pattern starts from may be reached through a link": (
        approve("Edit(/src/**)"),
        call("Edit", "src/x", folder="/alias"),
        "approve",
    ),
    "a pattern holds below the folder that it starts from only": (
        approve("Edit(~/**)"),
        call("Edit", "/etc/passwd"),
        None,
    ),
    "a bare file name is meant at any depth": (deny("Read(.env)"), call("Read", "web/.env"), "deny"),
    "src/** approves the top src only": (approve("Edit(src/**)"), call("Edit", "vendor/src/x"), None),
    "a star stays within one part of a path": (approve("Edit(/src/*.py)"), call("Edit", "src/lib/x.py"), None),
    "to deny, large and small letters are the same": (deny("Read(.env)"), call("Read", ".ENV"), "deny"),
    "Edit(./**) does not approve .git/hooks, which says what programs do next": (
        approve("Edit(./**)"),
        call("Edit", ".git/hooks/pre-commit"),
        None,
    ),
    "a search needs approval for everything that it may find": (
        approve("Read(src/**)"),
        call("Grep", "src"),
        "approve",
    ),
    "Glob with ../* leaves its folder": (
        approve("Read(src/**)"),
        call("Glob", {"path": "src", "pattern": "../*"}),
        None,
    ),
    # Web.
    "A.org. is a.org": (deny("WebFetch(domain:a.org)"), call("WebFetch", "https://A.org./"), "deny"),
    "a domain in other letters is its name in ASCII": (
        approve("WebFetch(domain:bücher.org)"),
        call("WebFetch", "https://xn--bcher-kva.org/"),
        "approve",
    ),
    "a.* does not take a.evil.org": (approve("WebFetch(domain:a.*)"), call("WebFetch", "https://a.evil.org/"), None),
    "an address that programs read differently is not approved": (
        approve("WebFetch(domain:a.org)"),
        call("WebFetch", "https://evil.org\\@a.org/"),
        None,
    ),
}


@pytest.mark.parametrize("reason", CASES)
def test_each_reason_decides_its_case(reason: str) -> None:
    rules, judged, right = CASES[reason]

    found = decide(rules, judged, resolve=linked)

    assert (found.action if found else None) == right


def test_file_system_of_these_cases_has_links() -> None:
    assert linked(f"{FOLDER}/src/out/x") == "/secret/x"
    assert unlinked(f"{HOME}/x") == linked(f"{HOME}/x")
