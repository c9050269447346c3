"""What holds for any rules and any call, and whether bash agrees with the way in which commands are read."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from lulu.errors import InputError
from lulu.rules import Rule, ToolCall, decide, explain, parse, suggest
from tests.rules.rule_support import FOLDER, HOME, call, rule, unlinked

#: Pieces of commands, chosen so that random rows of them are often commands, and often nasty ones.
FRAGMENTS = [
    *["echo", "echo a", "rm", "rm x", "x", "a b", " ", "  ", "\t", "\n", "\\\n", "\r", "\\", "'", '"', "`", "#", "!"],
    *["=", ";", ";;", "&&", "||", "|", "|&", "&", "(", ")", "()", "{", "}", "$", "$(", "${", "$'", "$((1", "$X", "X="],
    *["X=rm", "<", ">", ">>", ">|", "&>", "2>", "1>&2", ">&", "<(", "<<", "<<EOF\n", "\nEOF\n", "/dev/null", "-", "--"],
    *["~", "@", "*", "?", "[", "]", "[[", "]]", "if ", "then ", "fi", "for f in rm", "do ", "done", "case x in x)"],
    *["esac", "function f", "time ", "command ", "xargs ", "timeout 5 ", "nohup ", "nice ", "exec ", "eval ", "trap "],
    *["coproc ", "é", "\u00a0", "0", "1", ",", "+", "%", "^", "git push", "git -C x push"],
    *["\"$(cat <<'EOF'\n", '\nEOF\n)"'],
]
PATHS = [
    "src/a.py",
    "src/../.env",
    ".env",
    "/etc/passwd",
    "~/x",
    "~",
    "..",
    "src/",
    "//x",
    "a\x00",
    "a\udcff",
    "",
    "src/[a]",
]

commands = st.lists(st.sampled_from(FRAGMENTS), max_size=9).map("".join)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
fields = st.sampled_from(
    ["command", "file_path", "path", "pattern", "glob", "notebook_path", "url", "subagent_type", "x"]
)
tools = st.sampled_from(
    [
        *["Bash", "Monitor", "PowerShell", "Read", "Edit", "Write", "NotebookEdit", "Glob", "Grep", "LS", "LSP"],
        *["WebFetch", "Agent", "Task", "Skill", "WebSearch", "AskUserQuestion", "mcp__a__b", "mcp__a", ""],
    ]
)
urls = st.sampled_from(
    ["https://a.org/x", "https://A.org.", "http://u@b.a.org:8/", "https://[::1", "https://ä.org", "//"]
)
inputs = st.dictionaries(fields, commands | st.sampled_from(PATHS) | urls | json_values, max_size=3)
calls = st.builds(
    ToolCall,
    tool_name=tools | st.text(max_size=10),
    tool_input=inputs,
    session_id=st.sampled_from(["s1", "s2", None]),
    folder=st.sampled_from([FOLDER, "/", "", "x", "/a\x00"]),
    cwd=st.sampled_from([None, f"{FOLDER}/src", "src"]),
    home=st.sampled_from([HOME, None, ""]),
)
#: Calls about which there is something to say.
likely_calls = (
    commands.map(lambda command: call("Bash", command))
    | st.sampled_from(PATHS).map(lambda path: call("Edit", path))
    | st.sampled_from(PATHS).map(lambda path: call("Read", path))
    | urls.map(lambda url: call("WebFetch", url))
)
likely_patterns = st.sampled_from(
    [
        *["*", "Bash", "Bash(*)", "Bash(rm *)", "Bash(echo *)", "Bash(echo:*)", "Bash(* x)", "Bash(*a*)", "Bash(rm x)"],
        *["Bash(git push *)", "Bash(time *)", "Bash(xargs *)", "Edit(**)", "Edit(src/**)", "Read(.env)", "Read(~/**)"],
        *["Edit(/src/*.py)", "Edit(//etc/**)", "Read*", "Write(*)", "WebFetch(domain:a.org)", "WebFetch(domain:*.org)"],
        *["mcp__a", "Agent(x)", "Agent(model:*)", "Bash(", ""],
    ]
)
patterns = likely_patterns | st.text(max_size=30) | commands.map(lambda command: f"Bash({command})")
rules = st.builds(
    Rule,
    id=st.integers(1, 99),
    tool_pattern=patterns,
    action=st.sampled_from(["approve", "deny"]),
    session_id=st.sampled_from([None, None, "s1", "s2"]),
    folder=st.sampled_from([None, None, FOLDER, HOME, "/srv", "", "x\x00"]),
    enabled=st.sampled_from([True, True, True, False]),
)


def action(listed: list[Rule], judged: ToolCall) -> str | None:
    """``approve``, ``deny`` or nothing."""
    found = decide(listed, judged, resolve=unlinked)
    return found.action if found else None


@settings(max_examples=400)
@given(st.lists(rules, max_size=4), calls | likely_calls)
def test_no_input_raises(listed: list[Rule], judged: ToolCall) -> None:
    found = explain(listed, judged)

    assert found.why
    assert [each.rule for each in found.judged] == listed
    assert all(each.why for each in found.judged)
    assert decide(listed, judged) == found.verdict
    for offer in suggest(judged):
        parse(offer)


@settings(max_examples=300)
@given(st.text() | commands.map(lambda command: f"Bash({command})") | st.sampled_from(PATHS).map("Read({})".format))
def test_pattern_is_read_or_refused_with_a_next_step(pattern: str) -> None:
    refused: InputError | None = None
    read = ""
    try:
        read = parse(pattern).text
    except InputError as error:
        refused = error

    assert read == pattern.strip() if refused is None else (refused.happened and refused.next_step)


@settings(max_examples=300)
@given(st.lists(rules, max_size=4), rules, likely_calls)
def test_another_deny_rule_only_forbids(listed: list[Rule], more: Rule, judged: ToolCall) -> None:
    denying = rule(more.tool_pattern, "deny", folder=more.folder, session_id=more.session_id)

    before, after = action(listed, judged), action([*listed, denying], judged)

    # A deny rule that cannot be read takes approval back, too.
    assert after in {"approve": ("approve", "deny", None), "deny": ("deny",), None: ("deny", None)}[before]


@settings(max_examples=300)
@given(st.lists(rules, max_size=4), rules, likely_calls)
def test_another_approve_rule_only_approves_what_was_open(listed: list[Rule], more: Rule, judged: ToolCall) -> None:
    approving = rule(more.tool_pattern, "approve", folder=more.folder, session_id=more.session_id)

    before, after = action(listed, judged), action([*listed, approving], judged)

    assert after in {"approve": ("approve",), "deny": ("deny",), None: ("approve", None)}[before]


@settings(max_examples=200)
@given(st.lists(rules, min_size=2, max_size=5), likely_calls)
def test_order_does_not_matter(listed: list[Rule], judged: ToolCall) -> None:
    shuffled = list(reversed(listed))

    assert action(shuffled, judged) == action(listed, judged)


@settings(max_examples=400)
@given(likely_patterns, likely_calls)
def test_what_a_pattern_approves_it_also_denies(pattern: str, judged: ToolCall) -> None:
    approved = action([rule(pattern)], judged) == "approve"

    assert not approved or action([rule(pattern, "deny")], judged) == "deny"


@settings(max_examples=200)
@given(likely_calls)
def test_offers_approve_the_call_and_nothing_dangerous(judged: ToolCall) -> None:
    offers = [rule(offer) for offer in suggest(judged, resolve=unlinked)]

    assert all(action([offer], judged) == "approve" for offer in offers)
    for other in ("rm -rf y", "sudo ls y", "bash -c y", "python y", "echo y | sh", "echo $(rm y)", "echo y > z"):
        assert action(offers, call("Bash", other)) is None
    assert action(offers, call("Edit", f"{HOME}/.bashrc")) is None


def _run(command: str) -> tuple[set[str], set[str]]:
    """What bash runs, of programs that only note their names, and which files are there afterwards."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as top:
        programs, work, noted = Path(top, "bin"), Path(top, "work"), Path(top, "noted")
        programs.mkdir()
        work.mkdir()
        bash = shutil.which("bash") or "/bin/bash"
        for name in ("rm", "git", "a", "x"):
            (programs / name).write_text(f"#!{bash}\nprintf '%s\\n' \"${{0##*/}}\" >> {noted}\n")
            (programs / name).chmod(0o755)
        env = {"PATH": str(programs), "HOME": str(work)}
        with contextlib.suppress(subprocess.TimeoutExpired):
            subprocess.run(
                [bash, "--norc", "-c", command],
                cwd=work,
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                timeout=2,
            )
        return set(noted.read_text().split()) if noted.exists() else set(), {path.name for path in work.iterdir()}


@settings(max_examples=100)
@given(st.sampled_from(["", "echo "]), commands)
def test_bash_runs_nothing_but_what_the_rules_saw(head: str, tail: str) -> None:
    command = f"{head}{tail}"
    approved = action([rule("Bash(echo *)")], call("Bash", command)) == "approve"
    denied = action([rule("Bash(rm *)", "deny")], call("Bash", command)) == "deny"

    ran, files = _run(command)

    assert not approved or (ran, files) == (set(), set())
    assert "rm" not in ran or denied
