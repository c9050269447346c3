"""A second, independent reader of bash (tree-sitter) as a witness: what both understand, they read alike."""

from __future__ import annotations

import itertools
import re
from collections import Counter
from dataclasses import dataclass, field

import pytest
import tree_sitter_bash
from hypothesis import event, given, settings
from hypothesis import strategies as st
from tree_sitter import Language, Node, Parser

from lulu.rules.shell.parser import Script, read_script
from tests.rules.rule_support import call, denies

PARSER = Parser(Language(tree_sitter_bash.language()))
#: Nodes that only group others.
GROUPING = {"program", "list", "pipeline", "redirected_statement", "comment"}
OPERATORS = {"&&", "||", ";", "|", "|&", "&", "\n", ";;"}


class NotUnderstood(Exception):
    """The witness does not know, or this test does not know the witness."""


@dataclass
class Reading:
    """A command as one of the readers sees it."""

    #: Each simple command: the variables that it sets, its program and its arguments, all without quotes.
    commands: list[tuple[list[str], list[str]]] = field(default_factory=list)
    #: Every redirection, wherever it stands: the witness gives one behind a pipe to the whole line.
    redirections: Counter[tuple[str, str]] = field(default_factory=Counter)


def text_of(node: Node) -> str:
    """What a word means."""
    written = (node.text or b"").decode()
    match node.type:
        case "word" | "number" | "variable_name":
            return re.sub(r"\\\n|\\(.)", lambda found: found[1] or "", written, flags=re.DOTALL)
        case "raw_string":
            return written[1:-1]
        case "string":
            if any(child.type not in ('"', "string_content") for child in node.children):
                raise NotUnderstood(node.type)
            return re.sub(r"\\([$`\"\\])", r"\1", written[1:-1].replace("\\\n", ""))
        case "concatenation" | "command_name":
            return "".join(map(text_of, node.children))
        case "variable_assignment":
            if not re.match(r"[A-Za-z_]\w*\+?=", written, re.ASCII):
                raise NotUnderstood("assignment to no name")
            return "".join(text_of(child) if child.type != "=" else "=" for child in node.children)
    raise NotUnderstood(node.type)


def witnessed(command: str) -> Reading:
    """How the witness reads a command. Raises ``NotUnderstood``."""
    tree = PARSER.parse(command.encode())
    if tree.root_node.has_error:
        raise NotUnderstood("error")
    if command.encode()[: tree.root_node.start_byte].strip():
        raise NotUnderstood("lost text")
    check_gaps(tree.root_node)
    reading = Reading()
    visit(tree.root_node, reading)
    return reading


def check_gaps(node: Node) -> None:
    """Raise ``NotUnderstood`` where the witness has lost a part of a word, or cut one in two."""
    for before, after in itertools.pairwise(node.children):
        if source(node)[before.end_byte - node.start_byte : after.start_byte - node.start_byte].strip():
            # It loses what is a part of a word: bash makes the file " x" of `>\\ x`, and runs `-` in `- 2>x`.
            raise NotUnderstood("lost text")
        if node.type == "command" and before.end_byte == after.start_byte:
            raise NotUnderstood("one word in two")
    for child in node.children:
        check_gaps(child)


def source(node: Node) -> bytes:
    """The node as written."""
    return node.text or b""


def visit(node: Node, reading: Reading) -> None:
    """Add what is in ``node``."""
    if node.type in GROUPING:
        for child in node.children:
            visit(child, reading)
    elif node.type == "command":
        assignments, words = [], []
        for child in node.children:
            if child.type == "variable_assignment":
                assignments.append(text_of(child))
            elif child.type == "file_redirect":
                visit(child, reading)
            else:
                words.append(text_of(child))
        reading.commands.append((assignments, words))
    elif node.type == "variable_assignment":
        reading.commands.append(([text_of(node)], []))
    elif node.type == "file_redirect":
        operator, *targets = [child for child in node.children if child.type != "file_descriptor"]
        first, *behind = targets
        reading.redirections[operator.type, text_of(first)] += 1
        if behind:
            # What stands behind a file's name is an argument: the witness loses whose.
            raise NotUnderstood("words behind a redirection")
    elif node.type not in OPERATORS:
        raise NotUnderstood(node.type)


def read_by_lulu(script: Script) -> Reading:
    """How the rules read it."""
    reading = Reading()
    for part in script.parts:
        if part.words or part.assignments:
            reading.commands.append(([word.text for word in part.assignments], [word.text for word in part.words]))
        for each in part.redirections:
            reading.redirections[each.operator, each.target.text] += 1
    return reading


