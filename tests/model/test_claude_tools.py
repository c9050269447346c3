"""The catalogue of Claude Code's tools, and that no other module keeps a list of its own."""

from __future__ import annotations

import ast
from collections.abc import Iterator

import pytest

from lulu.model.claude_tools import (
    CHECKLIST_TOOLS,
    COMMAND_TOOLS,
    EDITING,
    FOR_A_PERSON,
    KNOWN,
    PRIMARY_FIELD,
    READING,
    SEARCHING,
    SHELL_TOOLS,
    SUB_AGENTS,
    TOOLS,
)
from tests.support import ROOT

CATALOGUE = "lulu/model/claude_tools.py"
#: What a view draws, and what the demo agent says that it has.
OWN_CHOICES = {"lulu/ui/views/rules.py", "lulu/ui/approvals/request.py", "lulu/agent/demo/frames.py"}
MODULES = {str(path.relative_to(ROOT)): path for path in sorted(ROOT.glob("lulu/**/*.py"))}


def lists_of_tools(source: str) -> Iterator[int]:
    """Yield the lines of sets, lists, tuples and dicts with the names of several tools."""
    tree = ast.parse(source)
    # `@look("Edit", "Write", …)`, and one view for a tool with two names.
    drawn = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "look"
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        if id(node) in drawn or not isinstance(node, ast.Set | ast.List | ast.Tuple | ast.Dict):
            continue
        members = node.keys if isinstance(node, ast.Dict) else node.elts
        names = [each.value for each in members if isinstance(each, ast.Constant) and each.value in KNOWN]
        if len(names) > 1:
            yield node.lineno


@pytest.mark.parametrize("module", [name for name in MODULES if name not in {CATALOGUE, *OWN_CHOICES}])
def test_tools_are_listed_in_the_catalogue_alone(module: str) -> None:
    assert [*lists_of_tools(MODULES[module].read_text())] == []


@pytest.mark.parametrize("module", sorted(OWN_CHOICES))
def test_choice_of_its_own_is_still_one(module: str) -> None:
    assert [*lists_of_tools(MODULES[module].read_text())]


@pytest.mark.parametrize(
    "source",
    ['{"Edit", "Write"}', 'x in ("Task", "Agent")', 'frozenset(["Bash", "Monitor"])', '{"Read": 1, "Edit": 2}'],
)
def test_list_of_tools_is_seen(source: str) -> None:
    assert [*lists_of_tools(source)] == [1]


def test_every_tool_is_named_once() -> None:
    assert len(KNOWN) == len(TOOLS)


def test_sets_of_tools_are_what_rules_and_pages_rest_on() -> None:
    assert {"Bash", "Monitor"} == COMMAND_TOOLS
    assert {"Bash", "Monitor", "PowerShell"} == SHELL_TOOLS
    assert {"Edit", "MultiEdit", "NotebookEdit", "Write"} == EDITING
    assert {"Glob", "Grep", "LS", "LSP", "NotebookRead", "Read"} == READING
    assert {"Glob", "Grep", "LS"} == SEARCHING
    assert {"AskUserQuestion", "ExitPlanMode", "Elicitation"} == FOR_A_PERSON
    assert {"TodoWrite", "TaskCreate", "TaskUpdate"} == CHECKLIST_TOOLS
    assert {"Agent", "Task"} == SUB_AGENTS
    assert PRIMARY_FIELD["Glob"] == PRIMARY_FIELD["Grep"] == "path"


def test_statement_that_finds_checklists_names_every_tool_for_them() -> None:
    statement = MODULES["lulu/store/parts/events.py"].read_text()

    # `"name":"Task` finds every tool that begins so.
    assert all(f'"name":"{name[: 4 if name.startswith("Task") else None]}' in statement for name in CHECKLIST_TOOLS)
