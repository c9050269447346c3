"""What a folder brings, and what an answer about it counts for."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from lulu.agent import AgentSpec, project
from lulu.settings import Settings
from lulu.trust import answers as trust
from lulu.trust import folder_files
from lulu.trust.answers import Answer, Verdict, judge
from lulu.trust.folder_files import Brought, inspect

ALL = ["user", "project", "local"]


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """Two folders below the test's own."""
    path = tmp_path / "above" / "project"
    path.mkdir(parents=True)
    return path


def bring(folder: Path, *files: str) -> None:
    for name in files:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("{}")


def places(folder: Path, sources: list[str] = ALL) -> dict[str, list[str]]:
    """The files that count, by the folder that brings them."""
    return {place.folder: sorted(place.entries) for place in inspect(str(folder), sources).places}


def answers(brought: Brought, *, trusted: bool = True) -> dict[str, Answer]:
    """The answer to all that a folder brings."""
    at = datetime.now(UTC)
    return {
        place.folder: Answer(
            folder=place.folder, trusted=trusted, entries=place.entries, answered_by="me", answered_at=at
        )
        for place in brought.places
    }


@pytest.mark.parametrize(
    "file",
    [
        *(".claude/settings.json", ".claude/settings.local.json", ".mcp.json", ".claude/agents/a.md"),
        *(".claude/commands/in/a.md", ".claude/skills/a/SKILL.md", ".claude/hooks/a.sh", ".claude/plugins/a/p.json"),
        *(".claude/output-styles/a.md", ".claude/scheduled_tasks.json", ".claude/what-nobody-knows", ".claude/new/a"),
    ],
)
@pytest.mark.parametrize("level", ["here", "above", "far above"])
def test_whatever_acts_counts_in_the_folder_and_above_it(work: Path, file: str, level: str) -> None:
    folder = {"here": work, "above": work.parent, "far above": work.parent.parent}[level]
    bring(folder, file)

    assert places(work) == {str(folder): [file]}
    assert places(work, ["user"]) == {}


@pytest.mark.parametrize(
    "file",
    [
        *("CLAUDE.md", "CLAUDE.local.md", ".claude/CLAUDE.md", ".claude/rules/a.md", ".claude/plans/a.md"),
        *(".claude/worktrees/a/.claude/settings.json", ".claude/logs/a", "below/.claude/settings.json", "README.md"),
    ],
)
def test_what_only_is_read_or_written_does_not_count(work: Path, file: str) -> None:
    bring(work, file)
    (work / ".claude" / "commands").mkdir(parents=True, exist_ok=True)

    assert places(work) == {}