BOTH_UNDERSTAND = [
    "git diff --stat",
    "CI=1 git diff 'a b'x \"c d\" > out 2>&1 | wc -l && cat < in",
    r"rm \x a\ b; ls -la",
    "timeout 5 npm test & echo done",
    "e'ch'o \"a\"'b'c\\d",
    "find . -name '*.py' -exec rm {} +",
    "A=b; c d",
    "a || b |& c\nd",
    "git commit -m 'x; y && z | w > v'",
    "# only said\nls # and this",
    "ls *.py a?b [ab]c ~/x",
    'echo "a\\"b\\$c" \\"d',
]


@pytest.mark.parametrize("command", BOTH_UNDERSTAND)
def test_both_readers_understand_these_and_agree(command: str) -> None:
    script = read_script(command)

    assert not script.doubts
    assert read_by_lulu(script) == witnessed(command)


words = st.lists(
    st.sampled_from(
        [
            *[
                "git",
                "rm",
                "find",
                "a",
                "-x",
                "--o=v",
                "./p/q",
                "5",
                "*.py",
                "~",
                "@",
                "%1",
                "a:b",
                "é",
                "-",
                "+",
                "^",
                "=",
            ],
            *[
                "'a b'",
                "''",
                "'x;y'",
                "'$z'",
                "'\"'",
                '"c d"',
                '"e\'f"',
                '"g;h|i"',
                '"\\$j"',
                '"\\\\"',
                '"\\"k"',
                '"#"',
            ],
            *["\\ ", "\\;", "\\'", '\\"', "\\\\", "\\n", "\\&", "\\#", "a#b"],
        ]
    ),
    min_size=1,
    max_size=3,
).map("".join)
redirections = st.builds(
    "{}{}{}{}".format,
    st.sampled_from(["", "2"]),
    st.sampled_from([">", ">>", "<", ">|", "&>"]),
    st.sampled_from(["", " "]),
    words,
)
assignments = st.builds("{}={}".format, st.sampled_from(["A", "CI", "_x1"]), words | st.just(""))
commands = st.builds(
    lambda *groups: " ".join(piece for group in groups for piece in group),
    st.lists(assignments, max_size=2),
    st.lists(words, min_size=1, max_size=4),
    st.lists(redirections, max_size=2),
)
scripts = st.lists(
    st.tuples(commands, st.sampled_from([" && ", "; ", " | ", " || ", "\n", " & ", "|&", ";", "&&"])),
    min_size=1,
    max_size=4,
)


@settings(max_examples=300)
@given(scripts)
def test_what_both_readers_understand_they_read_alike(pieces: list[tuple[str, str]]) -> None:
    command = "".join(f"{text}{joined}" for text, joined in pieces[:-1]) + pieces[-1][0]
    script = read_script(command)
    try:
        witness = witnessed(command)
    except NotUnderstood as why:
        event(f"the witness: {why}")
        return
    if script.doubts:
        event("a doubt of the rules")
        return

    event("both understand")
    assert read_by_lulu(script) == witness


inside = st.recursive(
    st.sampled_from(
        [
            *["a", "'}'", '"}"', "\\}", "{", "a#b", "'a b'", "'\"'", "\\'", "`echo '}'`", "$((1<<E))", "$(echo '}')"],
            *["$'\\'}'", "$(echo # '\n)", "$(cat <<E\n}'\nE\n)", "${#y}", '"$(echo ")}")"', "$(echo ')')", "$z"],
        ]
    ),
    lambda each: st.builds(
        "{}{}{}".format,
        st.sampled_from(["${x:-", "${x#", "${x/a/", "${x^^", "$(echo "]),
        st.lists(each, min_size=1, max_size=2).map("".join),
        st.just("}"),
    ).map(lambda text: text[:-1] + ")" if text.startswith("$(") else text),
    max_leaves=4,
)
before_rm = st.one_of(
    st.builds("echo ${{x{}{}}}".format, st.sampled_from([":-", "#", "%", "/a/", "^^", ":+"]), inside),
    st.builds('echo "${{x{}{}}}"'.format, st.sampled_from([":-", "#", "%", "/a/"]), inside),
    st.builds("echo {}".format, inside),
    st.builds("[[ a =~ {} ]]".format, inside | st.sampled_from(["(#)", "(a|#)", "[#]"])),
    st.builds("cat <<E\n{}\nE\n:".format, inside),
    st.sampled_from(["((1<<E))", "echo $((1<<E))", "cat <<$E\nfoo\n$E\n:", "x=(a b)"]),
)


@settings(max_examples=300)
@given(before_rm, st.sampled_from([";", " && ", "\n", "|"]))
def test_deny_rule_sees_each_command_that_the_witness_sees_behind_an_expansion(before: str, joined: str) -> None:
    command = f"{before}{joined}rm x"
    root = PARSER.parse(command.encode()).root_node
    nodes, runs = [root], False
    while nodes:
        node = nodes.pop()
        nodes += node.children
        runs = runs or (node.type == "command" and source(node) == b"rm x")
    if root.has_error or not runs:
        event("the witness does not see it")
        return

    event("the witness sees it")
    assert denies("Bash(rm *)", call("Bash", command))
