"""Proof by removal: with one property of the matcher switched off, a named case goes wrong. So each is needed."""

from __future__ import annotations

from typing import Any

import pytest

from lulu.rules import Rule, ToolCall, decide
from lulu.rules.checks import ALL, Check
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


#: What each check is for: rules, a call, and what is right.
CASES: dict[Check, tuple[list[Rule], ToolCall, str | None]] = {
    # Which rules count.
    Check.DENY_WINS: ([*approve("Bash"), *deny("Bash(rm *)")], call("Bash", "rm x"), "deny"),
    Check.SWITCH: (approve("Bash", enabled=False), call("Bash", "ls"), None),
    Check.SESSION: (approve("Bash", session_id="s2"), call("Bash", "ls"), None),
    Check.FOLDER: (approve("Bash", folder="/srv"), call("Bash", "ls"), None),
    Check.PERSON: (approve("*"), call("AskUserQuestion", {}), None),
    Check.UNREADABLE: ([*approve("Bash"), *deny("Bash(rm")], call("Bash", "rm x"), None),
    # Tools.
    Check.TOOL_STARS: (deny("mcp__*"), call("mcp__a__b", {}), "deny"),
    Check.SERVER: (deny("mcp__a"), call("mcp__a__b", {}), "deny"),
    Check.ALIASES: (deny("Bash(rm *)"), call("Monitor", "rm x"), "deny"),
    Check.FAMILY: (deny("Edit(src/**)"), call("Write", "src/a"), "deny"),
    Check.READ_SHIELDS: (deny("Read(.env)"), call("Edit", ".env"), "deny"),
    Check.FIELDS: (deny("Agent(model:opus)"), call("Agent", {"model": "opus"}), "deny"),
    # Command patterns.
    Check.WORD_BOUNDARY: (approve("Bash(ls *)"), call("Bash", "lsof"), None),
    Check.LITERAL_STAR: (approve(r"Bash(ls \*)"), call("Bash", "ls -la"), None),
    Check.EXACT_TEXT: (approve("Bash(a && b)"), call("Bash", "a && b"), "approve"),
    # To approve a command.
    Check.EVERY_PART: (approve("Bash(ls *)"), call("Bash", "ls && rm x"), None),
    Check.SUBSTITUTION: (approve("Bash(ls *)"), call("Bash", "ls $(rm x)"), None),
    Check.EXPANSION: (approve("Bash(ls *)"), call("Bash", "ls $X"), None),
    Check.GROUPING: (approve("Bash(ls *)"), call("Bash", "(ls x)"), None),
    Check.KEYWORDS: (approve("Bash(ls *)"), call("Bash", "! ls x"), None),
    Check.HEREDOC: (approve("Bash(cat *)"), call("Bash", "cat <<X\nx\nX"), None),
    Check.MESSAGE: (approve("Bash(git *)"), call("Bash", "git commit -m \"$(cat <<'X'\nx\nX\n)\""), "approve"),
    Check.CHARACTERS: (approve("Bash(ls *)"), call("Bash", "ls \u00a0x"), None),
    Check.BRACES: (approve("Bash(ls *)"), call("Bash", "ls {a,b}"), None),
    Check.LENGTH: (approve("Bash(ls *)"), call("Bash", "ls " + "x" * 10_000), None),
    Check.INCOMPLETE: (approve("Bash(ls *)"), call("Bash", "ls 'x"), None),
    Check.PROGRAM_GLOB: (approve("Bash(* x)"), call("Bash", "/bin/r? x"), None),
    Check.ASSIGNMENT: (approve("Bash(ls *)"), call("Bash", "PATH=/evil ls x"), None),
    Check.SAFE_ASSIGNMENT: (approve("Bash(npm *)"), call("Bash", "CI=1 npm test"), "approve"),
    Check.WRAPPERS: (approve("Bash(npm *)"), call("Bash", "timeout 5 npm test"), "approve"),
    Check.WRAPPER_ALONE: (approve("Bash(timeout *)"), call("Bash", "timeout 5 rm x"), None),
    Check.STDIN_ARGUMENTS: (approve("Bash(grep x)"), call("Bash", "xargs grep x"), None),
    Check.EXEC_WRAPPER: (approve("Bash(watch *)"), call("Bash", "watch rm x"), None),
    Check.FIND_ACTION: (approve("Bash(find *)"), call("Bash", "find . -delete"), None),
    Check.HARMLESS: (approve("Bash(git diff *)"), call("Bash", "git diff --output=x"), None),
    Check.BLANKS: (approve("Bash(git push * --dry-run)"), call("Bash", "git push a\\ --dry-run"), None),
    Check.REDIRECTION: (approve("Bash(ls *)"), call("Bash", "ls > x"), None),
    Check.DEV_NULL: (approve("Bash(ls *)"), call("Bash", "ls > /dev/null"), "approve"),
    Check.CHANGED_FOLDER: (approve("Bash(git *)", "Bash(cd *)"), call("Bash", "cd a && git status"), None),
    # To deny a command.
    Check.ANY_PART: (deny("Bash(rm *)"), call("Bash", "ls && rm x"), "deny"),
    Check.QUOTES: (deny("Bash(rm *)"), call("Bash", 'r"m" x'), "deny"),
    Check.PAST_ASSIGNMENT: (deny("Bash(rm *)"), call("Bash", "A=b rm x"), "deny"),
    Check.PAST_REDIRECTION: (deny("Bash(rm *)"), call("Bash", ">a rm x"), "deny"),
    Check.PAST_KEYWORDS: (deny("Bash(rm *)"), call("Bash", "! rm x"), "deny"),
    Check.VALUES: (deny("Bash(rm *)"), call("Bash", "X=rm; $X y"), "deny"),
    Check.INSIDE: (deny("Bash(rm *)"), call("Bash", "echo $(rm x)"), "deny"),
    Check.PROGRAM_PATH: (deny("Bash(rm *)"), call("Bash", "/bin/rm x"), "deny"),
    Check.PROGRAM_CASE: (deny("Bash(rm *)"), call("Bash", "RM x"), "deny"),
    Check.OPTIONS: (deny("Bash(git push *)"), call("Bash", "git -C a push"), "deny"),
    Check.RUNNERS: (deny("Bash(rm *)"), call("Bash", "sudo rm x"), "deny"),
    Check.RUN_TEXT: (deny("Bash(rm *)"), call("Bash", "bash -c 'ls && rm x'"), "deny"),
    Check.FILES_IN_COMMAND: (deny("Read(.env)"), call("Bash", "cat .env"), "deny"),
    # Paths.
    Check.DOTS: (approve("Edit(src/**)"), call("Edit", "src/../../x"), None),
    Check.LINK_TARGET: (approve("Edit(src/**)"), call("Edit", "src/out/x"), None),
    Check.LINK_ITSELF: (approve("Edit(src/**)"), call("Edit", "in/x"), None),
    Check.LINKED_ANCHOR: (approve("Edit(/src/**)"), call("Edit", "src/x", folder="/alias"), "approve"),
    Check.ANCHOR: (approve("Edit(~/**)"), call("Edit", "/etc/passwd"), None),
    Check.ANY_DEPTH: (deny("Read(.env)"), call("Read", "web/.env"), "deny"),
    Check.SINGLE_FOLDER: (approve("Edit(src/**)"), call("Edit", "vendor/src/x"), None),
    Check.SEGMENT: (approve("Edit(/src/*.py)"), call("Edit", "src/lib/x.py"), None),
    Check.PATH_CASE: (deny("Read(.env)"), call("Read", ".ENV"), "deny"),
    Check.DELICATE: (approve("Edit(./**)"), call("Edit", ".git/hooks/pre-commit"), None),
    Check.WHOLE_FOLDER: (approve("Read(src/**)"), call("Grep", "src"), "approve"),
    Check.SEARCH_ELSEWHERE: (approve("Read(src/**)"), call("Glob", {"path": "src", "pattern": "../*"}), None),
    # Web.
    Check.HOST_SPELLING: (deny("WebFetch(domain:a.org)"), call("WebFetch", "https://A.org./"), "deny"),
    Check.HOST_LABELS: (approve("WebFetch(domain:a.*)"), call("WebFetch", "https://a.evil.org/"), None),
    Check.HOST_PLAIN: (approve("WebFetch(domain:a.org)"), call("WebFetch", "https://evil.org\\@a.org/"), None),
}


@pytest.mark.parametrize("check", Check)
def test_without_this_check_its_case_goes_wrong(check: Check) -> None:
    rules, judged, right = CASES[check]

    found = decide(rules, judged, resolve=linked)
    without = decide(rules, judged, resolve=linked, checks=ALL - {check})

    assert (found.action if found else None) == right
    assert (without.action if without else None) != right


def test_file_system_of_these_cases_has_links() -> None:
    assert linked(f"{FOLDER}/src/out/x") == "/secret/x"
    assert unlinked(f"{HOME}/x") == linked(f"{HOME}/x")
