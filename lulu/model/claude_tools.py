"""The catalogue of Claude Code's tools. All sets of tool names in Lulu are derived from it.

Source: https://code.claude.com/docs/en/tools-reference and …/permissions (August 2026).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, kw_only=True, slots=True)
class ToolKind:
    """One tool: its fields that Lulu reads, and its traits."""

    name: str
    #: The field that a rule's specifier is matched against.
    primary_field: str | None = None
    #: The fields with paths; only file tools have any.
    path_fields: tuple[str, ...] = ()
    #: It changes a file.
    edits: bool = False
    #: It searches a folder; without a path, the current one.
    searches: bool = False
    #: The language of its commands.
    language: Literal["bash", "powershell"] | None = None
    #: A person answers it in a form; an approve rule cannot know the answer.
    asks_person: bool = False
    #: It keeps an agent's checklist.
    checklist: bool = False
    #: It runs a sub-agent.
    runs_agent: bool = False
    #: The other names that rules for it may use.
    also_named: tuple[str, ...] = ()


def _file_tool(name: str, *path_fields: str, edits: bool = False, searches: bool = False) -> ToolKind:
    return ToolKind(name=name, primary_field=path_fields[0], path_fields=path_fields, edits=edits, searches=searches)


#: The tool name of an MCP server's question. No tool has it.
ELICITATION = "Elicitation"

TOOLS = (
    _file_tool("Read", "file_path"),
    _file_tool("NotebookRead", "notebook_path"),
    _file_tool("LSP", "filePath"),
    _file_tool("Glob", "path", "pattern", searches=True),
    _file_tool("Grep", "path", "glob", searches=True),
    _file_tool("LS", "path", searches=True),
    _file_tool("Edit", "file_path", edits=True),
    _file_tool("MultiEdit", "file_path", edits=True),
    _file_tool("Write", "file_path", edits=True),
    _file_tool("NotebookEdit", "notebook_path", edits=True),
    ToolKind(name="Bash", primary_field="command", language="bash"),
    ToolKind(name="Monitor", primary_field="command", language="bash", also_named=("Bash",)),
    ToolKind(name="PowerShell", primary_field="command", language="powershell"),
    ToolKind(name="Agent", primary_field="subagent_type", runs_agent=True, also_named=("Task",)),
    ToolKind(name="Task", primary_field="subagent_type", runs_agent=True, also_named=("Agent",)),
    ToolKind(name="Skill", primary_field="skill"),
    ToolKind(name="WebFetch", primary_field="url"),
    ToolKind(name="WebSearch"),
    ToolKind(name="ToolSearch"),
    ToolKind(name="EnterPlanMode"),
    ToolKind(name="ExitPlanMode", asks_person=True),
    ToolKind(name="AskUserQuestion", asks_person=True),
    ToolKind(name=ELICITATION, asks_person=True),
    ToolKind(name="TodoWrite", checklist=True),
    ToolKind(name="TaskCreate", checklist=True),
    ToolKind(name="TaskUpdate", checklist=True),
)

#: All names. The page suggests ``Bash`` to a person who typed ``bash``.
KNOWN = frozenset(tool.name for tool in TOOLS)
PRIMARY_FIELD = {tool.name: tool.primary_field for tool in TOOLS if tool.primary_field}
PATH_FIELDS = {tool.name: tool.path_fields for tool in TOOLS if tool.path_fields}
ALSO_NAMED = {tool.name: tool.also_named for tool in TOOLS if tool.also_named}
#: Tools with a command for any shell, and for bash.
SHELL_TOOLS = frozenset(tool.name for tool in TOOLS if tool.language)
COMMAND_TOOLS = frozenset(tool.name for tool in TOOLS if tool.language == "bash")
#: Tools with paths: those that edit (``Edit(path)`` is about all of them), and those that read (``Read(path)``).
FILE_TOOLS = frozenset(PATH_FIELDS)
EDITING = frozenset(tool.name for tool in TOOLS if tool.edits)
READING = FILE_TOOLS - EDITING
SEARCHING = frozenset(tool.name for tool in TOOLS if tool.searches)
FOR_A_PERSON = frozenset(tool.name for tool in TOOLS if tool.asks_person)
CHECKLIST_TOOLS = frozenset(tool.name for tool in TOOLS if tool.checklist)
SUB_AGENTS = frozenset(tool.name for tool in TOOLS if tool.runs_agent)
#: The tools in rules that are about reading files, and about editing them.
READ_RULES, EDIT_RULES = ("Read",), ("Edit", "Write")
