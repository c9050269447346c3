"""The real Claude Code with prompts and folders that look like commands, and kept out of Lulu's own folder."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lulu.agent.data_folder_guard import REFUSED
from lulu.model.events import Error, ToolResult, User
from tests.agent.claude_driver import Claude, has_prompt, tool_results_in
from tests.tiers import keep_short

#: Each could do something, were it ever read as an option or by a shell.
LIKE_COMMANDS = [
    "--dangerously-skip-permissions",
    "--help",
    "$(touch x)",
    "`touch x`",
    "; touch x; rm -rf .",
    "| touch x",
    "& touch x",
    "' ; touch x ; '",
]


def traces(folder: Path) -> list[str]:
    """Every file below that a command would have made."""
    return [str(path) for path in folder.rglob("x")]


@pytest.mark.long
def test_a_prompt_that_looks_like_a_command_is_only_a_prompt(claude: Claude) -> None:
    claude.start()
    (claude.work / "kept.txt").write_text("kept")
    first, *others = LIKE_COMMANDS
    session_id = claude.launch(first)
    claude.ended(session_id)

    for prompt in others:
        claude.turn(session_id, prompt)

    last = claude.requests(session_id)[-1]
    assert [prompt for prompt in LIKE_COMMANDS if not has_prompt(last, prompt)] == []
    assert [event.text for event in claude.of(session_id, User)] == LIKE_COMMANDS
    assert not claude.of(session_id, Error)
    assert traces(claude.folder) == []
    assert [path.name for path in claude.work.iterdir()] == ["kept.txt"]
    # Permissions are asked for as before.
    claude.send(session_id, "SCN:bash")
    assert claude.asked(session_id).tool_name == "Bash"


@pytest.mark.long
def test_a_folder_whose_name_looks_like_a_command_is_only_a_folder(claude: Claude) -> None:
    claude.allow("Bash(pwd)")
    claude.start()
    folders = [claude.work / name for name in LIKE_COMMANDS]
    for folder in folders:
        folder.mkdir()

    sessions = [claude.launch("SCN:run COMMAND=pwd", folder=folder) for folder in folders]
    for session_id in sessions:
        claude.ended(session_id, within=120)

    said = ["".join(map(str, (event.content for event in claude.of(one, ToolResult)))) for one in sessions]
    assert [folder.name for folder, place in zip(folders, said, strict=True) if str(folder) not in place] == []
    assert traces(claude.folder) == []
    assert all(not list(folder.iterdir()) for folder in folders)
    claude.send(sessions[0], "SCN:bash")
    assert claude.asked(sessions[0]).tool_name == "Bash"


@pytest.mark.parametrize("mode", keep_short(1, "acceptEdits", "default"))
def test_file_tools_are_refused_in_lulu_s_folder_whatever_else_is_allowed(claude: Claude, mode: str) -> None:
    claude.allow("Read", "Edit", "Write", "Glob", "Grep")
    claude.start()
    (claude.work / "note.txt").write_text("a walrus in the open")
    note = claude.folder / "lulu" / "note.txt"
    note.write_text("a narwhal of Lulu")
    (claude.work / "link").symlink_to(note.parent)
    new, place = note.parent / "new.txt", str(note.parent)
    calls: list[tuple[str, dict[str, str]]] = [
        ("Read", {"file_path": str(note)}),
        ("Read", {"file_path": str(claude.work / "link" / "note.txt")}),
        ("Edit", {"file_path": str(note), "old_string": "narwhal", "new_string": "walrus"}),
        ("Write", {"file_path": str(new), "content": "x"}),
        # A Claude Code without these tools refuses them, too.
        ("Glob", {"pattern": "*", "path": place}),
        ("Grep", {"pattern": "narwhal", "path": place, "output_mode": "content"}),
    ]
    session_id = claude.launch(prompt("Read", {"file_path": str(claude.work / "note.txt")}), permission_mode=mode)
    claude.ended(session_id)

    for tool, arguments in calls:
        claude.turn(session_id, prompt(tool, arguments))

    allowed, *refused = tool_results_in(claude.requests(session_id)[-1])
    assert "a walrus in the open" in allowed
    reasons = (REFUSED, "denied by your permission settings", "is not available in this session")
    assert [said for said in refused if not any(reason in said for reason in reasons)] == []
    assert len(refused) == len(calls)
    assert "narwhal of" not in str(claude.requests(session_id)[-1].body)
    assert note.read_text() == "a narwhal of Lulu"
    assert not new.exists()


def prompt(tool: str, arguments: dict[str, str]) -> str:
    return f"SCN:call TOOL={tool} INPUT={json.dumps(arguments, separators=(',', ':'))}"