@pytest.mark.parametrize("own", ["home", "CLAUDE_CONFIG_DIR"])
def test_the_user_s_own_configuration_is_brought_by_nobody(
    work: Path, own: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if own == "home":
        monkeypatch.setenv("HOME", str(work.parent))
        monkeypatch.delenv("CLAUDE_CONFIG_DIR")
    else:
        monkeypatch.setenv("CLAUDE_CONFIG_DIR", str(work.parent / ".claude"))
    bring(work.parent, ".claude/settings.json")

    assert places(work) == {}
    assert places(work.parent) == {}

    bring(work.parent, ".mcp.json")
    assert places(work) == {str(work.parent): [".mcp.json"]}


def test_a_link_to_a_folder_brings_what_that_one_and_those_above_it_bring(work: Path, tmp_path: Path) -> None:
    bring(work, ".claude/settings.json")
    bring(work.parent, ".mcp.json")
    link = tmp_path / "link"
    link.symlink_to(work)

    assert set(places(link)) == {str(work), str(work.parent)}


def make_odd(work: Path, kind: str) -> None:
    skills = work / ".claude" / "skills"
    skills.mkdir(parents=True)
    if kind == "FIFO":
        os.mkfifo(skills / "pipe")
        os.mkfifo(work / ".mcp.json")
        os.mkfifo(work / ".claude" / "settings.json")
    elif kind == "circle":
        (skills / "back").symlink_to(work / ".claude")
    elif kind == "link to itself":
        (skills / "self").symlink_to(skills / "self")
    elif kind == "device":
        (work / ".claude" / "settings.json").symlink_to("/dev/zero")
    elif kind == "link to nothing":
        (work / ".claude" / "settings.json").symlink_to("/nowhere/at/all")
    elif kind == "the whole disk":
        (skills / "root").symlink_to("/")
    elif kind == "many files":
        for number in range(folder_files.MAX_FILES + 1):
            (skills / str(number)).touch()
    elif kind == "large file":
        with (skills / "large").open("wb") as file:
            file.truncate(folder_files.MAX_BYTES + 1)
    elif kind == "odd name":
        (skills / os.fsdecode(b"\xff\n")).write_text("x")
    elif kind == "file in its place":
        skills.rmdir()
        skills.parent.rmdir()
        (work / ".claude").write_text("x")


@pytest.mark.parametrize(
    ("kind", "outcome"),
    [
        *((kind, "known") for kind in ("FIFO", "circle", "device", "link to nothing", "odd name")),
        *((kind, "problem") for kind in ("link to itself", "the whole disk", "many files", "large file")),
        ("file in its place", "nothing"),
    ],
)
def test_odd_folders_are_told_and_never_hang(work: Path, kind: str, outcome: str) -> None:
    make_odd(work, kind)

    found = inspect(str(work), ALL)

    judged = judge(found, {})
    assert bool(judged.asked) == (outcome != "nothing")
    assert [place.problem is not None for place in found.places] == [outcome == "problem"] * len(found.places)
    # What cannot be known again is not trusted, whatever was said.
    again = judge(inspect(str(work), ALL), answers(found))
    assert again.trusted == (outcome == "known")
    assert trust.decode(trust.encode(judged.asked)) == judged.asked


def test_a_folder_that_cannot_be_opened_is_not_trusted(work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bring(work, ".claude/settings.json")
    real = os.scandir

    def refuse(path: Path) -> object:
        if str(path).endswith(".claude"):
            raise PermissionError(13, "Permission denied")
        return real(path)

    monkeypatch.setattr(os, "scandir", refuse)
    found = inspect(str(work), ALL)

    assert [place.problem for place in found.places] == ["It cannot be read (Permission denied)."]
    assert not judge(found, answers(found)).trusted


@pytest.mark.parametrize("text", ["", "a\0b", "relative", "~", "/no/such/folder", "/" + "x" * 5000])
def test_no_folder_s_name_raises(text: str) -> None:
    assert inspect(text, ALL).places == []


def test_an_answer_counts_until_something_changes(work: Path) -> None:
    bring(work, ".claude/settings.json", ".claude/agents/a.md")
    bring(work.parent, ".mcp.json")
    before = inspect(str(work), ALL)
    given = answers(before)

    assert judge(before, given) == Verdict(trusted=True, asked=[])

    (work / ".claude" / "settings.json").write_text("{ }")
    (work / ".claude" / "agents" / "a.md").unlink()
    bring(work, ".claude/hooks/b.sh")
    after = judge(inspect(str(work), ALL), given)
    assert not after.trusted
    (asked,) = after.asked
    assert asked.place.folder == str(work)
    assert asked.changes == [
        "gone: .claude/agents/a.md",
        "new: .claude/hooks/b.sh",
        "changed: .claude/settings.json",
    ]


def test_without_holds_whatever_comes_later(work: Path) -> None:
    bring(work, ".claude/settings.json")
    given = answers(inspect(str(work), ALL), trusted=False)
    bring(work, ".claude/agents/a.md")

    assert judge(inspect(str(work), ALL), given) == Verdict(trusted=False, asked=[])


def test_nothing_acts_where_nobody_was_asked(work: Path) -> None:
    assert judge(inspect(str(work), ALL), {}) == Verdict(trusted=False, asked=[])


def test_allow_rules_are_handed_on_from_where_claude_code_reads_them(work: Path) -> None:
    (work / ".git").mkdir()
    below = work / "below"
    for file, rule in {
        below / ".claude" / "settings.json": "Bash(make *)",
        below / ".claude" / "settings.local.json": "Edit(/a/**)",
        work / ".claude" / "settings.local.json": "Edit(/b/**)",
        work / ".claude" / "settings.json": "Bash(not read here)",
    }.items():
        bring(file.parent, file.name)
        file.write_text(json.dumps({"permissions": {"allow": [rule, 7]}}))
    spec = AgentSpec(
        kind="claude",
        working_directory=str(below),
        model=None,
        permission_mode="default",
        conversation_id="c",
        resume=False,
        trusts_folder=True,
    )

    given = project.gated(spec, Settings())

    rules = ["Bash(make *)", "Edit(/a/**)", f"Edit(/{work}/b/**)"]
    assert json.loads(given or "") == {"permissions": {"allow": rules}}
    assert project.gated(replace(spec, trusts_folder=False), Settings()) is None
    limited = Settings(setting_sources=["project"])
    assert json.loads(project.gated(spec, limited) or "") == {"permissions": {"allow": rules[:1]}}
    assert project.sources(spec, limited) == ["project"]
    assert project.sources(replace(spec, trusts_folder=False), limited) == []


def make_worktree(main: Path, other: Path) -> None:
    """As ``git worktree add`` does."""
    inner = main / ".git" / "worktrees" / "other"
    inner.mkdir(parents=True)
    (inner / "commondir").write_text("../..\n")
    (inner / "gitdir").write_text(f"{other}/.git\n")
    other.mkdir()
    (other / ".git").write_text(f"gitdir: {inner}\n")


def test_a_worktree_asks_nothing_new(work: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    make_worktree(work, other)
    bring(work, ".claude/settings.json", ".claude/settings.local.json")
    given = answers(inspect(str(work), ALL))

    # Claude Code acts on what the main checkout brings, also in a worktree that has nothing itself.
    assert set(places(other)) == {str(work)}
    bring(other, ".claude/settings.json")
    assert judge(inspect(str(other), ALL), given) == Verdict(trusted=True, asked=[])
    bring(other, ".claude/hooks/a.sh")
    assert [one.place.folder for one in judge(inspect(str(other), ALL), given).asked] == [str(other)]


@pytest.mark.parametrize("lie", ["says so", "is linked"])
def test_a_folder_that_calls_itself_a_worktree_is_asked_about(work: Path, tmp_path: Path, lie: str) -> None:
    make_worktree(work, tmp_path / "other")
    bring(work, ".claude/settings.json")
    given = answers(inspect(str(work), ALL))
    false = tmp_path / "false"
    bring(false, ".claude/settings.json")
    if lie == "says so":
        (false / ".git").write_text(f"gitdir: {work}/.git/worktrees/other\n")
    else:
        (false / ".git").symlink_to(work / ".git")

    assert [one.place.folder for one in judge(inspect(str(false), ALL), given).asked] == [str(false)]
