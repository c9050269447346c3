"""Claude Code's tools: the field that a specifier is matched with, and the tools of each rule.

Source: https://code.claude.com/docs/en/tools-reference and …/permissions (August 2026).
"""

from __future__ import annotations

#: The input field that a specifier is matched with.
PRIMARY_FIELD = {
    "Agent": "subagent_type",
    "Bash": "command",
    "Edit": "file_path",
    "Glob": "path",
    "Grep": "path",
    "LS": "path",
    "LSP": "filePath",
    "Monitor": "command",
    "MultiEdit": "file_path",
    "NotebookEdit": "notebook_path",
    "NotebookRead": "notebook_path",
    "PowerShell": "command",
    "Read": "file_path",
    "Skill": "skill",
    "Task": "subagent_type",
    "WebFetch": "url",
    "Write": "file_path",
}

#: Tools that run bash commands.
COMMAND_TOOLS = frozenset({"Bash", "Monitor"})
#: Tools that change a file; ``Edit(path)`` applies to all of them.
EDITING = frozenset({"Edit", "MultiEdit", "NotebookEdit", "Write"})
#: Tools that read files; ``Read(path)`` applies to all of them.
READING = frozenset({"Glob", "Grep", "LS", "LSP", "NotebookRead", "Read"})
#: Tools that search a folder; without a path, the current one.
SEARCHING = frozenset({"Glob", "Grep", "LS"})
#: Tools whose specifier is a path.
FILE_TOOLS = EDITING | READING

#: Tools that a person answers in a form; an approve rule cannot know the answer.
FOR_A_PERSON = frozenset({"AskUserQuestion", "ExitPlanMode", "Elicitation"})

#: Other names that rules for a tool may use: ``Monitor`` follows the rules of ``Bash``.
ALSO_NAMED = {"Task": ("Agent",), "Agent": ("Task",), "Monitor": ("Bash",)}

#: Known names, to tell a person who typed ``bash`` that it is ``Bash``.
KNOWN = frozenset(PRIMARY_FIELD) | FOR_A_PERSON | {"EnterPlanMode", "TodoWrite", "WebSearch"}
