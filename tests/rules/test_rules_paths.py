"""Paths: patterns, families of tools, links."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from lulu.rules import decide
from tests.rules.rule_support import FOLDER, HOME, approves, call, denies, rule, verdict

# Paths

PATHS = [
    # pattern, tool, path, approved, denied
    ("Read(src/a.py)", "Read", f"{FOLDER}/src/a.py", True, True),
    ("Read(src/a.py)", "Read", "src/a.py", True, True),
    ("Read(./src/a.py)", "Read", "src/./a.py", True, True),
    ("Read(src/a.py)", "Read", "src/b.py", False, False),
    ("Read(src/**)", "Read", "src/x/y/a.py", True, True),
    ("Read(src/**)", "Read", "src/../.env", False, False),
    ("Read(src/**)", "Read", "lib/../src/a.py", True, True),
    ("Read(src/**)", "Read", "/etc/passwd", False, False),
    ("Read(src/**)", "Read", f"{FOLDER}2/src/a.py", False, False),
    ("Edit(src/**)", "Edit", "vendor/src/a.py", False, True),
    ("Edit(/src/**)", "Edit", "vendor/src/a.py", False, False),
    ("Edit(**/src/**)", "Edit", "vendor/src/a.py", True, True),
    ("Edit(src/x/**)", "Edit", "vendor/src/x/a.py", False, False),
    ("Read(.env)", "Read", ".env", True, True),
    ("Read(.env)", "Read", "a/b/.env", True, True),
    ("Read(.env)", "Read", "../.env", False, False),
    ("Read(./.env)", "Read", "a/.env", False, False),
    ("Read(//**/.env)", "Read", "/srv/x/.env", True, True),
    ("Read(*.py)", "Read", "src/a.py", True, True),
    ("Read(src/*.py)", "Read", "src/a.py", True, True),
    ("Read(src/*.py)", "Read", "src/x/a.py", False, False),
    ("Read(src/*)", "Read", "src/a.py", True, True),
    ("Read(src/*)", "Read", "src/lib/a.py", False, True),
    ("Read(**/test_*.py)", "Read", "a/b/test_x.py", True, True),
    ("Read(src/?.py)", "Read", "src/ab.py", False, False),
    ("Read(src/[ab].py)", "Read", "src/a.py", True, True),
    ("Read(src/[!ab].py)", "Read", "src/a.py", False, False),
    (r"Read(/\[2024\] Notes/\*.md)", "Read", "[2024] Notes/*.md", True, True),
    (r"Read(/\[2024\] Notes/\*.md)", "Read", "[2024] Notes/a.md", False, False),
    ("Read(src)", "Read", "src/x/a.py", True, True),
    ("Read(src/)", "Read", "src/x/a.py", True, True),
    ("Edit(//tmp/scratch.txt)", "Edit", "/tmp/scratch.txt", True, True),
    ("Edit(//tmp/**)", "Edit", "/tmp/../etc/passwd", False, False),
    ("Edit(/tmp/**)", "Edit", "/tmp/x", False, False),
    ("Edit(~/notes/**)", "Edit", f"{HOME}/notes/a.md", True, True),
    ("Edit(~/notes/**)", "Edit", "~/notes/a.md", True, True),
    ("Edit(~/notes/**)", "Edit", "~/notes/../.bashrc", False, False),
    ("Read(~)", "Read", "~/x", True, True),
    ("Read(../shared/**)", "Read", f"{HOME}/shared/a.md", True, True),
    ("Read(../shared/**)", "Read", f"{HOME}/other/a.md", False, False),
    ("Read(docs/Übersicht.md)", "Read", "docs/Übersicht.md", True, True),
    ("Read(docs/Übersicht.md)", "Read", "docs/U\u0308bersicht.md", False, True),
    ("Read(.env)", "Read", ".ENV", False, True),
    ("Read(src/**)", "Read", "src/a\x00b", False, False),
    ("Read(src/**)", "Read", "~ada/project/src/x", False, True),
    ("Read(*)", "Read", "/etc/passwd", False, True),
    ("Read(*)", "Read", "a/b", True, True),
    # families
    ("Edit(src/**)", "Write", "src/a.py", True, True),
    ("Edit(src/**)", "MultiEdit", "src/a.py", True, True),
    ("Edit(src/**)", "NotebookEdit", "src/a.ipynb", True, True),
    ("Edit(src/**)", "Read", "src/a.py", False, False),
    ("Write(src/**)", "Write", "src/a.py", True, True),
    ("Write(src/**)", "Edit", "src/a.py", False, False),
    ("Read(src/**)", "Grep", "src", True, True),
    ("Read(src/**)", "Edit", "src/a.py", False, True),
    ("Read(src/*.py)", "Grep", "src", False, False),
    ("Read(src/*)", "Grep", "src", False, True),
    ("Write(*)", "Write", "/etc/passwd", False, True),
]


@pytest.mark.parametrize(("pattern", "tool", "path", "approved", "denied"), PATHS)
def test_path_is_matched(pattern: str, tool: str, path: str, approved: bool, denied: bool) -> None:
    judged = call(tool, path)

    assert approves(pattern, judged) is approved
    assert denies(pattern, judged) is denied


@pytest.mark.parametrize(
    ("tool_input", "approved"),
    [
        ({"pattern": "*.py", "path": "src"}, True),
        ({"pattern": "**/*.py", "path": f"{FOLDER}/src/x"}, True),
        ({"pattern": "*.py"}, False),
        ({"pattern": "../*.py", "path": "src"}, False),
        ({"pattern": "/etc/*", "path": "src"}, False),
        ({"pattern": "{/etc,x}/*", "path": "src"}, False),
        *(
            ({"pattern": pattern, "path": "src"}, False)
            for pattern in ("{,x}/etc/*", "{.,}./x", "{.}{.}/x", r".\./x", " /etc/*", "@(/etc)/*", "+(.)/x", "{,~}/x")
        ),
        ({"pattern": "{" + "a," * 1_200 + "/etc}/*", "path": "src"}, False),
        ({"pattern": "**/*.{ts,tsx}", "path": "src"}, True),
        ({"pattern": "*.py", "path": " /etc"}, False),
        ({"pattern": "~/*", "path": "src"}, False),
        ({"pattern": 5, "path": ["src"]}, False),
    ],
)
def test_glob_is_approved_only_below_its_folder(tool_input: dict[str, Any], approved: bool) -> None:
    assert approves("Read(src/**)", call("Glob", tool_input)) is approved


@pytest.mark.parametrize(
    ("tool", "path"),
    [
        *(("Read", path) for path in (" /etc/x", "\u00a0/etc/x", "\ufeff/etc/x", "/etc/x ", "file:///etc/x", "~ada/x")),
        *(("Edit", path) for path in ("\t/etc/x", "FILE:/etc/x", "file://localhost/etc/x")),
    ],
)
def test_path_that_programs_read_differently_is_asked_and_denied(tool: str, path: str) -> None:
    assert not approves(f"{tool}(./**)", call(tool, path))
    assert path.startswith(("~", "\ufeff")) or denies(f"{tool}(//etc/**)", call(tool, path))


def test_glob_for_a_denied_name_is_denied() -> None:
    assert denies("Read(.env)", call("Glob", {"pattern": "web/.env"}))


def test_path_starts_at_the_folder_of_the_rule() -> None:
    judged = call("Edit", "/srv/shop/src/a.py", folder="/srv/shop/web")

    assert verdict([rule("Edit(/src/**)", folder="/srv/shop")], judged) == "approve"
    assert verdict([rule("Edit(/src/**)")], judged) is None


def test_relative_path_starts_where_the_agent_is() -> None:
    judged = call("Edit", "a.py", cwd=f"{FOLDER}/src")

    assert approves("Edit(/src/a.py)", judged)
    assert not approves("Edit(/a.py)", judged)
    assert not approves("Edit(src/**)", call("Edit", "src/a.py", cwd="/tmp"))


@pytest.mark.parametrize(
    ("pattern", "tool", "given"),
    [
        ("Read(/sub/key)", "Bash", "cat key"),
        ("Read(sub/key)", "Read", "key"),
        ("Read(./key)", "Read", "key"),
        ("Edit(/sub/**)", "Bash", "echo x > new"),
        ("Read(//srv/secret)", "Bash", "cat ../../../srv/secret"),
        # From the session's folder, too: a program may have been told to go back there.
        ("Read(/key)", "Bash", "cat key"),
        ("Read(/sub/key)", "Bash", "cat sub/key"),
        ("Read(./key)", "Read", f"{FOLDER}/key"),
    ],
)
def test_deny_rule_holds_from_where_the_agent_is_and_from_the_sessions_folder(
    pattern: str, tool: str, given: str
) -> None:
    assert denies(pattern, call(tool, given, cwd=f"{FOLDER}/sub"))


@pytest.mark.parametrize(
    ("pattern", "given"),
    [("Read(/sub/key)", "cat key"), ("Read(/key)", "cat sub/key"), ("Edit(/sub/**)", "echo x > n")],
)
def test_deny_rule_on_a_path_says_nothing_of_its_namesakes_elsewhere(pattern: str, given: str) -> None:
    assert not denies(pattern, call("Bash", given))


# Links, on a real file system


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder with a file, one link out of it, one into it, and one to a folder."""
    folder = (tmp_path / "project").resolve()
    (folder / "src").mkdir(parents=True)
    (folder / "src" / "a.py").touch()
    secret = folder.parent / "secret"
    secret.mkdir()
    (secret / "key").touch()
    (folder / "src" / "out").symlink_to(secret)
    (folder / "src" / "key").symlink_to(secret / "key")
    (folder / "in.py").symlink_to(folder / "src" / "a.py")
    (folder.parent / "alias").symlink_to(folder)
    return folder


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("src/a.py", "approve"),
        ("src/new/file.py", "approve"),
        ("src/out/key", "deny"),
        ("src/out", "deny"),
        ("src/key", "deny"),
        ("src/out/../secret/key", "deny"),
        ("src/../in.py", None),
    ],
)
def test_link_and_its_target_both_count(project: Path, path: str, expected: str | None) -> None:
    rules = [rule("Edit(src/**)"), rule(f"Edit(/{project.parent}/secret/**)", "deny")]

    found = decide(rules, call("Edit", path, folder=str(project)))

    assert (found.action if found else None) == expected


def test_project_may_be_reached_through_a_link(project: Path) -> None:
    alias = str(project.parent / "alias")

    found = decide([rule("Edit(src/**)")], call("Edit", f"{alias}/src/a.py", folder=alias))

    assert found is not None


def test_link_loop_is_not_approved(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to(tmp_path / "b")
    (tmp_path / "b").symlink_to(tmp_path / "a")

    def unknown(path: str) -> str:
        raise OSError(path)

    judged = call("Edit", "a", folder=str(tmp_path))

    assert decide([rule("Edit(a)")], judged, resolve=unknown) is None
    denied = decide([rule("Edit(a)", "deny")], judged, resolve=unknown)
    assert denied is not None


def test_folder_reached_through_a_link_must_lie_in_the_rules_folder(project: Path) -> None:
    (project / "elsewhere").symlink_to(project.parent / "secret")
    judged = call("Bash", "ls", folder=str(project / "elsewhere"))

    assert decide([rule("Bash", folder=str(project))], judged) is None
    assert decide([rule("Bash", "deny", folder=str(project))], judged) is not None
