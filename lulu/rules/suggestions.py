"""Suggests patterns for "don't ask again": narrow ones first, and never a dangerously wide one."""

from __future__ import annotations

import posixpath

from lulu.errors import InputError
from lulu.model.claude_tools import COMMAND_TOOLS, EDITING, FILE_TOOLS, FOR_A_PERSON, PRIMARY_FIELD, SHELL_TOOLS
from lulu.rules.evaluate import decide, real_path
from lulu.rules.hosts import plain_host
from lulu.rules.path_globs import escaped_path
from lulu.rules.paths import file_targets
from lulu.rules.patterns import parse
from lulu.rules.sensitive_paths import delicate
from lulu.rules.shell.approval import doubts
from lulu.rules.shell.commands import read_commands
from lulu.rules.shell.options import narrows, offered
from lulu.rules.shell.parser import Script
from lulu.rules.text_globs import escaped
from lulu.rules.values import Resolve, Rule, ToolCall


def suggest(call: ToolCall, *, resolve: Resolve = real_path) -> list[str]:
    """Return patterns that would approve this call, narrowest first.

    Empty if a person should be asked each time. The person can still type any other pattern.
    """
    name = call.tool_name
    if name in FOR_A_PERSON:
        return []
    if name in SHELL_TOOLS:
        offers = _for_command(call)
    elif name in FILE_TOOLS:
        offers = _for_files(call)
    elif name == "WebFetch":
        url = call.tool_input.get("url")
        host = plain_host(url) if isinstance(url, str) else None
        offers = [f"WebFetch(domain:{host.lower()})"] if host else []
    elif name in PRIMARY_FIELD:
        value = call.tool_input.get(PRIMARY_FIELD[name])
        offers = [f"{name}({escaped(value)})"] if isinstance(value, str) and value else []
    elif name.startswith("mcp__") and "__" in name[5:]:
        offers = [name, f"{name[: name.index('__', 5)]}__*"]
    else:
        offers = [name]
    return [offer for offer in dict.fromkeys(offers) if _approves(offer, call, resolve)]


def narrowing(rule: Rule) -> str | None:
    """Return the calls of an approve rule that still need a person, as a sentence; None without any."""
    try:
        pattern = parse(rule.tool_pattern)
    except InputError:
        return None
    if rule.action != "approve":
        return None
    if pattern.glob is not None and pattern.tool_name in COMMAND_TOOLS and narrows(pattern.glob):
        return "Asks where an option writes elsewhere, runs or sends something, unless the rule names the option."
    names_one_file = pattern.path is not None and not set("*?[") & set("".join(pattern.path.parts))
    if pattern.tool_name in EDITING and not names_one_file:
        return "Asks for files that tell programs what to do (.git, .claude, .mcp.json …), unless the rule names them."
    return None


def _approves(pattern: str, call: ToolCall, resolve: Resolve) -> bool:
    try:
        parse(pattern)
    except InputError:
        return False
    verdict = decide([Rule(id=None, tool_pattern=pattern, action="approve")], call, resolve=resolve)
    return verdict is not None


def _for_command(call: ToolCall) -> list[str]:
    command = call.tool_input.get("command")
    if not isinstance(command, str) or not command.strip():
        return []
    tool = "PowerShell" if call.tool_name == "PowerShell" else "Bash"
    offers = [f"{tool}({escaped(command.strip())})"]
    script = read_commands(command).script
    if tool == "Bash" and not doubts(command, script, lambda folder: False):
        offers += [f"Bash({words} *)" for words in _prefix(script)]
    return offers


def _prefix(script: Script) -> list[str]:
    """Return the words of a pattern before its star, if every option of this call is harmless."""
    if len(script.parts) != 1 or script.parts[0].assignments or script.parts[0].redirections:
        return []
    first, *inside = script.parts[0].runs.chain
    words = script.parts[0].words[: offered(first)]
    if inside or not words or words[0].raw != first.name or any(word.raw != word.text for word in words):
        return []
    return [" ".join(word.raw for word in words)]


def _for_files(call: ToolCall) -> list[str]:
    targets = file_targets(call.tool_name, call.tool_input)
    if not targets:
        return []
    family = "Edit" if call.tool_name in EDITING else "Read"
    path, base = targets[0].path, call.cwd or call.folder
    if path == "~" or path.startswith("~/"):
        path = (call.home or "") + path[1:]
    path = posixpath.normpath(posixpath.join(base, path))
    folder = path if targets[0].searched else posixpath.dirname(path)
    top = posixpath.normpath(call.folder)
    # A pattern that matches a folder covers everything in it, so never the project or a folder above it.
    wide_open = any(f"{inside}/".startswith(f"{path.rstrip('/')}/") for inside in (top, call.home or top))
    offers = [] if targets[0].searched or wide_open else [f"{family}({escaped_path(path)})"]
    for wide in (folder, top):
        below = wide == top or wide.startswith(f"{top}/")
        # Not a home folder, the top of a disk, or a file that controls programs.
        shallow = wide.count("/") < 2 or wide == call.home
        if below and not shallow and not delicate(wide.split("/")):
            offers.append(f"{family}({escaped_path(wide)}/**)")
    return offers
