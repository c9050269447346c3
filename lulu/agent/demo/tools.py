"""The demo agent's tools: each returns a ``Call`` with input and result in Claude Code's form."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from lulu.agent.demo.calls import Call, Output, Work

if TYPE_CHECKING:
    from lulu.agent.demo.turn import Turn

#: Seconds of an ordinary tool at human speed.
QUICK = 0.4

_OTHER_COMMAND = "(The demo agent runs nothing. A real agent would now run the command as you changed it.)"


def after(seconds: float, output: Callable[[dict[str, Any]], Output]) -> Work:
    """Return work that takes some seconds, and then answers from its input."""

    async def work(turn: Turn, use_id: str, tool_input: dict[str, Any]) -> Output:
        await turn.pause(seconds)
        return output(tool_input)

    return work


def failure(message: str) -> Output:
    """Return a tool's error, in both of its forms."""
    return Output(content=message, data=f"Error: {message}", is_error=True)


def bash(command: str, description: str, stdout: str, *, seconds: float = 1.2, exit_code: int = 0) -> Call:
    """Return a console command. If a person changes it, the planned output is not used."""

    def output(tool_input: dict[str, Any]) -> Output:
        shown = stdout if tool_input.get("command") == command else _OTHER_COMMAND
        if exit_code:
            return failure(f"Exit code {exit_code}\n{shown}")
        data = {"stdout": shown, "stderr": "", "interrupted": False, "isImage": False, "noOutputExpected": False}
        return Output(content=shown or "(Bash completed with no output)", data=data)

    return Call(
        name="Bash",
        input={"command": command, "description": description},
        work=after(seconds, output),
        request={"description": description, "decision_reason": "This command requires approval"},
    )


def read(path: str, text: str) -> Call:
    """Return a call that reads a file. The answer has line numbers, as for the model."""
    lines = text.splitlines()

    def output(tool_input: dict[str, Any]) -> Output:
        file = {
            "filePath": tool_input.get("file_path", path),
            "content": text,
            "numLines": len(lines),
            "startLine": 1,
            "totalLines": len(lines),
        }
        numbered = "\n".join(f"{number}\t{line}" for number, line in enumerate(lines, start=1))
        return Output(content=numbered, data={"type": "text", "file": file})

    return Call(name="Read", input={"file_path": path}, work=after(QUICK, output))


def read_missing(path: str) -> Call:
    """Return a call that reads a missing file and fails."""
    message = "File does not exist."
    return Call(name="Read", input={"file_path": path}, work=after(QUICK, lambda _: failure(message)))


def edit(path: str, original: str, old: str, new: str) -> Call:
    """Return a change of a file, with its diff."""

    def output(tool_input: dict[str, Any]) -> Output:
        replaced, replacement = str(tool_input.get("old_string", old)), str(tool_input.get("new_string", new))
        if replaced not in original:
            return failure(f"String to replace not found in file.\nString: {replaced}")
        data = {
            "filePath": path,
            "oldString": replaced,
            "newString": replacement,
            "originalFile": original,
            "structuredPatch": structured_patch(original, original.replace(replaced, replacement, 1)),
            "userModified": replacement != new,
            "replaceAll": False,
        }
        return Output(content=f"The file {path} has been updated successfully.", data=data)

    tool_input = {"file_path": path, "old_string": old, "new_string": new, "replace_all": False}
    return Call(name="Edit", input=tool_input, work=after(QUICK, output), request={"description": _name(path)})


def write(path: str, text: str) -> Call:
    """Return a call that writes a new file."""

    def output(tool_input: dict[str, Any]) -> Output:
        data = {
            "type": "create",
            "filePath": path,
            "content": tool_input.get("content", text),
            "structuredPatch": [],
            "originalFile": None,
            "userModified": False,
        }
        return Output(content=f"File created successfully at: {path}", data=data)

    tool_input = {"file_path": path, "content": text}
    return Call(name="Write", input=tool_input, work=after(QUICK, output), request={"description": _name(path)})


def answered(name: str, tool_input: dict[str, Any], content: Any, data: Any, *, seconds: float = QUICK) -> Call:
    """Return a call of any other tool, with a fixed answer."""
    return Call(name=name, input=tool_input, work=after(seconds, lambda _: Output(content=content, data=data)))


def structured_patch(before: str, after_: str, context: int = 3) -> list[dict[str, Any]]:
    """Return the hunks between two texts in Claude Code's form."""
    old, new = before.splitlines(), after_.splitlines()
    groups = difflib.SequenceMatcher(None, old, new).get_grouped_opcodes(context)
    return [_hunk(old, new, group) for group in groups]


def _hunk(old: list[str], new: list[str], group: Sequence[tuple[str, int, int, int, int]]) -> dict[str, Any]:
    lines: list[str] = []
    for tag, old_from, old_to, new_from, new_to in group:
        if tag == "equal":
            lines += [f" {line}" for line in old[old_from:old_to]]
        else:
            lines += [f"-{line}" for line in old[old_from:old_to]]
            lines += [f"+{line}" for line in new[new_from:new_to]]
    first, last = group[0], group[-1]
    return {
        "oldStart": first[1] + 1,
        "oldLines": last[2] - first[1],
        "newStart": first[3] + 1,
        "newLines": last[4] - first[3],
        "lines": lines,
    }


def _name(path: str) -> str:
    return path.rsplit("/", 1)[-1]
